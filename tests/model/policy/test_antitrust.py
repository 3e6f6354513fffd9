"""Cases with stages, remedies, and reviews."""

import numpy as np
import pytest

from computemarket.model.policy.antitrust import (
    FINDING,
    INQUIRY,
    NO_CASE,
    REMEDY,
    Conduct,
    Effects,
    HazardWeights,
    StageTerms,
    advance_case,
    complied,
    fine_usd,
    inquiry_hazard,
    remedy_state,
)

WEIGHTS = HazardWeights(-4.5, 3.0, 4.0, 1.5, 2.0, 0.5)
TERMS = StageTerms(2.33, 4.0, 2.0, 0.0)
EFFECTS = Effects(0.7, 0.75, 1.0, 0.02)


def conduct(**changed: float) -> Conduct:
    usual = {
        "market_share": 0.5,
        "take_rate": 0.0,
        "self_preferencing": 0.0,
        "systemic": 0.0,
        "complaints": 0.0,
    }
    return Conduct(**{key: np.array([value]) for key, value in {**usual, **changed}.items()})


def test_at_the_base_the_hazard_is_the_logistic_of_the_base():
    assert inquiry_hazard(conduct(), WEIGHTS)[0] == pytest.approx(1 / (1 + np.exp(4.5)))


@pytest.mark.parametrize("what", ["market_share", "take_rate", "self_preferencing", "systemic", "complaints"])
def test_every_kind_of_conduct_raises_the_hazard(what):
    assert inquiry_hazard(conduct(**{what: 0.9}), WEIGHTS)[0] > inquiry_hazard(conduct(), WEIGHTS)[0]


def run_case(uniforms: np.ndarray, drops: np.ndarray, terms: StageTerms = TERMS) -> list[float]:
    stage, inside, path = np.zeros(1), np.zeros(1), []
    for uniform, drop in zip(uniforms, drops, strict=True):
        stage, inside = advance_case(
            stage, inside, np.array([0.1]), terms, np.array([uniform]), np.array([drop])
        )
        path.append(float(stage[0]))
    return path


def test_a_case_goes_through_its_stages_in_order():
    assert run_case(np.array([0.5, 0.05, 0.9, 0.2, 0.2, 0.0]), np.ones(6)) == [
        NO_CASE, INQUIRY, INQUIRY, FINDING, REMEDY, REMEDY,
    ]  # fmt: skip


def test_quarters_in_a_stage_are_counted_from_its_beginning():
    stage, inside = np.array([REMEDY, INQUIRY, INQUIRY]), np.array([3.0, 3.0, 3.0])
    uniform = np.array([0.0, 0.9, 0.0])
    _, counted = advance_case(stage, inside, np.zeros(3), TERMS, uniform, np.ones(3))
    assert counted.tolist() == [4.0, 4.0, 0.0]


def test_a_case_may_be_dropped():
    dropping = StageTerms(2.33, 4.0, 2.0, 0.5)
    assert run_case(np.array([0.05, 0.2]), np.array([0.0, 0.3]), dropping) == [INQUIRY, NO_CASE]


def test_stages_last_their_mean():
    rng = np.random.Generator(np.random.Philox(1))
    stage, inside, quarters = np.full(20000, INQUIRY), np.zeros(20000), np.zeros(20000)
    for _ in range(60):
        quarters += stage == INQUIRY
        draws = rng.uniform(size=20000)
        stage, inside = advance_case(stage, inside, np.zeros(20000), TERMS, draws, np.ones(20000))
    assert quarters.mean() == pytest.approx(2.33, rel=0.03)


def test_a_remedy_takes_effect_over_the_time_to_comply():
    stage = np.array([REMEDY, REMEDY, REMEDY, FINDING])
    effect = complied(stage, np.array([0.0, 1.0, 5.0, 5.0]), 2.0)
    assert effect.tolist() == [0.0, 0.5, 1.0, 0.0]
    state = remedy_state(effect, EFFECTS)
    assert state.switching_cost.tolist() == pytest.approx([1.0, 0.85, 0.7, 1.0])
    assert state.self_preferencing.tolist() == [1.0, 0.5, 0.0, 1.0]
    assert state.portability.tolist() == [0.0, 0.5, 1.0, 0.0]


def test_the_fine_falls_once():
    fine = fine_usd(np.array([REMEDY, REMEDY, FINDING]), np.array([0.0, 1.0, 0.0]), np.full(3, 1e9), 0.02)
    assert fine.tolist() == [2e7, 0.0, 0.0]
