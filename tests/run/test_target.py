"""A report's folder is wholly new or wholly as it was."""

import json
import os
import stat

import pytest

from lib.run import target as module
from lib.run.manifest import write_run
from lib.run.target import NotOurs, TargetError, recover, replaced_folder


def _write(folder, text):
    (folder / "tables").mkdir()
    (folder / "tables" / f"{text}.csv").write_text(text)
    write_run(folder, {"study": text})


def _said(folder):
    return json.loads((folder / "run.json").read_text("utf-8"))["study"]


def _tree(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.fixture
def target(tmp_path):
    """An earlier report."""
    with replaced_folder(tmp_path / "study" / "default") as new:
        _write(new, "old")
    return tmp_path / "study" / "default"


def test_a_success_replaces_everything(target):
    with replaced_folder(target) as new:
        assert _tree(new) == []
        _write(new, "new")
        assert _said(target) == "old"
    assert _tree(target.parent) == ["default", "default/run.json", "default/tables", "default/tables/new.csv"]


@pytest.mark.parametrize("end", [ValueError, KeyboardInterrupt, SystemExit])
def test_any_other_end_changes_nothing(target, end):
    before = _tree(target.parent)
    with pytest.raises(end), replaced_folder(target) as new:
        _write(new, "new")
        raise end
    assert _tree(target.parent) == before
    assert _said(target) == "old"


def test_two_runs_at_once(target):
    with replaced_folder(target) as new:
        with pytest.raises(TargetError, match="another run is writing"), replaced_folder(target):
            pass
        _write(new, "new")
    assert _said(target) == "new"


@pytest.mark.parametrize("way", ["run", "recover"])
def test_what_a_killed_run_left_is_cleared(target, way):
    """As a kill leaves it where two names cannot change places in one step: the earlier report moved aside."""
    staging = module._staged(target)
    (staging / "new" / "tables").mkdir(parents=True)
    (staging / "new" / "page.html").write_text("half")
    target.rename(staging / "old")
    if way == "recover":
        recover(target)
    else:
        with pytest.raises(ValueError, match="fails"), replaced_folder(target) as new:
            assert _tree(new) == []
            raise ValueError("fails")
    assert _said(target) == "old"
    assert [path.name for path in target.parent.iterdir()] == ["default"]


def test_a_run_at_work_is_not_taken_for_a_killed_one(target):
    with replaced_folder(target) as new:
        _write(new, "new")
        recover(target)
    assert _said(target) == "new"


def test_without_an_exchange_in_one_step(target, monkeypatch):
    """On disks and systems that cannot: two renames, the same end."""
    monkeypatch.setattr(module, "_exchange", lambda *_: False)
    with replaced_folder(target) as new:
        _write(new, "new")
    assert _tree(target.parent) == ["default", "default/run.json", "default/tables", "default/tables/new.csv"]


def test_an_old_report_stays_where_the_new_one_cannot_take_its_place(target, monkeypatch):
    """The second of two renames fails: the first is undone."""
    rename = type(target).rename

    def fails(path, to):
        if path.name == "new":
            raise OSError(13, "no space for it")
        return rename(path, to)

    monkeypatch.setattr(module, "_exchange", lambda *_: False)
    monkeypatch.setattr(type(target), "rename", fails)
    with pytest.raises(TargetError, match=r"cannot replace.*no space for it"), replaced_folder(target) as new:
        _write(new, "new")
    assert _said(target) == "old"
    assert [path.name for path in target.parent.iterdir()] == ["default"]


def test_a_folder_of_the_user_is_never_replaced(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")
    with pytest.raises(NotOurs, match=r"no report wrote: chapter\.txt"), replaced_folder(tmp_path / "thesis"):
        pytest.fail("the folder was handed out")
    with pytest.raises(NotOurs, match="is a file"), replaced_folder(tmp_path / "thesis" / "chapter.txt"):
        pytest.fail("the file was handed out")
    assert _tree(tmp_path) == ["thesis", "thesis/chapter.txt"]


MARKS = {
    "of another program": '{"run": 1}',
    "empty": "",
    "no JSON": "{",
    "a list": "[]",
    "deep": "[" * 100_000,
    "of no schema": '{"created": "2025", "study": "s", "files": {"chapter.txt": ""}}',
    "files are a list": '{"schema": "cohort-report/1", "files": ["chapter.txt"]}',
    "another hash": '{"schema": "cohort-report/1", "files": {"chapter.txt": "00"}}',
}


@pytest.mark.parametrize("mark", MARKS)
def test_a_file_called_run_json_makes_no_report(tmp_path, mark):
    folder = tmp_path / "thesis"
    folder.mkdir()
    (folder / "run.json").write_text(MARKS[mark])
    (folder / "chapter.txt").write_text("years of work")
    with pytest.raises(NotOurs, match=r"chapter\.txt"), replaced_folder(folder):
        pytest.fail("the folder was handed out")
    assert _tree(tmp_path) == ["thesis", "thesis/chapter.txt", "thesis/run.json"]


OWN = {
    "a file": lambda folder: (folder / "notes.txt").write_text("mine"),
    "a file in a folder": lambda folder: (folder / "tables" / "notes.txt").write_text("mine"),
    "a hidden file": lambda folder: (folder / ".notes").write_text("mine"),
    "a changed file": lambda folder: (folder / "tables" / "old.csv").write_text("mine"),
    "a link": lambda folder: (folder / "notes").symlink_to(folder.parent),
    "a link that leads nowhere": lambda folder: (folder / "notes").symlink_to("nowhere"),
    "a link in the place of a file": lambda folder: _linked(folder / "tables" / "old.csv"),
    "a pipe": lambda folder: os.mkfifo(folder / "notes"),
}


def _linked(path):
    path.rename(path.parent.parent.parent / "kept.csv")
    path.symlink_to(path.parent.parent.parent / "kept.csv")


@pytest.mark.parametrize("own", OWN)
@pytest.mark.parametrize("late", [False, True])
def test_what_somebody_put_into_a_report_stays(target, own, late):
    """Also what was put there while the next report was made."""
    before = {}
    named = r"notes|old\.csv"

    def put():
        OWN[own](target)
        before["tree"] = _tree(target)

    if not late:
        put()
    with pytest.raises(NotOurs, match=named), replaced_folder(target) as new:
        assert late
        _write(new, "new")
        put()
    assert _tree(target) == before["tree"]
    assert not [path for path in target.parent.iterdir() if path.name.startswith(".")]


def test_what_the_system_puts_into_folders_is_in_nobodys_way(target):
    (target / ".DS_Store").write_bytes(b"\0")
    with replaced_folder(target) as new:
        _write(new, "new")
    assert _said(target) == "new"


def test_names_as_long_as_names_can_be(tmp_path):
    with replaced_folder(tmp_path / ("n" * 255)) as new:
        _write(new, "new")
    assert [len(path.name) for path in tmp_path.iterdir()] == [255]
    with pytest.raises(TargetError, match="name too long"), replaced_folder(tmp_path / ("n" * 256)):
        pytest.fail("the folder was handed out")


def test_folders_that_were_made_for_nothing_go_again(tmp_path):
    with pytest.raises(ValueError, match="fails"), replaced_folder(tmp_path / "a" / "b" / "c"):
        raise ValueError("fails")
    assert _tree(tmp_path) == []


def test_a_folder_that_is_kept_begins_with_all_of_it(tmp_path):
    folder = tmp_path / "study"
    (folder / "more").mkdir(parents=True)
    for name in ("study.yml", "patients.csv", "more/notes.txt"):
        (folder / name).write_text("old")
    with replaced_folder(folder, keep=True) as new:
        (new / "patients.csv").unlink()
        (new / "patients.csv").write_text("new")
        assert (folder / "patients.csv").read_text() == "old"
    assert {path.name: path.read_text() for path in folder.rglob("*.*")} == {"study.yml": "old", "patients.csv": "new", "notes.txt": "old"}
    with pytest.raises(TargetError, match="changed meanwhile"), replaced_folder(folder, keep=True) as new:
        (folder / "later.txt").write_text("mine")
    assert (folder / "later.txt").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["study"]


def test_read_only(tmp_path):
    """Root may write anywhere but into the kernel's own file system."""
    folder = tmp_path
    if os.geteuid() == 0:
        folder = "/proc/report"
    else:
        tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(TargetError, match="cannot write into"), replaced_folder(f"{folder}/default"):
        pytest.fail("the folder was handed out")


def test_a_file_where_a_folder_should_be(tmp_path):
    (tmp_path / "outputs").write_text("")
    with pytest.raises(TargetError, match="cannot write into"), replaced_folder(tmp_path / "outputs" / "default"):
        pytest.fail("the folder was handed out")
