"""One report: what run.json says that it was made from."""

import re

from lib.run.one_report import inputs_of
from lib.study.study import ROOT, read_study


def test_a_report_names_the_version_that_made_it():
    """It is the one that CHANGES.md begins with, so that a reader finds what moved since another report."""
    found = inputs_of(read_study(ROOT / "data" / "colon"), {"cohort": {}})
    described = re.search(r"^## (\d\S*)", (ROOT / "CHANGES.md").read_text(encoding="utf-8"), re.MULTILINE)
    declared = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert found["version"] == described[1] == declared[1]
