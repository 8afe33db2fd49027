"""A folder of pickles: what this installation wrote comes back, and nothing else does."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from lib.kept import store
from lib.kept.store import KEEPING, folder, offered, opened


@pytest.fixture
def own(tmp_path, monkeypatch):
    """An open store with one entry, and a secret of its own."""
    monkeypatch.setattr(store, "SECRET", tmp_path / "env" / "kept.key")
    found = opened(tmp_path / "kept")
    found.write("a", b"content")
    return found


def test_what_was_written_comes_back_and_nobody_else_can_read_it(own):
    """The folder, its files and the secret are closed to others."""
    assert own.read("a") == b"content"
    assert own.read("b") is None
    assert {path.stat().st_mode & 0o077 for path in (own.place, own.place / "a", store.SECRET)} == {0}


@pytest.mark.parametrize("harm", [lambda b: b[:-1], lambda b: b"", lambda b: b[:40] + b"x" + b[41:], lambda b: b"x" * len(b)])
def test_a_damaged_file_is_not_found(own, harm):
    """Cut, empty, a byte changed, something else."""
    path = own.place / "a"
    path.write_bytes(harm(path.read_bytes()))
    assert own.read("a") is None


def test_a_file_under_another_name_is_not_found(own):
    """A signature holds for one name."""
    shutil.copy(own.place / "a", own.place / "b")
    assert own.read("b") is None


def test_a_folder_from_elsewhere_is_not_read(own, tmp_path, monkeypatch):
    """A copy of a folder that another installation signed, whoever owns it here."""
    monkeypatch.setattr(store, "SECRET", tmp_path / "another" / "kept.key")
    assert opened(own.place).read("a") is None


def test_a_folder_that_others_can_enter_is_not_used(own, tmp_path):
    """Nor a link to one, nor one that cannot be made."""
    (tmp_path / "link").symlink_to(own.place)
    assert opened(tmp_path / "link") is None
    (tmp_path / "file").touch()
    assert opened(tmp_path / "file") is None
    own.place.chmod(0o755)
    assert opened(own.place) is None


def test_a_folder_of_somebody_else_is_not_used(own, monkeypatch):
    """As far as this user can tell."""
    monkeypatch.setattr(os, "getuid", lambda: own.place.stat().st_uid + 1)
    assert opened(own.place) is None


def test_where_nothing_can_be_written_nothing_is_kept(own, monkeypatch):
    """A full disk leaves neither a part nor a word."""

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    own.write("b", b"other")
    assert {path.name for path in own.place.iterdir()} == {"a"}


def test_several_writers_leave_one_whole_file(own):
    """Each writes beside the place and moves it there."""
    contents = [bytes([i]) * 100_000 for i in range(20)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda content: own.write("a", content), contents))
    assert own.read("a") in contents
    assert {path.name for path in own.place.iterdir()} == {"a"}


def test_what_was_not_used_for_longest_goes_first(own):
    """Reading counts as use."""
    for age, name in enumerate("bcd"):
        own.write(name, b"content")
        os.utime(own.place / name, (age, age))
    own.read("b")
    own.prune(2 * (own.place / "a").stat().st_size)
    assert {path.name for path in own.place.iterdir()} == {"a", "b"}
    own.empty()
    assert list(own.place.iterdir()) == []


def test_kernels_are_told_only_while_it_is_offered(own, tmp_path, monkeypatch):
    """And not at all where nothing shall be kept."""
    with offered(own.place, {"code": 1}):
        told = os.environ[KEEPING]
    with offered(own.place, {"code": 2}):
        assert os.environ[KEEPING] != told
        assert os.environ[KEEPING].endswith(str(own.place))
    monkeypatch.setenv("COHORT_REPORT_KEPT", "")
    assert folder() is None
    with offered(folder(), {}):
        assert KEEPING not in os.environ
    monkeypatch.delenv("COHORT_REPORT_KEPT")
    assert folder().parts[-2:] == ("outputs", ".kept")
