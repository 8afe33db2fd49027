"""By its run.json a report knows whether it is as it was written, and what it was made from."""

import json

import pytest

from lib.run.manifest import differing, foreign, read_run, whole, write_run


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "tables").mkdir()
    for name in ("index.html", "tables/a.csv", "Überblick.html"):
        (tmp_path / name).write_text(name, "utf-8")
    write_run(tmp_path, {"study": "mine", "level": 0.95, "none": None, "text": "é\u2028\ud800".encode("utf-8", "replace").decode()})
    return tmp_path


def test_a_report_is_whole_as_it_was_written(folder):
    assert whole(folder)["study"] == "mine"
    assert not foreign(folder)
    # Another time is no other report, and indentation no other run.
    run = json.loads((folder / "run.json").read_text("utf-8"))
    (folder / "run.json").write_text(json.dumps(run | {"created": "2020-01-01T00:00:00+00:00"}), "utf-8")
    assert whole(folder)["created"].startswith("2020")


@pytest.mark.parametrize(
    "change",
    [
        lambda f: (f / "index.html").write_text("other"),
        lambda f: (f / "index.html").unlink(),
        lambda f: (f / "tables" / "a.csv").unlink(),
        lambda f: (f / "tables" / "b.csv").write_text(""),
        lambda f: (f / "run.json").unlink(),
        lambda f: (f / "run.json").write_text("{}"),
        lambda f: (f / "run.json").write_bytes(b"\xff" + (f / "run.json").read_bytes()),
        lambda f: (f / "run.json").write_text((f / "run.json").read_text("utf-8").replace("0.95", "0.9"), "utf-8"),
    ],
)
def test_any_other_folder_is_not(folder, change):
    change(folder)
    assert whole(folder) is None


def test_a_place_that_is_no_report_is_not_whole(tmp_path):
    (tmp_path / "file").write_text("")
    for place in (tmp_path, tmp_path / "nowhere", tmp_path / "file"):
        assert whole(place) is None


@pytest.mark.parametrize("text", [None, "", "[]", "{", "3", "null", '{"schema": "cohort-report/1", "files": {}}', "[" * 100_000])
def test_what_is_no_run_json_says_nothing(text):
    assert read_run(text) is None


WAS = {"study": "mine", "parameters": {"a": {"level": 0.9}}, "versions": {"pandas": "2"}, "inputs": {"data": {"p.csv": "1"}, "code": {"x.py": "2"}}}


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (WAS, []),
        ({"study": "mine"}, []),
        (WAS | {"study": "yours"}, ["study"]),
        (WAS | {"commit": "abc"}, ["commit"]),
        (WAS | {"parameters": {"a": {"level": 0.95}}}, ["parameters"]),
        (WAS | {"versions": {"pandas": "3", "numpy": "1"}}, ["pandas", "numpy"]),
        (WAS | {"versions": {}}, ["pandas"]),
        (WAS | {"inputs": {"data": {"p.csv": "1", "q.csv": "1"}, "code": {"y.py": "2"}}}, ["q.csv", "x.py", "y.py"]),
        (WAS | {"inputs": None}, ["inputs"]),
    ],
)
def test_what_differs_is_named(now, said):
    assert differing(WAS, now) == said
