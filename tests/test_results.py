"""results.csv: names fixed in one place, each row once."""

import re

import numpy as np
import pandas as pd
import pytest

from lib.analysis import Analysis
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
