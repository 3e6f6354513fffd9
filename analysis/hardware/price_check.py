"""Costs of tokens beside recorded list prices: ``python -m computemarket.analysis.hardware.price_check``.

Open models alone: their size is known, and so is what serves them or nearly so. A price holds the seller's idle hours,
staff and margin, so it should lie above the cost of each kind of token by that much. Nothing is fitted.
"""

import csv
import sys
from dataclasses import dataclass
from importlib.resources import files

import numpy as np

from computemarket.analysis.hardware.hardware_tables import hour_cost, software_factor, token_prices
from computemarket.model.hardware.economics.market_table import Tier
from computemarket.model.hardware.specs.defaults import default_of

KINDS = ("input", "cached", "output")


@dataclass(frozen=True)
class PriceRow:
    """List prices of one model and what each kind of token costs on its accelerator, USD per million tokens."""

    name: str
    listed: dict[str, float]  # NaN where a kind has no price of its own
    cost: dict[str, float]

    def over_cost(self, kind: str) -> float:
        """Return list price over cost."""
        return self.listed[kind] / self.cost[kind]


def price_rows() -> list[PriceRow]:
    """Return the recorded prices beside the levelised cost at planned utilisation, software of the quarter."""
    text = (files("computemarket.model.data") / "token_price_points.csv").read_text(encoding="utf-8")
    return [_row(row) for row in csv.DictReader(text.splitlines())]


def _row(row: dict[str, str]) -> PriceRow:
    sent, answered = float(row["input_tokens"]), float(row["output_tokens"])
    tier = Tier(row["id"], row["model"], float(row["speed"]), np.nan, sent + answered, sent, answered, "")
    ids = (row["accelerator"],)
    busy = default_of("hours.availability") * default_of("hours.planned_utilisation")
    cost = token_prices(ids, tier, hour_cost(ids)[0].total, software_factor(ids, row["quarter"]) * busy)
    return PriceRow(
        row["id"],
        {kind: float(row[f"{kind}_usd"]) if row[f"{kind}_usd"] else np.nan for kind in KINDS},
        {kind: float(cost[f"usd_per_mtok_{kind}"][0]) for kind in KINDS},
    )


def main() -> None:
    """Print the comparison as a Markdown table."""
    lines = [
        "| model | input: listed, cost | cached | output | output listed over cost |",
        "|---|---|---|---|---|",
    ]
    for row in price_rows():
        cells = [f"{_number(row.listed[kind])}, {_number(row.cost[kind])}" for kind in KINDS]
        lines.append(f"| {row.name} | {' | '.join(cells)} | {row.over_cost('output'):.1f} |")
    sys.stdout.write("\n".join(lines) + "\n")


def _number(value: float) -> str:
    return f"{value:.2g}" if np.isfinite(value) else "–"


if __name__ == "__main__":
    main()
