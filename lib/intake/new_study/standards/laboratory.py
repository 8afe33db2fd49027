"""ADLB or LB -> markers, ADRS or RS -> assessments: where the data model has a place for them."""

from __future__ import annotations

__all__ = ["assessments", "markers"]

import re

import pandas as pd

from lib.intake.new_study.outcomes.outcome_names import unit_of
from lib.intake.new_study.recognition import Known, Recognised
from lib.intake.new_study.standards.datasets import ID, Datasets, first_filled, matches
from lib.study.parts import DAYS

IN_BRACKETS = re.compile(r"\(([^()]*(?:\([^()]*\))?[^()]*)\)\s*\Z")
# "Week 8", "Visit 4 (Week 8)", "Month 6 / end of treatment"; a day of a cycle is none of the study.
VISIT = re.compile(r"(?:visit\s*\d+\W*)?(day|week|month)s?\s*(-?\d+)\)?(?:\s*[(/].*)?", re.IGNORECASE)
BASELINE = re.compile(r"(?:visit\s*\d+\W*)?baseline\b.*", re.IGNORECASE)
OVERALL = r"OVR\w*|OVRLRESP"
RESPONSES = {"CR": "CR", "PR": "PR", "SD": "SD", "PD": "PD", "NE": "NE"}
LIMITED = r"[<>≤≥]=?\s*\d+(\.\d+)?"
NUMBER = rf"{LIMITED}|-?\d+(\.\d+)?"


def markers(found: Datasets, patients: Recognised, known: Known) -> Recognised | None:
    """One row per sample and test at a planned visit; other samples are left out, and counted."""
    frame = found.frame("ADLB", "LB")
    if frame is None:
        return None
    if "ANL01FL" in frame and frame["ANL01FL"].eq("Y").any():
        frame = frame[frame["ANL01FL"].eq("Y")]
    samples = pd.DataFrame({"patient_id": frame[ID], "marker": first_filled(frame, "PARAMCD", "LBTESTCD")}, frame.index)
    samples["sample_date"] = found.days(frame, "ADT", "LBDTC")
    texts = first_filled(frame, "LBSTRESC", "AVALC")
    limited = matches(texts, LIMITED)
    samples["value"] = first_filled(frame, "AVAL", "LBSTRESN").where(~limited, texts)
    named = first_filled(frame, "PARAM", "LBTEST").fillna("")
    samples["unit"] = first_filled(frame, "AVALU", "LBSTRESU").fillna(named.str.extract(IN_BRACKETS)[0])
    samples["reference_low"] = first_filled(frame, "A1LO", "ANRLO", "LBSTNRLO")
    samples["reference_high"] = first_filled(frame, "A1HI", "ANRHI", "LBSTNRHI")
    baseline = first_filled(frame, "ABLFL", "LBLOBXFL", "LBBLFL").eq("Y")
    samples["visit"] = _visits(known, first_filled(frame, "AVISIT", "VISIT"), baseline)
    samples = samples.assign(label=named.str.replace(IN_BRACKETS, "", regex=True).str.strip())
    return _planned(found, patients, known, samples)


def _planned(found: Datasets, patients: Recognised, known: Known, samples: pd.DataFrame) -> Recognised | None:
    """Samples with a number, a unit and a visit, of patients who are known, one per visit."""
    numeric = matches(samples["value"], NUMBER)
    whole = samples[["unit", "visit", "sample_date"]].notna().all(axis="columns") & numeric & samples["patient_id"].isin(patients.frame[ID])
    kept = samples[whole].drop_duplicates(["patient_id", "marker", "visit"], keep="last")
    sheet = found.sheet("ADLB", "LB")
    if len(kept) < len(samples):
        found.said.append(
            f"{len(samples) - len(kept)} of {len(samples)} rows of {sheet} are left out: without a number, a unit, a day or a visit in days, weeks "
            "or months, or followed by another of the same visit."
        )
    if kept.empty:
        found.missing.append(f"{sheet} holds no numbers at visits in days, weeks or months: no table of markers")
        return None
    known.labels |= {f"markers: {code}": label for code, label in zip(kept["marker"], kept["label"], strict=True) if label}
    kept = kept.drop(columns="label").dropna(axis="columns", how="all").astype(object)
    return Recognised("markers", sheet, kept.where(kept.notna(), None), {c: c for c in kept})


def assessments(found: Datasets, known: Known) -> Recognised | None:
    """One row per patient and overall response, as it was read there."""
    frame = found.frame("ADRS", "RS")
    if frame is None:
        return None
    named = first_filled(frame, "PARAMCD", "RSTESTCD").fillna("")
    overall = frame[matches(named, OVERALL)]
    sheet = found.sheet("ADRS", "RS")
    if "RSEVAL" in overall and overall["RSEVAL"].nunique() > 1:
        options = {value: f"{count} responses" for value, count in overall["RSEVAL"].value_counts().items()}
        answer = found.questions.ask("reader", "Whose reading of the response counts?", options)
        overall = overall[overall["RSEVAL"].eq(answer)] if answer else overall
    if overall.empty:
        found.missing.append(f"{sheet} holds no overall response (OVRLRESP, OVR): no table of assessments")
        return None
    rows = pd.DataFrame({"patient_id": overall[ID]}, overall.index)
    rows["assessment_date"] = found.days(overall, "ADT", "RSDTC")
    rows["visit"] = _visits(known, first_filled(overall, "AVISIT", "VISIT"), pd.Series(False, overall.index))
    rows["reader_response"] = first_filled(overall, "AVALC", "RSSTRESC", "RSORRES").map(RESPONSES)
    whole = rows.notna().all(axis="columns")
    if not whole.all():
        found.said.append(f"{(~whole).sum()} of {len(rows)} overall responses in {sheet} are left out: without a day, a visit in days, weeks or months, or one of {', '.join(RESPONSES)}.")
    if not whole.any():
        return None
    return Recognised("assessments", sheet, rows[whole].astype(object), {c: c for c in rows})


def _visits(known: Known, named: pd.Series, baseline: pd.Series) -> pd.Series:
    """Baseline is 0, a later visit is so many weeks (or months) after it, as its name says; the unit of the study is that of the visits."""
    found = {name: match.groups() for name in named.dropna().unique() if (match := VISIT.fullmatch(name))}
    units = {unit_of(unit) for unit, _ in found.values()}
    if units and not known.unit:
        known.unit = units.pop() if len(units) == 1 else "weeks"
    visits = {name: "0" for name in named.dropna().unique() if BASELINE.fullmatch(name)}
    for name, (unit, number) in found.items():
        # there is no day 0: day 1 is that on which it begins
        after = int(number) - (unit_of(unit) == "days" and int(number) > 0)
        visits[name] = f"{after * DAYS[unit_of(unit)] / DAYS[known.unit]:.4g}"
    return named.map(visits).where(~baseline, "0")
