"""A shared report on its way out: no folder in its notebooks, its counts in the register, one at a time."""

import csv
import threading

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from lib.run import sharing
from lib.show.disclosure import register
from lib.show.disclosure.register import keep_out
from lib.study.study import ROOT, read_study


@pytest.fixture(scope="module")
def study():
    return read_study(ROOT / "data" / "colon")


@pytest.mark.parametrize("place", ["../a/b", "/home/me/data", 'C:\\"me"', "ünï", "study = x"])
def test_an_executed_notebook_names_the_study_by_its_id(place, study):
    line = f"study = {place!r}"
    cell = new_code_cell(f'# Parameters\n{line}\naudience = "share"', metadata={"tags": ["injected-parameters"]})
    other = new_code_cell("study_of = 1", metadata={"tags": []})
    notebook = new_notebook(cells=[cell, other], metadata={"papermill": {"parameters": {"study": place, "audience": "share"}}})
    sharing.without_places(notebook, study)
    assert cell.source == '# Parameters\nstudy = "colon"\naudience = "share"'
    assert notebook.metadata.papermill.parameters == {"study": "colon", "audience": "share"}
    assert other.source == "study_of = 1"


def test_what_is_shown_is_entered_and_nothing_else(study, tmp_path):
    rows = [("events", "os", "A", "", "n", "20"), ("events", "os", "A", "", "mean", "3.2"), ("at_risk", "os", "A", "12.0", "n_risk", "9"), ("events", "os", "B", "", "n", "")]
    with (tmp_path / "results.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("output", "variable", "group", "time", "statistic", "value"), *rows])
    given = {"cohort": {"study": "colon", "arms": [], "audience": "share"}}
    sharing.register(study, "mine", {"parameters": given, "about": {"arms": [{"id": "A", "n": 20}]}}, tmp_path)
    [entry] = register.read("colon")
    assert entry.cells == {("events", "os", "A", None, "n"): 20.0, ("at_risk", "os", "A", 12.0, "n_risk"): 9.0}
    assert (entry.name, entry.n, entry.common) == ("mine", {"A": 20}, {"arms": [], "audience": "share", "population": ""})
    assert register.place("colon").stat().st_mode & 0o077 == 0
    sharing.register(study, "other", {"parameters": given, "about": {"arms": [{"id": "A", "n": 20}]}}, tmp_path)
    assert register.read("colon") == (entry,), "the same report keeps its place and name"


def test_two_shared_reports_of_a_study_are_made_one_after_the_other(study):
    shared = {"cohort": {"audience": "share"}}
    inside, seen = threading.Event(), []

    def second():
        inside.wait()
        with sharing.one_at_a_time(study, shared):
            seen.append("second")

    waiting = threading.Thread(target=second)
    waiting.start()
    with sharing.one_at_a_time(study, shared):
        inside.set()
        with sharing.one_at_a_time(study, {"cohort": {}}):
            waiting.join(0.3)
            seen.append("first")
    waiting.join(10)
    assert seen == ["first", "second"]


def test_nothing_is_shared_where_it_cannot_be_kept(study, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv(register.VARIABLE, str(tmp_path / "file" / "below"))
    with pytest.raises(ValueError, match="cannot be written"), keep_out("colon"):
        pass
