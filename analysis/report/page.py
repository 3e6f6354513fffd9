"""The report as files: one page that needs nothing beside it, figures, and their data."""

from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path

from computemarket.analysis.report.chapters.analysts import analyst_section
from computemarket.analysis.report.chapters.drivers import drivers_section, warnings_section
from computemarket.analysis.report.chapters.early_indicators import signs_of_run
from computemarket.analysis.report.chapters.market import market_section, silicon_section
from computemarket.analysis.report.chapters.money import money_section, strategist_section
from computemarket.analysis.report.chapters.network import network_section
from computemarket.analysis.report.chapters.payoff import payoff_cells, payoff_section
from computemarket.analysis.report.chapters.record import record_section
from computemarket.analysis.report.chapters.scenario import (
    asked_section,
    assumptions_section,
    headline_section,
    repeat_section,
)
from computemarket.analysis.report.chapters.world import (
    china_section,
    energy_section,
    supply_section,
    tiers_section,
)
from computemarket.analysis.report.parts.accounts import detail_runs
from computemarket.analysis.report.parts.figures import Picture, Section, safe_csv
from computemarket.analysis.report.parts.source import Source
from computemarket.analysis.results.series import NotSimulatedError
from computemarket.errors import InputError
from computemarket.scenarios.batches.ensemble import write_whole

PAGE = "index.html"
Progress = Callable[[str], None]
BEFORE: tuple[tuple[str, Callable[[Source], Section]], ...] = (
    ("What was asked", asked_section),
    ("Headline numbers", headline_section),
    ("Who supplies AI compute", market_section),
    ("Custom silicon", silicon_section),
    ("Token tiers", tiers_section),
    ("Export controls and China", china_section),
    ("Supply bottlenecks", supply_section),
    ("Capital expenditure and debt", money_section),
    ("Energy", energy_section),
    ("Who buys from whom", network_section),
    ("Value and the profit pool", strategist_section),
    ("Early warnings", warnings_section),
)
AFTER: tuple[tuple[str, Callable[[Source], Section]], ...] = (
    ("For analysts", analyst_section),
    ("Recorded history beside the simulated one", record_section),
    ("What drives the spread", drivers_section),
    ("Assumptions with sources", assumptions_section),
    ("How to repeat it", repeat_section),
)


def sections_of(
    source: Source, players: tuple[str, str] | None, payoff_runs: int, say: Progress
) -> list[Section]:
    """Return all parts of the report; what results do not hold is said, never made up.

    Raises
    ------
    InputError
        if no whole year was simulated.
    """
    if not source.years:
        raise InputError(
            "results", f"{source.quarters[0]}..{source.quarters[-1]}", "of at least one whole year"
        )
    found = [_section(title, make, source, say) for title, make in BEFORE]
    signs = signs_of_run(source, detail_runs(source))
    if signs is not None:
        found[-1].tables.insert(0, signs)
    if players is not None:
        say("strategies")
        cells = payoff_cells(source.scenario, players, payoff_runs)
        found.append(payoff_section(players, cells, payoff_runs, source.scenario))
    return found + [_section(title, make, source, say) for title, make in AFTER]


def _section(title: str, make: Callable[[Source], Section], source: Source, say: Progress) -> Section:
    say(title.lower())
    try:
        return make(source)
    except NotSimulatedError as error:
        slug = title.lower().replace(" ", "-")
        return Section(slug, title, missing=[f"the results do not hold what this part shows ({error})"])


def write_report(target: Path, title: str, lead: str, sections: Sequence[Section]) -> list[Path]:
    """Write figures, data and, last, the page; return their paths.

    Raises
    ------
    InputError
        if the folder cannot be written.
    """
    pictures = [picture for section in sections for picture in section.pictures]
    vectors = {picture.slug: picture.svg() for picture in pictures}
    written = []
    try:
        for folder in (target / "figures", target / "data"):
            folder.mkdir(parents=True, exist_ok=True)
        for path, data in _files(target, pictures, vectors, sections):
            write_whole(path, data)
            written.append(path)
        page = target / PAGE
        write_whole(page, render(title, lead, sections, vectors).encode())
    except OSError as error:
        raise InputError("--out", str(target), f"a folder that can be written ({error.strerror})") from error
    return [page, *written]


def _files(
    target: Path, pictures: Sequence[Picture], vectors: dict[str, str], sections: Sequence[Section]
) -> list[tuple[Path, bytes]]:
    import pandas as pd

    found: list[tuple[Path, bytes]] = []
    for picture in pictures:
        found.append((target / "figures" / f"{picture.slug}.png", picture.png()))
        found.append((target / "figures" / f"{picture.slug}.svg", standalone(vectors[picture.slug])))
        found.append((target / "data" / f"{picture.slug}.csv", picture.csv().encode()))
    for section in sections:
        for place, table in enumerate(section.tables, start=1):
            rows = [[_one_line(cell) for cell in row] for row in table.rows]
            frame = pd.DataFrame(rows, columns=list(table.columns))
            found.append((target / "data" / f"table_{section.slug}_{place}.csv", safe_csv(frame).encode()))
    return found


def _one_line(cell: str) -> str:
    """Return a number with its band under it as one line: median [band]."""
    first, _, rest = cell.partition("\n")
    return f"{first} [{rest}]" if rest else first


def standalone(svg: str) -> bytes:
    """Return an inline figure as a file of its own."""
    return f'<?xml version="1.0" encoding="utf-8"?>\n{svg}'.encode()


def render(title: str, lead: str, sections: Sequence[Section], vectors: dict[str, str]) -> str:
    """Return the page; every text is escaped, figures are placed as they are."""
    from jinja2 import Environment, StrictUndefined

    text = files("computemarket.analysis.report").joinpath("page.html.j2").read_text("utf-8")
    template = Environment(autoescape=True, undefined=StrictUndefined).from_string(text)
    found: str = template.render(title=title, lead=lead, sections=sections, svg=vectors)
    return found
