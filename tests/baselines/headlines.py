"""The headline series of the baselines: a sum of chosen cells of a recorded variable, mean of the histories."""

from dataclasses import dataclass

import numpy as np

from computemarket.model.core.arrays import Floats
from computemarket.model.core.recorder import Recorder


@dataclass(frozen=True)
class Headline:
    """Which cells of a recorded variable are summed; an empty label takes all."""

    variable: str
    entity: str = ""
    region: str = ""
    detail: str = ""

    @property
    def name(self) -> str:
        """The variable with the labels that choose."""
        return " ".join(word for word in (self.variable, self.entity, self.region, self.detail) if word)

    def values(self, recorder: Recorder) -> Floats:
        """Return (T,) the mean over the histories; cells that are not a number count as nothing."""
        series = recorder.series[self.variable]
        labels = zip(series.entity, series.region, series.detail, strict=True)
        wanted = (self.entity, self.region, self.detail)
        chosen = [
            all(not one or one == found for one, found in zip(wanted, cell, strict=True)) for cell in labels
        ]
        if not any(chosen):
            raise LookupError(f"no cell is called {self.name}")
        return np.nan_to_num(recorder.array(self.variable)[:, :, chosen]).sum(axis=2).mean(axis=0)


HEADLINES = (
    Headline("data_center_revenue_usd", "nvidia"),
    Headline("data_center_revenue_usd", "amd"),
    Headline("gross_margin", "nvidia"),
    Headline("compute_shipped_h100e"),
    Headline("compute_stock_h100e", region="china"),
    Headline("ai_capex_usd"),
    Headline("debt_usd"),
    Headline("power_mw"),
    Headline("tokens_served", "world"),
    Headline("token_revenue_usd"),
    Headline("token_price_fixed_capability_usd_per_mtok"),
    Headline("lab_revenue_usd"),
    Headline("utilisation"),
    Headline("rental_price_usd_per_hour", detail="nvidia_h100_sxm"),
    Headline("rental_spot_price_usd_per_hour", detail="nvidia_h100_sxm"),
    Headline("realised_ai_revenue_usd"),
    Headline("packaging_capacity_wafers_per_month"),
    Headline("memory_revenue_usd"),
    Headline("smuggled_h100e"),
    Headline("china_premium"),
    Headline("credits_outstanding_hours"),
    Headline("defaulted"),
)
