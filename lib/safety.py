"""Adverse events by arm: patients with at least one event, by kind, system, term and worst grade.

Every treated patient is in the denominator; a patient counts once per row, with the worst grade.
"""

from __future__ import annotations

__all__ = ["OVERVIEW", "analyse", "worst_grades"]

import pandas as pd

from lib import proportions
from lib.analysis import Analysis, requires
from lib.dataset import Dataset

# Row of the overview -> label; the conditions stand in `_kinds`.
OVERVIEW = {
    "any": "Any adverse event",
    "severe": "Grade {severe} or higher",
    "serious": "Serious",
    "related_drug": "Related to the drug",
    "related_procedure": "Related to the procedure",
    "severe_procedure": "Related to the procedure, grade {severe} or higher",
    "reduced": "Leading to dose reduction",
    "interrupted": "Leading to interruption",
    "stopped": "Leading to the end of treatment",
    "fatal": "Fatal",
}
ANY = "any term"


@requires("adverse_events")
def analyse(data: Dataset) -> Analysis:
    """Adverse events by arm.

    Parameters
    ----------
    data : Dataset
        With the table adverse_events.

    Returns
    -------
    Analysis
        `ae_overview` (patients with an event of each kind, exact interval), `ae_overview_test` (exact test over the
        arms, descriptive), `ae_overview_difference` (risk difference against the reference arm), `ae_term` and
        `ae_term_severe` (patients per term), `ae_grade` (patients by worst grade, per term and for any term),
        `ae_events` (events, not patients, by grade), `ae_events_mild` (share of events below severe). `variable` names the kind or the term.
    """
    events, level = data.tables["adverse_events"], data.parameters.level
    kinds = {f"{kind}": events[mask] for kind, mask in _kinds(data, events).items()}
    frames = {
        "ae_overview": _per(kinds, lambda e: proportions.estimate_proportion(_count(data, e), level)),
        "ae_term": _per(_terms(events), lambda e: proportions.estimate_proportion(_count(data, e), level)),
        "ae_term_severe": _per(
            _terms(events), lambda e: proportions.estimate_proportion(_count(data, _severe(data, e)), level)
        ),
        "ae_grade": _grades(data, events),
        "ae_events": _event_grades(data, events),
        "ae_events_mild": _mild(data, events),
    }
    if len(data.arms) > 1:
        frames["ae_overview_test"] = _per(kinds, lambda e: _exact(_count(data, e)))
        frames["ae_term_test"] = _per(_terms(events), lambda e: _exact(_count(data, e)))
        frames["ae_overview_difference"] = _per(
            kinds, lambda e: proportions.estimate_risk_difference(_count(data, e), data.reference, level=level)
        )
    return Analysis("", frames, {"events": events})


def _kinds(data: Dataset, events: pd.DataFrame) -> dict[str, pd.Series]:
    """Condition of each row of the overview that the table can answer."""
    severe = events["grade"] >= data.study.adverse_events.severe_grade
    kinds = {"any": severe | True, "severe": severe}
    if "serious" in events:
        kinds["serious"] = events["serious"].fillna(False).astype(bool)
    if "related" in events:
        procedure = events["related"].isin(["procedure", "both"])
        kinds |= {"related_drug": events["related"].isin(["drug", "both"]), "related_procedure": procedure,
                  "severe_procedure": procedure & severe}  # fmt: skip
    if "action" in events:
        kinds |= {action: events["action"] == action for action in ("reduced", "interrupted", "stopped")}
    return kinds | {"fatal": events["grade"] == 5}


def _terms(events: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {str(term): rows for term, rows in events.groupby("term", observed=True, sort=True)}


def _severe(data: Dataset, events: pd.DataFrame) -> pd.DataFrame:
    return events[events["grade"] >= data.study.adverse_events.severe_grade]


def _count(data: Dataset, events: pd.DataFrame) -> pd.DataFrame:
    patients = data.patients[["patient_id", "arm"]]
    return proportions.count_outcome(patients.assign(has=patients["patient_id"].isin(events["patient_id"])), "has")


def _exact(counts: pd.DataFrame) -> pd.DataFrame:
    """Fisher-Freeman-Halton test over the arms; the first row is the exact one."""
    return proportions.compare_proportions(counts).iloc[[0]].drop(columns=["chisq", "df"])


def _per(parts: dict[str, pd.DataFrame], estimate) -> pd.DataFrame:
    """One block of rows per part, named in `variable`."""
    frames = [estimate(events).assign(variable=name) for name, events in parts.items()]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=["variable", "group", "count", "n"])


def worst_grades(events: pd.DataFrame, by: str = "term") -> pd.DataFrame:
    """Worst grade of each patient per term (or whatever `by` names).

    Parameters
    ----------
    events : DataFrame, one row per event
        patient_id, grade and the column `by`.

    Returns
    -------
    DataFrame, one row per patient and term: patient_id, `by`, grade
    """
    return events.groupby(["patient_id", by], observed=True, sort=True)["grade"].max().reset_index()


def _grades(data: Dataset, events: pd.DataFrame) -> pd.DataFrame:
    """Patients by worst grade: for any term, then per term."""
    either = worst_grades(events.assign(term=ANY))
    each = worst_grades(events.assign(term=events["term"].astype(str)))
    worst = pd.concat([either, each], ignore_index=True)
    arm = data.patients.set_index("patient_id")["arm"]
    counts = worst.assign(group=worst["patient_id"].map(arm).astype(str)).groupby(["term", "group", "grade"]).size()
    groups, grades = [a.id for a in data.arms], range(1, data.study.adverse_events.max_grade + 1)
    every = pd.MultiIndex.from_product([[ANY, *_terms(events)], groups, grades], names=["term", "group", "grade"])
    tidy = counts.reindex(every, fill_value=0).rename("count").reset_index()
    return _by_grade(tidy, "patients by worst grade")


def _event_grades(data: Dataset, events: pd.DataFrame) -> pd.DataFrame:
    """Events (not patients) by grade and arm."""
    arm = data.patients.set_index("patient_id")["arm"]
    counts = events.assign(group=events["patient_id"].map(arm).astype(str)).groupby(["group", "grade"]).size()
    groups, grades = [a.id for a in data.arms], range(1, data.study.adverse_events.max_grade + 1)
    every = pd.MultiIndex.from_product([groups, grades], names=["group", "grade"])
    tidy = counts.reindex(every, fill_value=0).rename("count").reset_index()
    overall = tidy.groupby("grade", as_index=False)["count"].sum().assign(group="overall")
    return _by_grade(pd.concat([tidy, overall], ignore_index=True).assign(term="events"), "events by grade")


def _mild(data: Dataset, events: pd.DataFrame) -> pd.DataFrame:
    """Share of events below severe, by arm: a description; events of one patient are not independent."""
    arm = pd.Categorical(events["patient_id"].map(data.patients.set_index("patient_id")["arm"].astype(str)),
                         categories=[a.id for a in data.arms])  # fmt: skip
    mild = events["grade"] < data.study.adverse_events.severe_grade
    shares = proportions.estimate_proportion(
        proportions.count_outcome(pd.DataFrame({"arm": arm, "mild": mild}), "mild")
    )
    return shares.drop(columns=["ci_low", "ci_high"]).assign(variable="events below severe", method="share of events")


def _by_grade(tidy: pd.DataFrame, method: str) -> pd.DataFrame:
    """Name the grade in `variable`: "Hypertension, grade 2"."""
    tidy["variable"] = tidy["term"] + ", grade " + tidy["grade"].astype(str)
    return tidy.assign(method=method, note="")
