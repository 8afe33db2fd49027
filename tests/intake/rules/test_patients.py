"""Dates of a study that knows no last contact: they are held against each other."""

import json

import pytest

from lib.intake.tables import read_tables
from lib.study.study import read_study
from lib.study.yaml_file import ProblemsFound

STUDY = {
    "study": {"id": "s", "title": "t", "short_title": "t", "synthetic": False, "allocation": "not randomised"},
    "time": {"unit": "months", "zero_label": "start", "days_per_unit": 30.4375},
    "arms": [{"id": "A", "label": "A", "colour": "#0072B2"}, {"id": "B", "label": "B", "colour": "#D55E00"}],
    "reference_arm": "A",
    "tables": {"patients": {"file": "patients.csv"}},
    "endpoints": [{"id": "os", "label": "Survival", "short": "OS", "definition": "death", "role": "primary", "events": ["death_date"],
                   "censor": "last_tumour_assessment", "landmarks": [6]}],
}  # fmt: skip
ROWS = "patient_id,arm,time_zero,death,death_date,last_tumour_assessment\nP1,A,2020-01-10,1,{},2020-06-01\nP2,B,2020-01-10,0,,2020-07-01\n"


@pytest.mark.parametrize(("died", "rows"), [("2020-01-09", [2]), ("1999-12-31", [2]), ("2020-01-11", []), ("2020-06-01", [])])
def test_a_death_before_time_zero_is_no_survival(tmp_path, died, rows):
    (tmp_path / "study.yml").write_text(json.dumps(STUDY), "utf-8")
    (tmp_path / "patients.csv").write_text(ROWS.format(died), "utf-8")
    try:
        found = read_tables(read_study(tmp_path)).queries.query("severity == 'error'").to_dict("records")
    except ProblemsFound as refused:
        found = [vars(problem) for problem in refused.problems]
    assert [(one["code"], one["row"], one["column"]) for one in found] == [("E023", row, "death_date") for row in rows]
