"""A study of a marker and nothing else, written from samples: for the analyses of how it changes and when it rises."""

from __future__ import annotations

__all__ = ["KINETICS", "MONTH", "load_pbc", "load_samples", "write_marker_study"]

from pathlib import Path

import pandas as pd
from reference_data import FOLDER

from lib.dataset.dataset import Dataset, load

MONTH = 30.4375
KINETICS = "kinetics: {since: baseline, min_values: 3, min_days: 180, doubling_below: 2}"
STUDY = """
study: {{id: marker, title: A marker, short_title: Marker, synthetic: false, cutoff: 2020-12-31}}
time: {{unit: {unit}, days_per_unit: {per_unit}, zero_label: entry}}
arms:
{arms}
reference_arm: {reference}
tables:
  patients: {{file: patients.csv}}
  markers: {{file: markers.csv}}
endpoints:
  - {{id: os, label: Overall survival, short: OS, role: primary, definition: death, events: [death_date], censor: last_contact_date}}
visits: {{schedule: [0, 1, 2, 3], window_days: [-30, 30]}}
markers:
  - {{id: m, label: Serum marker, short: Marker, unit: mg/dL, units: {{mg/dL: 1, g/L: 100}}, {keys}}}
  - {{id: anti, label: Antibody, short: Anti, unit: IU/mL, units: {{IU/mL: 1, kIU/L: 1}}, role: quality}}
"""
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")


def write_marker_study(folder: Path, patients: pd.DataFrame, samples: pd.DataFrame, keys: str, *, unit: str = "years", per_unit: float = 365.25) -> Path:
    """Write a study: `patients` with arm, time_zero, death, death_date, last_contact_date; `samples` as the table markers."""
    folder.mkdir(parents=True, exist_ok=True)
    arms = list(dict.fromkeys(patients["arm"]))
    lines = "\n".join(f'  - {{id: {arm}, label: Arm {arm}, colour: "{colour}"}}' for arm, colour in zip(arms, COLOURS, strict=False))
    text = STUDY.format(unit=unit, per_unit=per_unit, arms=lines, reference=arms[0], keys=keys)
    (folder / "study.yml").write_text(text, encoding="utf-8")
    patients.to_csv(folder / "patients.csv", index=False)
    samples.to_csv(folder / "markers.csv", index=False)
    return folder


def load_samples(folder: Path, rows: list[tuple], keys: str, **unit) -> Dataset:
    """A study from samples: (patient, arm, day, value) or with a text such as "<0.1" or ">500" for the value; marker m unless a fifth names it."""
    start, patients, samples = pd.Timestamp("2015-01-01"), {}, []
    for patient, arm, day, value, *marker in rows:
        patients.setdefault(patient, arm)
        limit = str(value)[:1] if str(value)[:1] in "<>" else ""
        number = str(value).lstrip("<>")
        own = marker[0] if marker else "m"
        visit = len({s["sample_date"] for s in samples if s["patient_id"] == patient and s["marker"] == own})
        samples.append({
            "patient_id": patient, "sample_date": (start + pd.Timedelta(days=day)).date(), "visit": visit, "marker": own,
            "value": number, "unit": "mg/dL" if own == "m" else "IU/mL", "below_limit": int(limit == "<"),
            "limit": number if limit == "<" else "", "above_limit": int(limit == ">"),
        })  # fmt: skip
    frame = pd.DataFrame({"patient_id": list(patients), "arm": list(patients.values())})
    frame = frame.assign(time_zero=start.date(), death=0, death_date="", last_contact_date="2019-12-31")
    return load("efficacy", study=str(write_marker_study(folder, frame, pd.DataFrame(samples), keys, **unit)))


def load_pbc(folder: Path, keys: str, most: int | None = None) -> Dataset:
    """The sequential Mayo data (tests/reference/kinetics.R): arm P is placebo, D penicillamine; bilirubin is the marker."""
    d = pd.read_csv(FOLDER / "pbcseq.csv")
    d = d[d["id"] <= most] if most else d
    start = pd.Timestamp("1974-01-01")
    first = d.drop_duplicates("id").sort_values(["trt", "id"])
    end = (start + pd.to_timedelta(first["futime"], unit="D")).dt.strftime("%Y-%m-%d")
    died = first["status"] == 2
    patients = pd.DataFrame({
        "patient_id": "p" + first["id"].astype(str), "arm": first["trt"].map({0: "P", 1: "D"}), "time_zero": start.date(),
        "death": died.astype(int), "death_date": end.where(died, ""), "last_contact_date": end,
    })  # fmt: skip
    samples = pd.DataFrame({
        "patient_id": "p" + d["id"].astype(str), "sample_date": (start + pd.to_timedelta(d["day"], unit="D")).dt.strftime("%Y-%m-%d"),
        "visit": d.groupby("id").cumcount(), "marker": "m", "value": d["bili"], "unit": "mg/dL",
    })  # fmt: skip
    return load("efficacy", study=str(write_marker_study(folder, patients, samples, keys)))
