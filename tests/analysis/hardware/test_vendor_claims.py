"""Claims for joint systems beside what the core finds."""

import numpy as np

from computemarket.analysis.hardware.vendor_claims import joined_claims, routing_claim

SPEEDS = np.array([20.0, 100.0, 200.0, 300.0, 450.0])


def test_users_see_less_than_is_claimed_and_more_than_nothing():
    table = joined_claims("nvidia_groq3_lp30", "deepseek_v3", SPEEDS)
    assert (table["realised"] < table["claimed"]).all()
    assert (table["realised"] > 1).all()


def test_joined_lpus_waste_power_at_low_speed_and_save_it_at_high_speed():
    core = joined_claims("nvidia_groq3_lp30", "deepseek_v3", SPEEDS)["core"].to_numpy()
    assert core[0] < 1.0 < core[-1]
    assert (np.diff(core[1:]) > 0).all()


def test_routing_keeps_a_share_of_its_claim():
    claimed, seen = routing_claim()
    assert 1.0 < seen < claimed
