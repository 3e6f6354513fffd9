"""Who buys from whom: money between makers of memory, vendors, operators and labs in one year."""

from typing import Any

import numpy as np

from computemarket.analysis.report.parts.accounts import detail_runs
from computemarket.analysis.report.parts.figures import (
    Picture,
    Section,
    Table,
    blank,
    name_of,
    short,
    subtitle,
)
from computemarket.analysis.report.parts.source import Source, by_year
from computemarket.analysis.results.measures import BAND
from computemarket.analysis.style import GREY, INK, colour
from computemarket.model.core.arrays import Floats

BILLION = 1e9
LEAST_SHARE = 0.006  # of all sales of a layer, under which an edge is left out of the figure
MOST_NODES = 15  # of a layer
CLOUDS = "compute to let"
LAYER_TITLES = (
    "Makers of memory\ntake in",
    "Vendors\ntake in",
    "Operators\npay for accelerators",
    "Rental market\nturns over",
    "Labs and others\npay for compute",
)
OTHERS = "everybody else"


def network_section(source: Source) -> Section:
    """Return the network of who buys from whom, in two years."""
    section = Section("network", "Who buys from whom")
    if source.detail is None:
        section.missing.append(f"the network of who buys from whom: {source.reason}")
        return section
    chosen = [year for year in ("2024", source.years[-1]) if year in source.years]
    for year in dict.fromkeys(chosen):
        graph = trade_graph(source, year)
        section.pictures.append(_draw(source, graph, year))
    section.tables.append(_table(graph, year))
    section.sentences.append(
        f"In {year} the market has {graph.number_of_nodes()} actors in the figure and {graph.number_of_edges()} "
        f"relations; by money paid to it, the most central is {_most_paid(graph)}."
    )
    return section


def trade_graph(source: Source, year: str) -> Any:
    """Return a networkx DiGraph: an edge from seller to buyer with the money of a year, in bn USD.

    Edges hold `median`, `p10`, `p90` over runs; nodes hold `layer`, 0 to 4.
    """
    import networkx as nx

    graph = nx.DiGraph()
    runs = detail_runs(source)

    def add(seller: str, buyer: str, layers: tuple[int, int], paid: Floats) -> None:
        low, middle, high = np.percentile(paid / BILLION, (BAND[0], 50.0, BAND[1]))
        if middle > 0:
            graph.add_node(seller, layer=layers[0])
            graph.add_node(buyer, layer=layers[1])
            graph.add_edge(seller, buyer, median=float(middle), p10=float(low), p90=float(high))

    for maker in source.labels("memory_sales_usd", "entity"):
        for vendor in source.labels("memory_sales_usd", "detail"):
            paid = _year(source, source.total("memory_sales_usd", maker, detail=vendor), year)
            add(f"0 {maker}", f"1 {vendor}", (0, 1), paid)
    for buyer in source.labels("purchases_usd", "entity"):
        for vendor in source.labels("purchases_usd", "detail"):
            paid = _year(source, source.total("purchases_usd", buyer, detail=vendor), year)
            add(f"1 {vendor}", f"2 {buyer}", (1, 2), paid)
    rents = np.zeros(runs)
    for owner in source.labels("rental_revenue_usd", "entity"):
        paid = _year(source, source.total("rental_revenue_usd", owner), year)
        add(f"2 {owner}", f"3 {CLOUDS}", (2, 3), paid)
        rents += paid
    for lab in source.labels("lab_compute_usd", "entity"):
        paid = _year(source, source.total("lab_compute_usd", lab), year)
        add(f"3 {CLOUDS}", f"4 {lab}", (3, 4), paid)
        rents -= paid
    add(f"3 {CLOUDS}", f"4 {OTHERS}", (3, 4), np.maximum(rents, 0.0))
    return graph


def _year(source: Source, values: Floats, year: str) -> Floats:
    years, summed = by_year(values, source.quarters)
    found: Floats = summed[:, years.index(year)]
    return found


def _shown(graph: Any) -> Any:
    """Return the part of the graph that a reader can see: edges that matter in their layer."""
    sums: dict[int, float] = {}
    for seller, _, held in graph.edges(data=True):
        layer = graph.nodes[seller]["layer"]
        sums[layer] = sums.get(layer, 0.0) + held["median"]
    kept = [
        (seller, buyer)
        for seller, buyer, held in graph.edges(data=True)
        if held["median"] >= LEAST_SHARE * sums[graph.nodes[seller]["layer"]]
    ]
    seen = graph.edge_subgraph(kept)
    weight = {
        node: graph.in_degree(node, weight="median") + graph.out_degree(node, weight="median")
        for node in seen
    }
    chosen: list[str] = []
    for layer in range(len(LAYER_TITLES)):
        nodes = [node for node in seen if graph.nodes[node]["layer"] == layer]
        chosen += sorted(nodes, key=lambda node: (-weight[node], node))[:MOST_NODES]
    return seen.subgraph(chosen).copy()


def _draw(source: Source, graph: Any, year: str) -> Picture:
    """Draw the layers as columns; an edge is as wide as the square root of its money, in its seller's colour."""
    import networkx as nx
    import pandas as pd
    from matplotlib.patches import FancyArrowPatch

    shown = _shown(graph)
    title = f"Who buys from whom in {year}"
    figure, axes = blank(title, height=7.6)
    figure.subplots_adjust(left=0.012, right=0.988, top=0.83, bottom=0.02)
    subtitle(
        figure,
        f"bn USD a year, medians of {detail_runs(source)} runs; lines are as wide as the root of the money and have "
        "their seller's colour",
    )
    axes.axis("off")
    axes.set_xlim(-0.35, 4.62)
    axes.set_ylim(0, 1.04)
    places = _places(shown)
    largest = max((held["median"] for _, _, held in shown.edges(data=True)), default=1.0)
    for seller, buyer, held in sorted(shown.edges(data=True), key=lambda edge: -edge[2]["median"]):
        width = 0.4 + 11.0 * np.sqrt(held["median"] / largest)
        axes.add_patch(
            FancyArrowPatch(
                (places[seller][0] + 0.03, places[seller][1]), (places[buyer][0] - 0.03, places[buyer][1]),
                connectionstyle="arc3,rad=0.0", arrowstyle="-", linewidth=width, color=colour(seller[2:]), alpha=0.36,
                shrinkA=0, shrinkB=0, capstyle="butt",
            )
        )  # fmt: skip
    strength = {node: graph.out_degree(node, weight="median") for node in shown}
    paid = {node: graph.in_degree(node, weight="median") for node in shown}
    for node, (x, y) in places.items():
        amount = paid[node] if shown.nodes[node]["layer"] > 1 else strength[node]
        tint = colour(node[2:])
        axes.plot([x], [y], "o", color=tint, markersize=7, markeredgecolor="white")
        words = f"{name_of(node[2:])} {short(amount)}" if amount else name_of(node[2:])
        axes.annotate(
            words, (x, y), xytext=(0, 7), textcoords="offset points", fontsize=8.6, color=INK, ha="center",
            bbox={"facecolor": "white", "alpha": 0.78, "pad": 0.6, "edgecolor": "none"},
        )  # fmt: skip
    for layer, words in enumerate(LAYER_TITLES):
        axes.text(layer, 1.02, words, ha="center", va="bottom", fontsize=9.8, fontweight="bold", color=GREY)
    rows = [
        (name_of(seller[2:]), name_of(buyer[2:]), held["p10"], held["median"], held["p90"], "bn USD a year")
        for seller, buyer, held in nx.DiGraph(graph).edges(data=True)
    ]
    data = pd.DataFrame(rows, columns=["seller", "buyer", "p10", "median", "p90", "unit"])
    note = (
        "Memory is bought by vendors of accelerators, accelerators by who operates them. Compute is let through one "
        "market, so a lab's bill does not say whose fleet it ran on. Small relations are left out of the figure; the "
        "data hold all of them."
    )
    return Picture(f"network_{year}", title, note, figure, data.sort_values("median", ascending=False))


def _places(graph: Any) -> dict[str, tuple[float, float]]:
    """Return the place of each node: its layer across, and down by the money that passes through it."""
    found = {}
    for layer in range(5):
        nodes = [node for node, held in graph.nodes(data=True) if held["layer"] == layer]
        weight = {
            node: graph.in_degree(node, weight="median") + graph.out_degree(node, weight="median")
            for node in nodes
        }
        ordered = sorted(nodes, key=lambda node: (-weight[node], node))
        for place, node in enumerate(ordered):
            found[node] = (
                float(layer),
                0.96 - 0.93 * (place + 0.5) / len(ordered) if len(ordered) > 1 else 0.5,
            )
    return found


def _most_paid(graph: Any) -> str:
    amounts = {node: graph.out_degree(node, weight="median") for node in graph if node != f"3 {CLOUDS}"}
    return name_of(max(amounts, key=lambda node: amounts[node])[2:])


def _table(graph: Any, year: str) -> Table:
    edges = sorted(graph.edges(data=True), key=lambda edge: -edge[2]["median"])
    edges = [edge for edge in edges if CLOUDS not in edge[0] + edge[1]][:12]
    rows = [
        [
            name_of(s[2:]),
            name_of(b[2:]),
            short(held["median"]),
            f"{short(held['p10'])} to {short(held['p90'])}",
        ]
        for s, b, held in edges
    ]
    return Table(
        f"The largest relations of {year}",
        "bn USD a year; the band holds 80% of runs.",
        ["Seller", "Buyer", "Median", "Band"],
        rows,
    )
