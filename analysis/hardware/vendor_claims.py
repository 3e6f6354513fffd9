"""Vendors' claims for joint systems beside what the hardware core finds and what users are likely to see (M2)."""

import numpy as np
import pandas as pd

from computemarket.model.core.arrays import Floats
from computemarket.model.hardware.economics.market_table import joined_gain_per_mw, load_basket
from computemarket.model.hardware.economics.site import site_figures
from computemarket.model.hardware.performance.hybrid import claimed_gain, realised_gain
from computemarket.model.hardware.specs.chips import chip_table
from computemarket.model.hardware.specs.defaults import parameter_default
from computemarket.model.hardware.specs.models import model_table


def joined_claims(lpu: str, model: str, speeds: Floats) -> pd.DataFrame:
    """Return the gain of GPUs joined to LPUs over the GPUs alone, per megawatt, by speed of one user.

    Columns: speed; claimed (the vendor's form); realised (the share of claims that users measure, at launch);
    core (what the equations find; 0 beyond the pair's reach, large where the GPUs alone are out of theirs).

    Raises
    ------
    InputError
        For an unknown accelerator or model.
    """
    basket = load_basket()
    power = site_figures((basket.partner, lpu)).power_kw
    core = joined_gain_per_mw(
        chip_table().index(lpu), model_table().index(model), basket, speeds, float(power[0]), float(power[1])
    )
    claimed = claimed_gain(
        speeds,
        parameter_default("pair_gain_most"),
        parameter_default("pair_gain_speed"),
        parameter_default("pair_gain_spread"),
    )
    realised = realised_gain(
        claimed, parameter_default("claim_realised"), parameter_default("integration_start")
    )
    return pd.DataFrame({"speed": speeds, "claimed": claimed, "realised": realised, "core": core})


def routing_claim() -> tuple[float, float]:
    """Return the claimed gain of routing requests to the fitting chip, and what users are likely to see of it."""
    claimed = parameter_default("orchestration_gain")
    return claimed, float(realised_gain(np.asarray(claimed), parameter_default("claim_realised")))
