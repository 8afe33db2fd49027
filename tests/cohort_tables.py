"""The tables of data/rair_dtc as they are read by the tests of the cohort."""

from __future__ import annotations

__all__ = ["ARMS", "CUTOFF", "FOLDER", "MONTH", "ROOT", "TABLES", "read"]

import re
from pathlib import Path

import pandas as pd

FOLDER = Path(__file__).parents[1] / "data" / "rair_dtc"
ROOT = FOLDER.parent.parent
MONTH = 30.4375
ARMS = ["A", "B", "C"]
CUTOFF = pd.Timestamp("2025-02-28")
TABLES = ["patients", "lesions", "measurements", "assessments", "markers", "treatments", "adverse_events"]


def read(name: str) -> pd.DataFrame:
    header = (FOLDER / f"{name}.csv").read_text(encoding="utf-8").partition("\n")[0].split(",")
    dates = [column for column in header if re.search("_date$|^time_zero$|^last_tumour", column)]
    return pd.read_csv(FOLDER / f"{name}.csv", parse_dates=dates)
