"""Data sets that packages ship: from the raw file, through the questions, to R's log-rank test and medians."""

import math

import lifelines.datasets
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML

from lib.__main__ import main
from lib.intake.tables import read_tables
from lib.statistics.survival.kaplan_meier import estimate_median
from lib.statistics.survival.logrank import compare_logrank
from lib.study.study import ROOT, read_study

R_DATA = ROOT / "tests" / "other_people"
# What is asked of each and answered; then, of R 4.2.2 and survival, d being the raw table:
# s <- survdiff(Surv(time, event) ~ arm, d): events, s$chisq; summary(survfit(Surv(time, event) ~ arm, d))$table[, "median"].
RAW = {
    "gbsg2": ({"arm": "horTh", "unit of time": "days", "event of cens": "1"}, 299, 8.564780854, {"no": 1528, "yes": 2018}),
    "rossi": ({"arm": "fin", "event of arrest": "1"}, 114, 3.837569577, {"0": None, "1": None}),
    "waltons": ({"unit of time": "days", "event of E": "1"}, 156, 122.2491256, {"control": 58, "miR-137": 26}),
    "leukemia": ({"unit of time": "weeks", "event of status": "1"}, 30, 16.79294099, {"0": 23, "1": 8}),
    "lymphoma": ({"arm": "Stage_group", "unit of time": "days", "event of Censor": "1"}, 54, 6.709710358, {"1": None, "2": 82}),
    "lung": ({"arm": "sex", "unit of time": "days", "event of status": "1"}, 165, 10.32674195, {"1": 270, "2": 426}),
    "r_veteran": ({"unit of time": "days", "event of status": "1"}, 128, 0.008227343202, {"1": 103, "2": 52.5}),
    "r_ovarian": ({"unit of time": "days", "event of fustat": "1"}, 12, 1.062739861, {"1": 638, "2": None}),
    "r_aml": ({"arm": "x", "unit of time": "weeks", "event of status": "1"}, 18, 3.396388699, {"Maintained": 31, "Nonmaintained": 23}),
    "r_rotterdam": ({"arm": "hormon"}, 1272, 23.68667165, {"0": 4118, "1": 2866}),
    "r_myeloid": ({"unit of time": "days"}, 320, 9.589944275, {"A": 707, "B": 2283}),
}  # fmt: skip


def _raw(name, path):
    """The file as the package ships it."""
    if name.startswith("r_"):
        return R_DATA / name / "patients.csv"
    getattr(lifelines.datasets, f"load_{name}")().to_csv(path, index=False)
    return path


@pytest.mark.parametrize("name", RAW)
def test_from_the_raw_file_to_the_numbers_of_r(tmp_path, name):
    answers, events, chisq, medians = RAW[name]
    file, folder = _raw(name, tmp_path / f"{name}.csv"), tmp_path / "mine"
    run = CliRunner().invoke(main, ["new", str(folder), "--from", str(file)])
    assert run.exit_code == 0, run.output
    asked = YAML(typ="safe").load((folder / "study.yml").read_text()).get("ask", [])
    assert {one["key"] for one in asked} | {"arm"} == set(answers) | {"arm"}
    YAML().dump(answers, folder / "answers.yml")
    run = CliRunner().invoke(main, ["new", str(folder), "--from", str(file), "--update"])
    assert run.exit_code == 0, run.output
    if not asked:  # another arm than the one that is plain
        run = CliRunner().invoke(main, ["new", str(tmp_path / "again"), "--from", str(file), "--answers", str(folder / "answers.yml")])
        folder = tmp_path / "again"
    study = read_study(folder)
    endpoint = next(e for e in study.endpoints if name != "r_rotterdam" or e.id == "os")
    patients = read_tables(study)["patients"]
    tte = pd.DataFrame({
        "arm": patients["arm"], "time": patients[endpoint.time_column], "event": patients[endpoint.event_column] == endpoint.event.event
    })  # fmt: skip
    test = compare_logrank(tte).iloc[0]
    assert test["n_events"] == events
    assert test["chisq"] == pytest.approx(chisq, rel=1e-6)
    codes = {arm.id: arm.code for arm in study.arms}
    for row in estimate_median(tte).itertuples():
        expected = medians[codes[str(row.group)]]
        assert math.isclose(row.median, np.nan if expected is None else expected) or (expected is None and np.isnan(row.median))
