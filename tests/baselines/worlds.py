"""The six worlds of the baselines: which scenarios of the library each blends, with which seed.

Between them they switch on what the market can do: a fault in any part of a quarter is to move a number of at least
one of them. Rates are drawn, so each world has several histories under a seed of its own.
"""

from computemarket.scenarios.batches.ensemble import prepare
from computemarket.scenarios.schema import Scenario, with_switches

RUNS = 3  # histories of a world
SEEDS = {  # chosen so that no decision of a history hangs on the last bit of a number, which differs between processors
    "baseline": 1,
    "rules_tighten": 2,
    "rules_open": 3,
    "credit_crunch": 4,
    "credits_trade": 25,
    "rivals_enter": 29,
}
BLENDS = {
    "baseline": ("baseline",),
    "rules_tighten": (
        "diffusion_framework",
        "export_tightening",
        "enforcement_surge",
        "location_verification",
        "edge_chips_barred",
        "memory_squeeze",
        "chinese_leap",
        "open_models_lead",
    ),
    "rules_open": (
        "controls_2022",
        "export_opening",
        "revenue_share",
        "platform_success",
        "agents_buy",
        "robots_boom",
        "shared_accelerators",
        "lpu_back_to_tsmc",
    ),
    "credit_crunch": (
        "credit_crunch",
        "demand_stall",
        "power_drought",
        "token_price_war",
        "factory_operators",
        "services_win",
        "clouds_without_customers",
        "long_tasks_stall",
    ),
    "credits_trade": (
        "credits_tradable",
        "adoption_boom",
        "rival_units",
        "custom_silicon_surge",
        "openai_adopts_first",
        "clouds_wait",
        "silicon_waits",
        "world_models",
    ),
    "rivals_enter": (
        "niches_open",
        "eu_early_remedy",
        "antitrust_remedy",
        "open_compilers",
        "lpu_rack_fails",
        "architecture_shock",
        "fragile_racks",
        "no_groq_licence",
        "keynote_fades",
    ),
}

LEVERS: dict[str, dict[str, object]] = {  # set on top: what no scenario of the library touches
    "rules_tighten": {
        "policy.approval_indexed": 0.5,
        "policy.cn_antitrust_fine": [{"from": "2026Q1", "value": 0.05}],
        "policy.cn_domestic_quota": [{"from": "2027Q1", "value": 0.5}],
        "policy.cn_mineral_restriction": [{"from": "2026Q3", "value": 0.5}],
        "policy.immersion_duv_ban": [{"from": "2027Q1", "value": 0.5}],
        "policy.tool_servicing_ban": [{"from": "2027Q1", "value": 0.5}],
        "policy.us_first_refusal": [{"from": "2026Q1", "value": 1.0}],
        "policy.vendor_close_days": {"uniform": [20.0, 40.0]},
    },
    "rules_open": {
        "policy.congress_block_prob": 0.3,
        "policy.congress_review_days": 30.0,
        "policy.licence_approval_prob_denial_class": 0.2,
        "policy.threshold_indexation": [{"from": "2026Q1", "value": 0.3}],
    },
    "credit_crunch": {
        "finance.credit_stress": [{"from": "2027Q1", "value": 1.0}],
    },
}


def blend(world: str) -> Scenario:
    """Return the scenario of a world: its parts of the library laid over each other, a later part winning."""
    seed = SEEDS[world]
    first, *others = (prepare(name, seed=seed) for name in BLENDS[world])
    blended = first
    for part in others:
        regimes = dict(blended.regimes) | dict(part.regimes)
        blended = Scenario(
            world, "", dict(blended.settings) | dict(part.settings), seed,
            regimes=tuple(regimes.items()), enforce=blended.enforce, suspend=blended.suspend,
        )  # fmt: skip
        blended = with_switches(blended, part.enforce, part.suspend)
    return blended.with_settings(LEVERS.get(world, {}))
