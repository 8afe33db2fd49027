"""Recognised tables -> a proposed study.yml, with a reason beside every guess.

The proposal is a plain dictionary in the order of data/README.md; `guesses` says why each part reads as it does.
Whether it is right is for the user to say: the check of the study (lib/intake/tables.py) asks about what does not fit.
"""

from __future__ import annotations

__all__ = ["propose"]

import pandas as pd

from lib.intake.new_study.outcomes.proposal_endpoints import propose_endpoints
from lib.intake.new_study.proposal_events import propose_events
from lib.intake.new_study.proposal_patients import propose_arms, propose_baseline
from lib.intake.new_study.questions import Questions
from lib.intake.new_study.recognition import MADE_OF, Known, Proposal, Recognised, as_id, as_label, values_of
from lib.intake.new_study.words import language_of
from lib.intake.rules.patients import SYNTHETIC_PREFIX
from lib.languages.speech import ENGLISH, LANGUAGES, in_force

MOST = 0.5  # of an arm's patients received a component, so it belongs to the arm
# Of the keys, as in data/README.md.
ORDER = (
    "study", "language", "time", "arms", "reference_arm", "tables", "visits", "baseline", "endpoints", "response", "sites",
    "markers", "treatments", "adverse_events", "populations", "ask",
)  # fmt: skip


def propose(name: str, tables: dict[str, Recognised], questions: Questions, known: Known | None = None) -> Proposal:
    """Propose a study.yml for recognised tables.

    Parameters
    ----------
    name : str
        Of the study's folder; becomes its id.
    tables : dict of str to Recognised
        Table -> its cells, tidied, one row per patient in `patients`. `patients` is among them.
    questions : Questions
        What was asked and answered so far; gets what is asked here.
    known : Known, optional
        What file or standard say.

    Returns
    -------
    Proposal
    """
    patients = tables["patients"]
    proposal = Proposal(questions, known or Known())
    _propose_language(proposal, [name for found in tables.values() for name in found.frame])
    for found in tables.values():
        if found is not patients:
            unknown = [name for name in found.frame if name not in found.columns.values()]
            proposal.leave_out(found, dict.fromkeys(unknown, "not in the data model"))
    ids = patients.frame[patients.columns["patient_id"]].dropna()
    title = name.replace("_", " ")
    proposal.study["study"] = {
        "id": as_id(name, "study"),
        "title": proposal.own(f"{title} (write the full title here)"),
        "short_title": title,
        "synthetic": bool(len(ids)) and bool(ids.str.startswith(SYNTHETIC_PREFIX).all()),
    }
    proposal.say("study", "Write title, question and population: they head every page. Add the part design with allocation (randomised, not_randomised, single_arm), analysed (as_randomised, as_treated) and description; it decides what is said of differences between arms.")
    propose_arms(proposal, patients)
    endpoints = propose_endpoints(proposal, patients)
    propose_baseline(proposal, patients, endpoints)
    _propose_populations(proposal)
    _propose_visits(proposal, tables)
    _propose_markers(proposal, tables.get("markers"))
    _propose_treatments(proposal, tables)
    if "adverse_events" in tables:
        propose_events(proposal, tables["adverse_events"])
    proposal.study["tables"] = {table: _table(found) for table, found in tables.items()}
    if questions.open:
        proposal.study["ask"] = [one.model_dump() for one in questions.open.values()]
        proposal.say("ask", "Each decides a result, so no report is made before it is answered: see data/README.md.")
    proposal.study = {key: proposal.study[key] for key in ORDER if key in proposal.study}
    absent = [table for table in reversed(MADE_OF) if table not in tables]
    if absent:
        proposal.missing.append(f"no sheet for {', '.join(absent)}: the reports say so where these would stand")
    return proposal


def _propose_language(proposal: Proposal, names: list[str]) -> None:
    """The language of the reports: that in which the tables name their columns, or else that of who asks."""
    named = language_of(names)
    if (code := named if named in LANGUAGES else in_force()) != ENGLISH:
        proposal.languages = (ENGLISH, code)
        proposal.study["language"] = code
        why = "The tables name their columns in this language" if code == named else "The language in which this command speaks"
        proposal.say("language", f"{why}, so the reports are written in it; language: {ENGLISH} makes them English. What is said in both has to be corrected in both.")


def _propose_populations(proposal: Proposal) -> None:
    """The populations that a standard flags, as they are called there."""
    if not proposal.known.populations:
        return
    proposal.study["populations"] = [
        {"id": as_id(column, "population"), "label": as_label(label), "column": column, "inside": "Y", "outside": "N"}
        for column, label in proposal.known.populations.items()
    ]
    proposal.say("populations", "A report is about one by -p population=ID; default: true makes it the usual one. Until then all patients are analysed.")


def _table(found: Recognised) -> dict:
    mapped = {ours: theirs for ours, theirs in found.columns.items() if ours != theirs}
    return {"file": f"{found.table}.csv"} | ({"columns": mapped} if mapped else {})


def _propose_visits(proposal: Proposal, tables: dict[str, Recognised]) -> None:
    """The schedule from the visits in the tables; response from measurements."""
    visits = set()
    for table in ("measurements", "assessments", "markers"):
        if table in tables and "visit" in tables[table].columns:
            visits |= set(_numbers(tables[table].frame[tables[table].columns["visit"]]))
    if visits:
        proposal.study["visits"] = {"schedule": sorted(visits)}
        proposal.say(
            "visits", "Every visit that a table names, in the unit of time; 0 is baseline. Write window_days too."
        )
    if "measurements" in tables and "lesions" in tables and visits:
        measured = tables["measurements"]
        counts = (
            measured.frame[measured.columns["visit"]].value_counts() if "visit" in measured.columns else pd.Series()
        )
        later = [visit for visit in _numbers(pd.Series(counts.index, dtype=object)) if visit > 0]
        usual = [visit for visit in later if visit in (6, 12)] or later[:2]
        proposal.study["response"] = {"visits": usual}
        seen = ", ".join(f"{visit:g}" for visit in later)
        proposal.say(
            "response", f"Visits of the response tables; lesions were measured at {seen}. The rule is RECIST 1.1."
        )
        lesions = tables["lesions"]
        sites = values_of(lesions.frame[lesions.columns["site"]])
        proposal.study["sites"] = [{"value": site, "label": as_label(site)} for site in sites]
        proposal.say("response", "Say in node_sites which sites are lymph nodes: their short axis is measured.")


def _numbers(cells: pd.Series) -> list[float]:
    numbers = pd.to_numeric(cells, errors="coerce").dropna().unique()
    return sorted(int(number) if number == int(number) else float(number) for number in numbers)


def _propose_markers(proposal: Proposal, found: Recognised | None) -> None:
    if found is None:
        return
    marker, value, unit = (found.columns.get(name) for name in ("marker", "value", "unit"))
    markers, ids = [], {}
    for name, samples in found.frame.groupby(marker):
        units = list(samples[unit].dropna().value_counts().index) if unit else []
        ids[name] = as_id(name, "marker", ids.values())
        entry = {
            "id": ids[name],
            "label": proposal.known.labels.get(f"markers: {name}") or as_label(name),
            "short": as_label(name),
            "unit": units[0] if units else "(unit)",
        }
        entry["units"] = dict.fromkeys(units[:1] or ["(unit)"], 1)
        smallest = pd.to_numeric(samples[value], errors="coerce").min()
        entry["scale"] = "log" if smallest > 0 else "linear"
        visit = found.columns.get("visit")
        markers.append(entry | ({"visits": _numbers(samples[visit])} if visit else {}))
        if len(units) > 1:
            proposal.say(
                "markers", f"{name} is given in {', '.join(units)}: write the factor of each to {units[0]} in units."
            )
    proposal.study["markers"] = markers
    _write_ids(proposal, "markers", found.frame, marker, ids)
    proposal.say(
        "markers", "scale is log where every value is above 0. role: quality takes a marker out of the results."
    )


def _propose_treatments(proposal: Proposal, tables: dict[str, Recognised]) -> None:
    found, patients = tables.get("treatments"), tables["patients"]
    if found is None:
        return
    column, patient = found.columns["component"], found.columns["patient_id"]
    patient_arm = patients.frame.drop_duplicates(patients.columns["patient_id"])
    patient_arm = patient_arm.set_index(patients.columns["patient_id"])[patients.columns["arm"]]
    rows = found.frame if "line" not in found.columns else found.frame[found.frame[found.columns["line"]] == "1"]
    components, ids = [], {}
    for name, given in rows.groupby(column):
        treated = patient_arm.reindex(given[patient].dropna().unique()).value_counts()
        share = treated / patient_arm.value_counts().reindex(treated.index)
        arms = [arm["id"] for arm in proposal.study["arms"] if share.get(arm["value"], 0) > MOST]
        local = any(
            given[found.columns[c]].notna().any() for c in ("n_seeds", "lesion_id", "d90_gy") if c in found.columns
        )
        if arms:
            kind = "local" if local else "drug"
            ids[name] = as_id(name, "component", ids.values())
            components.append({"id": ids[name], "label": as_label(name), "kind": kind, "arms": arms})
    proposal.study["treatments"] = {"components": components}
    _write_ids(proposal, "treatments", found.frame, column, ids)
    proposal.say("treatments", "A component belongs to the arms in which more than half of the patients received it.")


def _write_ids(proposal: Proposal, key: str, frame: pd.DataFrame, column: str, ids: dict[str, str]) -> None:
    """Write the ids of study.yml into a table in place of the names."""
    frame[column] = frame[column].replace(ids)
    changed = [f"{name} → {new}" for name, new in ids.items() if name != new]
    if changed:
        proposal.say(key, f"Names became ids in the table, which hold no space and no sign: {', '.join(changed)}.")
