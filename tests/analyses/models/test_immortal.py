"""A component that takes time to be added: who is asked about, what is answered, and what is refused with a reason."""

import datetime as dt
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from reference_data import load_expected
from strategy_study import WITHIN, ZERO, Truth, draw_strategy, strategy_of, write_strategy

from lib import analyse
from lib.analyses.models.covariates import NONE_DECLARED
from lib.analyses.result import Absent
from lib.analyses.verdicts import FITTED, REFUSED, WEAK
from lib.dataset.dataset import load
from lib.report.results import to_rows
from lib.show import plot, say, table
from lib.show.display import EMPTY, Table
from lib.study.study import ROOT

SHOWN = (say.immortal, say.strategies, plot.immortal_days, plot.strategies, table.same_question, table.strategies, table.strategy_weights)


def ask(folder, **parameters):
    data = load("models", study=str(folder), **parameters)
    return analyse.immortal(data, analyse.survival(data, data.study.primary))


def words(found) -> str:
    """All that a reader sees of it."""
    shown = [show(found) for show in SHOWN]
    return "\n".join(one if isinstance(one, str) else one.to_text() if isinstance(one, Table) else f"{getattr(one, 'alt', '')} {getattr(one, 'legend', '')}" for one in shown)


def state(found) -> str:
    return found["verdicts"]["state"].iat[0]


@pytest.fixture(scope="module")
def three_hundred(tmp_path_factory):
    return ask(write_strategy(tmp_path_factory.mktemp("s"), draw_strategy(300, 1)))


def test_four_answers_to_the_same_question_of_300_patients(three_hundred):
    """R: tests/reference/cloning.R, the same patients: months of 30.4375 days; shares at 12 and 24 months are those at 365 and 730 days."""
    expected = load_expected("cloning")["large"]
    hr = three_hundred["strategy_hr"].set_index("variable")["hr"]
    assert_allclose(hr["cloned"], np.exp(expected["log_hr"]), rtol=1e-6)
    assert_allclose(hr["time-dependent"], np.exp(expected["timed"]["crude"][0]), rtol=1e-6)
    assert_allclose(hr["time-dependent, adjusted"], np.exp(expected["timed"]["adjusted"][0]), rtol=1e-6)
    risk = three_hundred["strategy_risk"].set_index(["variable", "time"])["difference"]
    not_added, added = np.array(expected["share"])
    assert_allclose(risk["cloned"][[12, 24]], added - not_added, rtol=1e-6)
    # Who has to live until then to add it looks better from time zero than it is from a landmark, and there than weighted.
    assert hr["ever added"] < hr["time-dependent"] < hr["cloned"]
    assert hr["ever added"] < hr["landmark"]
    assert state(three_hundred) == FITTED


def test_everything_of_300_patients_is_shown_and_recorded(three_hundred):
    text = words(three_hundred)
    assert "four answers" in text and "refused" not in text and not re.search(r"\bnan\b|None", text)
    assert not to_rows("models", three_hundred).empty
    assert all(show(three_hundred) != EMPTY for show in SHOWN)


def test_the_shipped_study_is_refused_with_the_reason():
    """Five of those who began with the drug added seeds in the period, and nothing happened in it."""
    found = ask(ROOT / "data/rair_dtc")
    counts = found["strategy_patients"].set_index("variable")["count"]
    assert counts[["eligible", "other start", "added", "never added", "event within", "left within"]].tolist() == [19, 8, 5, 14, 0, 0]
    # A hazard ratio of 0.09 with 14 events in 19 patients: of how many on either side a reader has to know.
    assert counts[["event of added", "event of never added"]].tolist() == [2, 12]
    assert "2 of the 5 who ever added it had the event, and 12 of the 14 others." in say.immortal(found)
    assert state(found) == REFUSED and "fewer than five" in found["verdicts"]["why"].iat[0]
    assert "explains nothing" in say.strategies(found) and plot.strategies(found) == EMPTY
    # Nobody had the event before adding, so counting the days before changes nothing.
    assert_allclose(found["strategy_hr"]["hr"], found["strategy_hr"]["hr"].iat[0], rtol=1e-9)
    assert "refused" in table.same_question(found).to_text()
    assert found["strategy_risk"]["ci_high"].max() <= 1  # Greenwood's limits know no bound


def test_what_was_added_later_or_in_a_later_line_was_not_added_within_the_period(tmp_path):
    drawn = draw_strategy(80, 3)
    patients = drawn.assign(added=np.where(np.arange(80) < 40, drawn["added"], np.nan))

    def with_second_line(rows: pd.DataFrame) -> pd.DataFrame:
        again = pd.DataFrame({"patient_id": [f"P{i:04d}" for i in range(60, 70)], "component": "implant", "start_date": ZERO, "line": 2})
        return pd.concat([rows, again])

    found = ask(write_strategy(tmp_path, patients, change=with_second_line))
    days, ends = patients["added"], patients["time"]
    counts = found["strategy_patients"].set_index("variable")["count"]
    assert counts["added"] == (days <= WITHIN).sum() and counts["added later"] == (days > WITHIN).sum()
    assert counts["event within"] == ((ends <= WITHIN) & patients["event"]).sum()
    assert found["immortal_time"]["person_time"].iat[0] == days.sum()


def test_who_began_with_the_component_could_not_have_gone_without(tmp_path):
    drawn = draw_strategy(120, 4)
    turned = {f"P{i:04d}" for i in np.flatnonzero(drawn["added"] > 0)[:20]}

    def other_way_round(rows: pd.DataFrame) -> pd.DataFrame:
        own = rows["patient_id"].isin(turned)
        late = rows.loc[own].groupby("patient_id")["start_date"].transform("max")
        first = rows.loc[own].groupby("patient_id")["start_date"].transform("min")
        rows.loc[own, "start_date"] = late.where(rows.loc[own, "component"] == "drug", first)
        return rows

    found = ask(write_strategy(tmp_path, drawn, change=other_way_round))
    counts = found["strategy_patients"].set_index("variable")["count"]
    assert counts["other start"] == 20 and counts["eligible"] == 100
    assert "20 patients of these arms began otherwise and are left out" in say.immortal(found)


def _constant(drawn):
    return drawn.assign(fit="yes", age=60.0)


ODD = {
    "one patient each": (draw_strategy(2, 1).assign(added=[3.0, np.nan], time=[90.0, 80.0], event=[True, True]), REFUSED),
    "all censored": (draw_strategy(90, 2).assign(event=False), REFUSED),
    "one event": (draw_strategy(90, 2).assign(event=np.arange(90) == 5), REFUSED),
    "constant covariates": (_constant(draw_strategy(90, 2)), FITTED),
    "told apart": (draw_strategy(90, 2).assign(age=lambda d: np.where(d["added"] <= WITHIN, 70.0, 50.0)), REFUSED),
    "everybody in time who lives": (draw_strategy(90, 2).assign(added=lambda d: np.where(d["time"] > 30, 30.0, np.nan)), REFUSED),
    "ties": (draw_strategy(120, 5, Truth(ties=True)), FITTED),
    "added on day zero or never": (draw_strategy(90, 2).assign(added=np.where(np.arange(90) % 2, 0.0, np.nan)), FITTED),
    "twenty-seven": (draw_strategy(27, 2), WEAK),
    "no covariate known": (draw_strategy(90, 2).assign(age=np.nan), REFUSED),
    "nobody lives to the end of the period": (draw_strategy(90, 2).assign(time=50.0, event=True, added=np.where(np.arange(90) % 2, 10.0, np.nan)), REFUSED),
    "events of the added only": (draw_strategy(90, 2).assign(event=lambda d: d["added"].notna()), None),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_odd_patients_get_an_answer_or_a_reason(tmp_path, name):
    drawn, expected = ODD[name]
    found = ask(write_strategy(tmp_path, drawn))
    text = words(found)
    assert not re.search(r"\b(nan|None|inf)\b", text)
    assert expected is None or state(found) == expected, found["verdicts"]["why"].iat[0]
    if state(found) == REFUSED:
        assert found["verdicts"]["why"].iat[0] and "strategy_share" not in found
    rows = to_rows("models", found)
    assert np.isfinite(rows["value"].dropna()).all()


ONE_ARM = {
    "arms": [{"id": "C", "label": "Drug + implant", "colour": "#009E73"}], "reference_arm": "C", "focus_arm": "C", "design": {"allocation": "single_arm"},
    "strategy": {"label": "x", "arms": ["C"], "add": "implant", "within_days": WITHIN},
    "treatments": {"components": [{"id": name, "label": name.capitalize(), "kind": kind, "arms": ["C"]} for name, kind in (("drug", "drug"), ("implant", "local"))]},
}  # fmt: skip


def _implant_first(rows: pd.DataFrame) -> pd.DataFrame:
    """Whoever got both began with the implant."""
    both = rows["patient_id"].isin(rows.loc[rows["component"] == "implant", "patient_id"])
    start = np.where(both & (rows["component"] == "drug"), ZERO + dt.timedelta(days=1), ZERO)
    return rows.assign(start_date=start)


@pytest.mark.parametrize(("study", "drawn", "change", "why"), [
    ({"strategy": None}, draw_strategy(20, 1), None, "declares no strategy"),
    ({}, draw_strategy(20, 1), _implant_first, "nobody added Implant"),
    (ONE_ARM, draw_strategy(20, 1).assign(added=0.0), None, "everybody added Implant"),
])  # fmt: skip
def test_nothing_to_compare_is_absent_with_the_reason(tmp_path, study, drawn, change, why):
    asked = {key: value for key, value in strategy_of(**study).items() if value is not None}
    found = ask(write_strategy(tmp_path, drawn, asked, change or (lambda rows: rows)))
    assert isinstance(found, Absent) and why in found.reason
    assert say.immortal(found) == found.reason and plot.immortal_days(found) == EMPTY


def test_where_everybody_adds_it_sooner_or_later_later_is_what_sooner_is_compared_with(tmp_path):
    drawn = draw_strategy(150, 8)
    found = ask(write_strategy(tmp_path, drawn[drawn["added"].notna()].reset_index(drop=True), strategy_of(**ONE_ARM)))
    assert state(found) == FITTED and "strategy_share" in found
    assert "nobody is not added" in found["strategy_hr"].set_index("variable").at["ever added", "note"]
    assert not re.search(r"\b(nan|None|inf)\b", words(found))


def test_without_covariates_the_weights_are_refused_and_the_rest_stands(tmp_path):
    study = strategy_of()
    del study["models"]
    found = ask(write_strategy(tmp_path, draw_strategy(90, 2), study))
    assert state(found) == REFUSED and NONE_DECLARED[1:] in found["verdicts"]["why"].iat[0]
    assert found["strategy_hr"]["hr"].notna().all()


def test_an_arm_that_is_not_shown_is_named(tmp_path):
    found = ask(write_strategy(tmp_path, draw_strategy(60, 2)), arms=["A"])
    assert isinstance(found, Absent) and "Drug + implant" in found.reason


@pytest.mark.parametrize(("strategy", "why"), [
    ({"arms": ["A", "C"], "add": "drug"}, "no component but drug"),
    ({"arms": ["A"], "add": "implant"}, "given in none of A"),
    ({"arms": ["A", "C"], "add": "seeds"}, "seeds"),
    ({"arms": ["A", "X"], "add": "implant"}, "X"),
    ({"arms": ["A", "C"], "add": "implant", "within_days": 0}, "within_days"),
])  # fmt: skip
def test_a_strategy_that_cannot_be_is_a_problem_of_study_yml(tmp_path, strategy, why):
    study = strategy_of(strategy={"label": "x", "within_days": 60} | strategy)
    with pytest.raises(Exception, match=why):
        load("models", study=str(write_strategy(tmp_path, draw_strategy(20, 1), study)))


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 1000), st.integers(3, 70), st.booleans())
def test_any_study_gets_an_answer_or_a_reason(tmp_path_factory, seed, n, ties):
    found = ask(write_strategy(tmp_path_factory.mktemp("any"), draw_strategy(n, seed, Truth(ties=ties))))
    assert not re.search(r"\b(nan|None|inf)\b", words(found))
    assert isinstance(found, Absent) or state(found) in (FITTED, WEAK, REFUSED)
