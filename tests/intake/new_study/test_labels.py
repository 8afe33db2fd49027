"""What a file says of its columns beside their names: labels, and the units in them."""

import pandas as pd
import pyreadstat
import pytest

from lib.intake.new_study.reading import proposed, read_sheets


def _events(endpoint, patients):
    """Short name, unit and number of events of a ready-made endpoint."""
    happened = patients.frame[patients.columns[endpoint["event"]["column"]]].eq(endpoint["event"]["event"])
    return endpoint["short"], endpoint["time"]["unit"], int(happened.sum())


def _sav(path, columns, labels):
    pyreadstat.write_sav(pd.DataFrame(columns), path, column_labels=labels)
    return [path]


def test_a_column_whose_name_says_nothing_is_called_by_its_label(tmp_path):
    n = range(12)
    columns = {
        "V1": [f"P{i}" for i in n], "V2": [i % 2 for i in n], "V3": [31.0 * i + 3 for i in n], "V4": [i % 2 for i in n], "V5": [f"N{i}" for i in n],
        "V12": ["f" if i % 3 else "m" for i in n],
    }  # fmt: skip
    labels = {"V1": "Patient ID", "V2": "Treatment arm", "V3": "Survival time (months)", "V4": "Death", "V5": "Patient name", "V12": "Sex"}
    new = proposed("x", read_sheets(_sav(tmp_path / "a.sav", columns, labels)), {"arm": "Treatment arm"})
    study = new.proposal.study
    assert not new.proposal.questions.open
    assert [_events(e, new.tables["patients"]) for e in study["endpoints"]] == [("OS", "months", 6)]
    assert [one["label"] for one in study["baseline"]] == ["Sex"]
    assert new.personal == ["a: Patient name"]
    assert any("V12 is Sex" in note for _, note in new.read_as)


@pytest.mark.parametrize(("label", "unit"), [
    ("Survival time (months)", "months"), ("Time to death, days", "days"), ("Overall survival in years", "years"), ("Time to death [wks]", "weeks"),
    ("生存时间（月）", "months"), ("Zeit bis Tod in Monate", "months"), ("Time to death", ""),
])  # fmt: skip
def test_a_unit_in_a_label_is_that_of_the_time(tmp_path, label, unit):
    n = range(12)
    columns = {"id": [f"P{i}" for i in n], "ostime": [7.0 * i + 3 for i in n], "death": [i % 2 for i in n], "bmi": [20.5 + i for i in n]}
    files = _sav(tmp_path / "a.sav", columns, {"id": "", "ostime": label, "death": "", "bmi": "Body mass index [kg/m2]"})
    new = proposed("x", read_sheets(files))
    assert set(new.proposal.questions.open) == (set() if unit else {"unit of time"})
    assert [one["time"]["unit"] for one in new.proposal.study["endpoints"]] == ([unit] if unit else [])
    assert [(one["label"], one["unit"]) for one in new.proposal.study["baseline"]] == [("Body mass index", "kg/m2")]


LEGENDS = {
    "编号,组别(1=安罗替尼；2=粒子),性别（男=1，女=2）,总生存期(月),生存状态(0=删失;1=死亡)": ({"安罗替尼", "粒子"}, ("男", "女"), ("死亡", "删失")),
    "编号,治疗方式(1:手术 2:碘125组),性别(1男2女),PFS（月）,是否进展（1是0否）": ({"手术", "碘125组"}, ("男", "女"), ("是", "否")),
    "症例番号,群(1:対照 2:治療),性別[1:男/2:女],生存期間(月),転帰(0:生存 1:死亡)": ({"対照", "治療"}, ("男", "女"), ("死亡", "生存")),
    "Patient ID,Group (1=Drug A; 2=Drug B),Sex (1: female; 2: male),OS (months),Death (1=yes; 0=no)": ({"Drug A", "Drug B"}, ("female", "male"), ("yes", "no")),
    "ID,Arm 1=Standard 2=New,Sex: 1=M 2=F,Survival (months),Status (1 = dead; 0 = alive)": ({"Standard", "New"}, ("M", "F"), ("dead", "alive")),
    "ID,Arm (1-Standard/2-New),Sex (1-male/2-female),OS (months),Vital status (0-alive/1-dead)": ({"Standard", "New"}, ("male", "female"), ("dead", "alive")),
    "Nr,Gruppe (1 = Kontrolle; 2 = Therapie),Geschlecht (1 = männlich; 2 = weiblich),Überleben (Monate),Tod (0 = nein; 1 = ja)": ({"Kontrolle", "Therapie"}, ("männlich", "weiblich"), ("ja", "nein")),
    "Patient,Bras [1-Témoin/2-Traité],Sexe (1=H/2=F),Délai (mois),Décès (1=oui/0=non)": ({"Témoin", "Traité"}, ("H", "F"), ("oui", "non")),
}  # fmt: skip


@pytest.mark.parametrize("header", LEGENDS)
def test_what_a_name_says_of_its_codes_stands_in_their_place(tmp_path, header):
    arms, sexes, (event, censored) = LEGENDS[header]
    rows = [f"P{i},{1 + i % 2},{'NA' if i == 8 else 1 + i % 3 // 2}{'.0' if i % 5 and i != 8 else ''},{3.5 + i},{int(i % 4 > 0)}" for i in range(24)]
    (tmp_path / "a.csv").write_text("\n".join([header, *rows]), encoding="utf-8")
    new = proposed("x", read_sheets([tmp_path / "a.csv"]))
    patients, study = new.tables["patients"], new.proposal.study
    assert not new.proposal.questions.open
    assert {arm["label"] for arm in study["arms"]} == arms
    (endpoint,) = study["endpoints"]
    assert len(study["baseline"]) == 1
    assert (endpoint["event"]["event"], endpoint["event"]["censored"]) == (event, censored)
    assert _events(endpoint, patients)[1:] == ("months", 18)
    (column,) = [own for own in patients.frame if set(patients.frame[own].dropna()) == set(sexes)]
    assert patients.frame[column].tolist()[:3] == [sexes[0], sexes[0], sexes[1]]
    assert sum("in the place of codes" in note for _, note in new.read_as) == 3


@pytest.mark.parametrize(("header", "cells"), [
    ("Group (1=Drug A; 2=Drug B)", "123"),  # a code of which the name says nothing
    ("Group (1=Drug A)", "11"), ("Stage (1=low; 2=low)", "12"), ("Dose (2-3 months; 4-6 months)", "24"),
    ("ECOG (0/1/2)", "012"), ("Tg (ng/ml)", "12"), ("BRAF (+/-)", "12"), ("Visits (1: 3 months)", "12"),
])  # fmt: skip
def test_a_name_that_does_not_say_all_its_codes_changes_none(tmp_path, header, cells):
    rows = [f"P{i},{cells[i % len(cells)]},{31 * i + 5},{i % 2}" for i in range(24)]
    (tmp_path / "a.csv").write_text("\n".join([f"id,{header},os_days,death", *rows]), encoding="utf-8")
    patients = proposed("x", read_sheets([tmp_path / "a.csv"])).tables["patients"]
    assert set(patients.frame[header]) == set(cells)
