"""The tables of the cohort, with what is derived of each patient and each assessment a second time."""

import pandas as pd
import pytest
from cohort_tables import TABLES, read


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    tables = {name: read(name) for name in TABLES}
    lesions = tables["lesions"]
    tables["measurements"] = tables["measurements"].merge(lesions, on="lesion_id", validate="m:1")
    zero = tables["patients"].set_index("patient_id")[["arm", "time_zero", "last_contact_date"]]
    for name in TABLES[1:]:
        tables[name] = tables[name].merge(zero, left_on="patient_id", right_index=True, validate="m:1")
    return tables


@pytest.fixture(scope="module")
def patients(tables) -> pd.DataFrame:
    """Days and events of both endpoints, from the dates."""
    p = tables["patients"].copy()
    event = p[["local_progression_date", "death_date"]].min(axis=1)
    p["lpfs_event"], p["os_event"] = event.notna(), p["death_date"].notna()
    p["lpfs"] = (event.fillna(p["last_tumour_assessment"]) - p["time_zero"]).dt.days
    p["os"] = (p["last_contact_date"] - p["time_zero"]).dt.days
    return p


@pytest.fixture(scope="module")
def responses(tables) -> pd.DataFrame:
    """Response at each assessment by the rule of study.yml, patient by patient, in tenths of a millimetre."""
    rows = []
    for patient, own in tables["measurements"].groupby("patient_id"):
        totals, progressed = [], False
        for date, at in own.sort_values("assessment_date").groupby("assessment_date"):
            targets = at[at["target"] == 1]
            node = targets["site"] == "cervical_lymph_node"
            tenths = (targets["short_mm"].where(node, targets["longest_mm"]) * 10).round().astype(int)
            total, gone = int(tenths.sum()), bool(((tenths == 0) | (node & (tenths < 100))).all())
            if totals:
                nadir = min(totals)
                progressed |= (10 * total >= 12 * nadir and total - nadir >= 50) or bool((at["target"] == 0).any())
                status = "PD" if progressed else "CR" if gone else "PR" if 10 * total <= 7 * totals[0] else "SD"
                rows.append((patient, at["arm"].iloc[0], date, at["visit"].iloc[0], status))
            totals.append(total)
    return pd.DataFrame(rows, columns=["patient_id", "arm", "assessment_date", "visit", "response"])
