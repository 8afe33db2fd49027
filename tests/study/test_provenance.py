"""What a report was made from: no file of the library is left out, whatever folder it lies in."""

import os

import pytest

from lib.run import kernels
from lib.study import provenance
from lib.study.provenance import fingerprints, library_files
from lib.study.study import ROOT, read_study

DEEP = ("top.py", "room/__init__.py", "room/inner/deep.py", "room/templates/page.html.j2", "room/checklists/list.yml")


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A library of our own with rooms in rooms, and what is no part of it beside them."""
    for name in (*DEEP, "room/__pycache__/deep.cpython-311.pyc", "room/.ipynb_checkpoints/deep.py"):
        path = tmp_path / "lib" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    return tmp_path / "lib"


def _code() -> dict[str, str]:
    return fingerprints(read_study(ROOT / "data" / "colon"), [])["code"]


def test_fingerprints_name_every_file_of_the_library(library):
    assert set(_code()) == {f"lib/{name}" for name in DEEP}


@pytest.mark.parametrize("name", DEEP)
def test_fingerprints_and_kernels_see_a_change_in_any_folder(library, name):
    """A report of other code would be kept, and a kernel of other code would serve."""
    code, key = _code(), kernels._key({})
    (library / name).write_text("changed")
    os.utime(library / name, ns=(1, 1))
    assert {path for path, digest in _code().items() if digest != code[path]} == {f"lib/{name}"}
    assert kernels._key({}) != key


def test_kernels_tell_files_of_one_name_apart(library):
    """Two rooms have a file of the same name: moving it from one to the other is another library."""
    key = kernels._key({})
    (library / "room" / "inner" / "deep.py").rename(library / "room" / "deep.py")
    assert kernels._key({}) != key


def test_the_library_itself_is_listed_to_its_last_file():
    """By another way: what Python and its templates are read from today."""
    listed = {path.relative_to(ROOT).as_posix() for path in library_files()}
    walked = {
        os.path.relpath(os.path.join(folder, name), ROOT).replace(os.sep, "/")
        for folder, _, names in os.walk(ROOT / "lib")
        for name in names
        if "__pycache__" not in folder and ".ipynb_checkpoints" not in folder
    }
    assert listed == walked
    assert {"lib/__init__.py", "lib/__main__.py"} < listed


def test_a_command_for_others_names_no_folder():
    """Whatever was given, in whatever order; parameters stay, with what looks like an option in them."""
    told = "python -m lib report --study '../my hospital/x' -p audience=share -p arms=A,C --output /home/me/out --format docx --name mine --notebook-folder ../n"
    assert provenance.without_places(told, "x") == "python -m lib report --study x -p audience=share -p arms=A,C --format docx"
    assert provenance.without_places("python -m lib report --study data/x", "x") == "python -m lib report --study x"


def test_data_are_named_by_table_for_others():
    """The same prints, under other names."""
    study = read_study(ROOT / "data" / "colon")
    by_file, by_table = provenance.data_prints(study), provenance.data_prints(study, by_file=False)
    assert list(by_file.values()) == list(by_table.values())
    assert set(by_table) == {"study", *study.tables, *(["published"] if (study.folder / "published.yml").exists() else [])}
