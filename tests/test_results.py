"""results.csv: names fixed in one place, each row once."""

import io
import re
from importlib.metadata import version

import numpy as np
import pandas as pd
import pytest
from markupsafe import escape
from notebook_cells import shipped

from lib.analysis import Analysis
from lib.references import cite
from lib.results import COLUMNS, KEY, STATISTICS, to_rows
from lib.study import ROOT


def _analysis(**columns) -> Analysis:
    return Analysis("os", {"median": pd.DataFrame({"group": ["A", "B"], "method": "Kaplan-Meier"} | columns)})


def test_rows_are_long_unrounded_and_unique():
    rows = to_rows("efficacy", _analysis(median=[1 / 3, np.nan], n=[14, 25]))
    assert list(rows) == COLUMNS
    assert len(rows) == 4
    assert not rows.duplicated(KEY).any()
    assert rows.query("group == 'A' and statistic == 'median'")["value"].item() == 1 / 3


def test_a_statistic_without_a_name_is_refused():
    with pytest.raises(ValueError, match="no such statistic as fancy"):
        to_rows("efficacy", _analysis(fancy=[1, 2]))


def test_the_same_row_twice_is_refused():
    frame = pd.DataFrame({"group": ["A", "A"], "n": [1, 2], "method": ""})
    with pytest.raises(ValueError, match="same statistic twice"):
        to_rows("efficacy", Analysis("os", {"median": frame}))


def test_the_data_dictionary_lists_every_statistic():
    text = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| `(\w+)` \| (.+?) \|$", text.split("## Statistics in results.csv")[1], re.MULTILINE))
    assert listed == STATISTICS


def test_the_methods_section_names_what_was_run():
    """Every method of results.csv stands there, with tau, engines and sources."""
    shown = shipped("efficacy", "data/colon")
    page = next(d["text/html"] for d, _ in shown.outputs if 'class="methods"' in d.get("text/html", ""))
    results = pd.read_csv(io.StringIO(shown.records("results")[0]["csv"]))
    for method in results["method"].dropna().unique():
        assert str(escape(method)) in page
    assert "Recurrence 5 years; OS 5 years" in page
    assert f"statsmodels {version('statsmodels')}" in page
    assert "Mantel N. Cancer Chemother Rep 1966;50:163" in page
    assert cite("no such method") == []
