"""Build a small results table whose runs repeat the record: the analysis must find every fact in it."""

import numpy as np
import pandas as pd

from computemarket.analysis.record.history import load_counterparts, read_history
from computemarket.analysis.results.series import panels_from_arrays

QUARTERS = tuple(f"{year}Q{q}" for year in range(2022, 2026) for q in range(1, 5))
COLUMNS = ["scenario", "run", "quarter", "variable", "entity", "region", "detail", "unit", "value"]


def quarter_values(first, values):
    """Return values from a quarter on, then the last one; zero before."""
    start = QUARTERS.index(first)
    path = np.zeros(len(QUARTERS))
    path[start:] = values[-1]
    path[start : start + len(values)] = values
    return path


def recorded(series, entity):
    """Return a recorded quarterly series in the unit of the results table; gaps are filled forwards."""
    counterpart = load_counterparts()[(series, entity)]
    scale = counterpart.scale / counterpart.measure.scale
    path = np.full(len(QUARTERS), np.nan)
    for point in read_history()[(series, entity)]:
        if point.period in QUARTERS:
            path[QUARTERS.index(point.period)] = point.value * scale
    return pd.Series(path).ffill().fillna(0.0).to_numpy()


def by_year(values):
    """Return a quarter of each year's value in each of its quarters."""
    return np.repeat(np.asarray(values, dtype=float) / 4, 4)[: len(QUARTERS)]


def record_series():
    """Return {(variable, entity, region, detail): (Q,)} that repeats the record."""
    series = {}

    def put(variable, values, entity="", region="", detail=""):
        series[(variable, entity, region, detail)] = np.asarray(values, dtype=float)

    revenue = recorded("data_center_revenue", "Nvidia")
    put("data_center_revenue_usd", revenue, "nvidia")
    put("company_revenue_usd", recorded("total_revenue", "Nvidia"), "nvidia")
    put("gross_margin", recorded("gaap_gross_margin", "Nvidia"), "nvidia")
    networking = recorded("data_center_networking_revenue", "Nvidia")
    put("data_center_networking_revenue_usd", networking, "nvidia")
    put("china_revenue_usd", recorded("china_revenue_incl_hk", "Nvidia"), "nvidia")
    put("accelerator_revenue_usd", revenue - networking, "nvidia", "us")
    put(
        "accelerator_revenue_usd",
        quarter_values("2023Q1", np.array([0.1, 0.1, 0.1, 0.15, 0.75, 1.1, 1.5, 1.8, 1.5, 1.0]) * 1e9),
        "amd",
        "us",
    )
    put("accelerator_revenue_usd", recorded("ai_semiconductor_revenue", "Broadcom") * 1.0, "broadcom", "us")
    put("accelerator_revenue_usd", by_year([0, 0, 1.2e9, 2e9]), "huawei", "china")
    put("accelerator_revenue_usd", by_year([0.03e9, 0.08e9, 0.29e9, 0.4e9]), "cerebras", "gulf")
    put("accelerator_revenue_usd", by_year([0, 0.05e9, 0.3e9, 0.1e9]), "intel", "us")
    for name in ("Amazon", "Alphabet", "Microsoft", "Meta"):
        put("capex_usd", recorded("capex_cash_ppe", name), {"Alphabet": "google"}.get(name, name.lower()))
    for name in ("Nvidia", "Google", "AMD", "Amazon", "Huawei", "Cambricon"):
        put(
            "compute_shipped_h100e",
            recorded("h100e_shipped", name),
            name.lower(),
            "china" if name in ("Huawei", "Cambricon") else "us",
        )
        put("compute_added_since_2022_h100e", recorded("compute_stock_cumulative", name), name.lower())
    put("accelerator_spend_usd", by_year([10.5e9, 29.2e9, 85.9e9, 150e9]), "nvidia")
    put("accelerator_spend_usd", by_year([0.3e9, 3e9, 8.1e9, 20e9]), "google")
    put("accelerator_spend_usd", by_year([0, 0, 1.24e9, 4e9]), "amazon")
    put("accelerator_spend_usd", by_year([0, 0.4e9, 5.3e9, 6e9]), "amd")
    put("accelerator_spend_usd", by_year([0, 0, 7e9, 9e9]), "huawei")
    units = {
        "nvidia": (2.0e6, 3.0e6, 5.4e6, 9e6),
        "google": (0.7e6, 1.2e6, 1.9e6, 3e6),
        "amd": (0.2e6, 0.2e6, 0.48e6, 0.5e6),
    }
    for name, values in units.items():
        put("accelerator_units", by_year(values), name, "us", f"{name}_chips")
    put("accelerator_units", by_year([0, 0.9e6, 0.85e6, 0.5e6]), "nvidia", "china", "nvidia_l4")
    put("accelerator_units", recorded("units_shipped", "Nvidia H20"), "nvidia", "china", "nvidia_h20")
    put(
        "accelerator_units", by_year([0.05e6, 0.08e6, 0.45e6, 0.6e6]), "huawei", "china", "huawei_ascend_910b"
    )
    put(
        "accelerator_units", by_year([0.01e6, 0.02e6, 0.35e6, 0.5e6]), "china_other", "china", "hygon_k100_ai"
    )
    put("export_charge_usd", quarter_values("2025Q1", [4.5e9, 0.0]), "nvidia")
    put("export_lost_sales_usd", quarter_values("2025Q1", [2.5e9, 8e9, 0.0]), "nvidia")
    put("smuggled_units", by_year([0, 18e3, 150e3, 300e3]), "", "china")
    put("packaging_capacity_wafers_per_month", np.repeat([8e3, 15e3, 37e3, 72e3], 4), "tsmc")
    put("lead_time_weeks", quarter_values("2022Q1", [20] * 4 + [35, 45, 45, 35, 20, 14, 12, 12]), "nvidia")
    for name, share in (("sk_hynix", 0.53), ("samsung", 0.37), ("micron", 0.10)):
        put("memory_revenue_usd", share * by_year([2e9, 4e9, 17e9, 36e9]), name)
    put("binding_constraint_share", by_year([0, 4 * 0.8, 4 * 0.7, 4 * 0.2]), "", "", "packaging")
    put("binding_constraint_share", by_year([0, 0, 4 * 0.2, 4 * 0.6]), "", "", "power")
    put("binding_constraint_share", by_year([0, 4 * 0.1, 4 * 0.1, 4 * 0.1]), "", "", "memory")
    put("binding_constraint_share", by_year([4, 4 * 0.1, 0, 4 * 0.1]), "", "", "wafers")
    put("binding_constraint_share", by_year([0, 0, 0, 0]), "", "", "demand")
    put("rental_spot_price_usd_per_hour", np.repeat([4.0, 8.0, 2.95, 2.3], 4), "", "", "nvidia_h100_sxm")
    put("rental_price_usd_per_hour", np.repeat([3.2, 3.0, 2.2, 2.0], 4), "", "", "nvidia_h100_sxm")
    put("accelerator_price_usd", np.repeat([36742, 34641, 26268, 23238], 4), "nvidia", "", "nvidia_h100_sxm")
    put(
        "accelerator_price_usd",
        np.repeat([12700, 12247, 12247, 12247], 4),
        "nvidia",
        "",
        "nvidia_a100_80gb_sxm",
    )
    put("accelerator_price_usd", np.repeat([41000.0], 16), "nvidia", "", "nvidia_gb200")
    price = 30.0 * 10.0 ** (-np.arange(16) / 4.0)
    put("token_price_fixed_capability_usd_per_mtok", price, "world")
    put("frontier_token_price_usd_per_mtok", np.full(16, 30.0), "world")
    put("tokens_served", 9.7e12 * 3 * 49.5 ** ((np.arange(16) - 9) / 4.0), "google", "", "medium")
    put("tokens_served", 4e13 * 50 ** ((np.arange(16) - 9) / 4.0), "world", "", "medium")
    put("lab_revenue_usd", np.repeat([0.1e9, 0.5e9, 1.5e9, 3e9], 4), "openai")
    put("lab_power_mw", np.repeat([50.0, 200.0, 600.0, 1200.0], 4), "openai")
    put("inference_share_of_compute", np.repeat([0.3, 0.33, 0.42, 0.5], 4), "world")
    for name in ("google", "microsoft", "meta", "amazon", "oracle"):
        put("fleet_h100e", np.linspace(0.10, 0.13, 16), name, "", "nvidia")
    put("fleet_h100e", np.full(16, 0.37), "enterprise_us", "", "nvidia")
    put("utilisation", np.full(16, 0.6), "world")
    return series


def record_panels(runs=9, noise=0.005, seed=1):
    """Return the record as panels; every run differs by a small factor."""
    factors = 1.0 + noise * np.random.default_rng(seed).normal(size=(runs, 1))
    return panels_from_arrays(
        QUARTERS, {key: factors * values[None, :] for key, values in record_series().items()}, "record"
    )


def results_frame(series, quarters=QUARTERS, scenario="record", categories=True):
    """Return a results table of {(variable, entity, region, detail): (R, Q)}, with categories like a stored one."""
    parts = []
    for (variable, entity, region, detail), values in series.items():
        runs = len(values)
        parts.append(
            pd.DataFrame(
                {
                    "scenario": scenario,
                    "run": np.repeat(np.arange(runs), len(quarters)),
                    "quarter": np.tile(quarters, runs),
                    "variable": variable,
                    "entity": entity,
                    "region": region,
                    "detail": detail,
                    "unit": "1",
                    "value": np.asarray(values, dtype=float).ravel(),
                }
            )
        )
    frame = pd.concat(parts, ignore_index=True)[COLUMNS]
    if categories:
        text = ["scenario", "quarter", "variable", "entity", "region", "detail", "unit"]
        frame[text] = frame[text].astype("category")
    return frame
