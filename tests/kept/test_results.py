"""A report is the same with what was kept and without; what was read decides whether something is found."""

import os
import pickle
import warnings
from dataclasses import replace

import pandas as pd
import pytest
from notebook_cells import each_week, run_notebook, without_drawing
from random_study import Design, write_random

from lib import analyse
from lib.dataset.dataset import load
from lib.kept import results, store
from lib.kept.store import offered
from lib.report.page import Page
from lib.show import plot

# Another value of each parameter; the first two of a notebook are tried in each run, all by `make siege`.
OTHERS = {
    "cohort": {"show_p_values": True, "cutoff": "2024-06-30", "level": 0.9},
    "efficacy": {"landmarks": [3, 9], "criteria": "volumetric", "response_visits": [6], "endpoint": "os"},
    "robustness": {"response_visits": [6], "arms": ["A", "B"], "landmarks": [3, 9], "reference": "B"},
    "models": {"endpoint": "os", "scepticism": 0.2, "subgroup": ("sex", ["F"])},
    "safety": {"threshold_percent": 20, "style": "lancet", "profiles": "all", "level": 0.8},
}
TRIED = None if os.environ.get("SIEGE") else 2


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Three arms of twelve."""
    return write_random(tmp_path_factory.mktemp("study"), Design((12, 12, 12), 7))


@pytest.fixture
def keeping(tmp_path, monkeypatch):
    """Keep what is computed, and count what is."""
    monkeypatch.setattr(store, "SECRET", tmp_path / "kept.key")
    made = []
    dump = results._Book._dumped
    monkeypatch.setattr(results._Book, "_dumped", lambda book, result: made.append(result) or dump(book, result))
    with offered(tmp_path / "kept", "this code"):
        yield made
    results.begin(load("cohort"))


def page_of(study, notebook="efficacy", **parameters):
    """A page that has begun."""
    return Page(notebook, load(notebook, study=str(study), **parameters))


def named(parameter, value):
    """A parameter as a notebook takes it; a subgroup is two."""
    return {"subgroup": value[0], "subgroup_values": value[1]} if parameter == "subgroup" else {parameter: value}


@pytest.mark.notebook
@pytest.mark.parametrize("notebook", each_week(OTHERS, ["cohort", "efficacy", "models"]))
def test_a_page_is_the_same_with_what_was_kept(notebook, study, keeping, monkeypatch):
    """Every number, sentence and table, one parameter after another; most of it is found (pictures: of all, in their own test)."""
    without_drawing(monkeypatch)
    run_notebook(notebook, monkeypatch, study=str(study))
    whole, told = len(keeping), os.environ[store.KEEPING]
    assert whole
    for parameter, value in list(OTHERS[notebook].items())[:TRIED]:
        given = named(parameter, value)
        keeping.clear()
        found = run_notebook(notebook, monkeypatch, study=str(study), **given)
        if parameter not in ("level", "arms", "subgroup", "cutoff", "reference"):
            assert len(keeping) < whole, parameter
        monkeypatch.delenv(store.KEEPING)
        plain = run_notebook(notebook, monkeypatch, study=str(study), **given)
        monkeypatch.setenv(store.KEEPING, told)
        assert found.outputs == plain.outputs, parameter


def test_what_was_kept_is_found_and_equal(study, keeping):
    """Also by another page; frames and pictures."""
    first = page_of(study)
    before = first.analyse(analyse.survival, first.endpoint)
    drawn = plot.survival(before)
    assert len(keeping) == 2
    again = page_of(study, "robustness")
    found = again.analyse(analyse.survival, again.endpoint)
    assert plot.survival(found) == drawn
    assert len(keeping) == 2
    assert found.dataset is again.data
    for name in before:
        pd.testing.assert_frame_equal(found[name], before[name])


def test_a_parameter_counts_if_it_was_read(study, keeping):
    """Landmarks change the survival, and not what reads of it other frames alone; a level that is read counts at once."""

    def ask(**parameters):
        keeping.clear()
        page = page_of(study, **parameters)
        survival = page.analyse(analyse.survival, page.endpoint)
        page.analyse(analyse.weights, survival)
        page.analyse(analyse.enrolment)
        return [type(result).__name__ for result in keeping]

    assert ask() == ["Survival", "Weights", "Enrolment"]
    assert ask() == []
    assert ask(landmarks=[3, 9]) == ["Survival"]
    assert ask(criteria="volumetric") == []
    assert set(ask(level=0.8)) >= {"Survival", "Weights"}
    assert ask(landmarks=[3, 9]) == []


def test_what_is_remembered_of_a_data_set_was_read_by_all_who_take_it(study, keeping):
    """The second task that takes the course of the tumours reads the criteria as the first did."""
    tasks = (analyse.response_time, analyse.response)

    def ask(criteria):
        page = page_of(study, criteria=criteria)
        keeping.clear()
        for task in tasks:
            page.analyse(task, page.response_visits)
        return len(keeping)

    assert [ask(""), ask(""), ask("volumetric"), ask("volumetric")] == [2, 0, 2, 0]


def test_another_table_study_or_code_finds_nothing(study, keeping, tmp_path, monkeypatch):
    """One value of one table, one word of study.yml, one byte of the library."""

    def ask(folder):
        keeping.clear()
        page = page_of(folder)
        page.analyse(analyse.enrolment)
        return len(keeping)

    other = write_random(tmp_path / "study", Design((12, 12, 12), 7))
    assert [ask(study), ask(study)] == [1, 0]
    assert [ask(other), ask(other)] == [1, 0]  # in another place
    patients = (other / "patients.csv").read_text().splitlines()
    (other / "patients.csv").write_text("\n".join([patients[0], *patients[2:]]) + "\n")
    for name in ("lesions", "measurements", "assessments", "markers", "treatments", "adverse_events"):
        rows = (other / f"{name}.csv").read_text().splitlines()
        lesion = patients[1].split(",")[0]
        (other / f"{name}.csv").write_text("\n".join(row for row in rows if lesion not in row) + "\n")
    assert ask(other) == 1
    (other / "study.yml").write_text((other / "study.yml").read_text().replace("Made up", "Made up again"))
    assert ask(other) == 1
    with offered(tmp_path / "kept", "other code"):
        assert ask(study) == 1


def test_what_warned_is_made_again_and_warns_again(study, keeping, monkeypatch):
    """A report that is strict has to hear it."""
    data = page_of(study).data

    def warned():
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("default")
            results.kept(loud)(data)
        return [str(one.message) for one in said]

    monkeypatch.setattr("lib.analyse.loud", loud, raising=False)
    loud.__module__ = "lib.analyse"
    assert [warned(), warned()] == [["heard"], ["heard"]]
    assert len(keeping) == 2


def loud(data):
    """Warn."""
    warnings.warn("heard", UserWarning, stacklevel=1)
    return len(data.patients)


def test_a_notebooks_own_task_and_what_cannot_be_told_apart_are_never_kept(study, keeping):
    """A task that a reader wrote, a data set that is not the page's, an argument that cannot be written down."""
    page = page_of(study)
    page.analyse(lambda data: analyse.flow(data, ()))
    other = replace(page.data)
    for _ in range(2):
        results.kept(analyse.enrolment)(other)
        results.kept(analyse.tests)(page.data, page.results.assign(x=[(lambda: 0)] * len(page.results)))
    assert keeping == []


def test_shared_and_large_reports_keep_nothing(study, keeping, monkeypatch):
    """Nor do they take what others kept."""
    page = page_of(study)
    page.analyse(analyse.enrolment)
    assert len(keeping) == 1
    monkeypatch.setattr(results, "LARGE", 10)
    for page in (page_of(study), page_of(study, audience="share")):
        page.analyse(analyse.flow, page.response_visits)
    assert len(keeping) == 1


def test_frames_that_are_asked_for_all_together_count_all(study, keeping):
    """In whatever way a mapping gives them away."""
    page = page_of(study)
    survival = page.analyse(analyse.survival, page.endpoint)
    ways = (dict, list, len, lambda f: f | {}, lambda f: {} | f, lambda f: {**f}, lambda f: list(f.items()), pickle.dumps)
    for way in ways:
        with results.noting.noted() as reads:
            way(survival.frames)
        assert (id(survival.frames), results.NAMES) in reads
    with results.noting.noted() as reads:
        assert "tte" in survival
    assert (id(survival.data), "tte") in reads
