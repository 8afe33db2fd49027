"""A report is kept only if everything that it was made from is as it is now."""

import json
from types import SimpleNamespace

import pytest

from lib.batch.workers import is_up_to_date

MADE_FROM = {
    "study": "mine", "parameters": {"efficacy": {"level": 0.95}}, "versions": {"python": "3.11", "pandas": "2.2"},
    "inputs": {"data": {"patients.csv": "ab12"}, "code": {"lib/x.py": "cd34"}},
}  # fmt: skip


def up_to_date(folder, found: dict) -> bool:
    (folder / "mine").mkdir()
    (folder / "mine" / "run.json").write_text(json.dumps(found))
    return is_up_to_date(SimpleNamespace(name="mine"), str(folder), MADE_FROM)


def test_the_same_is_kept_whatever_the_commit(tmp_path):
    assert up_to_date(tmp_path, MADE_FROM | {"commit": "another"})


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
