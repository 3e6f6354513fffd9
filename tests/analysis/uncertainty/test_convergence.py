"""How many runs a result needs: hand-worked ranks, coverage of the intervals, and the rule that stops a batch."""

from pathlib import Path

import numpy as np
import pytest

from computemarket.analysis.results.headline import Headline
from computemarket.analysis.uncertainty.convergence import precision, precisions, until_stable
from computemarket.errors import InputError
from computemarket.scenarios.batches.batch import run_study
from computemarket.scenarios.batches.executor import Inline
from computemarket.scenarios.studies.study import read_study

TEXT = 'scenarios = ["baseline"]\nruns = 20000\nuntil = "2022Q1"\nrecording = ["utilisation"]\n'


def study(text: str = TEXT):
    return read_study(text.encode(), "asked.toml", Path(), Headline())


def test_the_interval_of_a_quantile_is_that_of_its_ranks():
    found = precision(np.arange(1001.0) - 500.0)
    # ranks of the median: 500.5 +- 31.0, so 469 to 532: half of 63 of a band of 800
    assert (found.low, found.median, found.high) == (-400.0, 0.0, 400.0)
    assert found.unknown == 63 / 2 / 800
    assert found.needed(found.unknown / 2) == 4 * 1001


def test_what_is_unknown_is_a_share_of_the_larger_of_width_and_median():
    assert precision(np.arange(1001.0) + 1100.0).unknown == 63 / 2 / 1600


def test_the_interval_holds_the_quantile_in_about_95_of_100_samples():
    draws = np.random.Generator(np.random.Philox(5)).lognormal(0.0, 1.0, (2000, 400))
    inside = 0
    for sample in np.sort(draws, axis=1):
        low, high = sample[int(np.floor(200 - 19.6))], sample[int(np.ceil(200 + 19.6))]
        inside += bool(low <= 1.0 <= high)
    assert 0.94 <= inside / 2000 <= 0.975


def test_few_runs_know_nothing_and_equal_runs_know_everything():
    assert precision(np.arange(20.0)).unknown == np.inf
    assert precision(np.full(5, 3.0)).unknown == 0.0
    assert precision(np.full(5, np.nan)).runs == 0


@pytest.mark.parametrize("share", [0.0, -1.0, 1.5, float("nan")])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(InputError, match="--until-stable"):
        until_stable(study(), share)


def test_a_design_that_cannot_stop_early_is_refused():
    grid = '[design]\nmethod = "grid"\n[uncertainties.power]\nexisting_mw = "prior"\n'
    with pytest.raises(InputError, match="can stop early"):
        until_stable(study(TEXT + grid), 0.1)
    with pytest.raises(InputError, match="record headline"):
        until_stable(study(TEXT.replace('["utilisation"]', '"full"')), 0.1)


def test_a_batch_stops_when_its_bands_hold_and_not_before(tmp_path):
    asked = study()
    report = run_study(asked, tmp_path, Inline(), stable=until_stable(asked, 0.15))
    assert report.stable_at is not None
    assert report.runs == report.stable_at < 20000
    assert (precisions(tmp_path)["unknown"] <= 0.15).all()
    again = run_study(asked, tmp_path, Inline(), stable=until_stable(asked, 0.15))
    assert (again.computed, again.digest, again.stable_at) == (0, report.digest, report.stable_at)
