"""Which scenario of the library matches the words of a published one, and which lever a share in them sets.

Words that say how things are stand for the baseline; a condition that says neither this nor a scenario has none.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

SCENARIOS = (  # words of the published scenario -> scenario of the library, first match
    (("b30a",), "blackwell_b30a_sale"),
    (("blackwell", "sale"), "blackwell_b30a_sale"),
    (("blackwell", "export"), "blackwell_b30a_sale"),
    (("cap filled",), "case_by_case_2026"),
    (("jan-2026 rule",), "case_by_case_2026"),
    (("unrestricted",), "case_by_case_2026"),
    (("h200",), "case_by_case_2026"),
    (("no powerful chips",), "h20_ban"),
    (("no exports",), "h20_ban"),
    (("h20 ban",), "h20_ban"),
    (("bans all legal",), "no_exports_2026"),
    (("decoupling",), "no_exports_2025"),
    (("no controls",), "no_controls"),
    (("without controls",), "no_controls"),
    (("diffusion",), "diffusion_framework"),
    (("remote access closed",), "remote_access_closed"),
    (("location verification",), "location_verification"),
    (("chip security",), "location_verification"),
    (("enforcement",), "enforcement_surge"),
    (("refuse", "import"), "china_refuses_imports"),
    (("revenue share",), "revenue_share"),
    (("share of revenue",), "revenue_share"),
    (("share of china revenue",), "revenue_share"),
    (("fee",), "case_by_case_2026"),
    (("duty",), "case_by_case_2026"),
    (("tariff",), "case_by_case_2026"),
)
AS_IT_IS = (  # words of a condition that is the record and the rules in force
    *(
        "base",
        "status",
        "trend",
        "forecast",
        "central",
        "expected",
        "current",
        "actual",
        "observed",
        "recorded",
    ),
    *("smuggling", "roadmap", "comparison", "letter", "ramp", "stockpile", "leak", "export controls 2010s"),
)
_PERCENT = re.compile(r"(\d+(?:\.\d+)?) ?(?:%|percent|per cent)")
_RATES = (  # words beside a percentage -> the lever that it sets
    (("revenue share", "share of revenue", "share of china revenue"), "policy.revenue_share_rate"),
    (("fee", "duty", "tariff"), "policy.section232_rate"),
)
_NO_SETTINGS: Mapping[str, float] = MappingProxyType({})


def scenario_for(condition: str) -> str | None:
    """Return the scenario that a condition (plain words) asks for, None where the library has none."""
    named = next((name for words, name in SCENARIOS if all(word in condition for word in words)), None)
    if named is not None or (condition and not any(word in condition for word in AS_IT_IS)):
        return named
    return "baseline"


def settings_for(condition: str) -> Mapping[str, float]:
    """Return the levers that a percentage in a condition sets: the rate of a fee, a duty or a share of revenue."""
    found = _PERCENT.search(condition)
    lever = next((lever for words, lever in _RATES if any(word in condition for word in words)), None)
    if found is None or lever is None:
        return _NO_SETTINGS
    return {lever: float(found[1]) / 100.0}


def decoupled(text: str) -> float:
    """Return the part of a decoupling that is meant: all of it where no percentage stands before the word."""
    found = re.search(_PERCENT.pattern + " decoupling", text)
    return 1.0 if found is None else float(found[1]) / 100.0
