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
