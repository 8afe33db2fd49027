"""The interactive page without a browser: its form, its results, its marks, and what it saves."""

import datetime as dt
import json
import re

import pandas as pd
import pytest
from notebook_cells import run_notebook
from ruamel.yaml import YAML
from study_builder import cell, write_study
from traitlets import TraitError

from lib.explore import page as explore_page
from lib.explore import saving
from lib.explore.form import find_studies
from lib.explore.marks import marks_survival
from lib.explore.serve import copy_notebooks
from lib.report.results import KEY
from lib.show.plots import survival as plot_survival
from lib.study.parameters import NOTEBOOKS
from lib.study.parts import own
from lib.study.study import ROOT

pytestmark = pytest.mark.notebook

RAIR, COLON = "data/rair_dtc", "data/colon"
TABS = list(explore_page.TABS)
DATA = len(TABS)


@pytest.fixture
def page():
    return explore_page.Explorer(RAIR)


def shown(page) -> str:
    """Everything that is sent to the reader's side."""
    return json.dumps([page.view.blocks, page.view.profile, page.view.problems])


def by_key(results: pd.DataFrame) -> pd.Series:
    """Value of each row of results.csv; what has no time has time -1."""
    return results.fillna({"time": -1.0}).set_index(KEY)["value"].astype(float)


def look_at(page, tab: str) -> list[dict]:
    page.view.tab = TABS.index(tab)
    assert page.view.problems == []
    return page.view.blocks


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
    report = by_key(run_notebook("efficacy", monkeypatch, study=RAIR, **given).names["page"].results)
    assert len(explored) > 100
    assert set(explored.index) <= set(report.index)
    pd.testing.assert_series_equal(explored, report.loc[explored.index], check_exact=True)


@pytest.mark.parametrize("study", [RAIR, COLON])
@pytest.mark.parametrize("tab", TABS)
def test_every_mark_stands_on_what_was_drawn(study, tab):
    page = explore_page.Explorer(study)
    figures = [block for block in look_at(page, tab) if "svg" in block]
    assert bool(figures) == (tab == "Survival" or study == RAIR)
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


def test_saving_for_sharing_does_not_quote_tables_that_are_wrong(tmp_path, monkeypatch):
    """Errors name patient and value: what a report that cannot be made says is not for a shared audience."""
    monkeypatch.setattr(saving, "OUTPUTS", tmp_path / "outputs")
    write_study(tmp_path / "mine", patients=lambda frame: frame.assign(arm=["Zebra", *frame["arm"][1:]]))
    for audience, quoted in (("share", False), ("internal", True)):
        saver = saving.Saver(lambda audience=audience: (str(tmp_path / "mine"), {"audience": audience}))
        saver.save()
        assert ("Zebra" in saver.said.value) == quoted
        assert (saving.UNQUOTED in saver.said.value) != quoted


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


def test_what_is_chosen_is_saved_as_parameters(page, tmp_path, monkeypatch):
    monkeypatch.setattr(saving, "OUTPUTS", tmp_path)
    page.form._endpoint.value = "os"
    page.form._cutoff.value = dt.date(2023, 6, 30)
    file = saving.write_parameters(page.form.folder, page.form.parameters(), "mine")
    assert file == tmp_path / "rair_dtc" / "mine.yml"
    assert YAML(typ="safe").load(file) == {"study": RAIR, "endpoint": "os", "cutoff": "2023-06-30"}
    assert set(YAML(typ="safe").load(file)) <= set(NOTEBOOKS["efficacy"].model_fields)
    for name in ("", "../x", "a/b", ".hidden", "x" * 41, "a b"):
        with pytest.raises(ValueError, match="the name of a report"):
            saving.write_parameters(RAIR, {}, name)


def test_saving_leaves_reports_alone_that_were_made_by_another_way(tmp_path, monkeypatch):
    """Whoever can save must not put another report in the place of the default one."""
    monkeypatch.setattr(saving, "OUTPUTS", tmp_path)
    (tmp_path / "rair_dtc" / "default").mkdir(parents=True)
    with pytest.raises(ValueError, match="there is a report called default already"):
        saving.write_parameters(RAIR, {}, "default")
    assert not (tmp_path / "rair_dtc" / "default.yml").exists()
    saving.write_parameters(RAIR, {}, "mine")
    (tmp_path / "rair_dtc" / "mine").mkdir()
    saving.write_parameters(RAIR, {"endpoint": "os"}, "mine")


def test_saving_tells_how_far_it_is_and_what_failed(page, tmp_path, monkeypatch):
    monkeypatch.setattr(saving, "OUTPUTS", tmp_path)
    page.saver.name.value = "a name with <b>"
    page.saver.save()
    assert "Nothing was saved" in page.saver.said.value
    page.saver.name.value = "mine"
    (tmp_path / "rair_dtc" / "mine").mkdir(parents=True)
    (tmp_path / "rair_dtc" / "mine" / "thesis.txt").write_text("not a report")
    (tmp_path / "rair_dtc" / "mine.yml").touch()
    page.saver.save()
    assert "No report was made" in page.saver.said.value
    assert "files that are not a report" in page.saver.said.value.replace("\n", " ")
    assert not page.saver.button.disabled
    assert (tmp_path / "rair_dtc" / "mine" / "thesis.txt").exists()


def test_lab_works_on_copies_and_keeps_what_was_edited(tmp_path):
    import nbformat  # noqa: PLC0415

    assert copy_notebooks(tmp_path) == []
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {path.name for path in (ROOT / "notebooks").glob("*.ipynb")}
    path = tmp_path / "efficacy.ipynb"
    mine = nbformat.read(path, as_version=4)
    assert not any(cell.get("outputs") for cell in mine.cells)
    mine.cells[-1].outputs = [nbformat.v4.new_output("stream", text="once run")]
    nbformat.write(mine, path)
    assert copy_notebooks(tmp_path) == []
    assert "once run" not in path.read_text("utf-8"), "only run: replaced by the current one"
    mine.cells[-1].source += "\n# my thought"
    nbformat.write(mine, path)
    assert copy_notebooks(tmp_path) == ["efficacy.ipynb"]
    assert "my thought" in path.read_text("utf-8")


def open_queries(page) -> str:
    """The tab Data as a reader sees it."""
    page.view.tab = DATA
    assert page.view.problems == []
    return shown(page)


def test_data_queries_are_shown_until_none_is_left(tmp_path):
    """A blocking query and one that is not; both corrected on disk, one after the other."""
    too_young = cell(0, "age_years", "17 <b>")
    impossible = cell(3, "death_date", "2031-01-01")
    write_study(tmp_path, patients=lambda frame: impossible(too_young(frame)))
    page = explore_page.Explorer(str(tmp_path))
    for tab in range(len(TABS)):
        page.view.tab = tab
        assert page.view.problems == ["2 problems of the data must be corrected first; the tab Data says more."]
        assert page.view.blocks == []
    text = open_queries(page)
    assert "2 of 2 data queries have to be answered before a report can be made." in text
    assert "To be corrected before a report can be made" in text
    for what in ("SYN-01", "patients.csv, row 2, age_years", "17 &lt;b&gt;", "SYN-04", "patients.csv, row 5, death_date"):
        assert what in text
    assert "<b>" not in page.view.blocks[-1]["html"]
    assert text.index("SYN-01") < text.index("SYN-04")
    page.saver.save()
    assert "Nothing was saved" in page.saver.said.value
    write_study(tmp_path, patients=impossible)
    page.view.asked += 1
    text = shown(page)
    assert "1 of 1 data query has to be answered" in text
    assert "SYN-01" not in text
    write_study(tmp_path)
    page.view.asked += 1
    assert page.view.blocks[0]["says"].startswith("No data query is open: every rule of intake holds. Checked at ")
    assert len(page.view.blocks) == 1
    assert any("svg" in block for block in look_at(page, "Survival"))


def test_what_blocks_a_report_comes_first_and_a_long_list_is_cut(tmp_path, monkeypatch):
    write_study(tmp_path, patients=cell(5, "age_years", "17"), markers=cell(slice(None), "unit", "furlongs"))
    page = explore_page.Explorer(str(tmp_path))
    whole = open_queries(page)
    rows = page.view.blocks[-1]["text"].splitlines()
    assert rows.index("To be corrected before a report can be made") == 2
    monkeypatch.setattr("lib.explore.queries.MOST", 3)
    page.view.asked += 1
    cut = page.view.blocks[-1]
    n = whole.count("<tr>") - 1
    assert cut["html"].count("<tr>") - 1 == 3 < n
    assert f"{n - 3} more are not listed here." in cut["html"]


def test_a_study_whose_yml_is_wrong_can_be_chosen_and_corrected(tmp_path):
    write_study(tmp_path, study=lambda text: text.replace("reference_arm: A", "reference_arm: <i>Z"))
    page = explore_page.Explorer(str(tmp_path))
    assert page.form._pick.options[0][0] == f"{tmp_path.name} (study.yml has to be corrected)"
    assert "must be corrected first" in page.view.problems[0]
    text = open_queries(page)
    assert "study.yml" in text
    assert "&lt;i&gt;Z" in page.view.blocks[-1]["html"]
    assert "<i>" not in page.view.blocks[-1]["html"]
    page.form._pick.value = RAIR
    assert "No data query is open" in open_queries(page)
    page.form._pick.value = page.form._pick.options[0][1]
    write_study(tmp_path)
    assert any("svg" in block for block in look_at(page, "Survival")), "seen without being asked to"
    page.view.asked += 1
    assert page.form._pick.options[0][0] == page.form.study.study.short_title
    assert page.form.folder == page.form._pick.options[0][1] != RAIR


def test_queries_are_only_counted_for_a_shared_view(tmp_path, monkeypatch):
    """Neither the list nor the error of another tab, nor what saving says, tells anything of a single patient."""
    monkeypatch.setenv("COHORT_AUDIENCE", "share")
    write_study(tmp_path, patients=cell([0, 1], "age_years", "17"))
    page = explore_page.start({"study": str(tmp_path)})
    text = open_queries(page)
    assert "2 of 2 data queries have to be answered" in text
    assert "left out of a shared report" in text
    page.saver.save()
    for tab in range(DATA + 1):
        page.view.tab = tab
        said = re.sub(r"Checked at [\d:]+", "", shown(page) + page.saver.said.value)
        assert not [word for word in ("SYN-", "age_years", "row 2", "17") if word in said]


def test_a_new_study_is_offered_when_the_data_are_checked_again(tmp_path, monkeypatch):
    data = tmp_path / "data"
    monkeypatch.setattr(explore_page, "find_studies", lambda first: find_studies(first, data))
    page = explore_page.Explorer(RAIR)
    page.form._endpoint.value = "os"
    assert len(page.form._pick.options) == 1
    write_study(data / "mine")
    write_study(data / "wrong", study=lambda _: "nonsense")
    page.view.asked += 1
    titles = [title for title, _ in page.form._pick.options]
    assert len(titles) == 3
    assert titles[1].startswith(titles[0])
    assert "mine" in titles[1]
    assert titles[2] == "wrong (study.yml has to be corrected)"
    assert page.form.folder == RAIR
    assert page.form.parameters() == {"endpoint": "os"}, "what was chosen stays"
    page.form._pick.value = page.form._pick.options[1][1]
    assert len(page.page.data.patients) == 6


def test_a_patient_of_a_study_without_adverse_events_is_told_why_there_is_no_profile():
    page = explore_page.Explorer(COLON)
    look_at(page, "Survival")
    page.view.picked = page.page.data.patients["patient_id"].iat[0]
    assert "holds no table of adverse events" in page.view.profile["html"]
