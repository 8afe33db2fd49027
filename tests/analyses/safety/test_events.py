"""Adverse events: an independent recount of the shipped table, R (safety.R), and what must not change a count."""

import csv
from collections import defaultdict
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from reference_data import load_expected

from lib.analyses.result import Absent, where
from lib.analyses.safety import events as safety_events
from lib.analyses.safety import events_in_time
from lib.analyses.safety.profiles import choose_profiles, profile
from lib.dataset.dataset import load
from lib.show.display import EMPTY, Figure
from lib.show.formats import format_p
from lib.show.plots import safety as plot_safety
from lib.show.sentences import safety as say_safety
from lib.show.tables import safety as table_safety
from lib.study.study import ROOT

FEW = settings(deadline=None, max_examples=3)
EXPECTED = load_expected("safety")
ARMS = ["A", "B", "C"]


def rows_of(table):
    with (ROOT / "data" / "rair_dtc" / f"{table}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def recount(holds):
    """Patients of each arm with an event that holds, by reading the file."""
    arm = {row["patient_id"]: row["arm"] for row in rows_of("patients")}
    found = {row["patient_id"] for row in rows_of("adverse_events") if holds(row)}
    return [sum(arm[patient] == group for patient in found) for group in ARMS]


@pytest.fixture(scope="module")
def data():
    return load("safety")


@pytest.fixture(scope="module")
def harms(data):
    return safety_events.analyse(data)


@pytest.fixture(scope="module")
def timed(data):
    return events_in_time.analyse(data)


def with_events(data, events):
    return replace(data, tables=data.tables | {"adverse_events": events.reset_index(drop=True)})


def counts(analysis, output, variable):
    return where(analysis[output], variable=variable).set_index("group")["count"].reindex(ARMS).tolist()


def test_overview_equals_a_recount(harms):
    conditions = {
        "any": lambda r: True,
        "severe": lambda r: int(r["grade"]) >= 3,
        "serious": lambda r: r["serious"] == "1",
        "related_drug": lambda r: r["related"] in ("drug", "both"),
        "related_procedure": lambda r: r["related"] in ("procedure", "both"),
        "severe_procedure": lambda r: r["related"] in ("procedure", "both") and int(r["grade"]) >= 3,
        "reduced": lambda r: r["action"] == "reduced",
        "interrupted": lambda r: r["action"] == "interrupted",
        "stopped": lambda r: r["action"] == "stopped",
        "fatal": lambda r: r["grade"] == "5",
    }
    for kind, holds in conditions.items():
        assert counts(harms, "ae_overview", kind) == recount(holds), kind
    dead = [sum(r["arm"] == g and r["death"] == "1" for r in rows_of("patients")) for g in ARMS]
    assert counts(harms, "ae_overview", "death") == dead
    assert set(harms["ae_overview"]["variable"]) == {*conditions, "death"}


def test_terms_systems_and_attributions_equal_a_recount(harms):
    for output, column in (("ae_term", "term"), ("ae_system", "system"), ("ae_attribution", "related")):
        names = {row[column] for row in rows_of("adverse_events")}
        assert set(harms[output]["variable"]) == names
        for name in names:
            assert counts(harms, output, name) == recount(lambda r, n=name, c=column: r[c] == n)
            severe = recount(lambda r, n=name, c=column: r[c] == n and int(r["grade"]) >= 3)
            assert counts(harms, f"{output}_severe", name) == severe


def test_a_patient_counts_once_per_term_with_the_worst_grade(harms):
    worst = defaultdict(int)
    for row in rows_of("adverse_events"):
        for term in (row["term"], "any term"):
            worst[row["patient_id"], term] = max(worst[row["patient_id"], term], int(row["grade"]))
    arm = {row["patient_id"]: row["arm"] for row in rows_of("patients")}
    for row in harms["ae_grade"].itertuples():
        expected = sum(t == row.term and g == row.grade and arm[p] == row.group for (p, t), g in worst.items())
        assert harms["ae_grade"].loc[row.Index, "count"] == expected
    any_event = harms["ae_grade"][harms["ae_grade"]["term"] == "any term"].groupby("group")["count"].sum()
    assert any_event.reindex(ARMS).tolist() == counts(harms, "ae_overview", "any")


@pytest.mark.parametrize("name", list(EXPECTED["test"]))
def test_exact_tests_of_terms_equal_r(harms, name):
    """fisher.test(rbind(x, n - x))$p.value"""
    expected = EXPECTED["test"][name]
    assert counts(harms, "ae_term", name) == expected["count"]
    assert_allclose(where(harms["ae_term_test"], variable=name)["p_value"].item(), expected["p"], rtol=1e-6)


@pytest.mark.parametrize("output", ["rate", "first"])
@pytest.mark.parametrize("kind", list(EXPECTED["rate"]))
def test_rates_per_person_time_equal_r(timed, output, kind):
    """Days at risk counted one by one; 100 * poisson.test(x, T), poisson.test(c(x1, x2), c(T1, T2))"""
    expected, name = EXPECTED[output][kind], {"rate": "ae_rate", "first": "ae_first_rate"}[output]
    found = where(timed[name], variable=kind).set_index("group").reindex(ARMS)
    assert found["count"].tolist() == expected["x"]
    assert_allclose(found["person_time"], expected["years"], rtol=1e-6)
    limits = list(zip(expected["low"], expected["high"], strict=True))
    assert_allclose(found[["ci_low", "ci_high"]] / 100, limits, rtol=1e-6)
    assert_allclose(found["rate"] / 100 * found["person_time"], expected["x"], rtol=1e-6)
    ratios = where(timed[f"{name}_ratio"], variable=kind).set_index("group")
    for pair in expected["pairs"]:
        assert_allclose(ratios.loc[pair["group"], "p_value"], pair["p"], rtol=1e-6)
        # R's Inf is missing here
        if isinstance(pair["ratio"], float | int):
            assert_allclose(ratios.loc[pair["group"], "ratio"], pair["ratio"], rtol=1e-6, atol=1e-12)


def test_first_events_equal_r(timed):
    """cmprsk::timepoints(cuminc(time, cause, arm), c(1, 3, 5)); cuminc(...)$Tests"""
    expected = EXPECTED["cumulative"]
    for i, group in enumerate(ARMS):
        found = where(timed["ae_first"], group=group).sort_values("time")
        assert found["time"].tolist() == expected["time"]
        assert_allclose(found["estimate"], expected["estimate"][i], rtol=1e-6)
        assert_allclose(found["std_err"] ** 2, expected["variance"][i], rtol=1e-6)
    assert_allclose(timed["ae_first_gray"][["chisq", "p_value"]].iloc[0], expected["gray"], rtol=1e-6)


def test_time_at_risk_is_the_union_of_the_windows(data):
    """A gap is left out, an overlap counts once, an open end runs to the last contact, later treatment does not count."""
    patients = data.patients.iloc[:4].assign(
        time_zero=pd.Timestamp("2020-01-01"), last_contact_date=pd.Timestamp("2020-12-31")
    )
    ids = patients["patient_id"].tolist()
    rows = [
        (ids[0], "seeds", 1, "2020-01-01", None), (ids[0], "anlotinib", 1, "2020-03-01", "2020-06-30"),
        (ids[1], "seeds", 1, "2020-01-01", None), (ids[1], "anlotinib", 1, "2020-09-01", "2020-09-30"),
        (ids[2], "anlotinib", 1, "2020-01-01", None), (ids[3], "anlotinib", 2, "2020-01-01", "2020-02-01"),
    ]  # fmt: skip
    given_ = pd.DataFrame(rows, columns=["patient_id", "component", "line", "start_date", "end_date"])
    given_ = given_.astype({"start_date": "datetime64[ns]", "end_date": "datetime64[ns]"})
    small = replace(data, tables=data.tables | {"patients": patients, "treatments": given_})
    found = events_in_time.at_risk(small)
    spans = {
        key: list(zip(own["start"].astype(str), own["end"].astype(str), strict=True))
        for key, own in found.groupby("patient_id")
    }
    assert spans == {
        ids[0]: [("2020-01-01", "2020-07-30")],
        ids[1]: [("2020-01-01", "2020-06-29"), ("2020-09-01", "2020-10-30")],
        ids[2]: [("2020-01-01", "2020-12-31")],
    }


def test_onset_outside_the_windows_is_counted_and_not_in_the_rates(data, timed):
    events = data.tables["adverse_events"].copy()
    zero = data.patients.set_index("patient_id")["time_zero"]
    events.loc[0, "onset_date"] = zero[events.loc[0, "patient_id"]] - pd.Timedelta(days=3)
    found = events_in_time.analyse(with_events(data, events))
    onset = where(found["ae_onset"], group="overall").set_index("variable")["count"]
    assert onset["before time zero"] == 1
    assert onset["any window"] == len(events) - 1
    total = where(found["ae_rate"], variable="any", group="overall")["count"].item()
    assert total == len(events) - 1
    assert "1 before time zero" in say_safety.sentence_onset(found)


@FEW
@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(data, harms, timed, random):
    order = list(range(len(data.tables["adverse_events"])))
    random.shuffle(order)
    mixed = with_events(data, data.tables["adverse_events"].iloc[order])
    for first, again in ((harms, safety_events.analyse(mixed)), (timed, events_in_time.analyse(mixed))):
        for name in first:
            pd.testing.assert_frame_equal(first[name], again[name], check_exact=False, rtol=1e-12)


@FEW
@given(st.integers(0, 109))
def test_an_event_in_two_rows_counts_once(data, harms, timed, index):
    """Patients and first events; the number of events is what changes."""
    events = data.tables["adverse_events"]
    twice = with_events(data, pd.concat([events, events.iloc[[index]]]))
    again, again_timed = safety_events.analyse(twice), events_in_time.analyse(twice)
    for name in ("ae_overview", "ae_term", "ae_system", "ae_grade", "ae_term_severe", "ae_attribution", "ae_term_test"):
        pd.testing.assert_frame_equal(harms[name], again[name])
    pd.testing.assert_frame_equal(timed["ae_first_rate"], again_timed["ae_first_rate"])
    pd.testing.assert_frame_equal(timed["ae_first"], again_timed["ae_first"])
    assert again["ae_events"]["count"].sum() == harms["ae_events"]["count"].sum() + 2


@FEW
@given(st.sampled_from(ARMS))
def test_a_patient_without_events_adds_to_the_denominator_only(data, harms, arm):
    patients = data.patients
    new = patients[patients["arm"] == arm].iloc[[0]].assign(patient_id="SYN-NEW")
    more = pd.concat([patients, new], ignore_index=True).assign(arm=lambda p: p["arm"].astype(patients["arm"].dtype))
    again = safety_events.analyse(replace(data, tables=data.tables | {"patients": more}))
    for name in ("ae_term", "ae_system", "ae_term_severe"):
        before, after = (a[name].set_index(["variable", "group"]) for a in (harms, again))
        assert (before["count"] == after["count"]).all()
        grown = after["n"] - before["n"]
        assert set(grown.xs(arm, level="group")) == {1}
        assert set(grown.xs("overall", level="group")) == {1}
        assert set(grown.drop([arm, "overall"], level="group")) == {0}


def test_comparable_terms_are_never_claimed_from_an_overall_test(data, harms):
    """The totals are alike, hypertension is not: the sentence says so."""
    overall = where(harms["ae_overview_test"], variable="any")["p_value"].item()
    said = say_safety.sentence_terms(harms)
    assert overall > 0.05
    events = data.tables["adverse_events"]
    having = data.patients["patient_id"].isin(events[events["term"] == "Hypertension"]["patient_id"])
    counts = having.groupby(data.patients["arm"], observed=False).agg(["sum", "count"])
    told = ", ".join(f"{arm.label} {counts.loc[arm.id, 'sum']}/{counts.loc[arm.id, 'count']}" for arm in data.arms)
    p = where(harms["ae_term_test"], variable="Hypertension")["p_value"].item()
    assert f"Hypertension ({told}; {format_p(p, symbol=True)})" in said
    assert "do not make the profiles comparable" in said
    none = replace(harms, frames=harms.frames | {"ae_term_test": harms["ae_term_test"].assign(p_value=0.5)})
    assert "cannot be told apart" in say_safety.sentence_terms(none)


def test_the_table_of_terms_keeps_zeros_sorts_and_obeys_the_threshold(data, harms):
    table = table_safety.table_ae_terms(harms)
    terms = {row.cells[0]: row.cells for row in table.rows if row.kind == "sub"}
    assert set(terms) == {row["term"] for row in rows_of("adverse_events")}
    assert terms["Hypertension"][3] == "0"
    systems = [row.cells for row in table.rows if row.kind == ""]
    total = [sum(int(cell.split()[0]) for cell in cells[1::2]) for cells in systems]
    assert total == sorted(total, reverse=True)
    few = [row.cells[0] for row in table_safety.table_ae_terms(harms, 30).rows if row.kind == "sub"]
    shares = where(harms["ae_term"][harms["ae_term"]["group"] != "overall"]).groupby("variable")["proportion"].max()
    assert set(few) == set(shares.index[shares >= 0.3])


def test_pictures_and_profiles_of_the_study(data, harms, timed):
    shown = [plot_safety.plot_ae_terms(harms), plot_safety.plot_ae_grades(harms),
             plot_safety.plot_ae_first(timed), plot_safety.plot_ae_courses(timed)]  # fmt: skip
    assert all(isinstance(figure, Figure) for figure in shown)
    grave = {
        r["patient_id"]
        for r in rows_of("adverse_events")
        if int(r["grade"]) >= 3 or r["serious"] == "1" or r["action"] == "stopped"
    }
    assert set(choose_profiles(data)["chosen"]["patient_id"]) == grave
    first = sorted(grave)[0]
    parts = profile(data, first)
    assert len(parts["events"]) == sum(r["patient_id"] == first for r in rows_of("adverse_events"))
    assert len(parts["treatments"]) == sum(r["patient_id"] == first for r in rows_of("treatments"))
    assert first in plot_safety.plot_profiles(choose_profiles(data, first))[0].title


def test_every_event_is_listed(data, timed):
    table = table_safety.table_ae_listing(timed)
    listed = sorted((r.cells[0], r.cells[2], r.cells[3]) for r in table.rows)
    assert listed == sorted((r["patient_id"], r["term"], r["grade"]) for r in rows_of("adverse_events"))


def test_no_event_at_all(data):
    none = with_events(data, data.tables["adverse_events"].iloc[:0])
    harms, timed = safety_events.analyse(none), events_in_time.analyse(none)
    assert where(harms["ae_overview"], variable="any")["count"].sum() == 0
    assert plot_safety.plot_ae_terms(harms) is EMPTY
    assert say_safety.sentence_terms(harms) == ""
    table_safety.table_ae_rates(timed)
    plot_safety.plot_ae_first(timed)


def test_a_study_without_adverse_events_says_so():
    colon = load("safety", study="data/colon")
    harms = safety_events.analyse(colon)
    assert isinstance(harms, Absent)
    assert "no table of adverse events" in say_safety.sentence_safety(harms)
    assert table_safety.table_ae_overview(harms) is EMPTY
    assert isinstance(events_in_time.analyse(colon), Absent)
