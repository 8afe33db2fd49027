"""Data sets of ADaM and SDTM, made as the CDISC pilot and the pharmaverse make them: what comes of them, and what is asked."""

import datetime as dt
import json
from dataclasses import dataclass, field

import pandas as pd
import pyreadstat
import pytest

from lib.intake.new_study.folder import write_new_study
from lib.intake.new_study.reading import proposed, read_sheets
from lib.intake.tables import read_tables
from lib.statistics.survival.kaplan_meier import estimate_median
from lib.statistics.survival.logrank import compare_logrank
from lib.study.study import read_study
from lib.study.yaml_file import ProblemsFound

N, FAILED = 18, 2  # patients, and of them screen failures
ARMS = ("Placebo", "Xanomeline High Dose", "Xanomeline Low Dose")
TREATED = range(N - FAILED)
LABELS = {
    "USUBJID": "Unique Subject Identifier", "TRT01P": "Planned Treatment for Period 01", "AGE": "Age", "SEX": "Sex",
    "SAFFL": "Safety Population Flag", "BMIBL": "Baseline BMI (kg/m^2)", "ARM": "Description of Planned Arm",
}  # fmt: skip


def _id(i):
    return f"CDISC01-701-{1015 + i}"


def _day(i, after=0):
    return (dt.date(2014, 1, 1) + dt.timedelta(days=9 * i + after)).isoformat()


def _lasted(i):
    return 40 + (37 * i) % 200


def _censored(i):
    return i % 4 == 1


def _rows(of, patients=range(N), **columns):
    """A data set: each column is a value, or a function of the patient's number."""
    return pd.DataFrame([{"STUDYID": "CDISC01", "USUBJID": _id(i)} | {c: v(i) if callable(v) else v for c, v in columns.items()} for i in of if i in patients])


def _arm(i, failure="Screen Failure"):
    return ARMS[i % 3] if i in TREATED else failure


def adsl(**other):
    usual = {
        "SUBJID": lambda i: str(1015 + i), "SITEID": "701", "ARM": _arm, "TRT01P": _arm, "TRT01PN": lambda i: i % 3, "TRT01A": _arm,
        "TRTSDT": lambda i: _day(i) if i in TREATED else "", "AGE": lambda i: 60 + i, "AGEU": "YEARS", "SEX": lambda i: "FM"[i % 2],
        "SAFFL": lambda i: "Y" if i in TREATED else "N", "ITTFL": lambda i: "Y" if i in TREATED else "N", "BMIBL": lambda i: 20.5 + i / 10,
        "CUMDOSE": lambda i: 54 * i, "DCDECOD": lambda i: "COMPLETED" if i % 2 else "ADVERSE EVENT", "TRTDURD": lambda i: 3 * i,
    }  # fmt: skip
    return _rows(range(N), **{c: v for c, v in (usual | other).items() if v is not None})


def adtte(code="OS", of=TREATED, **other):
    usual = {
        "PARAMCD": code, "PARAM": "Overall Survival", "AVAL": _lasted, "CNSR": lambda i: int(_censored(i)),
        "STARTDT": _day, "ADT": lambda i: _day(i, _lasted(i) - 1), "EVNTDESC": lambda i: "DEATH", "SRCDOM": "ADSL",
    }  # fmt: skip
    return _rows(of, **{c: v for c, v in (usual | other).items() if v is not None})


def adae(**other):
    usual = {
        "AETERM": "itching", "AEDECOD": lambda i: ("PRURITUS", "RASH")[i % 2], "AEBODSYS": "SKIN AND SUBCUTANEOUS TISSUE DISORDERS",
        "AESEV": lambda i: ("MILD", "MODERATE", "SEVERE")[i % 3], "AESER": "N", "AEREL": lambda i: ("NONE", "POSSIBLE")[i % 2],
        "AEOUT": "NOT RECOVERED/NOT RESOLVED", "AEACN": "DOSE NOT CHANGED", "ASTDT": lambda i: _day(i, 3), "AENDT": lambda i: _day(i, 8), "TRTEMFL": "Y",
    }  # fmt: skip
    return _rows(TREATED, **{c: v for c, v in (usual | other).items() if v is not None})


def adlb(week="Week {}", code="ALT", param="Alanine Aminotransferase (U/L)"):
    at = {0: "Baseline", 8: week.format(8), 26: week.format(26)}
    return pd.concat([
        _rows(TREATED, PARAMCD=code, PARAM=param, AVAL=lambda i, w=w: 20 + i + w, A1LO=5, A1HI=40, AVISIT=name, AVISITN=w,
              ADT=lambda i, w=w: _day(i, 7 * w), ABLFL="Y" if w == 0 else "") for w, name in at.items()
    ])  # fmt: skip


def dm(**other):
    usual = {
        "DOMAIN": "DM", "SUBJID": lambda i: str(1015 + i), "RFSTDTC": lambda i: f"{_day(i)}T09:00" if i in TREATED else "", "RFPENDTC": "", "BRTHDTC": "1950-01",
        "DTHFL": lambda i: "Y" if i in TREATED and not _censored(i) else "", "DTHDTC": lambda i: _day(i, _lasted(i)) if i in TREATED and not _censored(i) else "",
        "AGE": lambda i: 60 + i, "AGEU": "YEARS", "SEX": lambda i: "FM"[i % 2], "ARMCD": lambda i: _arm(i, "Scrnfail")[-8:].strip(), "ARM": _arm, "ACTARM": _arm,
    }  # fmt: skip
    return _rows(range(N), **{c: v for c, v in (usual | other).items() if v is not None})


def ds(**other):
    usual = {"DOMAIN": "DS", "DSTERM": "x", "DSDECOD": lambda i: "COMPLETED" if _censored(i) else "DEATH", "DSCAT": "DISPOSITION EVENT", "DSSTDTC": lambda i: _day(i, _lasted(i))}
    return _rows(TREATED, **usual | other)


def ae(**other):
    usual = {
        "DOMAIN": "AE", "AETERM": "itching", "AEDECOD": lambda i: ("Pruritus", "Rash")[i % 2], "AEBODSYS": "Skin", "AETOXGR": lambda i: str(1 + i % 4),
        "AEREL": lambda i: "NY"[i % 2], "AESER": "N", "AEOUT": "RECOVERED/RESOLVED", "AESTDTC": lambda i: _day(i, 3), "AEENDTC": lambda i: _day(i, 8)[: 7 if i % 6 == 0 else 10],
    }  # fmt: skip
    return _rows(TREATED, **usual | other)


def ex(**other):
    usual = {"DOMAIN": "EX", "EXTRT": lambda i: _arm(i).upper(), "EXDOSU": "mg"}
    return pd.concat([
        _rows(TREATED, **usual | {"EXDOSE": 54 - 27 * k, "EXSTDTC": lambda i, k=k: _day(i, 10 * k), "EXENDTC": lambda i, k=k: _day(i, 10 * k + 9)} | other)
        for k in (0, 1)
    ])  # fmt: skip


def lb(**other):
    usual = {"DOMAIN": "LB", "LBTESTCD": "PSA", "LBTEST": "Prostate Specific Antigen", "LBSTRESU": "ug/L", "LBSTNRLO": 0, "LBSTNRHI": 4, "VISIT": "BASELINE", "VISITNUM": 1,
             "LBSTRESN": lambda i: "" if i < 3 else i + 0.5, "LBSTRESC": lambda i: "<0.1" if i < 3 else str(i + 0.5), "LBDTC": lambda i: f"{_day(i)}T08:15"}  # fmt: skip
    return _rows(TREATED, **usual | other)


def rs(**other):
    usual = {"DOMAIN": "RS", "RSTESTCD": "OVRLRESP", "RSSTRESC": lambda i: ("CR", "PR", "SD", "PD", "NE")[i % 5], "VISIT": "WEEK 4", "RSDTC": lambda i: _day(i, 28)}
    return _rows(TREATED, **usual | other)


def written(folder, frames, form):
    """The data sets as files of one format."""
    folder.mkdir(exist_ok=True)
    for name, frame in frames.items():
        if form == "xpt":
            dated = {c: pd.to_datetime(frame[c].replace("", None)).dt.date for c in frame if c.endswith("DT")}
            labels = [LABELS.get(c, c) for c in frame]
            pyreadstat.write_xport(frame.assign(**dated), folder / f"{name}.xpt", column_labels=labels, table_name=name.upper())
        elif form == "json":
            columns = [{"itemOID": f"IT.{c}", "name": c, "label": LABELS.get(c, c), "dataType": "string"} for c in frame]
            rows = [[None if cell == "" else str(cell) for cell in row] for row in frame.to_numpy().tolist()]
            content = {"datasetJSONVersion": "1.1.0", "name": name.upper(), "label": name, "records": len(rows), "columns": columns, "rows": rows}
            (folder / f"{name}.json").write_text(json.dumps(content))
        else:
            frame.to_csv(folder / f"{name}.csv", index=False)
    return [folder]


@dataclass(frozen=True)
class Case:
    """Data sets, and what must come of them: what is not named is not compared."""

    frames: dict
    form: str = "csv"
    answers: dict = field(default_factory=dict)
    asked: tuple = ()
    endpoints: tuple | None = None  # short name, unit, number of events
    labels: tuple | None = None  # of endpoints
    arms: tuple | None = None  # patients of each who are analysed
    baseline: tuple | None = None
    tables: dict = field(default_factory=dict)  # table -> rows
    said: tuple = ()
    unsaid: tuple = ()
    excluded: dict | None = None
    refused: str = ""


ADAM = {"adsl": adsl(), "adtte": adtte()}
SDTM = {"dm": dm(), "ds": ds()}
OS, SIXTEEN = (("OS", "days", 12),), (6, 5, 5)
PARTLY = lambda i: _day(i, 3)[: {2: 7, 3: 4}.get(i, 10)]  # noqa: E731

CASES = {
    "ADSL and ADTTE as .xpt": Case(ADAM, "xpt", endpoints=OS, arms=SIXTEEN, baseline=("Age", "Sex", "Baseline BMI"), excluded={"Screen failure": 2}),
    "ADSL and ADTTE as .csv": Case(ADAM, endpoints=OS, arms=SIXTEEN, excluded={"Screen failure": 2}),
    "ADSL and ADTTE as Dataset-JSON": Case(ADAM, "json", endpoints=OS, arms=SIXTEEN, baseline=("Age", "Sex", "Baseline BMI")),
    "names in small letters": Case({n: f.rename(columns=str.lower) for n, f in ADAM.items()}, endpoints=OS, arms=SIXTEEN),
    "any name of the file": Case({"x1": ADAM["adtte"], "x2": ADAM["adsl"]}, endpoints=OS, arms=SIXTEEN),
    "ADTTE alone": Case(
        {"adtte": adtte(TRTP=_arm, TRTA=_arm, AGE=lambda i: 60 + i)}, endpoints=OS, arms=SIXTEEN, said=("There is no ADSL",)
    ),
    "several PARAMCD, in the order of PARAMN": Case(
        {"adsl": adsl(), "adtte": pd.concat([adtte("PFS", PARAMN=2, PARAM="Progression-Free Survival"), adtte(PARAMN=1), adtte("TTDE", range(9), PARAMN=3)])},
        endpoints=(*OS, ("PFS", "days", 12), ("TTDE", "days", 7)),
    ),
    "the unit in AVALU": Case({"adsl": adsl(), "adtte": adtte(AVALU="MONTHS", STARTDT=None, ADT=None)}, endpoints=(("OS", "months", 12),)),
    "the unit in PARAM": Case({"adsl": adsl(), "adtte": adtte(PARAM="Time to Death (weeks)", STARTDT=None, ADT=None)}, endpoints=(("OS", "weeks", 12),)),
    "the unit by the dates": Case({"adsl": adsl(), "adtte": adtte(AVAL=lambda i: round(_lasted(i) / 30.4375, 2))}, endpoints=(("OS", "months", 12),)),
    "the unit is asked": Case({"adsl": adsl(), "adtte": adtte(STARTDT=None, ADT=None)}, endpoints=(), asked=("unit of time",)),
    "the unit answered": Case({"adsl": adsl(), "adtte": adtte(STARTDT=None, ADT=None)}, answers={"unit of time": "weeks"}, endpoints=(("OS", "weeks", 12),)),
    "no AVAL: days by the dates": Case({"adsl": adsl(), "adtte": adtte(AVAL=None)}, endpoints=OS, said=("OS has no AVAL",)),
    "CNSR above 1 is censored": Case({"adsl": adsl(), "adtte": adtte(CNSR=lambda i: i % 3)}, endpoints=(("OS", "days", 6),)),
    "nobody is censored": Case({"adsl": adsl(), "adtte": adtte(CNSR=0)}, endpoints=(("OS", "days", 16),)),
    "no CNSR is 0": Case({"adsl": adsl(), "adtte": adtte(CNSR=1)}, asked=("CNSR_OS = 1",), endpoints=()),
    "two PARAMCD of one PARAM": Case({"adsl": adsl(), "adtte": pd.concat([adtte("OSA"), adtte("OSB")])}, endpoints=(("OSA", "days", 12), ("OSB", "days", 12)), labels=("Overall Survival", "Overall Survival (AVAL_OSB)")),
    "nobody has the event": Case({"adsl": adsl(), "adtte": adtte(CNSR=1)}, answers={"CNSR_OS = 1": "censored"}, endpoints=(("OS", "days", 0),)),
    "CNSR that is none": Case({"adsl": adsl(), "adtte": adtte(CNSR=lambda i: "NY"[i % 2])}, asked=("event of CNSR_OS",), endpoints=()),
    "a patient of ADSL twice": Case({"adsl": pd.concat([adsl(), adsl().head(1)]), "adtte": adtte()}, refused="one row per patient"),
    "other ids in ADTTE": Case({"adsl": adsl(), "adtte": adtte().assign(USUBJID=lambda f: f["USUBJID"].str[-4:])}, refused="no patient of it is in adsl"),
    "nobody but screen failures": Case({"dm": dm(ARM="Screen Failure", ACTARM="Screen Failure")}, refused="none of 18 patients has an arm"),
    "ANL01FL says which row": Case({"adsl": adsl(), "adtte": pd.concat([adtte(ANL01FL="Y"), adtte(ANL01FL="", CNSR=1)])}, endpoints=OS),
    "two rows of a PARAMCD": Case({"adsl": adsl(), "adtte": pd.concat([adtte(), adtte(CNSR=1)])}, refused="several rows of one PARAMCD"),
    "ADTTE of others": Case({"adsl": adsl().head(10), "adtte": adtte()}, endpoints=(("OS", "days", 7),), said=("6 patients of ADTTE are not in adsl",)),
    "the arms differ": Case({"adsl": adsl(TRT01A=lambda i: ARMS[2] if i == 0 else _arm(i)), "adtte": adtte()}, asked=("arm",)),
    "as treated": Case(
        {"adsl": adsl(TRT01A=lambda i: ARMS[2] if i == 0 else _arm(i)), "adtte": adtte()}, answers={"arm": "TRT01A"}, arms=(5, 5, 6), baseline=("AGE", "SEX", "BMIBL")
    ),
    "a population is asked": Case({"adsl": adsl(SAFFL=lambda i: "Y" if i < 12 else "N"), "adtte": adtte()}, asked=("population",)),
    "the safety population": Case(
        {"adsl": adsl(SAFFL=lambda i: "Y" if i < 12 else ""), "adtte": adtte()}, answers={"population": "SAFFL"}, arms=(4, 4, 4),
        endpoints=(("OS", "days", 9),), excluded={"Not in the safety population (SAFFL)": 4, "Screen failure": 2},
    ),
    "everybody": Case({"adsl": adsl(SAFFL=lambda i: "Y" if i < 12 else ""), "adtte": adtte()}, answers={"population": "everybody"}, arms=SIXTEEN),
    "no arm but a reason": Case(
        {"adsl": adsl(ARM=lambda i: _arm(i, ""), TRT01P=None, TRT01A=None, ARMNRS=lambda i: "" if i in TREATED else "SCREEN FAILURE"), "adtte": adtte()},
        arms=SIXTEEN, excluded={"Screen failure": 2},
    ),
    "not assigned": Case({"adsl": adsl(ARM=None, TRT01P=lambda i: _arm(i, "Not Assigned"), TRT01A=None), "adtte": adtte()}, arms=SIXTEEN, excluded={"No arm assigned": 2}),
    "randomised on another day": Case(
        {"adsl": adsl(RANDDT=lambda i: _day(i, -3) if i in TREATED else ""), "adtte": adtte()}, said=("Time zero is TRTSDT, from which ADTTE counts.",)
    ),
    "time zero is asked": Case(
        {"adsl": adsl(RANDDT=lambda i: _day(i, -3) if i in TREATED else ""), "adtte": adtte(STARTDT=None, AVALU="DAYS")}, asked=("time zero",)
    ),
    "adverse events of ADAE": Case(ADAM | {"adae": adae()}, tables={"adverse_events": 16}, said=("whose AEREL is POSSIBLE",)),
    "events before treatment": Case(ADAM | {"adae": adae(TRTEMFL=lambda i: "Y" if i else "")}, asked=("adverse events",)),
    "emergent events": Case(ADAM | {"adae": adae(TRTEMFL=lambda i: "Y" if i else "")}, answers={"adverse events": "emergent"}, tables={"adverse_events": 15}),
    "a relation between yes and no": Case(ADAM | {"adae": adae(AEREL=lambda i: ("NONE", "REMOTE")[i % 2])}, asked=("AEREL = REMOTE",)),
    "no severity": Case(ADAM | {"adae": adae(AESEV=None)}, tables={"adverse_events": None}, said=("neither AETOXGR nor AESEV",)),
    "visits in weeks": Case(ADAM | {"adlbc": adlb()}, tables={"markers": 48}),
    "laboratory in two files": Case(ADAM | {"adlbc": adlb(), "adlbh": adlb(code="HGB", param="Haemoglobin (g/L)")}, tables={"markers": 96}),
    "visits in cycles": Case(ADAM | {"adlb": adlb("Cycle {}")}, tables={"markers": 16}, said=("32 of 48 rows of adlb are left out",)),
    "days of a cycle are no visit": Case(SDTM | {"rs": rs(VISIT="CYCLE 3 DAY 1")}, tables={"assessments": None}),
    "treatments without a day": Case(SDTM | {"ex": ex(EXSTDTC=lambda i: "2014-01")}, tables={"treatments": None}, said=("32 rows of EX without a day",)),
    "randomised in DS": Case(
        {"dm": dm(), "ds": pd.concat([ds(), ds(DSDECOD="RANDOMIZED", DSSTDTC=lambda i: _day(i, -1))])}, asked=("time zero",), endpoints=()
    ),
    "responses of ADRS": Case(
        ADAM | {"adrs": pd.concat([_rows(TREATED, PARAMCD=c, AVALC="PR", AVISIT="Week 4", ADT=lambda i: _day(i, 28)) for c in ("OVR", "BOR")])},
        tables={"assessments": 16},
    ),
    "DM and DS": Case(SDTM, endpoints=(("OS", "", 12),), arms=SIXTEEN, baseline=("Age", "Sex"), excluded={"Screen failure": 2}),
    "DM and DS as Dataset-JSON": Case(SDTM, "json", endpoints=(("OS", "", 12),), arms=SIXTEEN),
    "deaths of DS alone": Case({"dm": dm(DTHFL=None, DTHDTC=None), "ds": ds()}, endpoints=(("OS", "", 12),)),
    "lost is not seen": Case(
        {"dm": dm(RFPENDTC=lambda i: _day(i, 20)), "ds": ds(DSDECOD=lambda i: "LOST TO FOLLOW-UP" if _censored(i) else "DEATH")}, endpoints=(("OS", "", 12),)
    ),
    "a death without a day": Case(
        {"dm": dm(DTHDTC=lambda i: "2014-06" if i == 0 else _day(i, _lasted(i)) if i in TREATED and not _censored(i) else ""), "ds": ds(DSDECOD="COMPLETED")},
        said=("DTHDTC: 1 dates without a day, such as 2014-06, are empty.", "1 patients died on a day that is not known."),
    ),
    "no survival": Case({"dm": dm(DTHFL=None, DTHDTC=None)}, endpoints=(), said=("no survival",)),
    "time zero is open": Case({"dm": dm(), "ds": pd.concat([ds(), ds(DSDECOD="RANDOMIZED", DSSTDTC=lambda i: _day(i, -2))])}, asked=("time zero",), unsaid=("no survival",)),
    "no death": Case({"dm": dm(DTHFL="", DTHDTC=""), "ds": ds(DSDECOD="COMPLETED"), "ae": ae()}, endpoints=(), said=("no survival",)),
    "failures in French": Case({"adsl": adsl(TRT01A=None, ARM=None, TRT01P=lambda i: _arm(i, "Échec de sélection")), "adtte": adtte()}, endpoints=OS, arms=(6, 5, 5), excluded={"Screen failure": 2}),
    "adverse events of AE": Case(SDTM | {"ae": ae()}, tables={"adverse_events": 16}, said=("AEENDTC: 3 dates without a day",)),
    "an onset without a day": Case(SDTM | {"ae": ae(AESTDTC=PARTLY)}, asked=("incomplete onset",)),
    "left out": Case(SDTM | {"ae": ae(AESTDTC=PARTLY)}, answers={"incomplete onset": "leave out"}, tables={"adverse_events": 14}),
    "treatments of EX": Case(SDTM | {"ex": ex()}, tables={"treatments": 16}, said=("32 rows of EX are 16 treatments",)),
    "laboratory of LB": Case(SDTM | {"lb": lb()}, tables={"markers": 16}),
    "responses of RS": Case(SDTM | {"rs": rs()}, tables={"assessments": 16}),
    "two readers": Case(SDTM | {"rs": pd.concat([rs(RSEVAL="INVESTIGATOR"), rs(RSEVAL="INDEPENDENT ASSESSOR")])}, asked=("reader",)),
    "one reader": Case(
        SDTM | {"rs": pd.concat([rs(RSEVAL="INVESTIGATOR"), rs(RSEVAL="INDEPENDENT ASSESSOR")])}, answers={"reader": "INVESTIGATOR"}, tables={"assessments": 16}
    ),
    "lesions have no place": Case(SDTM | {"tu": _rows(TREATED, TUTESTCD="TUMIDENT", TULOC="LUNG")}, said=("TU is not read",)),
    "sheets that are none": Case(ADAM | {"advs": _rows(TREATED, PARAMCD="PULSE", AVAL=70)}, endpoints=OS, tables={"markers": None}),
}  # fmt: skip


def _events(endpoint, patients):
    frame = patients.analysed
    if "time" not in endpoint:
        return endpoint["short"], "", int((frame["death"] == "1").sum())
    time, event = patients.columns[endpoint["time"]["column"]], patients.columns[endpoint["event"]["column"]]
    happened = frame[event].eq(endpoint["event"]["event"]) & frame[time].notna()
    return endpoint["short"], endpoint["time"]["unit"], int(happened.sum())


def _made(case, folder):
    return proposed("x", read_sheets(written(folder / "in", case.frames, case.form)), case.answers)


@pytest.mark.parametrize("name", CASES)
def test_each_data_set_comes_to_its_tables_or_its_questions(tmp_path, name):
    case = CASES[name]
    if case.refused:
        with pytest.raises(ProblemsFound, match=case.refused):
            _made(case, tmp_path)
        return
    new = _made(case, tmp_path)
    study, patients = new.proposal.study, new.tables["patients"]
    assert set(new.proposal.questions.open) == set(case.asked)
    assert patients.frame["USUBJID"].iloc[0] == _id(0)  # with the study before it, as it is
    if case.endpoints is not None:
        assert tuple(_events(endpoint, patients) for endpoint in study["endpoints"]) == case.endpoints
    if case.labels is not None:
        assert tuple(endpoint["label"] for endpoint in study["endpoints"]) == case.labels
    if case.arms is not None:
        counts = patients.analysed[patients.columns["arm"]].value_counts()
        assert tuple(counts.get(arm["value"], 0) for arm in study["arms"]) == case.arms
    if case.baseline is not None:
        assert tuple(one["label"] for one in study["baseline"]) == tuple({"AGE": "Age", "SEX": "Sex"}.get(b, b) for b in case.baseline)
    if case.excluded is not None:
        assert patients.frame["excluded"].value_counts().to_dict() == case.excluded
    for table, rows in case.tables.items():
        assert len(new.tables[table].frame) == rows if rows else table not in new.tables
    for sentence in case.said:
        assert any(sentence in said for said in [*new.said, *new.proposal.missing]), [new.said, new.proposal.missing]
    for sentence in case.unsaid:
        assert not any(sentence in said for said in [*new.said, *new.proposal.missing]), [new.said, new.proposal.missing]


FULL = {
    "ADaM": Case(ADAM | {"adae": adae(), "adlbc": adlb()}, "xpt"),
    "SDTM": Case(SDTM | {"ae": ae(AESTDTC=PARTLY), "ex": ex(), "lb": lb(), "rs": rs()}, "csv", answers={"incomplete onset": "earliest"}),
}


@pytest.mark.parametrize("name", FULL)
def test_a_folder_of_data_sets_passes_the_check_and_gives_the_numbers_of_the_raw_data(tmp_path, name):
    """i <- 0:15; d <- data.frame(time=40+(37*i)%%200, event=as.integer(i%%4!=1), arm=i%%3); s <- survdiff(Surv(time,event)~arm,d);
    sum(d$event); s$chisq; summary(survfit(Surv(time,event)~arm,d))$table[,"median"] of R 4.2.2 and survival."""
    case = FULL[name]
    (tmp_path / "mine").mkdir()
    write_new_study(_made(case, tmp_path), tmp_path / "mine")
    study = read_study(tmp_path / "mine")
    tables = read_tables(study)
    assert not (tables.queries["severity"] == "error").any()
    patients = tables["patients"]
    patients = patients[patients["excluded"].isna()]
    endpoint = study.endpoints[0]
    if endpoint.derived:
        time = (patients["last_contact_date"] - patients["time_zero"]).dt.days.astype(float)
        event = patients["death"]
    else:
        time, event = patients[endpoint.time_column], patients[endpoint.event_column] == endpoint.event.event
    ours = pd.DataFrame({"arm": patients["arm"], "time": time, "event": event})
    test = compare_logrank(ours).iloc[0]
    assert test["n_events"] == 12
    assert test["chisq"] == pytest.approx(0.849629221309, rel=1e-9)
    codes = {arm.id: arm.code for arm in study.arms}
    assert {codes[str(row.group)]: row.median for row in estimate_median(ours).itertuples()} == dict(zip(ARMS, (117.5, 188, 136), strict=True))


def test_an_incomplete_onset_is_the_first_day_that_it_can_be(tmp_path):
    new = _made(Case(SDTM | {"ae": ae(AESTDTC=PARTLY)}, answers={"incomplete onset": "earliest"}), tmp_path)
    onset = new.tables["adverse_events"].frame.set_index("patient_id")["onset_date"]
    # 2014-01 is known of both: treatment began on the 19th of it; of 2014 alone, on the 28th of January
    assert (onset[_id(2)], onset[_id(3)], onset[_id(4)]) == (_day(2), _day(3), _day(4, 3))


def test_codes_of_the_standard_become_those_of_the_data_model(tmp_path):
    new = _made(Case(SDTM | {"ae": ae(AEACN="DRUG WITHDRAWN"), "lb": lb(), "ex": ex()}), tmp_path)
    event = new.tables["adverse_events"].frame.iloc[1]
    assert (event["grade"], event["related"], event["serious"], event["action"], event["outcome"]) == ("2", "drug", "0", "stopped", "recovered")
    sample = new.tables["markers"].frame.iloc[0]
    assert (sample["value"], sample["below_limit"], sample["limit"], sample["unit"], sample["visit"]) == ("0.1", "1", "0.1", "ug/L", "0")
    given = new.tables["treatments"].frame.iloc[0]
    assert (given["start_date"], given["end_date"], given["start_dose"], given["lowest_dose"]) == (_day(0), _day(0, 19), "54", "27")


def test_visits_are_weeks_and_so_is_the_study(tmp_path):
    study = _made(Case(ADAM | {"adlbc": adlb()}), tmp_path).proposal.study
    assert (study["time"]["unit"], study["visits"]["schedule"]) == ("weeks", [0, 8, 26])
    assert (study["markers"][0]["label"], study["markers"][0]["unit"]) == ("Alanine Aminotransferase", "U/L")


@pytest.mark.parametrize(("visit", "weeks"), [
    ("WEEK 8", "8"), ("Visit 4 (Week 8)", "8"), ("Day 1", "0"), ("Day 15", "2"), ("Week 26 / End of treatment", "26"), ("Month 6", "26.09"), ("Baseline", "0"),
    ("Cycle 2 Day 1", None), ("UNSCHEDULED 3.1", None), ("Post-Baseline Minimum", None), ("End of Treatment", None),
])  # fmt: skip
def test_a_visit_is_as_many_weeks_after_the_start_as_its_name_says(tmp_path, visit, weeks):
    frame = pd.concat([lb(VISIT="WEEK 2", LBSTRESC="1", LBSTRESN=1), lb(VISIT=visit, LBSTRESC="2", LBSTRESN=2)])
    rows = _made(Case(SDTM | {"lb": frame}), tmp_path).tables["markers"].frame
    assert set(rows.loc[rows["value"] == "2", "visit"]) == ({weeks} if weeks else set())


def test_what_is_known_only_afterwards_is_no_baseline_variable(tmp_path):
    new = _made(Case(ADAM), tmp_path)
    assert {"patients: DCDECOD", "patients: SITEID"} <= set(new.proposal.aside)
    assert not {"cumdose", "trtdurd", "trt01a"} & {one["id"] for one in new.proposal.study["baseline"]}


def _some(flag):
    """A population of every patient who was treated but the first, and nobody else."""
    return {flag: lambda i: "Y" if i in TREATED and i != min(TREATED) else "N"}


@pytest.mark.parametrize(
    ("flags", "answers", "proposed"),
    [
        ({}, {}, []),
        (_some("PPROTFL"), {"population": "everybody"}, ["PPROTFL"]),
        (_some("PPROTFL"), {}, ["PPROTFL"]),
        (_some("PPROTFL"), {"population": "PPROTFL"}, []),
        (_some("PPROTFL") | _some("EFFFL"), {"population": "everybody"}, ["EFFFL", "PPROTFL"]),
        ({"EFFFL": lambda i: "Y" if i % 2 else ""}, {"population": "everybody"}, []),
    ],
)
def test_flags_that_tell_patients_apart_are_populations(tmp_path, flags, answers, proposed):
    """Of those analysed; what is empty says neither yes nor no."""
    new = _made(Case(ADAM | {"adsl": adsl(**flags)}, answers=answers), tmp_path)
    found = new.proposal.study.get("populations", [])
    assert [one["column"] for one in found] == proposed
    assert not {column.lower() for column in proposed} & {one["id"] for one in new.proposal.study["baseline"]}
    if proposed and not new.proposal.questions.open:
        (tmp_path / "mine").mkdir()
        write_new_study(new, tmp_path / "mine")
        study = read_study(tmp_path / "mine")
        patients = read_tables(study)["patients"]
        analysed = patients[patients["excluded"].isna()]
        assert [(analysed[part.flag] == part.inside).sum() for part in study.populations] == [len(analysed) - 1] * len(proposed)
