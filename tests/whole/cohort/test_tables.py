"""The synthetic cohort in data/rair_dtc: rules between its tables, its files, and script -> same bytes."""

import hashlib
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cohort_tables import CUTOFF, FOLDER, MONTH, ROOT, TABLES, read

from lib.intake.tables import read_tables
from lib.study.study import read_study

pytestmark = pytest.mark.thorough

SCHEDULE = {0, 1, 3, 6, 9, 12, *range(18, 85, 6)}
DIAMETERS = ["longest_mm", "short_mm", "third_mm"]


def test_no_query_is_open():
    """Every rule of the intake holds."""
    assert read_tables(read_study(FOLDER)).queries.empty


def test_dates(tables, patients):
    assert patients["time_zero"].between("2018-04-01", "2023-09-30").all()
    assert patients["last_contact_date"].max() <= CUTOFF
    dead = patients[patients["death"] == 1]
    assert (dead["death_date"] == dead["last_contact_date"]).all()
    assert (patients["lpfs"] <= patients["os"]).all()
    last = tables["measurements"].groupby("patient_id")["assessment_date"].max()
    assert (patients.set_index("patient_id")["last_tumour_assessment"] == last).all()
    for table, date in (("measurements", "assessment_date"), ("markers", "sample_date")):
        rows = tables[table]
        off = (rows[date] - rows["time_zero"]).dt.days - (rows["visit"] * MONTH).round()
        assert off.between(-12, 24).all()
        assert set(rows["visit"]) <= SCHEDULE
        assert (rows[date] <= rows["last_contact_date"]).all()
    assert (dead["death_date"] - dead["last_tumour_assessment"]).dt.days.min() >= 14
    first = tables["treatments"].groupby("patient_id")["start_date"].min()
    assert (patients.set_index("patient_id")["time_zero"] == first).all()


def test_measurements(tables):
    m = tables["measurements"]
    assert ((m["longest_mm"] >= m["short_mm"]) & (m["short_mm"] >= m["third_mm"])).all()
    assert (m[DIAMETERS].round(1) == m[DIAMETERS]).all(axis=None)
    assert (m.loc[m["status"] == "too_small", DIAMETERS] == 5).all(axis=None)
    assert (m.loc[m["status"] == "absent", DIAMETERS] == 0).all(axis=None)
    assert (m.loc[m["status"] == "measured", DIAMETERS] > 0).all(axis=None)
    assert ((m["status"] == "too_small") == (m["too_small"] == 1)).all()
    allowed = {"cervical_lymph_node": {"US", "CT"}, "lung": {"CT"}, "bone": {"MRI"}, "thyroid_bed": {"CT", "MRI"}}
    assert {site: set(own["modality"]) for site, own in m.groupby("site")} == allowed
    assert m.groupby("lesion_id")["modality"].nunique().eq(1).all()
    baseline = m[(m["visit"] == 0) & (m["site"] == "cervical_lymph_node")]
    assert ((baseline["modality"] == "CT") == (baseline["longest_mm"] > 50)).all()  # wider than a probe
    assert (baseline["short_mm"] >= 15).all()
    appeared = m[(m["target"] == 0) & (m["site"] == "cervical_lymph_node")].sort_values("assessment_date")
    assert (appeared.groupby("lesion_id")["short_mm"].first() >= 12).all()  # a smaller one is a normal node
    after = m["assessment_date"] > m["patient_id"].map(read("patients").set_index("patient_id")["local_progression_date"])
    assert after.groupby(m["arm"]).any().all() and m.loc[after, "patient_id"].nunique() >= 15
    for _, own in m[m["status"] != "absent"].sort_values("assessment_date").groupby("lesion_id"):
        assert all(max(a, b) < 10 * min(a, b) for a, b in pairwise(own["longest_mm"]))


def test_realism(tables, patients, responses):
    """What a trial data set shows and a convenient one does not."""
    assert {"CR", "PR", "SD", "PD"} == set(responses["response"])
    assert {"measured", "too_small", "absent"} == set(tables["measurements"]["status"])
    complete = responses[responses["response"] == "CR"].groupby("arm")["patient_id"].nunique()
    assert complete["B"] >= 1 and complete["C"] >= 1
    alive = patients[patients["death"] == 0]
    lost = alive[(CUTOFF - alive["last_contact_date"]).dt.days > 60]
    assert 3 <= len(lost) <= 6
    seen_at_12 = set(tables["measurements"].loc[tables["measurements"]["visit"] >= 12, "patient_id"])
    unseen = patients[~patients["patient_id"].isin(seen_at_12) & (patients["local_progression"] == 0)]
    assert set(unseen.loc[unseen["arm"] == "B", "death"]) == {0, 1}  # lost, and dead, before the 12-month scan
    assert patients["ecog"].isna().sum() == patients["cum_rai_gbq"].isna().sum() == 1
    assert 8 <= patients["distant_progression_date"].notna().sum() <= 25
    approved = {"sorafenib": "2017-03-20", "lenvatinib": "2020-11-04", "donafenib": "2022-08-10"}
    lines = tables["treatments"].query("line > 1")
    assert (lines["start_date"] >= pd.to_datetime(lines["component"].map(approved)).fillna(pd.Timestamp(0))).all()
    later = set(lines["patient_id"])
    assert len(later) >= 8
    assert later <= set(patients.query("local_progression == 1")["patient_id"])
    years = patients.groupby("arm")["time_zero"].agg(["min", "max"])
    assert years["min"].idxmin() == "B" and years["max"].idxmax() == "A"
    targets = tables["lesions"].query("target == 1")
    node = (targets["site"] == "cervical_lymph_node").groupby(targets["arm"]).mean()
    assert node["A"] < min(node["B"], node["C"])
    assert tables["adverse_events"]["end_date"].isna().any()


def test_files_are_plain():
    for name in TABLES:
        raw = (FOLDER / f"{name}.csv").read_bytes()
        assert b"\r" not in raw and raw.endswith(b"\n") and not raw.startswith(b"\xef\xbb\xbf")
        raw.decode("utf-8")


def checksums(folder: Path) -> dict[str, str]:
    lines = (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in (line.split("  ") for line in lines)}


def test_checksums():
    sums = checksums(FOLDER)
    assert set(sums) == {f"{name}.csv" for name in TABLES}
    assert sums == {name: hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() for name in sums}


def test_script_gives_the_same_bytes(tmp_path):
    """Only under the locked numpy: its streams may change between versions."""
    locked = re.search(r"^numpy==([0-9.]+)", (ROOT / "requirements.lock").read_text(encoding="utf-8"), re.MULTILINE)
    if np.__version__ != locked[1]:
        pytest.skip(f"numpy {np.__version__}, but {locked[1]} is locked")
    command = [sys.executable, "-B", str(FOLDER / "make_cohort.py"), str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    for name in TABLES:
        assert (tmp_path / f"{name}.csv").read_bytes() == (FOLDER / f"{name}.csv").read_bytes(), name
    assert checksums(tmp_path) == checksums(FOLDER)
