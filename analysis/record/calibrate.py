"""Search for centres of priors under which the baseline reproduces the stylised facts of 2022 to 2025Q2.

`python -m computemarket.analysis.record.calibrate` scales the priors of some parameters, one or a few at a time, inside
their allowed ranges, keeps what brings the medians of the facts nearer to their bands and those of all recorded series
nearer to the record, and prints the priors found. Common random numbers make two evaluations comparable. It reads
the window alone: nothing after 2025Q2 is simulated.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from computemarket.analysis.record.facts import FactResult, evaluate_facts, variables_of_facts
from computemarket.analysis.record.history import HistoryScore, score_history, variables_of_history
from computemarket.analysis.results.series import panels_from_frame
from computemarket.model.core.parameters import Distribution, Setting, schema
from computemarket.scenarios.batches.ensemble import simulate
from computemarket.scenarios.schema import Scenario, load_scenario

LAST_QUARTER = "2025Q2"  # end of the calibration window
WEIGHTS = {
    1: 4.0,
    5: 4.0,
    8: 4.0,
    9: 4.0,
    10: 4.0,
    28: 4.0,
    13: 1.0,
    4: 2.0,
    21: 2.5,
    15: 1.0,
    11: 1.5,
    16: 1.0,
    17: 0.5,
    18: 0.5,
    19: 0.0,
}
WORST = 9.0  # a check further than three half-widths from the middle of its band counts no more
NEARLY, MISSED = 0.9, 4.0  # from that share of the half-width on, what each further half-width costs
RECORD = 4.0  # what a median miss of the record by a factor e costs, beside the facts
LARGEST_MISS = 1.5  # ln; a series that is further off counts no more: it lacks a cause, not a centre
PULL = 0.02  # what a change of a prior's centre costs, per squared ln
FARTHEST = 1.7  # largest factor by which a prior may be moved
SPREAD = 0.06  # standard deviation of a proposed change, ln
PARAMETERS = (
    "capex.adoption_shock_ln", "capex.horizon_quarters", "capex.correction", "capex.required_cover",
    "capex.adjustment_speed", "capex.shell_usd_per_mw", "capex.legacy_crowding", "capex.belief_2022_usd_bn",
    "capex.shock_at_once", "capacity.packaging_fast", "capacity.packaging_response", "capacity.packaging_slow",
    "capacity.packaging_other_share", "capacity.memory_2022_gb", "power.existing_mw", "chips.rent_decline",
    "chips.price_weight", "chips.card_share", "chips.software_gap_amd", "hours.training_share",
    "hours.training_scale", "hours.margin_over_cost", "hours.contract_scarcity", "hours.idle_spread",
    "hours.reserve_share", "tokens.free_budget_share", "tokens.markup_2023",
    "tokens.markup_erosion",
    "tokens.efficiency_growth_ln", "custom.readiness_google", "custom.readiness_amazon",
    "chips.waiting_weight", "chips.choice_alpha", "chips.card_fade", "capex.commitment_quarters",
    "capex.growth_cap_ln", "capex.growth_gain", "capex.herding", "orders.duplicate_intensity",
    "orders.duplicate_most", "capacity.ramp_quarters",
    "capacity.ramp_wafers_share", "capacity.packaging_comfort", "capacity.memory_fast", "capex.cash_share",
    "chips.system_margin", "chips.partner_margin", "chips.waiting_share", "chips.software_catch_up",
    "chips.software_learning",
    "capex.shock_at_once_china", "policy.stock_per_fear", "policy.fear_2022", "policy.fear_memory",
    "capacity.smic_2022_units", "capacity.smic_growth", "policy.smuggling_effort", "policy.variant_commitment",
    "chips.software_gap_huawei", "chips.bandwidth_weight", "chips.qualification_loss", "tokens.bass_q",
    "tokens.china_size", "tokens.use_growth", "labs.training_share_of_market", "capacity.packaging_2022_wafers",
)  # fmt: skip


def distance(results: Sequence[FactResult]) -> float:
    """Return the weighted mean squared distance of the facts' medians from the middles of their bands."""
    total, weights = 0.0, 0.0
    for result in results:
        weight = WEIGHTS.get(result.fact.number, 1.0)
        for found in result.checks:
            check = found.check
            if not check.judged or not found.median:
                continue
            worst = max(_off(value, check.low, check.high) for value in found.median)
            beyond = MISSED * max(0.0, np.sqrt(worst) - NEARLY)  # a fact is meant to hold, not to be near
            total += weight * min(worst + beyond, WORST) / len(result.checks)
        weights += weight
    return total / weights


def _off(value: float, low: float, high: float) -> float:
    """Return the squared distance of a value from the middle of a band, in half-widths."""
    if not np.isfinite(value):
        return WORST
    if not np.isfinite(low) or not np.isfinite(high):
        bound = high if np.isfinite(high) else low
        beyond = value - bound if np.isfinite(high) else bound - value
        return max(0.0, 1 + beyond / max(abs(bound) * 0.2, 1e-9)) ** 2
    half = (high - low) / 2
    return ((value - low - half) / half) ** 2


def scaled(name: str, factor: float) -> Setting:
    """Return a parameter's prior (or default) scaled by a factor and held inside its range."""
    parameter = schema()[name]
    prior = parameter.prior
    if prior is None:
        return float(np.clip(parameter.default * factor, parameter.low, parameter.high))
    numbers = tuple(
        float(np.clip(number * factor, parameter.low, parameter.high)) for number in prior.numbers
    )
    if len(set(numbers)) < len(numbers):  # squeezed against a bound of the range
        return float(np.median(numbers))
    return Distribution(prior.family, numbers)


def evaluate(scenario: Scenario, factors: Mapping[str, float], runs: int) -> float:
    """Simulate the window under scaled priors and return the distance from the facts."""
    settings = {name: scaled(name, factor) for name, factor in factors.items()}
    asked = replace(scenario, settings={**scenario.settings, **settings}, until=LAST_QUARTER)
    variables = variables_of_facts() | variables_of_history()
    panels = panels_from_frame(simulate(asked, runs=runs, seed=1, variables=variables).frame)
    moved = sum(float(np.log(factor)) ** 2 for factor in factors.values())
    record = record_distance(score_history(panels))
    return distance(evaluate_facts(panels)) + RECORD * record + PULL * moved


def record_distance(score: HistoryScore) -> float:
    """Return the mean over recorded series of how far their medians lie off, ln, each by its root of points."""
    errors = np.array([found.log_error for found in score.scored])
    weights = np.sqrt([found.points for found in score.scored])
    known = np.isfinite(errors)
    return float(np.average(np.minimum(errors[known], LARGEST_MISS), weights=weights[known]))


def search(evaluations: int, runs: int, seed: int = 1) -> dict[str, float]:
    """Return the factors found by a random local search that keeps improvements."""
    scenario = load_scenario("baseline")
    draw = np.random.Generator(np.random.Philox(seed))
    best: dict[str, float] = dict.fromkeys(PARAMETERS, 1.0)
    best_distance = evaluate(scenario, best, runs)
    sys.stderr.write(f"start {best_distance:.4f}\n")
    for step in range(evaluations):
        chosen = draw.choice(PARAMETERS, size=int(draw.integers(1, 4)), replace=False)
        trial = dict(best)
        for name in chosen:
            moved = trial[str(name)] * float(np.exp(draw.normal() * SPREAD * (1 + 2 * (step % 3 == 0))))
            trial[str(name)] = float(np.clip(moved, 1 / FARTHEST, FARTHEST))
        found = evaluate(scenario, trial, runs)
        if found < best_distance:
            best, best_distance = trial, found
            sys.stderr.write(f"{step} {found:.4f} {', '.join(map(str, chosen))}\n")
    return best


def main() -> None:
    """Search and print the priors found."""
    evaluations = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 16
    for name, factor in search(evaluations, runs).items():
        sys.stdout.write(f"{name} = {scaled(name, factor)}  # times {factor:.3f}\n")


if __name__ == "__main__":
    main()
