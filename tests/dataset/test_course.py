"""The courses of all patients at once, against one patient after the other."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from lib.dataset.course import BEST_FIRST, RESPONDED, _courses

RULE = {"stable_days": 42, "measured": "sum of diameters"}
CATEGORIES = ("CR", "PR", "SD", "PD", "NE")
assessment = st.tuples(st.integers(1, 90), st.sampled_from(CATEGORIES), st.one_of(st.none(), st.integers(-100, 100)))
REASONS = st.sampled_from(["missing", "died", "not due"])


def one_course(rows, reason, rule):
    """As one reads it off: `rows` are one patient's assessments after the baseline, in order."""
    seen = {"NE" if r.response == "SD" and r.day < rule.stable_days else r.response for r in rows.itertuples()}
    known = [r.percent_change for r in rows.itertuples() if r.known and not np.isnan(r.percent_change)]
    why = {"died": "died before the first assessment", "not due": "first assessment not yet due"}.get(reason, "no assessment after baseline")
    confirmed, evaluable = False, [r for r in rows.itertuples() if r.response != "NE"]
    for i, first in enumerate(evaluable):
        for j, last in enumerate(evaluable[i:], i):
            same = all(r.response in RESPONDED for r in evaluable[i : j + 1])
            confirmed |= rule.confirmation_days is not None and same and last.day - first.day >= rule.confirmation_days
    first = {name: rows.loc[rows["response"].isin(of), "time"].min() for name, of in (("response_time", RESPONDED), ("progression_time", ["PD"]))}
    return {
        "best_response": next((c for c in BEST_FIRST if c in seen), reason), "confirmed": confirmed,
        "best_change": min(known, default=np.nan), "no_change": "" if known else f"no {rule.measured} to compare" if len(rows) else why,
        **first, "last_assessment": rows["time"].max(),
    }  # fmt: skip


@given(st.lists(st.tuples(st.lists(assessment, max_size=7), REASONS), min_size=1, max_size=8), st.sampled_from([None, 0, 28, 56]))
def test_all_at_once_equal_one_after_the_other(patients, confirmation_days):
    rule = SimpleNamespace(**RULE, confirmation_days=confirmation_days)
    told = [
        {"patient_id": f"P{i}", "day": day, "time": day / 30.4375, "response": response, "percent_change": np.nan if change is None else change,
         "known": all(before[1] != "PD" for before in course[:place])}
        for i, (visits, _) in enumerate(patients) for course in [sorted(visits, key=lambda visit: visit[0])]
        for place, (day, response, change) in enumerate(course)
    ]  # fmt: skip
    rows = pd.DataFrame(told, columns=["patient_id", "day", "time", "response", "percent_change", "known"])
    rows = rows.astype({"day": float, "time": float, "percent_change": float, "known": bool, "response": object, "patient_id": object})
    ids, reasons = pd.Series([f"P{i}" for i in range(len(patients))]), pd.Series([reason for _, reason in patients], dtype=object)
    found = _courses(rows, ids, reasons, SimpleNamespace(response=rule))
    plain = pd.DataFrame([one_course(rows[rows["patient_id"] == patient], reason, rule) for patient, reason in zip(ids, reasons, strict=True)])
    assert_frame_equal(found, plain, check_dtype=False)
