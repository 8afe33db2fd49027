"""Adverse events by arm: patients with at least one event, by kind, attribution, system, term and worst grade.

Every treated patient is in the denominator; a patient counts once per row, with the worst grade. Rates per
person-time, first events and onset stand in safety_time.
"""

from __future__ import annotations

__all__ = ["ANY", "ATTRIBUTIONS", "Harms", "analyse", "kind_label", "kinds_of_events", "terms_above", "worst_grades"]

import pandas as pd

from lib.analyses.result import Analysis, requires
from lib.dataset.dataset import Dataset
from lib.statistics import proportions
from lib.statistics.comparisons import add_number_needed, count_below

# Row of the overview -> label; the conditions stand in `_kinds`.
OVERVIEW = {
    "any": "Any adverse event",
    "severe": "{severe}",
    "serious": "Serious",
    "related_drug": "Related to the drug",
    "related_procedure": "Related to the procedure",
    "severe_procedure": "Related to the procedure, {severe}",
    "reduced": "Leading to dose reduction",
    "interrupted": "Leading to interruption",
    "stopped": "Leading to the end of treatment",
    "fatal": "Fatal",
    "death": "Death from any cause",
}
ATTRIBUTIONS = {
    "drug": "Related to the drug alone",
    "procedure": "Related to the procedure alone",
    "both": "Related to both",
    "no": "Related to neither",
    "unknown": "Attribution not recorded",
}
ANY = "any term"
# A study whose patients had no event still has every frame.
NO_ROWS = [
    "variable",
    "group",
    "count",
    "n",
    "proportion",
    "ci_low",
    "ci_high",
    "difference",
    "p_value",
    "method",
    "note",
]


class Harms(Analysis):
    """Adverse events: how many patients had which."""


@requires("adverse_events")
def analyse(data: Dataset) -> Harms:
    """Adverse events by arm.

    Parameters
    ----------
    data : Dataset
        With the table adverse_events.

    Returns
    -------
    Harms
        `ae_overview` (patients with an event of each kind, and dead from any cause; exact interval),
        `ae_term`, `ae_system` (patients per term and with any event of a system) and `ae_term_severe`,
        `ae_system_severe`; `ae_attribution`, `ae_attribution_severe` (patients per attribution) and
        `ae_attribution_events` (events); `ae_grade` (patients by worst grade, per term and for any term), `ae_events`
        (events, not patients, by grade), `ae_events_mild` (share of events below severe). With two arms or more
        `ae_overview_test`, `ae_term_test` (exact test over the arms, descriptive), `term_tests` (how many of these, how many
        with p below 0.05, and how many by chance), `ae_overview_difference` and
        `ae_term_difference` (risk difference, Miettinen-Nurminen). `variable` names the kind, attribution, system or
        term. Data: `terms` (term, system).
    """
    events, level = data.tables["adverse_events"], data.parameters.level
    kinds = {kind: events[mask] for kind, mask in kinds_of_events(data, events).items()}
    if "death_date" in data.patients:
        kinds["death"] = data.patients[data.patients["death_date"].notna()]
    parts = {"term": _parts(events, events["term"]), "system": _parts(events, _system(data, events))}
    if "related" in events:
        parts["attribution"] = _parts(events, events["related"].fillna("unknown"))

    def risk(counts):
        return proportions.estimate_proportion(counts, level)

    counted = {name: {key: _count(data, e) for key, e in part.items()} for name, part in (("overview", kinds), *parts.items())}
    frames = {"ae_overview": _per(counted["overview"], risk)}
    for name, part in parts.items():
        frames[f"ae_{name}"] = _per(counted[name], risk)
        frames[f"ae_{name}_severe"] = _per(part, lambda e: risk(_count(data, _severe(data, e))))
    if "attribution" in parts:
        frames["ae_attribution_events"] = _per(parts["attribution"], lambda e: _count_events(data, e, events))
    frames |= {
        "ae_grade": _grades(data, events),
        "ae_events": _event_grades(data, events),
        "ae_events_mild": _mild(data, events),
    }
    if len(data.arms) > 1:
        frames |= {f"ae_{name}_test": _per(counted[name], _exact) for name in ("overview", "term")}
        frames["term_tests"] = count_below(frames["ae_term_test"]["p_value"])
        for name in ("overview", "term"):
            frames[f"ae_{name}_difference"] = _per(
                counted[name], lambda counts: proportions.estimate_risk_difference(counts, data.reference, level=level)
            )
        frames["ae_overview_difference"] = add_number_needed(frames["ae_overview_difference"])
    seen = pd.DataFrame({"term": events["term"].astype(str), "system": _system(data, events)}).drop_duplicates()
    return Harms(data, "", frames, {"terms": seen.reset_index(drop=True)})


def kinds_of_events(data: Dataset, events: pd.DataFrame) -> dict[str, pd.Series]:
    """Which events belong to each row of the overview that the table can answer, one flag per event."""
    severe = events["grade"] >= data.study.adverse_events.severe
    kinds = {"any": severe | True, "severe": severe}
    if "serious" in events:
        kinds["serious"] = events["serious"].fillna(False).astype(bool)
    if "related" in events:
        procedure = events["related"].isin(["procedure", "both"])
        kinds |= {"related_drug": events["related"].isin(["drug", "both"]), "related_procedure": procedure,
                  "severe_procedure": procedure & severe}  # fmt: skip
    if "action" in events:
        kinds |= {action: events["action"] == action for action in ("reduced", "interrupted", "stopped")}
    fatal = _fatal(data, events)
    return kinds if fatal is None else kinds | {"fatal": fatal}


def _fatal(data: Dataset, events: pd.DataFrame) -> pd.Series | None:
    """Which events were fatal, by severity or by outcome; None where the table cannot tell."""
    rank, told = data.study.adverse_events.fatal, []
    if rank:
        told.append(events["grade"] == rank)
    if "outcome" in events:
        told.append(events["outcome"] == "fatal")
    if not told:
        return None
    fatal = pd.concat(told, axis="columns").any(axis="columns")
    if "death_date" not in data.patients:
        return fatal
    # At an earlier cut-off whoever died of it later is still alive.
    return fatal & events["patient_id"].isin(data.patients.loc[data.patients["death_date"].notna(), "patient_id"])


def kind_label(data: Dataset, kind: str) -> str:
    """Label of a row of the overview; of a term, its name."""
    if kind not in OVERVIEW:
        return kind
    label = OVERVIEW[kind].format(severe=data.study.adverse_events.severe_words)
    return label[:1].upper() + label[1:]


def _system(data: Dataset, events: pd.DataFrame) -> pd.Series:
    """System of each event, from study.yml."""
    return events["term"].astype(str).map(data.study.adverse_events.terms)


def _parts(events: pd.DataFrame, by: pd.Series) -> dict[str, pd.DataFrame]:
    """Events of each term (or system, or attribution)."""
    return {str(name): rows for name, rows in events.groupby(by.astype(str), sort=True)}


def _count_events(data: Dataset, part: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """Events (not patients) of a part among all events, by arm and overall."""
    arm = data.patients.set_index("patient_id")["arm"].astype(str)
    rows = [(a.id, *[int((e["patient_id"].map(arm) == a.id).sum()) for e in (part, events)]) for a in data.arms]
    if len(rows) > 1:
        rows.append(("overall", len(part), len(events)))
    return pd.DataFrame(rows, columns=["group", "count", "n"]).assign(method="count of events", note="", unit="events")


def _severe(data: Dataset, events: pd.DataFrame) -> pd.DataFrame:
    return events[events["grade"] >= data.study.adverse_events.severe]


def _count(data: Dataset, events: pd.DataFrame) -> pd.DataFrame:
    patients = data.patients
    has = patients["patient_id"].isin(events["patient_id"])
    return proportions.count_outcome(pd.DataFrame({"arm": patients["arm"], "has": has}), "has")


def _exact(counts: pd.DataFrame) -> pd.DataFrame:
    """Fisher-Freeman-Halton test over the arms; the first row is the exact one."""
    return proportions.compare_proportions(counts).iloc[[0]].drop(columns=["chisq", "df"])


def _per(parts: dict[str, pd.DataFrame], estimate) -> pd.DataFrame:
    """One block of rows per part, named in `variable`."""
    frames = [estimate(events).assign(variable=name) for name, events in parts.items()]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=NO_ROWS)


def terms_above(frame: pd.DataFrame, threshold_percent: float) -> set[str]:
    """Terms that reach the threshold in an arm; those whose counts are masked stay, as leaving out would tell."""
    largest = frame.groupby("variable")["proportion"].agg(lambda p: p.max(skipna=True))
    return set(largest.index[~(100 * largest < threshold_percent)])


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
    groups, grades = [a.id for a in data.arms], data.study.adverse_events.ranks
    every = pd.MultiIndex.from_product(
        [[ANY, *_parts(events, events["term"])], groups, grades], names=["term", "group", "grade"]
    )
    tidy = counts.reindex(every, fill_value=0).rename("count").reset_index()
    tidy["n"] = tidy["group"].map(data.n.to_dict())
    tidy["proportion"] = tidy["count"] / tidy["n"].where(tidy["n"] > 0)
    return _by_grade(data, tidy, "patients by worst {}")


def _event_grades(data: Dataset, events: pd.DataFrame) -> pd.DataFrame:
    """Events (not patients) by grade and arm."""
    arm = data.patients.set_index("patient_id")["arm"]
    counts = events.assign(group=events["patient_id"].map(arm).astype(str)).groupby(["group", "grade"]).size()
    groups, grades = [a.id for a in data.arms], data.study.adverse_events.ranks
    every = pd.MultiIndex.from_product([groups, grades], names=["group", "grade"])
    tidy = counts.reindex(every, fill_value=0).rename("count").reset_index()
    overall = tidy.groupby("grade", as_index=False)["count"].sum().assign(group="overall")
    frame = _by_grade(data, pd.concat([tidy, overall], ignore_index=True).assign(term="events"), "events by {}")
    return frame.assign(unit="events")


def _mild(data: Dataset, events: pd.DataFrame) -> pd.DataFrame:
    """Share of events below severe, by arm: a description; events of one patient are not independent."""
    arm = pd.Categorical(events["patient_id"].map(data.patients.set_index("patient_id")["arm"].astype(str)),
                         categories=[a.id for a in data.arms])  # fmt: skip
    mild = events["grade"] < data.study.adverse_events.severe
    shares = proportions.estimate_proportion(
        proportions.count_outcome(pd.DataFrame({"arm": arm, "mild": mild}), "mild")
    )
    shares = shares.drop(columns=["ci_low", "ci_high"])
    return shares.assign(variable="events below severe", method="share of events", unit="events")


def _by_grade(data: Dataset, tidy: pd.DataFrame, method: str) -> pd.DataFrame:
    """Name the severity in `variable`: "Hypertension, grade 2"."""
    settings = data.study.adverse_events
    tidy["variable"] = tidy["term"] + ", " + tidy["grade"].map(settings.code)
    return tidy.assign(method=method.format(settings.scale), note="")
