"""The interactive page without a browser: its form, its results, its marks."""

import asyncio
import datetime as dt
import re

import pandas as pd
import pytest
from explored import TABS, look_at, shown
from notebook_cells import run_notebook, without_drawing
from staples_study import write_staples
from study_builder import write_study
from traitlets import TraitError

from lib.explore import page as explore_page
from lib.explore.form import Form
from lib.explore.marks import marks_survival
from lib.report.results import KEY
from lib.show.plots import survival as plot_survival
from lib.study.parts import own
from lib.study.study import ROOT, read_study

pytestmark = pytest.mark.notebook

RAIR, COLON = "data/rair_dtc", "data/colon"


@pytest.fixture
def page():
    return explore_page.Explorer(RAIR)


def by_key(results: pd.DataFrame) -> pd.Series:
    """Value of each row of results.csv; what has no time has time -1."""
    return results.fillna({"time": -1.0}).set_index(KEY)["value"].astype(float)


def test_every_choice_has_a_label_and_only_values_of_the_study(page):
    form = page.form
    assert [label for label, _ in form._endpoint.options] == [e.label for e in form.study.endpoints]
    assert [value for _, value in form._reference.options] == form.study.arm_ids
    controls = [form._pick, form._endpoint, form._reference, form._subgroup, form._landmarks, form._cutoff, form._level]
    assert all(control.description for control in [*controls, *form._arms.values()])
    assert form.parameters() == {}


def test_the_first_page_is_that_of_the_report(page, monkeypatch):
    """What the form shows is what the notebook records: same rows, same values, to the last digit."""
    form = page.form
    form._endpoint.value, form._arms["B"].value, form._landmarks.value = "os", False, "6, 18"
    given = form.parameters()
    assert given == {"arms": ["A", "C"], "endpoint": "os", "landmarks": [6.0, 18.0]}
    look_at(page, "Survival")
    explored = by_key(page.page.results)
    without_drawing(monkeypatch)
    report = by_key(run_notebook("efficacy", monkeypatch, study=RAIR, **given).names["page"].results)
    assert len(explored) > 100
    assert set(explored.index) <= set(report.index)
    pd.testing.assert_series_equal(explored, report.loc[explored.index], check_exact=True)


@pytest.mark.parametrize("study", [RAIR, COLON])
@pytest.mark.parametrize("tab", TABS)
def test_every_mark_stands_on_what_was_drawn(study, tab):
    page = explore_page.Explorer(study)
    figures = [block for block in look_at(page, tab) if "svg" in block]
    assert bool(figures) == (tab in ("Survival", "Prior knowledge") or study == RAIR)
    for figure in figures:
        ids = set(re.findall(r'\bid="([^"]+)"', figure["svg"]))
        width, height = map(float, re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', figure["svg"]).groups())
        assert len(figure["marks"]) > 5
        for mark in figure["marks"]:
            assert mark["says"].endswith(".")
            assert "nan" not in mark["says"]
            assert mark["id"] in ids if "id" in mark else 0 <= mark["x"] <= width and 0 <= mark["y"] <= height


def test_a_step_names_its_numbers_and_patients(page):
    look_at(page, "Survival")
    tte = page.page._analyses[0]["tte"]
    figure = next(block for block in page.view.blocks if "svg" in block)
    marks = [mark for mark in figure["marks"] if "1 event" in mark["says"] and mark["says"].startswith("Anlotinib, ")]
    first = tte[(tte["arm"] == "A") & tte["event"]].sort_values("time").iloc[0]
    assert first["patient_id"] in marks[0]["patients"]
    assert f"{first['time']:.1f} months" in marks[0]["says"]


def test_the_place_of_a_mark_is_the_place_on_the_axes(page):
    """The first curve begins at 100 % and time 0, which is read off the SVG."""
    data = page.page.data
    analysis = page.page._analyses[0]
    figure = plot_survival.plot_survival(analysis)
    colour = data.arms[0].colour.lower()
    start = re.search(
        rf'd="M ([\d.]+) ([\d.]+)[^"]*" clip-path="[^"]*" style="fill: none; stroke: {colour}', figure.svg
    )
    assert figure.place(0, 0, 1) == pytest.approx((float(start[1]), float(start[2])), abs=1e-3)
    steps = marks_survival(analysis, figure)
    assert min(mark["y"] for mark in steps) > figure.place(0, 0, 1)[1]


@pytest.mark.parametrize(
    ("choose", "says"),
    [
        (lambda form: [setattr(box, "value", False) for box in form._arms.values()], "Arms: tick at least one arm"),
        (lambda form: setattr(form._landmarks, "value", "twelve"), "numbers with commas between them"),
        (lambda form: setattr(form._landmarks, "value", "-3"), "times above 0"),
        (lambda form: setattr(form._landmarks, "value", "1," * 400), "at most 60 characters"),
        (lambda form: setattr(form._landmarks, "value", "1e999"), "Curves read off at"),
        (lambda form: setattr(form._cutoff, "value", dt.date(1980, 1, 1)), "no patient of rair_dtc is left"),
    ],
)
def test_a_wrong_choice_gives_a_sentence(page, choose, says):
    choose(page.form)
    for tab in range(len(TABS)):
        page.view.tab = tab
        said = shown(page)
        assert "Traceback" not in said
        assert "cannot be shown" not in said
    page.view.tab = 0
    assert says in shown(page)


@pytest.mark.parametrize(
    ("written", "taken"),
    [("12", [12]), ("12,24", [12, 24]), ("6; 12", [6, 12]), ("4,5; 12", [4.5, 12]), ("4.5, 12", [4.5, 12]), (" 12 , ,24,", [12, 24]), ("24, 24", [24]), ("12, 24, 36", None)],
)
def test_times_are_taken_as_they_are_written(page, written, taken):
    page.form._landmarks.value = written
    assert page.view.problems == []
    assert page.form.parameters().get("landmarks") == taken


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("", "Curves read off at: write at least one time, in months, such as 12, 24, 36."),
        (" , ,", "write at least one time"),
        ("12, soon", "“soon” is no number; write numbers with commas between them, in months, such as 12, 24, 36."),
        ("12 24", "“12 24” is no number"),
        ("12 months", "“12 months” is no number"),
        ("1/2", "“1/2” is no number"),
        ("12, -5", "“-5” is no time after the start"),
        ("0", "“0” is no time after the start"),
        ("nan", "“nan” is no time after the start"),
        ("inf", "“inf” is no time after the start"),
        ("12, <b>x</b>", "“<b>x</b>” is no number"),
    ],
)
def test_an_unusual_time_is_explained_in_the_words_it_was_written_in(page, written, says):
    page.form._landmarks.value = written
    assert says in page.view.problems[0]
    assert page.form._landmarks.value == written


@pytest.mark.parametrize(
    ("day", "says"),
    [
        (dt.date(2030, 1, 1), "after the study's data cut-off 2025-02-28 (found 2030-01-01)"),
        (None, "choose a day; the study's own is 2025-02-28"),
        (dt.date(1900, 1, 1), "from 1920 to 2199 (found 1900-01-01)"),
    ],
)
def test_a_day_that_cannot_be_stays_and_is_explained(page, day, says):
    page.form._cutoff.value = day
    assert page.form._cutoff.value == day
    assert says in page.view.problems[0]


def test_times_that_were_written_stay_with_another_endpoint(page):
    usual = page.form._landmarks.value
    page.form._endpoint.value = "os"
    assert page.form._landmarks.value == ", ".join(f"{time:g}" for time in page.form.study.endpoint("os").landmarks)
    page.form._landmarks.value = "7"
    page.form._endpoint.value = page.form.study.primary.id
    assert page.form._landmarks.value == "7" != usual
    assert page.form.parameters() == {"landmarks": [7.0]}


def test_an_arm_that_gives_way_is_said(page):
    form = page.form
    form._reference.value = "B"
    assert form._moved.value == ""
    form._arms["C"].value = False
    assert form._moved.value == "", "it is not the one that the others are compared with"
    form._arms["B"].value = False
    assert "Iodine-125 seeds is not ticked any more; the others are now compared with Anlotinib." in form._moved.value
    form._arms["B"].value = True
    form._reference.value = "B"
    assert form._moved.value == ""


def test_only_arms_that_are_ticked_can_be_compared_with(page):
    form = page.form
    form._arms["A"].value = False
    assert [value for _, value in form._reference.options] == ["B", "C"]
    assert form._reference.value == page.page.data.reference == "B"
    assert form.parameters() == {"arms": ["B", "C"]}
    form._reference.value = "C"
    assert page.page.data.reference == "C"
    assert form.parameters() == {"arms": ["B", "C"], "reference": "C"}
    form._arms["A"].value = True
    assert form.parameters() == {"reference": "C"}


def test_a_subgroup_without_values_gives_a_sentence(page):
    page.form._subgroup.value = "sex"
    assert page.form.parameters() == {"subgroup": "sex", "subgroup_values": ["F", "M"]}
    for box in page.form._values.values():
        box.value = False
    assert page.view.problems == ["Which of them: tick at least one value."]
    page.form._values["F"].value = True
    assert page.view.problems == []
    assert set(page.page.data.patients[own("sex")]) == {"F"}


def test_another_study_brings_its_own_choices(page):
    page.form._pick.value = COLON
    assert page.view.problems == []
    assert len(page.page.data.patients) == 929
    assert [value for _, value in page.form._endpoint.options] == [e.id for e in page.form.study.endpoints]
    assert "no table of measurements" in shown_after(page, "Response")


def shown_after(page, tab):
    look_at(page, tab)
    return shown(page)


def test_a_profile_opens_for_an_internal_audience(page):
    look_at(page, "Each patient")
    page.view.picked = "SYN-003"
    assert "SYN-003" in page.view.profile["title"]
    page.view.picked = "<script>"
    assert "No such patient" in page.view.profile["html"]
    assert "<script>" not in shown(page)


def test_nothing_of_a_single_patient_is_shared(page):
    ids = set(page.page.data.patients["patient_id"])
    page.form._audience.value = "share"
    for tab in TABS:
        look_at(page, tab)
        page.view.picked = min(ids)
        assert page.view.profile == {}
        text = shown(page)
        assert not [patient for patient in ids if patient in text]
        assert all(not mark["patients"] for block in page.view.blocks for mark in block.get("marks", []))
        page.view.picked = "patient000003"
        assert page.view.profile == {}
    look_at(page, "Survival")
    marks = next(block["marks"] for block in page.view.blocks if "svg" in block)
    assert 0 < len(marks) <= 9, "the landmarks of the table, no step"
    assert "waterfall" not in shown_after(page, "Each patient")


def test_whoever_serves_the_page_may_fix_the_audience(monkeypatch):
    monkeypatch.setenv("COHORT_AUDIENCE", "share")
    page = explore_page.start({"study": RAIR})
    assert [value for _, value in page.form._audience.options] == ["share"]
    with pytest.raises(TraitError):
        page.form._audience.value = "internal"


def test_hostile_labels_are_shown_as_text(tmp_path):
    write_study(tmp_path)
    yml = tmp_path / "study.yml"
    yml.write_text(
        yml.read_text("utf-8").replace("label: Anlotinib,", 'label: "<img src=x onerror=alert(1)>",'), "utf-8"
    )
    page = explore_page.Explorer(str(tmp_path))
    for tab in TABS:
        look_at(page, tab)
        assert "<img" not in " ".join(block.get("html", "") + block.get("svg", "") for block in page.view.blocks)


def test_a_patient_of_a_study_without_adverse_events_is_told_why_there_is_no_profile():
    page = explore_page.Explorer(COLON)
    look_at(page, "Survival")
    page.view.picked = page.page.data.patients["patient_id"].iat[0]
    assert "holds no table of adverse events" in page.view.profile["html"]


def test_a_population_is_offered_where_the_study_has_one(tmp_path):
    """The study's usual one is chosen; another, or everybody, is a parameter."""
    usual = write_staples(tmp_path / "usual", lambda text: text.replace("outside: N}", "outside: N, default: true}"))
    form = Form({"one": str(write_staples(tmp_path / "six")), "two": str(usual)}, ("internal",), lambda: None)
    assert form._population in form._own.children
    assert form.parameters() == {}
    form._population.value = "pp"
    assert form.parameters() == {"population": "pp"}
    form._pick.value = str(usual)
    assert (form._population.value, form.parameters()) == ("pp", {})
    form._population.value = "all"
    assert form.parameters() == {"population": "all"}
    form._make(read_study(ROOT / COLON))
    assert form._population not in form._own.children


def test_a_slider_says_how_sceptical_a_reader_is(tmp_path):
    """The less is left to a benefit worth having, the nearer to no effect; the other readers stay. None where nothing is declared."""
    page = explore_page.Explorer(RAIR)
    assert page.form._scepticism in page.form._own.children

    def medians():
        look_at(page, "Prior knowledge")
        return page.page.results.query("output == 'posterior_effect' and statistic == 'hr'").set_index("variable")["value"]

    usual = medians()
    assert page.form.parameters() == {}
    page.form._scepticism.value = 0.001
    assert page.form.parameters() == {"scepticism": 0.001}
    doubted = medians()
    assert usual["lpfs: sceptical"] < doubted["lpfs: sceptical"] < 1
    assert doubted.drop("lpfs: sceptical").equals(usual.drop("lpfs: sceptical"))
    look_at(page, "Survival")
    write_study(tmp_path)
    yml = tmp_path / "study.yml"
    yml.write_text(re.sub(r"worthwhile: .*\n", "", yml.read_text("utf-8")), "utf-8")
    form = Form({"one": str(tmp_path)}, ("internal",), lambda: None)
    assert form._scepticism not in form._own.children


@pytest.fixture
def made(monkeypatch):
    """The tabs' pages that are made, one after the other."""
    found, page = [], explore_page.Page
    monkeypatch.setattr(explore_page, "Page", lambda *given: found.append(given[0]) or page(*given))
    return found


@pytest.mark.parametrize("audience", ["internal", "share"])
def test_what_a_tab_does_not_ask_for_does_not_draw_it_again(page, made, audience):
    form = page.form
    form._audience.value = audience
    look_at(page, "Response")
    before, drawn = page.view.blocks, len(made)
    form._endpoint.value, form._landmarks.value, form._scepticism.value = "os", "6, 18", 0.3
    assert len(made) == drawn and page.view.blocks == before
    form._level.value = 0.8
    assert len(made) == drawn + 1
    other = explore_page.Explorer(RAIR)
    other.form._audience.value, other.form._level.value = audience, 0.8
    assert look_at(other, "Response") == page.view.blocks != before


def test_tabs_are_drawn_while_nobody_asks_for_anything(made, monkeypatch):
    monkeypatch.setattr(explore_page, "QUIET_SECONDS", 0)

    async def look():
        page = explore_page.Explorer(RAIR)
        while page._unopened:
            await asyncio.sleep(0)
        assert len(made) == len(TABS)
        for tab in range(1, len(TABS)):
            page.view.tab = tab
            assert page.view.busy
            while page.view.busy:
                await asyncio.sleep(0.01)
            assert page.view.problems == []
        assert len(made) == len(TABS)

    asyncio.run(look())


def test_tabs_of_choices_that_show_nothing_wait_for_others(page):
    for box in page.form._arms.values():
        box.value = False

    async def look():
        page.draw()
        return page._pending, page._unopened

    assert asyncio.run(look()) == (None, TABS[1:])
