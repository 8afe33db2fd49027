"""What the next trial needs: which effects are planned for, which are refused and why, and what is said of it."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from designed_studies import Case, write_made
from numpy.testing import assert_allclose
from random_study import Design, write_random
from study_builder import write_study

from lib.analyses.efficacy.survival import analyse
from lib.analyses.outlook.next_trial import MOST_EVENTS, analyse_next_trial
from lib.analyses.result import Absent, where
from lib.analyses.verdicts import FITTED, REFUSED, WEAK
from lib.dataset.dataset import load
from lib.show.display import EMPTY
from lib.show.plots.models.next_trial import plot_next_trial
from lib.show.sentences.models.next_trial import sentence_next_trial
from lib.show.tables.models.next_trial import table_next_trial, table_next_trial_arms, table_next_trial_response

WORTH = {"worthwhile": {"hazard_ratio": 0.7, "response_difference": 0.2, "why": "as agreed"}}


def planned(folder, case=None, keys=WORTH, **parameters):
    """The next trial of a designed case with further keys in study.yml."""
    write_made(folder, "made", case or Case())
    study = json.loads((folder / "study.yml").read_text())
    (folder / "study.yml").write_text(json.dumps(study | keys))
    data = load("models", study=str(folder), **parameters)
    return analyse_next_trial(data, analyse(data, data.study.primary))


def shown(trial, drawn=False):
    """Everything that is shown, as words."""
    figure = plot_next_trial(trial) if drawn else EMPTY
    parts = [sentence_next_trial(trial), *(f(trial).to_text() if f(trial) is not EMPTY else "" for f in (table_next_trial, table_next_trial_arms, table_next_trial_response))]
    text = "\n".join([*parts, figure.alt if figure is not EMPTY else ""])
    assert not re.search(r"\bnan\b|\binf\b|None|superior|no difference", text)
    return text


@pytest.fixture(scope="module")
def shipped():
    data = load("models", study="data/rair_dtc")
    survival = analyse(data, data.study.primary)
    return survival, analyse_next_trial(data, survival)


def test_the_cohort(shipped):
    """z <- qnorm(0.975) + qnorm(0.8); ceiling(4 * z^2 / log(hr)^2) at the ratio, its upper limit and 0.67"""
    survival, trial = shipped
    ratio = survival.row("cox", "C vs A")
    rows = where(trial["next_trial"], power=0.8).set_index("term")
    expected = np.ceil(4 * 2.801585**2 / np.log([ratio["hr"], ratio["ci_high"], 0.67]) ** 2)
    assert_allclose(rows["events_needed"], expected)
    assert list(rows.index) == ["seen", "limit", "worthwhile"]
    assert (rows["events_freedman"] >= rows["events_needed"]).all()
    assert (rows["patients_needed"] > rows["events_needed"]).all()
    assumed = trial["next_trial_assumed"].set_index("variable")["estimate"]
    assert_allclose(rows["duration"], rows["patients_needed"] / assumed["accrual"], rtol=0.03)
    arm = survival["tte"][survival["tte"]["arm"] == "A"]
    assert assumed["hazard"] == pytest.approx(arm["event"].sum() / arm["time"].sum())
    days = trial.dataset.patients["time_zero"]
    assert assumed["accrual"] == pytest.approx(52 * 30.4375 / (days.max() - days.min()).days)
    assert set(trial["verdicts"]["state"]) == {WEAK}  # not formed by chance
    text = shown(trial, drawn=True)
    assert f"asks for {rows.at['seen', 'events_needed']:.0f} events" in text
    assert "need not be an effect of treatment" in text
    assert "Assumed; no publication" in text


def test_responses_of_the_cohort(shipped):
    """ceiling(power.prop.test(p1 = 11 / 13, p2 = 5 / 14, power = c(0.8, 0.9), tol = 1e-12)$n), and p1 = 5 / 14 + 0.2"""
    rows = shipped[1]["next_response"]
    assert where(rows, term="seen")["patients_needed"].tolist() == [15, 19]
    assert where(rows, term="worthwhile")["patients_needed"].tolist() == [97, 129]
    assert (rows["patients_corrected"] > rows["patients_needed"]).all()


def test_the_trial_of_three_arms_and_no_dates():
    data = load("models", study="data/colon")
    trial = analyse_next_trial(data, analyse(data, data.study.primary))
    assert trial["next_trial_arms"]["df"].eq(2).all()
    assert trial["next_trial"]["duration"].isna().all()
    assert trial["next_trial"]["patients_needed"].notna().all()
    assert "next_response" not in trial
    assert trial["verdicts"]["state"].tolist() == [FITTED]
    text = shown(trial)
    assert "all enter at once (no dates)" in text
    assert "to enrol" not in text


def test_what_is_not_declared_is_said(tmp_path):
    trial = planned(tmp_path / "s", keys={})
    rows = where(trial["next_trial"], term="worthwhile")
    assert rows["events_needed"].isna().all()
    assert rows["note"].eq("no hazard ratio worth having is declared (worthwhile in study.yml)").all()
    assert where(trial["next_trial"], term="seen")["events_needed"].notna().all()
    assert "worthwhile" not in trial["curve"]
    assert "no hazard ratio worth having is declared" in shown(trial)


def test_an_interval_with_1_has_no_limit_to_plan_for(tmp_path):
    trial = planned(tmp_path / "s", Case(sizes=(12, 12), hazards=(0.08, 0.05)))
    rows = trial["next_trial"].groupby("term")["note"].first()
    assert rows["limit"] == "the interval holds 1: for its limit no size suffices"
    assert where(trial["next_trial"], term="limit")["events_needed"].isna().all()
    assert where(trial["next_trial"], term="seen")["events_needed"].notna().all()
    assert trial["verdicts"]["state"].tolist() == [WEAK]
    assert "for its limit no size suffices" in shown(trial)


def test_an_effect_the_wrong_way_is_not_planned_for(tmp_path):
    trial = planned(tmp_path / "s", Case(hazards=(0.04, 0.12)))
    rows = trial["next_trial"].set_index("term")["events_needed"]
    assert rows[["seen", "limit"]].isna().all()
    assert rows["worthwhile"].notna().all()
    assert (where(trial["next_trial"], term="worthwhile")["assurance"] < 0.01).all()
    assert "no fewer events here" in shown(trial)
    assert planned(tmp_path / "t", Case(hazards=(0.04, 0.12)), keys={})["verdicts"]["state"].tolist() == [REFUSED]


def test_too_few_events_leave_only_what_is_declared(tmp_path):
    trial = planned(tmp_path / "s", Case(hazards=(0.009, 0.008), policy={"min_events": 20}))
    rows = trial["next_trial"].set_index("term")
    assert rows.loc[["seen", "limit"], "events_needed"].isna().all()
    assert rows.loc["seen", "note"].str.contains("fewer than 20 events").all()
    assert rows["assurance"].isna().all()
    assert "There is no assurance" in shown(trial)


def test_nothing_happens(tmp_path):
    trial = planned(tmp_path / "s", Case(sizes=(8, 9), hazards=(0.0, 0.0)))
    assert trial["next_trial"]["patients_needed"].isna().all()
    assert where(trial["next_trial"], term="worthwhile")["events_needed"].notna().all()
    assert "no event in the reference arm" in shown(trial, drawn=True)


def test_one_arm_plans_nothing(tmp_path):
    trial = planned(tmp_path / "s", Case(sizes=(25,), hazards=(0.06,)))
    assert isinstance(trial, Absent)
    assert sentence_next_trial(trial) == "With one arm there is no comparison from which a trial could be planned."
    assert table_next_trial(trial) is EMPTY
    assert plot_next_trial(trial) is EMPTY


def test_arms_of_other_sizes_are_planned_for_as_well(tmp_path):
    trial = planned(tmp_path / "s", Case(sizes=(20, 60)))
    rows = where(trial["next_trial"], term="worthwhile", power=0.8).set_index("step")
    assert rows.at["as here", "allocation"] == 0.75
    assert rows.at["as here", "events_needed"] > 1.3 * rows.at["equal", "events_needed"]
    assert "75% of the patients with Drug B as here" in shown(trial)


def test_too_small_an_effect_has_no_number(tmp_path):
    trial = planned(tmp_path / "s", keys={"worthwhile": {"hazard_ratio": 0.995}})
    rows = where(trial["next_trial"], term="worthwhile")
    assert rows["events_needed"].isna().all()
    assert rows["note"].str.contains(f"more than {MOST_EVENTS} events").all()
    shown(trial, drawn=True)


def test_so_large_an_effect_that_formulas_are_rough(tmp_path):
    trial = planned(tmp_path / "s", keys={"worthwhile": {"hazard_ratio": 0.2}})
    assert where(trial["next_trial"], term="worthwhile", power=0.8)["note"].str.contains("formulas are rough").all()
    assert "formulas are rough" in shown(trial)


def test_competing_events_end_the_follow_up(tmp_path):
    case = Case(sizes=(60, 60), hazards=(0.06, 0.05), competing=(0.005, 0.15), unit="years")
    trial = planned(tmp_path / "s", case)
    loss = trial["next_trial_assumed"].set_index("variable")["estimate"]["loss"]
    assert loss > 0.4  # per year
    alone = planned(tmp_path / "t", replace(case, competing=()))
    assert (trial["next_trial"]["patients_needed"] > 1.2 * alone["next_trial"]["patients_needed"]).dropna()[4:].all()
    shown(trial)
    # who leaves is not lost: the two halves of the sentence contradicted each other
    assert "leave without the event (all with a competing event; no dates, so nobody is known to be lost)" in sentence_next_trial(trial)
    assert "nobody leaves without the event (no dates, so nobody is known to be lost)" in sentence_next_trial(alone)


@pytest.mark.parametrize(("sizes", "hazards"), [((2, 2), (0.1, 0.05)), ((1, 40), (0.1, 0.05)), ((14, 13), (0.06, 0.0)), ((300, 300), (0.1, 0.02)), ((5, 4, 4, 5, 4, 4), (0.1,) * 6), ((25, 25, 25), (0.1, 0.0, 0.0))])
def test_any_arms_give_numbers_or_reasons(tmp_path, sizes, hazards):
    trial = planned(tmp_path / "s", Case(sizes=sizes, hazards=hazards))
    for name in ("next_trial", *(["next_trial_arms"] if len(sizes) > 2 else [])):
        frame = trial[name]
        assert (frame["events_needed"].notna() | (frame["note"] != "")).all()
        assert not np.isinf(frame.select_dtypes("number")).any().any()
    shown(trial)


@pytest.mark.parametrize("design", [Design((1, 4), seed=104, missed=0.4), Design((4, 5), seed=105, without_events=("A", "B")), Design((30, 30), seed=9), Design((12, 14, 11), seed=3)])
def test_studies_with_responses(tmp_path, design):
    folder = write_random(tmp_path / "s", design)
    data = load("models", study=str(folder))
    trial = analyse_next_trial(data, analyse(data, data.study.primary))
    rows = trial["next_response"]
    assert (rows["patients_needed"].notna() | (rows["note"] != "")).all()
    if min(design.sizes) < 10:
        assert rows["patients_needed"].isna().all()
    assert isinstance(shown(trial), str)


def test_six_patients(tmp_path):
    data = load("models", study=str(write_study(tmp_path / "s")))
    trial = analyse_next_trial(data, analyse(data, data.study.primary))
    assert pd.isna(where(trial["next_response"], term="seen")["patients_needed"]).all()
    shown(trial)
