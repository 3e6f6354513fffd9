"""Other predictors beside the core: what they are asked, and what it means when they have no answer."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from computemarket.analysis.hardware.kernel_inputs import Setup, prepare
from computemarket.analysis.hardware.peer_programs import genz, llm_analysis
from computemarket.analysis.hardware.peers import aiconfigurator, scaling_book, shared_rows
from computemarket.analysis.hardware.points.perf_points import Points, read_points
from computemarket.analysis.hardware.points.point_predictor import take_rows
from computemarket.model.hardware.specs.chips import chip_table
from computemarket.model.hardware.specs.models import model_table
from computemarket.model.hardware.specs.precision import FORMATS

FILE = Path(__file__).resolve().parents[3] / "model" / "data" / "perf_points.csv"
_LLAMA = "llama3_1_70b"


@pytest.fixture(scope="module")
def points() -> Points:
    return read_points(FILE)


@pytest.fixture(scope="module")
def shared(points) -> Setup:
    setup, _ = prepare(points.conditions)
    return take_rows(setup, np.flatnonzero(shared_rows(points)[setup.rows]))


@pytest.fixture
def program(monkeypatch) -> ModuleType:
    """Stand in for GenZ: 10 ms a decode step, 80 ms a prompt, and no room beyond a batch of 64."""
    module = ModuleType("GenZ")

    def decode(batch_size: int, **_: object) -> dict[str, float]:
        if batch_size > 64:
            message = "does not fit"
            raise ValueError(message)
        return {"Latency": 10.0}

    module.decode_moddeling = decode
    module.prefill_moddeling = lambda **_: {"Latency": 80.0}
    monkeypatch.setitem(sys.modules, "GenZ", module)
    return module


def test_every_step_carries_its_share_of_the_prompts(shared, program):
    found = genz(shared)
    row = np.flatnonzero(np.isfinite(found))[0]
    expected_ms = 10.0 + shared.batch[row] * 80.0 / shared.output_tokens[row]
    assert found[row] == pytest.approx(1000.0 / expected_ms)


def test_a_program_is_asked_about_models_that_it_knows_and_rows_that_fit_alone(shared, program):
    known = np.array([model_table().ids[m] in {_LLAMA, "llama3_1_8b"} for m in shared.model])
    answered = np.isfinite(genz(shared))
    assert answered.any()
    assert not answered[~known].any()
    assert not answered[shared.batch > 64].any()


@pytest.mark.parametrize(("peer", "package"), [(genz, "GenZ"), (llm_analysis, "llm_analysis")])
def test_a_program_that_is_not_installed_has_no_answers(shared, peer, package):
    if importlib.util.find_spec(package):
        pytest.skip(f"{package} is installed")
    assert np.isnan(peer(shared)).all()


def test_a_fault_in_a_program_is_not_taken_for_no_answer(shared, program):
    def broken(**_: object) -> dict[str, float]:
        message = "an interface that changed"
        raise TypeError(message)

    program.decode_moddeling = broken
    with pytest.raises(TypeError, match="interface"):
        genz(shared)


def test_shipped_answers_of_aiconfigurator_cover_the_rows_that_the_comparison_states(points):
    assert np.isfinite(aiconfigurator(points)[shared_rows(points)]).sum() == 202


def test_the_form_without_efficiency_reads_all_weights_and_the_cache_at_full_bandwidth(shared):
    """A dense model in one row by hand: bytes over bandwidth where they bind, else operations over peak."""
    llama = np.array([model_table().ids[m] == _LLAMA for m in shared.model])
    one = take_rows(shared, np.flatnonzero(llama & (shared.code == FORMATS.index("fp8")))[:1])
    chips, models = chip_table().arrays.take(one.chip), model_table().arrays.take(one.model)
    context = one.input_tokens + one.output_tokens / 2
    cache = one.batch * models.cache_values * one.cache_bytes * context
    read_s = (models.total + cache) / (one.chips * chips.bandwidth_b_s)
    compute_s = 2.0 * models.active * one.batch / (one.chips * chips.rate(one.code))
    assert scaling_book(one) == pytest.approx(1.0 / np.maximum(read_s, compute_s), rel=1e-6)
