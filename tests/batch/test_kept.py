"""A report is kept only if it is whole and everything that it was made from is as it is now."""

from types import SimpleNamespace

import pytest

from lib.batch.workers import is_up_to_date
from lib.run.manifest import write_run

MADE_FROM = {
    "study": "mine", "parameters": {"efficacy": {"level": 0.95}}, "versions": {"python": "3.11", "pandas": "2.2"},
    "inputs": {"data": {"patients.csv": "ab12"}, "code": {"lib/x.py": "cd34"}},
}  # fmt: skip


def up_to_date(folder, found: dict, change=lambda _: None) -> bool:
    (folder / "mine").mkdir()
    (folder / "mine" / "index.html").write_text("The answer")
    write_run(folder / "mine", found)
    change(folder / "mine")
    return is_up_to_date(SimpleNamespace(name="mine", study=None), str(folder), MADE_FROM)


def test_the_same_is_kept_whatever_the_commit(tmp_path):
    assert up_to_date(tmp_path, MADE_FROM | {"commit": "another"})


@pytest.mark.parametrize("change", [lambda f: (f / "index.html").unlink(), lambda f: (f / "index.html").write_text("Another answer")])
def test_what_is_not_as_it_was_written_is_made_again(tmp_path, change):
    assert not up_to_date(tmp_path, MADE_FROM, change)


@pytest.mark.parametrize(
    ("key", "other"),
    [
        ("study", "yours"),
        ("parameters", {"efficacy": {"level": 0.9}}),
        ("versions", {"python": "3.11", "pandas": "2.3"}),
        ("versions", {"python": "3.11"}),
        ("inputs", {"data": {"patients.csv": "ab13"}, "code": {"lib/x.py": "cd34"}}),
        ("inputs", {"data": {"patients.csv": "ab12"}, "code": {"lib/x.py": "cd35"}}),
    ],
)
def test_what_was_made_from_something_else_is_made_again(tmp_path, key, other):
    assert not up_to_date(tmp_path, MADE_FROM | {key: other})
