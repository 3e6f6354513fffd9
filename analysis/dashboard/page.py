"""The page itself, run by Streamlit from top to bottom after every change of a control.

`computemarket dashboard` starts it; the folder of stored results, if any, comes in an environment variable.
"""

import os
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from computemarket.analysis.dashboard import FOLDER_VARIABLE, RUN_CHOICES, RUNS_VARIABLE, bands, figures
from computemarket.analysis.dashboard.ensembles import (
    QUARTERS,
    YEARS,
    Ensemble,
    paired,
    simulate_ensemble,
    stored_cases,
    stored_ensemble,
)
from computemarket.analysis.dashboard.levers import (
    ALWAYS,
    Lever,
    Question,
    explained,
    setting_of,
    starting_value,
)
from computemarket.errors import InputError
from computemarket.model.core import calendar
from computemarket.model.core.parameters import schema
from computemarket.scenarios.schema import library_names, load_scenario

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

NOTHING = "(nothing)"
STORED = "stored: "
TOGETHER, BESIDE, TABLE, ASKED = "In one chart", "Side by side, with the difference", "Table", "Scenario file"
DEFAULT_OTHER = "demand_stall"
DEFAULT_MEASURES = [
    "nvidia_data_center_revenue",
    "nvidia_compute_share",
    "custom_compute_share",
    "world_compute_stock",
    "h100_rental_contract",
    "token_price_medium",
]
SIDEBAR_PX = 400  # wide enough to read what a parameter means
MOST_KEPT = 24  # ensembles in memory, some ten megabytes each


def main() -> None:
    """Draw the page."""
    st.set_page_config("computemarket", layout="wide", initial_sidebar_state=SIDEBAR_PX)
    st.html(
        "<style>.stMainBlockContainer {padding-top: 2.2rem}</style>"
    )  # the page begins where the eye does
    st.title("The market for AI compute: what if?")
    stored = _stored()
    first, second = _questions(stored)
    grain, names, view = _controls()
    try:
        base = _ensemble(first, stored)
        other = None if second is None else _ensemble(second, stored)
    except InputError as error:
        st.error(str(error))
        st.stop()
    _describe(first, second)
    if not names:
        st.info("Choose at least one measure above.")
        return
    _sentences(base, other, names, grain)
    if view == TOGETHER:
        _together(base, other, names, grain)
    elif view == BESIDE:
        _beside(base, other, names, grain)
    elif view == TABLE:
        _table(base, other, names, grain)
    else:
        _asked(first, second)


def _stored() -> dict[str, tuple[Path, str, str]]:
    """Return the stored results that can be chosen, by the words in the list."""
    folder = os.environ.get(FOLDER_VARIABLE)
    if not folder:
        return {}
    try:
        cases = stored_cases(Path(folder))
    except InputError as error:
        st.error(str(error))
        return {}
    return {
        f"{STORED}{scenario} {policy}".strip(): (Path(folder), scenario, policy) for scenario, policy in cases
    }


def _questions(stored: dict[str, tuple[Path, str, str]]) -> tuple[Question, Question | None]:
    """Ask in the sidebar what to simulate."""
    with st.sidebar:
        st.header("Scenarios")
        known = [*stored, *library_names()]
        start = next(iter(stored), "baseline")
        base = st.selectbox("Base", known, index=known.index(start), key="base")
        others = [NOTHING, *known]
        rival = "baseline" if stored else DEFAULT_OTHER
        other = st.selectbox("Compared with", others, index=others.index(rival), key="other")
        levers = () if other == NOTHING or other in stored else _levers(other)
        st.header("Ensemble")
        runs = int(
            st.select_slider(
                "Runs",
                RUN_CHOICES,
                value=int(os.environ.get(RUNS_VARIABLE, "256")),
                key="runs",
                help="Histories of each scenario.",
            )
        )
        seed = int(
            st.number_input(
                "Seed", 0, 2**31 - 1, 1, key="seed", help="Both scenarios meet the same shocks of this seed."
            )
        )
        ends = list(calendar.QUARTERS[3::4])
        until = str(st.select_slider("Until", ends, value=ends[-1], key="until"))
    common = {"runs": runs, "seed": seed, "until": until}
    second = None if other == NOTHING else Question(other, levers, **common)  # type: ignore[arg-type]
    return Question(base, (), **common), second  # type: ignore[arg-type]


def _levers(scenario: str) -> tuple[Lever, ...]:
    """Ask which parameters of the compared scenario to set; widgets come from the schema."""
    parameters = schema()
    st.subheader("Change parameters", help="They change the compared scenario; the base stays as it is.")
    chosen = st.multiselect(
        "Parameters of the compared scenario",
        list(parameters),
        format_func=lambda name: f"{name}: {parameters[name].meaning}",
        placeholder="Type a word, like elasticity",
        filter_mode="contains",
        select_all=False,
        label_visibility="collapsed",
        key="levers",
    )
    levers = []
    for name in chosen:
        parameter = parameters[name]
        setting = setting_of(scenario, parameter)
        st.markdown(f"**{name}**")
        st.caption(explained(parameter, setting))
        left, right = st.columns([3, 2])
        value = left.number_input(
            f"{parameter.low:g} to {parameter.high:g}",
            parameter.low,
            parameter.high,
            starting_value(setting),
            step=(parameter.high - parameter.low) / 50 or None,
            format="%g",
            key=f"value {scenario} {name}",
        )
        since = right.selectbox(
            "from", calendar.QUARTERS, key=f"since {name}", help=f"{ALWAYS}: from the start."
        )
        levers.append(Lever(name, float(value), since))
    return tuple(levers)


def _controls() -> tuple[str, list[str], str]:
    """Ask what to show."""
    from computemarket.analysis.results.measures import load_measures

    names = st.multiselect(
        "Measures",
        list(load_measures()),
        DEFAULT_MEASURES,
        format_func=bands.title_of,
        filter_mode="contains",
        select_all=False,
        key="measures",
    )
    left, right = st.columns([1, 3])
    grain = left.radio("Time", [YEARS, QUARTERS], horizontal=True, key="grain")
    view = right.radio("View", [TOGETHER, BESIDE, TABLE, ASKED], horizontal=True, key="view")
    return str(grain), names, str(view)


@st.cache_resource
def _kept() -> "OrderedDict[object, Ensemble]":
    """Return the ensembles that were simulated before, for all who look at the page."""
    return OrderedDict()


def _ensemble(question: Question, stored: dict[str, tuple[Path, str, str]]) -> Ensemble:
    """Return the answer to a question, from memory, from disk or simulated now."""
    kept = _kept()
    key = (question, stored.get(question.scenario))
    if key not in kept:
        if question.scenario in stored:
            with st.spinner("Reading stored results"):
                kept[key] = stored_ensemble(*stored[question.scenario])
        else:
            words = f"Simulating {question.runs} histories of {question.label}"
            bar = st.progress(0.0, words)
            try:
                scenario = question.asked()
                kept[key] = simulate_ensemble(
                    scenario, question.label, question.runs, lambda done: bar.progress(done, words)
                )
            finally:
                bar.empty()
    kept.move_to_end(key)
    while len(kept) > MOST_KEPT:
        kept.popitem(last=False)
    return kept[key]


def _describe(first: Question, second: Question | None) -> None:
    for question, mark in ((first, ":blue[solid]"), (second, ":orange[dashed]")):
        if question is not None and not question.scenario.startswith(STORED):
            text = load_scenario(question.scenario).description
            st.markdown(f"**{question.label}** ({mark}): {text}.")


def _sentences(base: Ensemble, other: Ensemble | None, names: list[str], grain: str) -> None:
    """Say the last common period in words."""
    periods = [period for period in base.periods[grain] if other is None or period in other.periods[grain]]
    if not periods:
        return
    with st.expander("In words", expanded=False):
        period = st.selectbox("Period", periods[::-1], key="period")
        lines = [bands.sentence(base, other, name, grain, period) for name in names]
        st.markdown("\n".join(f"- {line}" for line in lines if line))
        st.caption("Median, and in brackets the range that holds 8 of 10 runs.")


def _together(base: Ensemble, other: Ensemble | None, names: list[str], grain: str) -> None:
    """Draw one chart for each measure, and offer all of them as one picture."""
    charts = [
        (
            bands.title_of(name),
            bands.unit_of(name, grain),
            [bands.fan(base, name, grain), *([] if other is None else [bands.fan(other, name, grain)])],
            bands.record_of(name, grain),
        )
        for name in names
    ]
    columns = st.columns(2)
    for place, chart in enumerate(charts):
        columns[place % 2].image(figures.png(figures.fan_figure(*chart)), width="stretch")
    st.caption(f"{bands.BAND_TEXT}. Points are the record; nothing simulated has been told it.")
    words = f"computemarket: {_title(base, other)}, {len(base.runs)} runs."
    left, right = st.columns(2)
    left.download_button(
        "Download the charts (PNG)", figures.png(figures.sheet(charts, words)), "charts.png", "image/png"
    )
    _download_table(right, base, other, names, grain)


def _beside(base: Ensemble, other: Ensemble | None, names: list[str], grain: str) -> None:
    """Draw base, other and their difference in a row for each measure."""
    if other is None:
        st.info("Choose a second scenario in the sidebar.")
        return
    if not paired(base, other):
        st.warning("The two have other seeds or numbers of runs, so there is no difference run by run.")
    rows = []
    for name in names:
        title, unit, record = bands.title_of(name), bands.unit_of(name, grain), bands.record_of(name, grain)
        gap = bands.difference_fan(base, other, name, grain)
        pair = [bands.fan(base, name, grain), bands.fan(other, name, grain)]
        rows.append((title, unit, pair, record, gap))
    for row in rows:
        st.image(figures.png(figures.row_sheet([row])), width="stretch")
    st.caption(
        f"{bands.BAND_TEXT}. The difference is taken run by run: both scenarios meet the same shocks, so it is what "
        "the scenario changes and not chance."
    )
    left, right = st.columns(2)
    left.download_button(
        "Download the charts (PNG)", figures.png(figures.row_sheet(rows)), "difference.png", "image/png"
    )
    _download_table(right, base, other, names, grain)


def _table(base: Ensemble, other: Ensemble | None, names: list[str], grain: str) -> None:
    """Show the numbers behind the charts."""
    st.dataframe(bands.table(base, other, names, grain), hide_index=True, height=480)
    st.caption("p10 and p90: 8 of 10 runs lie between. Difference: run by run, compared minus base.")
    _download_table(st.container(), base, other, names, grain)


def _asked(first: Question, second: Question | None) -> None:
    """Show each question as a scenario file, and offer it."""
    for place, question in enumerate((first, second)):
        if question is None or question.scenario.startswith(STORED):
            continue
        name = "base.toml" if place == 0 else "compared.toml"
        st.subheader(question.label)
        st.code(question.file(), language="toml")
        st.caption(f"Repeat on the command line: computemarket run {name} --runs {question.runs}")
        st.download_button(f"Download {name}", question.file(), name, "application/toml", key=name)


def _download_table(
    place: "DeltaGenerator",
    base: Ensemble,
    other: Ensemble | None,
    names: list[str],
    grain: str,
) -> None:
    text = bands.table(base, other, names, grain).to_csv(index=False)
    place.download_button("Download the numbers (CSV)", text, "numbers.csv", "text/csv")


def _title(base: Ensemble, other: Ensemble | None) -> str:
    return base.label if other is None else f"{base.label} and {other.label}"


if __name__ == "__main__":
    main()
