"""`computemarket report`: one page that needs nothing beside it, figures, data, and clear refusals."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from computemarket.analysis.report import page
from computemarket.analysis.report.chapters import analysts, network
from computemarket.analysis.report.parts.accounts import LAYERS, depreciation_usd, profit_pool
from computemarket.analysis.report.parts.source import CONTROL, Source, again, read_by_group, read_source
from computemarket.analysis.results.headline import Headline
from computemarket.analysis.results.series import panels_from_arrays, read_panels
from computemarket.cli import app
from computemarket.errors import InputError
from computemarket.scenarios.batches.batch import run_study
from computemarket.scenarios.batches.ensemble import prepare, simulate_to
from computemarket.scenarios.batches.executor import Inline
from computemarket.scenarios.results.store import open_store
from computemarket.scenarios.studies.study import read_study

RUNS, DETAIL = 24, 5
STUDY = """
scenarios = ["baseline", "open_software"]
runs = 4
until = "2023Q4"
recording = ["data_center_revenue_usd", "power_mw"]
"""
HOSTILE = '<script>alert(1)</script> & "quotes"'


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    target = tmp_path_factory.mktemp("results") / "run"
    asked = prepare("power_drought", seed=5, until="2028Q4")
    simulate_to(target, replace(asked, description=HOSTILE), RUNS)
    return target


@pytest.fixture(scope="module")
def source(folder):
    return read_source(folder, DETAIL)


@pytest.fixture(scope="module")
def sections(source):
    return page.sections_of(source, None, 4, lambda _: None)


@pytest.fixture(scope="module")
def written(folder):
    app(
        ["report", str(folder), "--detail-runs", str(DETAIL), "--payoff", "nvidia,amd", "--payoff-runs", "2"],
        standalone_mode=False,
    )
    return folder / "report"


@pytest.fixture(scope="module")
def html(written):
    return (written / "index.html").read_text("utf-8")


class Collected(HTMLParser):
    """Tags with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def test_the_page_asks_for_nothing_from_anywhere(html):
    tags = Collected(html).found
    assert not {tag for tag, _ in tags} & {"script", "img", "iframe", "object", "embed", "audio", "video"}
    for tag, attributes in tags:
        assert "src" not in attributes, tag
        assert not any(name.startswith("on") for name in attributes), tag
        for name in ("href", "xlink:href"):
            assert not str(attributes.get(name, "#")).startswith(("http:", "https:", "//")), tag
    assert "url(http" not in html
    assert "@import" not in html
    assert "default-src 'none'" in html


def test_every_link_leads_to_a_file_that_is_there_or_to_a_place_on_the_page(html, written):
    tags = Collected(html).found
    places = [attributes["id"] for _, attributes in tags if attributes.get("id")]
    links = [attributes["href"] for tag, attributes in tags if tag == "a"]
    assert len(links) > 60
    for link in links:
        assert link[1:] in places if link.startswith("#") else (written / link).stat().st_size > 0, link
    assert len(places) == len(set(places))  # no two elements share a name
    for used in re.findall(r"url\(#([^)]+)\)", html):
        assert used in places


def test_every_part_that_was_asked_for_is_there(sections):
    slugs = {section.slug for section in sections}
    assert slugs >= {
        "asked", "headlines", "market", "silicon", "tiers", "china", "supply", "capex", "energy", "network", "value",
        "warnings", "analysts", "history", "drivers", "assumptions", "repeat",
    }  # fmt: skip
    for section in sections:
        assert not section.missing, section.title
        assert section.sentences, section.title


def test_every_figure_says_its_unit_and_what_its_marks_mean(sections):
    for section in sections:
        for picture in section.pictures:
            words = [text.get_text() for text in picture.figure.texts]
            assert words[0] == picture.title
            assert len(words[1]) > 20, picture.slug
            assert re.search(r"median|mean|runs", words[1]), picture.slug
            assert len(picture.data) > 0, picture.slug


def beyond_the_view(figure):
    """Return the labels of ticks outside the limits of their axis, which are not drawn."""
    found = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
                if not low <= tick.get_loc() <= high:
                    found |= {tick.label1, tick.label2}
    return found


def test_no_text_of_a_figure_leaves_it(sections):
    for section in sections:
        for picture in section.pictures:
            edge = picture.figure.bbox
            picture.figure.canvas.draw()
            hidden = beyond_the_view(picture.figure)
            for text in picture.figure.findobj(lambda one: hasattr(one, "get_text")):
                if text.get_text().strip() and text.get_visible() and text not in hidden:
                    box = text.get_window_extent()
                    assert box.x0 >= -2, (picture.slug, text.get_text())
                    assert box.x1 <= edge.x1 + 2, (picture.slug, text.get_text())


def test_text_of_a_scenario_is_text_on_the_page(html):
    assert "<script>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_the_same_results_give_the_same_figures_and_data(sections, written):
    for picture in (picture for section in sections for picture in section.pictures):
        drawn = (written / "figures" / f"{picture.slug}.svg").read_bytes()
        assert drawn == page.standalone(picture.svg()), picture.slug
        assert (written / "data" / f"{picture.slug}.csv").read_text("utf-8") == picture.csv(), picture.slug


def test_a_bridge_leads_from_one_total_to_the_other_in_every_run(source):
    for first, last in analysts.bridge_years(source):
        steps = analysts.revenue_steps(source, first, last)
        start, *changes, end = steps.values()
        np.testing.assert_allclose(start + sum(changes), end, rtol=1e-9)


def test_depreciation_never_exceeds_what_was_spent(source):
    spent = source.total("ai_capex_usd")[:DETAIL]
    assert (np.cumsum(depreciation_usd(source), axis=1) <= np.cumsum(spent, axis=1) * (1 + 1e-9)).all()


def test_the_profit_pool_has_every_layer_in_every_run(source):
    pool = profit_pool(source)
    assert set(pool) == set(LAYERS)
    for values in pool.values():
        assert values.shape == (DETAIL, len(source.quarters))
        assert np.isfinite(values).all()


def test_the_network_holds_what_operators_paid(source):
    graph = network.trade_graph(source, "2028")
    paid = network._year(source, source.total("purchases_usd", "microsoft", detail="nvidia"), "2028")
    held = graph.edges["1 nvidia", "2 microsoft"]
    assert held["median"] == pytest.approx(float(np.median(paid)) / 1e9)
    assert all(graph.nodes[s]["layer"] + 1 == graph.nodes[b]["layer"] for s, b in graph.edges)


def test_detail_is_of_the_stored_runs(source):
    stored = source.panels.block(CONTROL).values[:, :DETAIL]
    assert stored.tobytes() == source.detail.block(CONTROL).values.tobytes()


def test_results_read_by_group_are_the_results_read_at_once(folder):
    whole, found = read_panels(folder), read_by_group(folder / "results.parquet")
    assert (found.variables, found.runs, found.quarters) == (whole.variables, whole.runs, whole.quarters)
    for variable in whole.variables:
        one, other = whole.block(variable), found.block(variable)
        order = [one.labels.index(label) for label in other.labels]
        assert np.array_equal(np.take(one.values, order, axis=0), other.values, equal_nan=True)


def test_other_histories_than_the_stored_ones_are_left_out(source):
    changed = {
        (CONTROL, *label): values * (1 + 1e-15)
        for label, values in zip(
            source.panels.block(CONTROL).labels, source.panels.block(CONTROL).values, strict=True
        )
    }
    detail, reason = again(source.scenario, panels_from_arrays(source.quarters, changed), 2)
    assert detail is None
    assert "other histories" in reason


def test_what_results_do_not_hold_is_said_and_not_made_up(source):
    kept = {
        (name, *label): values
        for name in ("data_center_revenue_usd", "accelerator_revenue_usd")
        for label, values in zip(
            source.panels.block(name).labels, source.panels.block(name).values, strict=True
        )
    }
    poor = Source(
        source.folder,
        source.scenario,
        panels_from_arrays(source.quarters, kept),
        None,
        "not asked for",
        source.manifest,
    )
    sections = page.sections_of(poor, None, 4, lambda _: None)
    missing = {section.slug for section in sections if section.missing}
    assert len(missing) >= 8
    text = page.render("t", "l", sections, {p.slug: p.svg() for s in sections for p in s.pictures})
    assert "Not in this report" in text


def test_one_run_of_one_year_can_be_reported(tmp_path):
    simulate_to(tmp_path / "run", prepare("no_controls", seed=2, until="2022Q4"), 1)
    sections = page.sections_of(read_source(tmp_path / "run", 1), None, 1, lambda _: None)
    missing = {section.slug for section in sections if section.missing}
    assert missing == {"warnings", "drivers"}  # they compare runs and years
    assert all(picture.svg().startswith("<svg") for section in sections for picture in section.pictures)


def test_results_without_a_whole_year_are_refused(tmp_path):
    simulate_to(tmp_path / "run", prepare("baseline", seed=2, until="2022Q3"), 1)
    with pytest.raises(InputError, match="one whole year"):
        page.sections_of(read_source(tmp_path / "run", 0), None, 1, lambda _: None)


def test_the_command_writes_page_figures_and_data_beside_the_results(written, html):
    assert "Payoffs" in html
    names = {path.stem for path in (written / "figures").glob("*.png")}
    assert names == {path.stem for path in (written / "figures").glob("*.svg")}
    assert names <= {path.stem for path in (written / "data").glob("*.csv")}
    assert len(names) > 30
    assert not list(written.rglob("*.part"))


def reported(tmp_path, study):
    """Run a study, report it and return the page without its figures, and the folder of data."""
    run_study(read_study(study.encode(), "asked.toml", Path(), Headline()), tmp_path / "batch", Inline())
    app(["report", str(tmp_path / "batch"), "--out", str(tmp_path / "page")], standalone_mode=False)
    html = (tmp_path / "page" / "index.html").read_text("utf-8")
    names = {path.stem for path in (tmp_path / "page" / "figures").iterdir()}
    for kind, folder in (("png", "figures"), ("svg", "figures"), ("csv", "data")):
        assert names <= {path.stem for path in (tmp_path / "page" / folder).glob(f"*.{kind}")}
    return re.sub(r"<svg.*?</svg>", "", html, flags=re.DOTALL), tmp_path / "page" / "data"


def test_a_batch_is_reported_side_by_side(tmp_path):
    html, data = reported(tmp_path, STUDY)
    assert "open software" in html
    assert "First signs that it is not baseline" in html
    rows = (data / "nvidia_data_center_revenue.csv").read_text("utf-8").splitlines()[1:]
    assert {row.split(",")[0] for row in rows} == {"baseline", "open software"}
    assert not (
        data / "differences.csv"
    ).exists()  # until 2023 they are the same, and a figure would be empty
    assert "can not be told from baseline" in html
    assert "No run failed." in html


@pytest.mark.parametrize("recording", ['"headline"', '"full"'])
def test_every_case_has_its_part_whatever_was_recorded(tmp_path, recording):
    study = f"""
scenarios = ["baseline"]
runs = 4
until = "2023Q4"
recording = {recording}
[policies.as_now]
[policies.slow.capex]
required_cover = 3.5
"""
    html, data = reported(tmp_path, study)
    for words in (
        "Case 1: baseline, as now",
        "Case 2: baseline, slow",
        "What the cases change",
        "capex.required_cover",
    ):
        assert words in html
    assert "Nvidia sells" in html
    assert "Regret is how much better" in html
    firms = (data / "case_1_capex.csv").is_file()
    assert firms == (recording == '"full"')  # single firms stand only where they were recorded
    assert (data / "case_2_glance.csv").is_file()
    gaps = (data / "differences.csv").read_text("utf-8").splitlines()
    assert gaps[0] == "measure,case,p10,median,p90,share_of_runs_above,unit"


def test_drivers_come_by_the_method_of_the_design(tmp_path):
    study = """
scenarios = ["baseline"]
runs = 1
until = "2023Q4"
recording = "headline"
[design]
method = "morris"
trajectories = 3
[uncertainties.capex]
required_cover = "prior"
[uncertainties.tokens]
elasticity = "prior"
"""
    html, data = reported(tmp_path, study)
    assert "Morris" in html
    rows = (data / "drivers.csv").read_text("utf-8").splitlines()
    assert "mean_effect" in rows[0]
    assert all("/as_is" in row and "morris" in row for row in rows[1:])


def test_a_list_of_variables_is_shown_in_its_own_units(tmp_path):
    listed = '["utilisation", "packaging_capacity_wafers_per_month"]'
    study = f'scenarios = ["baseline"]\nruns = 4\nuntil = "2023Q4"\nrecording = {listed}\n'
    html, data = reported(tmp_path, study)
    assert "What was recorded" in html
    rows = (data / "utilisation.csv").read_text("utf-8").splitlines()
    assert (
        float(rows[-1].split(",")[3]) > 1.0
    )  # the headline measure, in per cent, and not the variable, a share
    assert rows[-1].endswith("%")


def test_a_batch_without_results_is_refused(tmp_path):
    study = read_study(STUDY.encode(), "asked.toml", Path(), Headline())
    with open_store(tmp_path / "batch", study):
        pass
    with pytest.raises(InputError, match="none yet"):
        app(["report", str(tmp_path / "batch"), "--out", str(tmp_path / "page")], standalone_mode=False)


@pytest.mark.parametrize(
    "arguments", [["--detail-runs", "-1"], ["--payoff", "nvidia"], ["--payoff-runs", "0"]]
)
def test_impossible_options_are_refused(folder, arguments):
    with pytest.raises(InputError):
        app(["report", str(folder), *arguments], standalone_mode=False)


def test_what_is_no_folder_of_results_is_refused_and_stays_as_it_was(tmp_path):
    with pytest.raises(InputError, match=r"manifest\.json"):
        app(["report", str(tmp_path)], standalone_mode=False)
    assert list(tmp_path.iterdir()) == []


def test_results_of_another_version_are_refused(folder, tmp_path):
    other = _copied(folder, tmp_path)
    held = json.loads((other / "manifest.json").read_text())
    (other / "manifest.json").write_text(json.dumps({**held, "format": 99}))
    with pytest.raises(InputError, match="another version"):
        app(["report", str(other)], standalone_mode=False)


def test_changed_results_are_refused(folder, tmp_path):
    other = _copied(folder, tmp_path)
    with (other / "results.parquet").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(InputError, match="sha256"):
        app(["report", str(other)], standalone_mode=False)
    assert not (other / "report").exists()


def test_a_report_that_cannot_be_written_is_one_line(folder, tmp_path):
    occupied = tmp_path / "file"
    occupied.write_text("")
    with pytest.raises(InputError, match="--out"):
        app(["report", str(folder), "--out", str(occupied / "report")], standalone_mode=False)


def _copied(folder: Path, target: Path) -> Path:
    other = target / "copy"
    other.mkdir()
    for name in ("results.parquet", "scenario.toml", "manifest.json"):
        (other / name).write_bytes((folder / name).read_bytes())
    return other
