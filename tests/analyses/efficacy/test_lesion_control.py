"""Treated lesions as the unit: against R on two eyes of a patient, by a second way on every study, and by properties."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from clustered_rows import CASES, rows_of
from numpy.testing import assert_allclose
from reference_data import numbers
from study_builder import write_study

from lib.analyses.efficacy import dose_response
from lib.analyses.efficacy.dose_response import STEP, analyse_dose
from lib.analyses.efficacy.lesion_control import ALL, NO_TREATED, analyse_lesion_control, analyse_lesion_response
from lib.analyses.result import Absent, where
from lib.dataset.course import course_frame
from lib.dataset.dataset import load
from lib.dataset.derived import response_frame
from lib.dataset.lesions import dose_frame, lesions_as_patients, treated_frame
from lib.dataset.progression import lesion_progression
from lib.show.display import EMPTY, Lacking
from lib.show.plots.response import plot_dose, plot_lesion_control
from lib.show.sentences.response import sentence_dose, sentence_lesion_control
from lib.show.tables.response import table_dose, table_lesion_control, table_lesion_failures, table_lesion_response
from lib.study.study import ROOT

VISITS = (10.0, 24.0, 48.0)
DAYS = 30.4375
CLOSE = {"rtol": 1e-6, "atol": 1e-12}


def write_eyes(folder, rows=None):
    """Two eyes of each patient (survival::retinopathy) as a study of treated lesions: an eye that lost its sight has grown.

    An eye is measured on its own last day and on that of the other; after a day without an event it is not measured.
    """
    rows = rows_of("eyes_by_type") if rows is None else rows
    folder.mkdir(parents=True)
    zero = pd.Timestamp("2000-01-01")
    eyes = pd.DataFrame({
        "patient_id": "P" + rows["patient_id"].astype(str), "arm": rows["arm"].astype(str).radd("T"),
        "days": (rows["time"] * DAYS).round().astype(int), "cause": rows["cause"], "d90": rows["x"],
    })  # fmt: skip
    eyes["lesion_id"] = eyes["patient_id"] + "-" + (eyes.groupby("patient_id").cumcount() + 1).astype(str)
    measured = []
    for _, own in eyes.groupby("patient_id", sort=False):
        for day in sorted({-1, *own["days"]}):
            for eye in own.itertuples():
                size = 20.0 if day < eye.days or (day == eye.days and eye.cause != 1) else 30.0 if eye.cause == 1 else ""
                visit = 0 if day < 0 else max(1, round(day / DAYS))
                measured.append((eye.lesion_id, (zero + pd.Timedelta(days=day)).date(), visit, size, size, size))
    patients = eyes.drop_duplicates("patient_id")[["patient_id", "arm"]].assign(time_zero=zero.date())
    died = eyes[eyes["cause"] == 2].groupby("patient_id")["days"].max()
    patients["death_date"] = [(zero + pd.Timedelta(days=int(died[p]))).date() if p in died else "" for p in patients["patient_id"]]
    patients["death"] = (patients["death_date"] != "").astype(int)
    tables = {
        "patients": patients,
        "lesions": eyes[["lesion_id", "patient_id"]].assign(site="eye", target=1, treated=1),
        "measurements": pd.DataFrame(measured, columns=["lesion_id", "assessment_date", "visit", "longest_mm", "short_mm", "third_mm"]),
        "treatments": eyes[["patient_id", "lesion_id", "d90"]].rename(columns={"d90": "d90_gy"}).assign(component="laser", start_date=zero.date()),
    }
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    (folder / "study.yml").write_text(json.dumps(_study(tables, eyes["arm"].unique())))
    return folder


def _study(tables, arms):
    return {
        "study": {"id": "eyes", "title": "Two eyes of a patient", "short_title": "Eyes", "synthetic": False},
        "design": {"allocation": "not_randomised" if len(arms) > 1 else "single_arm"},
        "time": {"unit": "months", "days_per_unit": DAYS, "zero": "time_zero", "zero_label": "treatment"},
        "arms": [{"id": a, "label": f"Type {a}", "colour": c} for a, c in zip(sorted(arms), ("#0072B2", "#D55E00", "#009E73"), strict=False)],
        "reference_arm": min(arms), "focus_arm": max(arms),
        "tables": {name: {"file": f"{name}.csv"} for name in tables},
        "visits": {"schedule": list(range(130)), "window_days": [-40, 40]}, "baseline": [], "sites": [{"value": "eye", "label": "Eye"}],
        "response": {"visits": [10, 24, 48]},
        "treatments": {"components": [{"id": "laser", "label": "Laser", "kind": "local", "arms": sorted(arms)}]},
        "policy": {"min_at_risk": 5, "min_events": 5, "small_cell": 5, "lost_after_days": 180},
    }  # fmt: skip


@pytest.fixture(scope="module")
def eyes(tmp_path_factory):
    return load("efficacy", study=str(write_eyes(tmp_path_factory.mktemp("eyes") / "study")))


@pytest.fixture(scope="module")
def cohort():
    return load("efficacy", study=str(ROOT / "data/rair_dtc"))


@pytest.fixture(scope="module")
def six(tmp_path_factory):
    return load("efficacy", study=str(write_study(tmp_path_factory.mktemp("six") / "study")))


def test_eyes_equal_r(eyes):
    """R: residuals(survfit(...), type = "pstate") by patient, log-log limits; coxph(..., cluster = id): coef, vcov, rscore."""
    case, found = CASES["eyes_by_type"], analyse_lesion_control(eyes)
    rows = found["lesion_control"]
    for column, theirs in (("estimate", "estimate"), ("std_err", "se"), ("ci_low", "low"), ("ci_high", "high")):
        assert_allclose(rows[column], numbers(case["curve"]["1"][theirs]), **CLOSE)
    ratio, test = found["lesion_control_cox"].iloc[0], found["lesion_control_test"].iloc[0]
    assert_allclose([ratio["coef"], ratio["std_err"], test["chisq"]], [case["cox"]["coef"], case["cox"]["se"], case["cox"]["rscore"]], rtol=1e-6)
    whole = where(found["lesion_outcome"], group="overall", variable=ALL).iloc[0]
    assert (whole["n"], whole["n_patients"]) == (394, 197)


def test_dose_of_eyes_equals_r(eyes):
    """R: survival::pseudo at 24 months, logistic equations with one intercept per arm, the sandwich by patient; per 10 Gy."""
    case = CASES["eyes_by_type"]["odds_of_pseudo"]
    row = analyse_dose(replace(eyes, parameters=eyes.parameters.model_copy(update={"response_visits": (10.0, 24.0)})), (10.0,))["dose_control"].iloc[0]
    assert row["time"] == 24
    assert_allclose([row["coef"], row["std_err"]], [STEP * case["coef"][-1], STEP * case["se"][-1]], rtol=1e-6)
    assert_allclose(row["odds_ratio"], np.exp(STEP * case["coef"][-1]), rtol=1e-6)
    assert (row["n"], row["n_patients"]) == (394, 197)


@pytest.mark.parametrize("name", ["rats", "kidney", "made_12", "made_25", "made_40"])
def test_other_sets_become_studies(tmp_path, name):
    """The same call of R on other clusters (litters, catheters, made ones), one to four a patient, here on whole days."""
    rows = rows_of(name).drop_duplicates(["patient_id", "arm"] if name == "rats" else ["patient_id", "x", "time"])
    rows = rows[rows["arm"] == rows.groupby("patient_id")["arm"].transform("first")].assign(cause=lambda f: f["cause"].where(f["cause"] != 2, 0))
    rows["time"] *= 120 / max(rows["time"].max(), 120)  # within the schedule
    rows["x"] = rows["x"].clip(lower=40)
    data = load("efficacy", study=str(write_eyes(tmp_path / "s", rows)))
    lesions = treated_frame(data)
    assert len(lesions) == len(rows)
    assert lesions["event"].sum() == (rows["cause"] == 1).sum()
    assert_allclose(np.sort(lesions["time"]), np.sort((rows["time"] * DAYS).round() / DAYS))
    for found in (analyse_lesion_control(data), analyse_lesion_response(data, VISITS), analyse_dose(data, VISITS)):
        assert found.frames
    assert sentence_lesion_control(analyse_lesion_control(data))


def _second_way(data):
    """Progression of treated lesions straight from the tables: no call of the response rule."""
    rule, own = data.study.response, data.patients.set_index("patient_id")
    found = {}
    for lesion in data.tables["lesions"].query("treated and target").itertuples():
        rows = data.tables["measurements"].query("lesion_id == @lesion.lesion_id").sort_values("assessment_date")
        node = lesion.site in rule.node_sites
        size = rows["short_mm" if node else "longest_mm"].mask(rows["too_small"], rule.too_small_mm).to_numpy(float)
        size[rows["status"].eq("absent").to_numpy()] = 0.0
        day = (rows["assessment_date"] - own.at[lesion.patient_id, "time_zero"]).dt.days.to_numpy()
        start = np.flatnonzero((rows["visit"] == 0).to_numpy())
        if not len(start):
            continue
        day, size = day[start[0] :], size[start[0] :]
        known = ~np.isnan(size)
        day, size = day[known], size[known]
        grown = [d for i, d in enumerate(day) if i and size[i] >= 1.2 * size[:i].min() - 1e-9 and size[i] - size[:i].min() >= 5 - 1e-9]
        death = (own.at[lesion.patient_id, "death_date"] - own.at[lesion.patient_id, "time_zero"]).days if pd.notna(own.at[lesion.patient_id, "death_date"]) else None
        last = (grown[0], 1) if grown else (death, 2) if death is not None else (max(day[-1], 0), 0)
        found[lesion.lesion_id] = last
    return pd.DataFrame(found, index=["day", "cause"]).T


def test_the_cohort_by_a_second_way(cohort):
    lesions, again = treated_frame(cohort).set_index("lesion_id"), _second_way(cohort)
    assert list(lesions.index) == list(again.index)
    assert_allclose(lesions["time"] * DAYS, again["day"], atol=1e-6)
    assert (lesions["cause"] == again["cause"]).all()


@pytest.mark.parametrize("fixture", ["cohort", "six", "eyes"])
def test_a_lesion_as_a_patient_progresses_when_the_lesion_grows(request, fixture):
    """Two derivations of the same day: growth of a lesion, and progression of a patient who has this lesion alone."""
    data = request.getfixturevalue(fixture)
    lesions = treated_frame(data)
    alone = course_frame(lesions_as_patients(data, lesions)).set_index("patient_id")["progression_time"]
    grown = lesions.set_index("lesion_id")["event"]
    assert (alone.reindex(grown.index).notna() == grown).all()
    assert_allclose(alone[grown[grown].index], lesions.set_index("lesion_id")["time"][grown], atol=1e-9)


@pytest.mark.parametrize("fixture", ["cohort", "six", "eyes"])
def test_every_lesion_is_counted_once(request, fixture):
    data = request.getfixturevalue(fixture)
    lesions = treated_frame(data)
    outcome = analyse_lesion_control(data)["lesion_outcome"]
    parts, whole = outcome[outcome["variable"] != ALL], outcome[outcome["variable"] == ALL].set_index("group")
    assert (parts.groupby("group")["count"].sum() == whole["count"]).all()
    assert whole.loc["overall", "count"] == len(lesions)
    assert whole.loc["overall", "n_patients"] == lesions["patient_id"].nunique()
    found = analyse_lesion_response(data, data.response_visits)
    counts = found["lesion_response_category"]
    assert (counts.groupby(["time", "group"])["count"].sum() == counts.groupby(["time", "group"])["n"].first()).all()
    failures = where(analyse_lesion_control(data)["lesion_failure"], variable="in_field").set_index("group")
    assert failures.loc["overall", "count"] == lesions["event"].sum() == whole.loc["overall", "count"] - parts[(parts["group"] == "overall") & (parts["variable"] != "progressed")]["count"].sum()


def test_with_one_lesion_per_patient_a_lesion_is_its_patient(cohort):
    """Patients who keep their first treated target alone: response and progression of the lesion are those of the patient."""
    first = treated_frame(cohort).drop_duplicates("patient_id")
    tables = {name: t[t["lesion_id"].isin(first["lesion_id"])] for name, t in cohort.tables.items() if name in ("lesions", "measurements")}
    one = replace(cohort, tables={**cohort.tables, **tables})
    lesions = treated_frame(one)
    patients, alone = (response_frame(d, 12.0).set_index("patient_id") for d in (one, lesions_as_patients(one, lesions)))
    owner = lesions.set_index("lesion_id")["patient_id"]
    assert (alone["response"].rename(owner) == patients["response"].loc[owner.to_numpy()].to_numpy()).all()
    course = course_frame(one).set_index("patient_id")["progression_time"]
    assert_allclose(lesions.set_index("patient_id")["time"][lesions["event"].to_numpy()], course[lesions.loc[lesions["event"], "patient_id"]])
    assert (where(analyse_lesion_control(one)["lesion_outcome"], variable=ALL)[["count", "n_patients"]].nunique(axis=1) == 1).all()


def test_the_order_of_lesions_changes_nothing(cohort):
    shuffled = {name: cohort.tables[name].sample(frac=1, random_state=3) for name in ("lesions", "measurements", "treatments")}
    other = replace(cohort, tables={**cohort.tables, **shuffled})
    asked = (analyse_lesion_control, lambda d: analyse_lesion_response(d, (6.0, 12.0)), lambda d: analyse_dose(d, (6.0, 12.0)))
    for ask in asked:
        one, two = ask(cohort), ask(other)
        for name in one.frames:
            pd.testing.assert_frame_equal(one[name], two[name], rtol=1e-7)


def test_a_second_reading_of_the_same_lesions_is_no_more(cohort):
    """Each treated lesion twice, under another name: estimates and intervals of incidence, response and volume stay."""
    lesions = cohort.tables["lesions"]
    tables = {
        name: pd.concat([cohort.tables[name], cohort.tables[name][cohort.tables[name]["lesion_id"].notna()].assign(lesion_id=lambda f: f["lesion_id"] + "b")], ignore_index=True)
        for name in ("lesions", "measurements", "treatments")
    }
    twice = replace(cohort, tables={**cohort.tables, **tables})
    assert len(twice.tables["lesions"]) == 2 * len(lesions)
    for ask, name in (
        (analyse_lesion_control, "lesion_control"), (lambda d: analyse_lesion_response(d, (6.0,)), "lesion_response"),
        (lambda d: analyse_dose(d, (6.0,)), "dose_volume"), (lambda d: analyse_dose(d, (6.0,)), "dose_control"),
    ):  # fmt: skip
        one, two = ask(cohort)[name], ask(twice)[name]
        kept = [c for c in ("estimate", "coef", "std_err", "ci_low", "ci_high", "n_patients") if c in one]
        assert_allclose(two[kept].astype(float), one[kept].astype(float), rtol=1e-6)


def test_where_lesions_failed_is_every_lesion_that_failed(cohort):
    arms = set(treated_frame(cohort)["arm"].cat.categories)
    found = lesion_progression(cohort)
    found = found[found["arm"].isin(arms) & (found["growth_date"].notna() | found["new"])]
    counts = where(analyse_lesion_control(cohort)["lesion_failure"], group="overall")
    assert counts["count"].sum() == len(found)
    new = counts[counts["variable"].str.startswith("new")]
    assert new["count"].sum() == found["new"].sum()
    assert new["n"].isna().all()


def test_too_few_are_not_compared_and_have_no_interval(six):
    found = analyse_lesion_control(six)
    assert found["lesion_control_cox"]["hr"].isna().all()
    assert found["lesion_control"][["std_err", "ci_low", "ci_high"]].isna().all(axis=None)
    said = sentence_lesion_control(found)
    assert "1/3 with Iodine-125 seeds (3 lesions in 2 patients)" in said
    assert "as counted" in said
    assert "differ (" not in said
    dose = analyse_dose(six, (6.0, 12.0))
    assert "fewer than 10 patients" in dose["dose_volume"]["note"].iat[0]
    assert sentence_dose(dose).startswith("Control is not related to dose: no landmark at which 5 patients")
    assert plot_dose(dose) == EMPTY
    assert "not related" not in table_dose(dose).to_text()


def test_few_patients_with_many_failing_lesions_are_few(eyes):
    """Five events of lesions in three patients are three: the policy counts patients."""
    lesions = treated_frame(eyes)
    failing = lesions[lesions["event"]].groupby("patient_id")["event"].sum()
    both = failing[failing == 2].index[:4]
    rest = lesions[~lesions["event"]].groupby("patient_id").size()
    chosen = [*both, *rest[rest == 2].index[:30]]
    kept = {name: table[table["patient_id"].isin(chosen)] for name, table in eyes.tables.items() if "patient_id" in table}
    kept["measurements"] = eyes.tables["measurements"][eyes.tables["measurements"]["lesion_id"].isin(kept["lesions"]["lesion_id"])]
    few = analyse_lesion_control(replace(eyes, tables={**eyes.tables, **kept}))
    assert few["lesion_control_test"]["n_events"].iat[0] == 8
    assert few["lesion_control_test"]["note"].iat[0] == "not compared: fewer than 5 events"
    dose = analyse_dose(replace(eyes, tables={**eyes.tables, **kept}), VISITS)["dose_control"].iloc[0]
    assert "fewer than 5 patients with progression" in dose["note"]


@pytest.mark.parametrize("arms", [["B"], ["C"], ["A", "B"], ["A", "C"]])
def test_one_arm_that_treats_is_described(cohort, arms):
    data = load("efficacy", study=str(ROOT / "data/rair_dtc"), arms=arms)
    found = analyse_lesion_control(data)
    assert "lesion_control_test" not in found
    assert "overall" not in set(found["lesion_outcome"]["group"])
    assert "differ" not in sentence_lesion_control(found)
    assert len(table_lesion_control(found).columns) == 2
    assert sentence_dose(analyse_dose(data, (6.0,)))
    assert plot_lesion_control(found).svg


@pytest.mark.parametrize("what", ["no treated lesion", "no treated arm", "no lesions", "no dose", "no treatments"])
def test_what_a_study_does_not_hold(cohort, six, tmp_path, what):
    if what in ("no dose", "no treatments"):
        treatments = six.tables["treatments"].drop(columns=["d90_gy"] if what == "no dose" else ["d90_gy", "lesion_id"])
        dose = analyse_dose(replace(six, tables={**six.tables, "treatments": treatments}), (6.0,))
        assert isinstance(dose, Absent)
        assert sentence_dose(dose) == "No D90 of a treated lesion is recorded (treatments: lesion_id, d90_gy), so control is not related to dose."
        assert dose_frame(replace(six, tables={**six.tables, "treatments": treatments})).empty
        return
    data = {
        "no treated lesion": lambda: replace(six, tables={**six.tables, "lesions": six.tables["lesions"].assign(treated=False)}),
        "no treated arm": lambda: load("efficacy", study=str(ROOT / "data/rair_dtc"), arms=["A"]),
        "no lesions": lambda: load("efficacy", study=str(ROOT / "data/colon")),
    }[what]()
    reason = "This study holds no table of lesions and measurements." if what == "no lesions" else NO_TREATED
    for found, shows in (
        (analyse_lesion_control(data), (plot_lesion_control, table_lesion_control, table_lesion_failures)),
        (analyse_lesion_response(data, (6.0,)), (table_lesion_response,)), (analyse_dose(data, (6.0,)), (plot_dose, table_dose)),
    ):  # fmt: skip
        assert isinstance(found, Absent)
        assert found.reason == reason
        assert all(show(found) == EMPTY for show in shows)
    for said in (sentence_lesion_control(analyse_lesion_control(data)), sentence_dose(analyse_dose(data, (6.0,)))):
        assert isinstance(said, Lacking)
        assert said == reason


def test_an_arm_in_which_nothing_failed_tells_nothing_about_dose(eyes):
    arm = eyes.arms[0].id
    own = eyes.patients.loc[eyes.patients["arm"] == arm, "patient_id"]
    lesions = eyes.tables["lesions"]
    ids = lesions.loc[lesions["patient_id"].isin(own), "lesion_id"]
    still = eyes.tables["measurements"].assign(longest_mm=lambda m: m["longest_mm"].mask(m["lesion_id"].isin(ids) & m["longest_mm"].notna(), 20.0))
    found = analyse_dose(replace(eyes, tables={**eyes.tables, "measurements": still}), VISITS)
    assert set(found["lesions"]["arm"]) == {eyes.arms[1].id}
    assert found["dose_control"]["n"].iat[0] == len(found["lesions"]) < 394
    assert set(found["control_curve"]["group"]) == {eyes.arms[1].id}


def test_dose_at_a_constant_value_is_refused(eyes):
    same = eyes.tables["treatments"].assign(d90_gy=100.0)
    found = analyse_dose(replace(eyes, tables={**eyes.tables, "treatments": same}), VISITS)
    assert "do not vary within an arm" in found["dose_control"]["note"].iat[0]
    assert found["dose_control"]["odds_ratio"].isna().all()
    assert plot_dose(found) == EMPTY or plot_dose(found).svg


def test_the_dose_is_that_of_the_first_treatment_in_line_one(six):
    treatments = six.tables["treatments"]
    own = treatments[treatments["d90_gy"].notna()].iloc[[0]]
    later = own.assign(d90_gy=200.0, start_date=own["start_date"] + pd.Timedelta(days=90))
    second_line = own.assign(d90_gy=250.0, line=2, start_date=own["start_date"] - pd.Timedelta(days=9))
    more = pd.concat([second_line, later, treatments], ignore_index=True)
    found = dose_frame(replace(six, tables={**six.tables, "treatments": more})).set_index("lesion_id")["d90"]
    assert found[own["lesion_id"].iat[0]] == own["d90_gy"].iat[0]


def test_a_death_after_growth_does_not_compete_and_one_before_does(six):
    grown = treated_frame(six).query("event")["patient_id"].iat[0]
    zero = six.patients.set_index("patient_id").at[grown, "time_zero"]
    for days, cause in ((2000, 1), (100, 2)):
        patients = six.patients.copy()
        patients.loc[patients["patient_id"] == grown, "death_date"] = zero + pd.Timedelta(days=days)
        found = treated_frame(replace(six, tables={**six.tables, "patients": patients}))
        assert cause in set(found.loc[found["patient_id"] == grown, "cause"])
        assert (found["time"] >= 0).all()


def test_page_carries_the_numbers(cohort):
    found, single, dose = analyse_lesion_control(cohort), analyse_lesion_response(cohort, (6.0, 12.0)), analyse_dose(cohort, (6.0, 12.0))
    said, table = sentence_lesion_control(found), table_lesion_control(found).to_text()
    last = found["lesion_control"]["time"].max()
    for row in where(found["lesion_control"], time=last).itertuples():
        shown = f"{100 * row.estimate:.0f}% ({{}}{100 * row.ci_low:.0f} to {100 * row.ci_high:.0f})"
        assert shown.format("95% CI ") in said
        assert shown.format("") in table
    sizes = where(found["lesion_outcome"], variable=ALL)
    for row in sizes[sizes["group"] != "overall"].itertuples():
        assert f"({row.n} lesions in {row.n_patients} patients)" in said
        assert f"{row.n} lesions in {row.n_patients} patients" in plot_lesion_control(found).legend
    rate = single["lesion_response"].iloc[0]
    assert f"{rate['count']}/{rate['n']} ({100 * rate['estimate']:.0f}%" in table_lesion_response(single).to_text()
    odds = dose["dose_control"].iloc[0]
    assert f"{odds['odds_ratio']:.2f} (95% CI {odds['ci_low']:.2f} to {odds['ci_high']:.2f}" in sentence_dose(dose)
    assert "does not show what dose does" in sentence_dose(dose)
    assert f"{odds['odds_ratio']:.2f} (" in table_dose(dose).to_text()
    assert "Per 10 Gy of D90" in table_dose(dose).to_text()
    assert "Treated lesion, grew" in table_lesion_failures(found).to_text()
    assert plot_dose(dose).svg.count("<path") > 20


def test_an_arm_of_few_patients_has_a_line_without_a_band(eyes):
    arm = eyes.arms[0].id
    few = eyes.patients.loc[eyes.patients["arm"] == arm, "patient_id"].head(4)
    other = eyes.patients.loc[eyes.patients["arm"] != arm, "patient_id"]
    kept = {name: table[table["patient_id"].isin([*few, *other])] for name, table in eyes.tables.items() if "patient_id" in table}
    found = analyse_dose(replace(eyes, tables={**eyes.tables, **kept}), VISITS)
    curve = found["volume_curve"].query("visit == 10")
    assert where(curve, group=arm)["estimate"].notna().all()
    assert where(curve, group=arm)[["ci_low", "ci_high"]].isna().all(axis=None)
    assert where(curve, group=eyes.arms[1].id)[["ci_low", "ci_high"]].notna().all(axis=None)
    assert plot_dose(found).svg


def test_fewer_patients_than_a_slope_needs_are_said(eyes, monkeypatch):
    monkeypatch.setattr(dose_response, "LEAST_PATIENTS", 500)
    found = analyse_dose(eyes, VISITS)
    assert found["dose_control"]["note"].iat[0] == "not estimated: fewer than 500 patients"
    assert found["dose_control"]["odds_ratio"].isna().all()
    assert found["control_curve"].empty
    assert "fewer than 500 patients" in sentence_dose(found)


def test_many_lesions_and_other_arms(tmp_path):
    """Three arms, 200 patients: pairs after Holm, one test of all."""
    rows = rows_of("made_2000").query("patient_id <= 200")
    data = load("efficacy", study=str(write_eyes(tmp_path / "s", rows.assign(cause=rows["cause"].where(rows["cause"] != 2, 0)))))
    found = analyse_lesion_control(data)
    assert len(found["lesion_control_cox"]) == 3
    assert found["lesion_control_test"]["df"].iat[0] == 2
    assert (found["lesion_control_cox"]["p_adjusted"] >= found["lesion_control_cox"]["p_value"]).all()
    assert sentence_lesion_control(found)
    assert len(table_lesion_control(found).columns) == 4


def test_an_extra_untreated_target_changes_nothing_of_the_treated(six):
    """It has the measurements of the lesion that grew."""
    grown = treated_frame(six).query("event")["lesion_id"].iat[0]
    same = {name: six.tables[name][six.tables[name]["lesion_id"] == grown].assign(lesion_id="other") for name in ("lesions", "measurements")}
    same["lesions"]["treated"] = False
    more = replace(six, tables={**six.tables, **{name: pd.concat([six.tables[name], rows], ignore_index=True) for name, rows in same.items()}})
    found, before = analyse_lesion_control(more), analyse_lesion_control(six)
    for name in ("lesion_outcome", "lesion_control", "lesion_control_at_risk"):
        pd.testing.assert_frame_equal(found[name], before[name])
    outside = found["lesion_failure"].query("variable.str.startswith('untreated') and group == 'overall'")
    assert outside["count"].sum() == before["lesion_failure"].query("variable.str.startswith('untreated') and group == 'overall'")["count"].sum() + 1
