"""The cases of tests/intake/test_bad_input.py: one or more per row of the table of bad input (data/README.md)."""

from __future__ import annotations

__all__ = ["CASES", "Case", "replaced"]

from dataclasses import dataclass, field

import pandas as pd
import pytest
from study_builder import add, again, cell, drop, good_tables, header


@dataclass(frozen=True)
class Case:
    """Row of the table, codes expected (the first is examined), what the message says, and where it points."""

    row: int
    codes: str
    says: str = ""
    at: dict = field(default_factory=dict)
    study: object = str
    changes: dict = field(default_factory=dict)


def case(row: int, codes: str, says: str = "", at=(), study=str, **changes) -> object:
    name = f"{row}-{codes.replace(' ', '-') or 'none'}-{'-'.join(changes)}"
    keys = ("file", "row", "column", "patient_id", "value")
    return pytest.param(Case(row, codes, says, dict(zip(keys, at, strict=False)), study, changes), id=name)


def replaced(old: str, new: str):
    return lambda text: text.replace(old, new)


def written(delimiter: str, encoding: str) -> bytes:
    return good_tables()["patients"].to_csv(index=False, sep=delimiter).encode(encoding)


def both(*changes):
    def change(frame):
        for one in changes:
            frame = one(frame)
        return frame

    return change


def without(*patients: str) -> dict:
    """Leave patients out of every table."""

    def change(frame):
        owner = frame["patient_id"] if "patient_id" in frame else frame["lesion_id"].str[:6]
        return frame[~owner.isin(patients)]

    return dict.fromkeys(good_tables(), change)


def more_targets(*sites: str) -> dict:
    """Further targets of SYN-02, measured whenever its own is."""
    ids = [f"SYN-02-{i}" for i in range(2, 2 + len(sites))]

    def lesions(frame):
        rows = [frame.iloc[[1]].assign(lesion_id=i, site=site) for i, site in zip(ids, sites, strict=True)]
        return pd.concat([frame, *rows])

    def measurements(frame):
        own = frame[frame["lesion_id"] == "SYN-02-1"]
        return pd.concat([frame, *(own.assign(lesion_id=i) for i in ids)])

    return {"lesions": lesions, "measurements": measurements}


def new_lesion(patient: str, row: int) -> dict:
    """A further lesion, first measured at the visit of that row."""
    return {
        "lesions": again(1, lesion_id=f"{patient}-9", patient_id=patient, target="0"),
        "measurements": again(row, lesion_id=f"{patient}-9"),
    }


# Rows of the good tables: patients SYN-01 ... SYN-06 are 0 ... 5; SYN-02-1 is measured in rows 2, 3, 4 of
# measurements; its Tg samples are rows 3 and 4 of markers, its antibody row 5.
NO_FOLLOW_UP = {
    "patients": again(1, patient_id="SYN-07", last_tumour_assessment="2020-03-02", last_contact_date="2020-03-02"),
    "lesions": again(1, lesion_id="SYN-07-1", patient_id="SYN-07"),
    "measurements": again(2, lesion_id="SYN-07-1"),
    "treatments": again(1, patient_id="SYN-07", end_date="2020-03-02"),
}
NO_EVENT_IN_A = {
    "patients": cell(0, ["local_progression", "local_progression_date", "death", "death_date"], ["0", "", "0", ""]),
    "measurements": cell(1, ["longest_mm", "short_mm", "third_mm"], ["29.0", "22.0", "20.0"]),
}
SEEDS_FOR_A = again(2, patient_id="SYN-01", lesion_id="SYN-01-1", start_date="2020-01-10")
DRUG_FOR_B = again(0, patient_id="SYN-03", start_date="2020-02-14", end_date="2020-06-01")
LATE_EVENT = cell(1, ["onset_date", "end_date"], ["2020-11-17", "2020-11-20"])
LONG, TWO_LINES, BACKWARDS, CONTROL = "P" * 10_000, "SYN-\n01", "SYN-\u202e10", "SYN-\u000701"

CASES = [
    case(1, "E001", "file not found: patients.csv", ("patients.csv",), patients=None),
    case(2, "E002", "no rows", ("patients.csv",), patients=lambda frame: frame.iloc[:0]),
    case(3, "E003 W004", "missing column arm (did you mean arms?)", ("patients.csv", 1, "arm"),
         patients=header("arm", "arms")),
    case(3, "E003", "missing column lesion_id", ("measurements.csv",),
         measurements=lambda f: f.drop(columns="lesion_id")),
    case(4, "W004", "ignored column", ("lesions.csv", 1, "colour"), lesions=add(colour="red")),
    case(5, "E005", "more than once in the header: arm", ("patients.csv", 1, "arm"),
         patients=lambda frame: pd.concat([frame, frame[["arm"]]], axis=1)),
    case(7, "E010", "rows 3 and 8 have the same patient_id", ("patients.csv", 8, "patient_id", "SYN-02"),
         patients=again(1)),
    case(8, "E011 E040", "without a space", ("patients.csv", 2, "patient_id", "SYN-01 "),
         patients=cell(0, "patient_id", "SYN-01 ")),
    case(9, "E012", "one of A, B, C", ("patients.csv", 2, "arm", "SYN-01", "D"), patients=cell(0, "arm", "D")),
    case(9, "E012", "one of A, B, C", ("patients.csv", 2, "arm", "SYN-01", "a"), patients=cell(0, "arm", "a")),
    case(10, "E013", "arm C has no patient", ("patients.csv", "", "arm"), **without("SYN-05", "SYN-06")),
    case(11, "E014", "from 18 to 90 years", ("patients.csv", 2, "age_years", "SYN-01", "17"),
         patients=cell(0, "age_years", "17")),
    case(11, "E014", "from 18 to 90 years", ("patients.csv", 2, "age_years"), patients=cell(0, "age_years", "130")),
    case(11, "E015", "whole number", ("patients.csv", 2, "age_years", "SYN-01", "57y"),
         patients=cell(0, "age_years", "57y")),
    *(case(31, "E046", "none beyond 1e+15", ("markers.csv", 2, "value"), markers=cell(0, "value", value)) for value in ("1e300", "1e16")),
    case(11, "E014", "if and only if n_prior_rai", ("patients.csv", 5, "cum_rai_gbq"),
         patients=cell(3, "cum_rai_gbq", "7.4")),
    case(12, "E016", "one of F, M", ("patients.csv", 2, "sex", "SYN-01", "female"), patients=cell(0, "sex", "female")),
    case(13, "E017", "one of 0, 1, 2", ("patients.csv", 2, "ecog", "SYN-01", "3"), patients=cell(0, "ecog", "3")),
    case(13, "E017", "one of 0, 1, 2", ("patients.csv", 2, "ecog", "SYN-01", "1.5"), patients=cell(0, "ecog", "1.5")),
    *(case(14, "E020", "ISO date", ("patients.csv", 3, "time_zero", "SYN-02", value),
         patients=cell(1, "time_zero", value))
      for value in ("2023-02-30", "13/05/2022", "45123", "0001-01-01", "1677-09-20", "1919-12-31", "2200-01-01", "9999-12-31")),
    case(15, "E021 E022", "after the data cut-off 2020-07-01", ("patients.csv", 7, "time_zero", "SYN-06"),
         study=replaced("cutoff: 2025-02-28", "cutoff: 2020-07-01")),
    case(16, "E022", "after the data cut-off 2022-01-01", ("patients.csv", 6, "last_contact_date", "SYN-05"),
         study=replaced("cutoff: 2025-02-28", "cutoff: 2022-01-01")),
    case(17, "E023 E032 E051 E073 E084", "negative follow-up: before time_zero 2020-03-02",
         ("patients.csv", 3, "last_contact_date"),
         patients=cell(1, "last_contact_date", "2020-03-01")),
    case(18, "E024", "death is 1, so death_date", ("patients.csv", 2, "death_date", "SYN-01"),
         patients=cell(0, "death_date", "")),
    case(19, "E025", "death is 0, so death_date", ("patients.csv", 2, "death_date", "SYN-01"),
         patients=cell(0, "death", "0")),
    case(20, "E026", "differs from last_contact_date 2021-03-16", ("patients.csv", 5, "death_date", "SYN-04"),
         patients=cell(3, "death_date", "2021-03-10")),
    case(20, "W026", "the day of death is taken", ("patients.csv", 5, "death_date", "SYN-04"),
         patients=cell(3, "last_contact_date", "2021-03-15")),
    case(21, "E027", "is 1, so", ("patients.csv", 3, "local_progression_date", "SYN-02"),
         patients=cell(1, "local_progression", "1")),
    case(21, "E027", "is 0, so", ("patients.csv", 4, "local_progression_date", "SYN-03"),
         patients=cell(2, "local_progression", "0")),
    case(22, "E028 E029", "after death or last contact 2021-06-28",
         ("patients.csv", 4, "local_progression_date", "SYN-03"),
         patients=cell(2, "local_progression_date", "2021-07-01")),
    case(22, "E028", "after death or last contact", ("patients.csv", 4, "distant_progression_date", "SYN-03"),
         patients=both(add(distant_progression_date=""), cell(2, "distant_progression_date", "2021-07-01"))),
    case(23, "E029", "not the date of an assessment",
         ("patients.csv", 4, "local_progression_date", "SYN-03", "2021-02-14"),
         patients=cell(2, "local_progression_date", "2021-02-14")),
    case(24, "E030", "rule says SD on 2020-09-01", ("patients.csv", 3, "local_progression_date", "SYN-02"),
         patients=cell(1, ["local_progression", "local_progression_date"], ["1", "2020-09-01"])),
    case(24, "E030", "the rule says PD already on 2020-09-01", ("patients.csv", 3, "local_progression_date", "SYN-02"),
         patients=cell(1, ["local_progression", "local_progression_date"], ["1", "2021-03-02"]),
         measurements=cell(3, "longest_mm", "49.2")),
    case(25, "E031", "rule says PD on 2021-02-13", ("patients.csv", 4, "local_progression_date", "SYN-03"),
         patients=cell(2, ["local_progression", "local_progression_date"], ["0", ""])),
    case(26, "E032", "before time_zero", ("patients.csv", 3), patients=cell(1, "last_tumour_assessment", "2020-03-01")),
    case(26, "E032", "after last_contact_date", ("patients.csv", 3),
         patients=cell(1, "last_tumour_assessment", "2022-03-01")),
    case(27, "W033", "contributes no time", ("patients.csv", 8, "last_contact_date", "SYN-07"), **NO_FOLLOW_UP),
    case(28, "E040", "no such lesion", ("measurements.csv", 24, "lesion_id"), measurements=again(0,
         lesion_id="SYN-99-1")),
    case(28, "E040", "no such patient", ("markers.csv", 20, "patient_id", "SYN-99"), markers=again(0,
         patient_id="SYN-99")),
    case(29, "E041", "no measurement at baseline", ("patients.csv", 3, "patient_id", "SYN-02"), measurements=drop(2)),
    case(29, "E041", "without a diameter at baseline", ("measurements.csv", 4, "longest_mm", "SYN-02"),
         measurements=cell(2, ["longest_mm", "short_mm", "third_mm"], "")),
    case(30, "E042", "no target lesion", ("patients.csv", 3, "patient_id", "SYN-02"), lesions=cell(1, "target", "0")),
    case(31, "E043", "larger than longest_mm 41", ("measurements.csv", 4, "short_mm", "SYN-02", "45.0"),
         measurements=cell(2, "short_mm", "45.0")),
    case(31, "E043", "larger than short_mm 30", ("measurements.csv", 4, "third_mm", "SYN-02"),
         measurements=cell(2, "third_mm", "31.0")),
    *(case(32, "E044", "from 0 to 500 mm", ("measurements.csv", 5, "longest_mm", "SYN-02", value),
           measurements=cell(3, "longest_mm", value)) for value in ("-3", "2500")),
    case(32, "E044", "0 needs too_small 1", ("measurements.csv", 6, "longest_mm", "SYN-02"),
         measurements=cell(4, ["longest_mm", "short_mm", "third_mm"], "0")),
    case(32, "E044", "the diameter must be 5", ("measurements.csv", 6, "longest_mm", "SYN-02", "7"),
         measurements=cell(4, ["longest_mm", "short_mm", "third_mm", "too_small", "status"], ["7", "5", "5", "1", ""])),
    case(32, "E044", "so the diameter must be 0", ("measurements.csv", 6, "longest_mm"),
         measurements=cell(4, "status", "absent")),
    case(32, "W045", "10-fold jump: 30 mm at the visit before", ("measurements.csv", 6, "longest_mm", "SYN-02", "3.0"),
         measurements=cell(4, ["longest_mm", "short_mm", "third_mm"], ["3.0", "2.2", "1.8"])),
    *(case(33 if "," in value or "<" in value else 34, "E046", "must be a number from 0 to 500 mm",
           ("measurements.csv", 5, "longest_mm", "SYN-02", value), measurements=cell(3, "longest_mm", value))
      for value in ("31,4", "<5", "NaN", "inf", "1e999")),
    case(35, "E047", "same lesion and date as in row 4", ("measurements.csv", 24, "assessment_date", "SYN-02"),
         measurements=again(2)),
    case(36, "W048", "not a visit of the schedule", ("measurements.csv", 5, "visit", "SYN-02", "7"),
         measurements=cell(3, "visit", "7")),
    case(36, "W048", "30 days from the visit's date; the window is -12 to +24",
         ("measurements.csv", 5, "assessment_date"),
         measurements=cell(3, "assessment_date", "2020-10-01")),
    case(37, "E049", "from a short axis of 15 mm", ("measurements.csv", 7, "short_mm", "SYN-03", "14.9"),
         measurements=cell(5, ["short_mm", "third_mm"], ["14.9", "12.0"])),
    case(38, "", **new_lesion("SYN-03", 7)),  # progression is recorded on that day
    case(38, "E031 W050", "rule says PD on 2021-03-02", ("patients.csv", 3), **new_lesion("SYN-02", 4)),
    case(38, "W055", "no new lesion is measured on 2020-09-01", ("assessments.csv", 5, "new_lesion", "SYN-02", "1"),
         assessments=both(add(new_lesion="0"), cell(3, "new_lesion", "1"))),
    case(39, "E051", "after death on 2021-03-16", ("measurements.csv", 24, "assessment_date", "SYN-04", "2021-05-20"),
         measurements=again(12, assessment_date="2021-05-20", visit="12")),
    case(39, "E051", "after the last contact on 2021-10-23", ("markers.csv", 20, "sample_date", "SYN-02"),
         markers=again(4, sample_date="2021-10-24")),
    case(40, "W052", "target 3 of the site", ("lesions.csv", 11, "target", "SYN-02"), **more_targets("bone", "bone")),
    case(40, "W052", "target 6 of the patient", ("lesions.csv", 14, "target", "SYN-02"),
         **more_targets("lung", "lung", "other", "other", "thyroid_bed")),
    case(41, "E053", "target SYN-03-2 has no row at visit 6", ("measurements.csv", 8, "lesion_id", "SYN-03"),
         measurements=drop(9)),
    case(41, "W054", "not evaluable (NE)", ("measurements.csv", 11, "longest_mm", "SYN-03"),
         measurements=cell(9, ["longest_mm", "short_mm", "third_mm"], "")),
    case(42, "E060", "must be above 0", ("markers.csv", 6, "value", "SYN-02", "0"), markers=cell(4, "value", "0")),
    case(42, "E060", "must be above 0", ("markers.csv", 6, "value", "SYN-02", "-5"), markers=cell(4, "value", "-5")),
    case(42, "E060", "limit must be given", ("markers.csv", 6, "limit", "SYN-02"), markers=cell(4, "below_limit", "1")),
    case(42, "", markers=cell(4, ["value", "below_limit", "limit"], ["0", "1", "0.2"])),
    case(42, "", markers=both(add(above_limit="0"), cell(4, ["value", "above_limit"], ["500", "1"]))),
    case(42, "E060", "must be the upper limit of the assay", ("markers.csv", 6, "value", "SYN-02"),
         markers=both(add(above_limit="0"), cell(4, ["value", "above_limit"], ["", "1"]))),
    case(42, "E060", "below the lower limit or above the upper one", ("markers.csv", 6, "above_limit", "SYN-02", "1"),
         markers=both(add(above_limit="0"), cell(4, ["below_limit", "limit", "above_limit"], ["1", "0.2", "1"]))),
    case(44, "", markers=both(add(positive="", above_limit="0"), cell(5, ["value", "below_limit", "limit", "positive", "above_limit"], ["40", "0", "", "1", "1"]))),
    case(43, "W061", "without a baseline sample", ("markers.csv", 5, "visit", "SYN-02"), markers=drop(3)),
    case(43, "W046", "counts as not measured", ("markers.csv", 6, "value", "SYN-02"), markers=cell(4, "value", "")),
    case(44, "W062", "contradicts the value 10: positive is above 40", ("markers.csv", 7, "positive", "SYN-02", "1"),
         markers=both(add(positive=""), cell(5, ["value", "below_limit", "limit", "positive"], ["10", "0", "", "1"]))),
    case(45, "W063", "not comparable", ("markers.csv", 6, "state", "SYN-02", "stimulated"),
         markers=cell(4, "state", "stimulated")),
    case(46, "", markers=cell(4, "unit", "ug/L")),
    case(46, "E064", "accepted are ng/mL, ug/L, µg/L", ("markers.csv", 6, "unit", "SYN-02", "pg/mL"),
         markers=cell(4, "unit", "pg/mL")),
    *(case(47, "E070", "from 1 to 5", ("adverse_events.csv", 3, "grade", "SYN-02", value),
         adverse_events=cell(1, "grade", value))
      for value in ("0", "6", "2-3")),
    case(48, "E071", "has no death_date", ("adverse_events.csv", 3, "grade", "SYN-02"),
         adverse_events=cell(1, "grade", "5")),
    case(48, "E071", "ends with the death on 2021-02-13", ("adverse_events.csv", 2, "end_date", "SYN-01"),
         adverse_events=cell(0, "grade", "5")),
    case(49, "W072", "before time_zero 2020-03-02", ("adverse_events.csv", 3, "onset_date", "SYN-02"),
         adverse_events=cell(1, "onset_date", "2020-02-27")),
    case(49, "W072", "outside every risk window", ("adverse_events.csv", 3, "onset_date", "SYN-02"),
         adverse_events=LATE_EVENT),
    case(50, "E073", "before onset_date 2020-04-01", ("adverse_events.csv", 3, "end_date"),
         adverse_events=cell(1, "end_date", "2020-03-30")),
    case(50, "W073", "the event counts, and its end is taken as it is", ("adverse_events.csv", 3, "end_date"),
         adverse_events=cell(1, "end_date", "2022-03-30")),
    case(51, "E074", "nearest: Fatigue", ("adverse_events.csv", 3, "term", "SYN-02", "Fatige"),
         adverse_events=cell(1, "term", "Fatige")),
    case(51, "E074", "Hypertension stands under Vascular disorders", ("adverse_events.csv", 3, "system"),
         adverse_events=cell(1, "term", "Hypertension")),
    case(52, "W075", "duplicate", ("adverse_events.csv", 8, "term", "SYN-02"), adverse_events=again(1)),
    case(53, "E080", "arm A with seeds; seeds belongs to B, C", ("patients.csv", 2, "arm", "SYN-01"),
         treatments=SEEDS_FOR_A),
    case(53, "E080", "arm B with anlotinib", ("patients.csv", 4, "arm", "SYN-03"), treatments=DRUG_FOR_B),
    case(53, "E080", "arm C without anlotinib", ("patients.csv", 6, "arm", "SYN-05"), treatments=drop(4)),
    case(53, "E080", "nearest: anlotinib", ("treatments.csv", 10, "component"), treatments=again(0,
         component="anlotinip")),
    case(53, "", treatments=again(0, component="lenvatinib", line="2")),
    case(54, "E081", "before time_zero 2020-03-02", ("treatments.csv", 3, "start_date", "SYN-02"),
         treatments=cell(1, "start_date", "2020-02-25")),
    case(54, "E081", "not the start of the first component, 2020-03-05", ("patients.csv", 3, "time_zero", "SYN-02"),
         treatments=cell(1, "start_date", "2020-03-05")),
    case(55, "E082", "allowed are 12, 10, 8 mg", ("treatments.csv", 3, "start_dose", "SYN-02", "15"),
         treatments=cell(1, "start_dose", "15")),
    case(55, "E082", "above start_dose 10", ("treatments.csv", 3, "lowest_dose", "SYN-02", "12"),
         treatments=cell(1, ["start_dose", "lowest_dose"], ["10", "12"])),
    case(56, "E083", "from 1 to 400", ("treatments.csv", 4, "n_seeds", "SYN-03", "0"),
         treatments=cell(2, "n_seeds", "0")),
    case(56, "E083", "a whole number", ("treatments.csv", 4, "n_seeds", "SYN-03", "12.5"),
         treatments=cell(2, "n_seeds", "12.5")),
    case(56, "E083", "from 40 to 300", ("treatments.csv", 4, "d90_gy", "SYN-03", "1120"),
         treatments=cell(2, "d90_gy", "1120")),
    case(57, "E040", "no such lesion", ("treatments.csv", 4, "lesion_id", "SYN-03"),
         treatments=cell(2, "lesion_id", "SYN-99-1")),
    case(57, "E040", "another patient, SYN-02", ("treatments.csv", 4, "lesion_id", "SYN-03"),
         treatments=cell(2, "lesion_id", "SYN-02-1")),
    case(58, "E084", "after the last contact 2021-10-23", ("treatments.csv", 3, "end_date", "SYN-02"),
         treatments=cell(1, "end_date", "2021-12-01")),
    case(59, "", **NO_EVENT_IN_A),
    case(60, "", **without("SYN-02")),
    case(60, "", markers=cell([0, 1, 3, 4], "value", "100")),
    *(case(61, "E090", "must not begin like a formula", ("measurements.csv", 2, "modality", "SYN-01"),
           measurements=cell(0, "modality", value))
      for value in ("=cmd|'/c calc'!A0", "@SUM(1)", "+1+1", " =1", "＝1", "<script>alert(1)</script>", "<img src=x>")),
    case(62, "E091", "synthetic: false, but 6 ids begin with SYN-", ("patients.csv", 2),
         study=replaced("synthetic: true", "synthetic: false")),
    case(62, "E091", "synthetic: true, but 6 ids do not begin", ("patients.csv", 2),
         **dict.fromkeys(good_tables(), lambda frame: frame.apply(lambda c: c.str.replace("SYN-", "PAT-")))),
    case(64, "E090", "nothing in a table is run", ("adverse_events.csv", 3, "term"),
         adverse_events=cell(1, "term", '=HYPERLINK("http://x.y","z")')),
    case(67, "E104", "not readable as .csv: the file has 0 bytes", ("patients.csv",), patients=b""),
    case(67, "E104", "a binary file", ("patients.csv",), patients=b"\x00\x01\x02,\x03\n"),
    case(67, "E104", "an Excel workbook or a zip archive", ("patients.csv",), patients=b"PK\x03\x04" + b"x" * 40),
    case(67, "E104", "never closed", ("patients.csv",), patients=b'patient_id,arm\n"SYN-01,A\n'),
    case(67, "E104", "1 fields where the header has 2", ("patients.csv", 3),
         patients=b"patient_id,arm\nSYN-01,A\nSYN-02\n"),
    case(6, "W006", "delimiter: a semicolon", ("patients.csv",), patients=written(";", "utf-8")),
    case(6, "W006", "encoding: UTF-16", ("patients.csv",), patients=written(",", "utf-16")),
    case(6, "W006", "encoding: UTF-16-LE (no byte-order mark)", ("patients.csv",), patients=written(",", "utf-16-le")),
    case(6, "E006", "begins as UTF-16", ("patients.csv",), patients=b"\xff\xfea,b\n1"),
    case(6, "E006", "byte 0xfc), and the rest is: it is damaged", ("patients.csv", 2),
         patients="patient_id,arm\nSYN-\0,größe größe größe größe größe größe größe\n".encode().replace(b"\0", b"\xfc")),
    case(6, "E006", "byte 0x81), and none of those that are known", ("patients.csv", 2),
         patients=b"patient_id,arm\nSYN-\x81\xff\x8d\x90,A\n"),
    case(6, "", patients=lambda frame: frame.rename(columns={"patient_id": "\ufeffpatient_id"})),
    *(case(69, "W106", "looks like personal data: not read", ("patients.csv", 1, name), patients=add(**{name: "x"}))
      for name in ("PatientName", "date_of_birth", "Tel.", "hospital number", "Geburtsdatum", "住院号")),
    *(case(70, "E107 E040", "one line of at most 200 characters", ("patients.csv", 2, "patient_id"),
         patients=cell(0, "patient_id", value))
      for value in (LONG, TWO_LINES, BACKWARDS, CONTROL)),
    case(70, "E107", "", ("adverse_events.csv", 3, "term"), adverse_events=cell(1, "term", LONG)),
    case(70, "E107", "signs that no font of the reports draws", ("adverse_events.csv", 3, "term"), adverse_events=cell(1, "term", "Rash \U0001fa7a")),
]  # fmt: skip
