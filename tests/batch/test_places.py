"""Places: addresses are read and written like folders, and nothing of a bucket reaches beyond its copy."""

import fsspec
import pytest

from lib.batch import places


@pytest.fixture
def bucket(tmp_path, monkeypatch):
    """A bucket in memory, and the folder into which studies are copied."""
    monkeypatch.setattr(places, "FETCHED", tmp_path / "fetched")
    system = fsspec.filesystem("memory")
    yield system
    system.rm("/trials", recursive=True)


def test_a_study_is_copied_once_per_version(bucket):
    bucket.pipe_file("/trials/mine/study.yml", b"one")
    first = places.local_study("memory://trials/mine")
    assert first.name == "mine"
    assert (first / "study.yml").read_bytes() == b"one"
    assert places.local_study("memory://trials/mine") == first
    bucket.pipe_file("/trials/mine/study.yml", b"another")
    assert (places.local_study("memory://trials/mine") / "study.yml").read_bytes() == b"another"


@pytest.mark.parametrize("name", ["../../../outside.txt", "tables/../../../../outside.txt", "..\\\\outside.txt"])
def test_a_name_that_leaves_the_folder_is_refused(bucket, tmp_path, name):
    """In a bucket such a name is allowed; copied as it stands it would be written anywhere."""
    bucket.pipe_file("/trials/mine/study.yml", b"one")
    bucket.pipe_file(f"/trials/mine/{name}", b"hostile")
    with pytest.raises(OSError, match="leaves the folder"):
        places.local_study("memory://trials/mine")
    assert list(tmp_path.rglob("*outside*")) == []


def test_an_address_without_files_is_said(bucket):
    bucket.makedirs("/trials/empty")
    with pytest.raises(FileNotFoundError, match="no file at memory://trials/empty"):
        places.local_study("memory://trials/empty")
