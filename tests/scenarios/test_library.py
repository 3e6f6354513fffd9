"""The scenarios of the library: each does what its line says, in the direction it says, from its date on."""

import numpy as np
import pytest

from computemarket.analysis.results.measures import measure
from computemarket.analysis.results.series import panels_from_recorder
from computemarket.model.core.calendar import QUARTERS
from computemarket.model.core.parameters import Schedule
from computemarket.scenarios.batches.ensemble import prepare, simulate_chunk
from computemarket.scenarios.schema import load_scenario

RUNS = np.arange(8)
DIRECTIONS = {  # scenario -> (measure, sign of its change in 2030) that its line promises
    "adoption_boom": (("world_tokens", +1),),
    "demand_stall": (("world_tokens", -1), ("four_clouds_capex", -1)),
    "power_drought": (("power", -1), ("world_compute_stock", -1)),
    "memory_squeeze": (("world_compute_stock", -1), ("lead_time", +1)),
    "custom_silicon_surge": (("custom_compute_share", +1), ("nvidia_compute_share", -1)),
    "open_software": (("nvidia_revenue_share", -1), ("amd_revenue_share", +1)),
    "credit_crunch": (("four_clouds_capex", -1), ("world_compute_stock", -1)),
    "token_price_war": (("token_price_medium", -1), ("world_tokens", +1)),
    "chinese_leap": (("huawei_compute", +1), ("chinese_cards", +1)),
}


def recorded(name):
    return simulate_chunk(prepare(name, seed=1), RUNS)


@pytest.fixture(scope="module")
def baseline():
    return recorded("baseline")


@pytest.mark.parametrize("name", DIRECTIONS)
def test_a_scenario_moves_the_market_as_its_line_says_and_not_before_its_date(baseline, name):
    changed = recorded(name)
    before, after = (panels_from_recorder(found, name, RUNS.tolist()) for found in (baseline, changed))
    for headline, sign in DIRECTIONS[name]:
        moved = measure(headline).at(after, "2030") - measure(headline).at(before, "2030")
        assert (np.sign(moved) == sign).mean() >= 0.75, headline
    dates = [
        setting.steps[0][0]
        for setting in load_scenario(name).settings.values()
        if isinstance(setting, Schedule)
    ]
    assert len(dates) == len(load_scenario(name).settings)
    for variable in baseline.series:
        one, other = (
            np.ascontiguousarray(found.array(variable)[:, : min(dates)]) for found in (baseline, changed)
        )
        assert one.tobytes() == other.tobytes(), f"{variable} before {QUARTERS[min(dates)]}"
