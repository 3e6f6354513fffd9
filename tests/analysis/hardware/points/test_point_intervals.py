"""Intervals and the points of the fit: evidence, widening, publishers, sources that state another measure."""

from collections import Counter
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from computemarket.analysis.hardware.energy_check import energy_rows
from computemarket.analysis.hardware.points.coefficient_space import build_space, load_priors
from computemarket.analysis.hardware.points.fit_points import (
    fit_points,
    publisher_groups,
    publisher_of,
    read_both,
)
from computemarket.analysis.hardware.points.point_intervals import (
    TRAITS,
    evidence,
    fit_widening,
    thinness,
    widening,
)
from computemarket.analysis.hardware.price_check import price_rows
from computemarket.model.hardware.performance.coefficients import load_coefficients

DATA = Path(str(files("computemarket.model.data")))
SEEN = [dict.fromkeys(TRAITS, "known") for _ in range(30)]


def test_a_trait_that_no_point_shows_is_all_thin_and_one_of_thirty_a_quarter():
    rows = [dict.fromkeys(TRAITS, "known"), dict.fromkeys(TRAITS, "new")]
    thin = thinness(rows, evidence(SEEN))
    assert thin[0] == pytest.approx(10 / 40)
    assert thin[1] == pytest.approx(1.0)


def test_the_widening_by_hand():
    """A stack never seen, at factor 2, the rest well known at none: 1 + 2 times."""
    thin = np.array([[1.0, 0.25, 0.25, 0.25, 0.25]])
    assert widening(thin, {"stack": 2.0}) == pytest.approx(3.0)
    assert widening(thin, {}) == pytest.approx(1.0)


def test_errors_that_triple_where_a_stack_is_new_are_found():
    """Laplace errors, three times as large for 200 rows of unseen stacks: the factor found is near 2."""
    random = np.random.Generator(np.random.Philox(5))
    thin = np.zeros((2000, len(TRAITS)))
    thin[:200, TRAITS.index("stack")] = 1.0
    residual = random.laplace(size=2000) * 0.1 * np.where(thin[:, 0] > 0, 3.0, 1.0)
    found = fit_widening(residual, thin, ["offline"] * 2000)
    assert 1.5 <= found["stack"] <= 3.0
    assert found["model"] == 0.0


def test_errors_that_do_not_depend_on_evidence_widen_nothing():
    random = np.random.Generator(np.random.Philox(6))
    thin = random.random((2000, len(TRAITS)))
    found = fit_widening(random.laplace(size=2000) * 0.1, thin, ["offline"] * 2000)
    assert sum(found.values()) <= 0.5


@pytest.mark.parametrize(
    ("source", "publisher"),
    [
        ("MLCommons MLPerf Inference v6.0 closed datacenter (6.0-0075)", "MLCommons MLPerf Inference"),
        ("NVIDIA/TensorRT-LLM docs/source/performance/perf-overview.md (00f3768)", "NVIDIA/TensorRT-LLM"),
        ("tenstorrent/tt-inference-server#356", "tenstorrent/tt-inference-server"),
        ("millstoneai.com gpt-oss-120b-mxfp4", "millstoneai.com"),
    ],
)
def test_who_published_a_row(source, publisher):
    assert publisher_of(source) == publisher


def test_publishers_of_few_rows_are_left_out_together():
    names = ["big"] * 20 + ["a", "b", "c", "d"]
    groups = publisher_groups(names)
    assert set(groups[:20]) == {"big"}
    assert Counter(groups[20:]) == Counter(
        {"small publishers 0": 2, "small publishers 1": 1, "small publishers 2": 1}
    )


def test_the_fit_reads_both_files_and_the_measure_that_a_source_states():
    data = fit_points(*read_both(DATA))
    assert data.outside.sum() == 122
    stated = [
        data.setup.metric[k]
        for k, i in enumerate(data.setup.rows)
        if data.points.rows[i]["source"].startswith("ROCm/vllm") and data.points.rows[i]["phase"] == "decode"
    ]
    assert set(stated) == {"e2e_tokens_per_s_per_user"}  # output over the latency of the whole batch
    assert (data.weight == np.where(data.weight > 1.0, 2.0, 1.0)).all()


def test_a_level_of_which_something_is_known_beforehand_has_its_effect_without_points():
    space = build_space([("nvidia", "engine:vllm")])
    place = space.entries.index(("layer_s", "engine:transformers"))
    assert space.start[place] == load_priors()["layer_s"].means["engine:transformers"]


def test_the_shipped_intervals_hold_outside():
    """Coverage of nine tenths intervals, of rows left out by publisher, chip and model, as the fit recorded it."""
    fit = load_coefficients().fit
    for way in ("_without_source", "_without_chip", "_without_model", ""):
        assert 0.85 <= float(fit[f"interval_coverage{way}"]) <= 0.95, way


def test_recorded_energies_are_predicted_within_a_third_but_for_a_few():
    rows = energy_rows()
    assert len(rows) == 18
    errors = np.array([abs(row.error) for row in rows])
    assert np.median(errors) < 0.2
    assert (errors < 0.3).mean() >= 0.7
    for row in rows:
        assert 0.5 < row.predicted / row.measured < 2.0, row.name


def test_list_prices_of_open_models_lie_above_the_cost_of_their_tokens():
    """But for those of a seller whose own servers yield twice what the core's usual software does."""
    rows = {row.name: row for row in price_rows()}
    for name in ("deepseek_r1", "llama3_70b_api", "llama2_70b_api"):
        assert rows[name].over_cost("input") > 1.0, name
        assert rows[name].over_cost("output") > 1.0, name
    for row in rows.values():
        assert row.cost["cached"] < 0.1 * row.cost["input"] < 0.1 * row.cost["output"]
        assert not row.over_cost("cached") < 1.0  # NaN where cached input has no price of its own
