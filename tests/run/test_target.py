"""A report's folder is wholly new or wholly as it was."""

import os
import stat

import pytest

from lib.run.target import TargetError, replaced_folder


def _write(folder, text):
    (folder / "run.json").write_text(text)
    (folder / "tables").mkdir()
    (folder / "tables" / f"{text}.csv").write_text(text)


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
        assert (target / "run.json").read_text() == "old"
    assert _tree(target.parent) == ["default", "default/run.json", "default/tables", "default/tables/new.csv"]


@pytest.mark.parametrize("end", [ValueError, KeyboardInterrupt, SystemExit])
def test_any_other_end_changes_nothing(target, end):
    before = _tree(target.parent)
    with pytest.raises(end), replaced_folder(target) as new:
        _write(new, "new")
        raise end
    assert _tree(target.parent) == before
    assert (target / "run.json").read_text() == "old"


def test_two_runs_at_once(target):
    with replaced_folder(target) as new:
        with pytest.raises(TargetError, match="another run is writing"), replaced_folder(target):
            pass
        _write(new, "new")
    assert (target / "run.json").read_text() == "new"


def test_what_a_killed_run_left_is_cleared(target):
    target.rename(target.with_name(".default.old"))
    left = target.with_name(".default.new")
    (left / "tables").mkdir(parents=True)
    (left / "page.html").write_text("half")
    with pytest.raises(ValueError, match="fails"), replaced_folder(target) as new:
        assert _tree(new) == []
        raise ValueError("fails")
    assert (target / "run.json").read_text() == "old"
    assert [path.name for path in target.parent.iterdir()] == ["default"]


def test_an_old_report_stays_where_the_new_one_cannot_take_its_place(target, monkeypatch):
    """The second of two renames fails: the first is undone."""
    rename = type(target).rename

    def fails(path, to):
        if path.name == ".default.new":
            raise OSError(13, "no space for it")
        return rename(path, to)

    monkeypatch.setattr(type(target), "rename", fails)
    with pytest.raises(TargetError, match=r"cannot replace.*no space for it"), replaced_folder(target) as new:
        _write(new, "new")
    assert (target / "run.json").read_text() == "old"
    assert [path.name for path in target.parent.iterdir()] == ["default"]


def test_a_folder_of_the_user_is_never_replaced(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")
    with pytest.raises(TargetError, match="not a report"), replaced_folder(tmp_path / "thesis"):
        pytest.fail("the folder was handed out")
    with pytest.raises(TargetError, match="is a file"), replaced_folder(tmp_path / "thesis" / "chapter.txt"):
        pytest.fail("the file was handed out")
    assert _tree(tmp_path) == ["thesis", "thesis/chapter.txt"]


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
