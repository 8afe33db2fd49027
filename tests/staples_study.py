"""The six patients with what a trial report asks for: populations, a disposition, an ordinal marker, ordered arms."""

from __future__ import annotations

__all__ = ["DISPOSITION", "EOS", "LEVELS", "PAIN", "POPULATIONS", "PPROT", "write_staples"]

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from study_builder import PATIENTS, write_study

LEVELS = "levels: [{value: 0, label: None}, {value: 1, label: Some}, {value: '2.5', label: Much}]"
MARKER = f"""
  - {{id: pain, label: Pain, short: Pain, unit: points, units: {{points: 1}}, scale: ordinal, {LEVELS}}}

treatments:"""
POPULATIONS = """
populations:
  - {id: pp, label: Per protocol, column: pprot, inside: Y, outside: N}
  - {id: safe, label: Safety, column: safety_flag}
"""
DISPOSITION = "disposition: {column: eos, levels: [{value: C, label: Completed}, {value: D, label: Died}, {value: X, label: Moved away}]}\n"
PPROT, EOS = ["Y", "N", "Y", "Y", "Y", "N"], ["D", "C", "", "D", "C", "C"]
# Patient -> values at visits 0, 6 and 12; empty: no sample.
PAIN = {"SYN-01": ("0", "1", "0"), "SYN-02": ("2.5", "1", ""), "SYN-03": ("1", "1", "1"), "SYN-04": ("", "2.5", ""), "SYN-05": ("1", "", ""), "SYN-06": ("0", "2.5", "1")}


def write_staples(folder: Path, change: Callable[[str], str] = str, **columns: list[str]) -> Path:
    """Write the study, study.yml changed, and with other columns of patients."""

    def study(text: str) -> str:
        return change(text.replace("\n\ntreatments:", MARKER, 1).replace("design:\n", "design:\n  ordered_arms: true\n", 1) + POPULATIONS + DISPOSITION)

    def markers(frame: pd.DataFrame) -> pd.DataFrame:
        rows = [
            {"patient_id": patient, "sample_date": str(dt.date.fromisoformat(PATIENTS[patient][7]) + dt.timedelta(days)), "visit": visit, "marker": "pain", "value": value, "unit": "points", "below_limit": "0"}
            for patient, values in PAIN.items()
            for value, visit, days in zip(values, ("0", "6", "12"), (0, 183, 290), strict=True) if value
        ]  # fmt: skip
        return pd.concat([frame, pd.DataFrame(rows)], ignore_index=True).fillna("")

    held = {"pprot": PPROT, "safety_flag": ["1"] * 6, "eos": EOS} | columns
    return write_study(folder, study, patients=lambda frame: frame.assign(**held), markers=markers)
