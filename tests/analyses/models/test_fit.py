"""Whether the model of an endpoint fits: what is asked, what is refused and why, in studies of every kind; recomputed in each."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from designed_studies import Case, write_made
from numpy.testing import assert_allclose

from lib.analyses.efficacy.survival import analyse as analyse_survival
from lib.analyses.models.fit import analyse_model_fit
from lib.analyses.result import Absent
from lib.analyses.verdicts import FITTED, REFUSED, WEAK
from lib.dataset.dataset import load
from lib.report import recheck
from lib.report.results import to_rows
from lib.show import plot, say, table
from lib.show.display import Figure, Table
from lib.statistics.multivariable import optimism
from lib.statistics.second_engine.survival import KEYS, verify

AGE, SEX = {"variable": "age", "step": 10, "spline": True}, {"variable": "sex"}
QUESTIONS = ["Numbers as straight lines", "Proportional hazards", "Hazard ratios before and after a time", "Interaction of the arm with subgroups", "Discrimination"]


@pytest.fixture(autouse=True)
def _fewer_resamples(monkeypatch):
    """Ten instead of 200: what is made of them is held against R elsewhere."""
    monkeypatch.setattr(optimism, "MOST", 10)
    monkeypatch.setattr(optimism, "LEAST", 10)


def made(folder, case, models, change=lambda patients: patients, **study):
    """A designed study with `models`, its patients changed."""
    write_made(folder, "fit", case)
    declared = json.loads((folder / "study.yml").read_text())
    if models is not None:
        declared["models"] = {"covariates": [AGE, SEX]} | models
    (folder / "study.yml").write_text(json.dumps(declared | study))
    patients = pd.read_csv(folder / "patients.csv")
    change(patients).convert_dtypes().to_csv(folder / "patients.csv", index=False)
    data = load("models", study=str(folder))
    return data, analyse_model_fit(data, analyse_survival(data, data.study.primary))


def assert_told(fit, *, drawn=False):
    """Everything is recorded, computed a second time, and shown without a gap; `drawn`: in pictures too."""
    rows = to_rows("models", fit)
    assert np.isfinite(rows["value"].dropna()).all()
    again = recheck.recompute(fit.dataset, [fit])
    found = verify(rows, again) if len(again) else again
    tests = rows[rows["statistic"].eq("p_value") & rows["value"].notna()]
    assert len(tests.merge(found, on=KEYS)) == len(tests) or len(fit["fit_rows"]) > 3_000
    for question in (say, table, *([plot] if drawn else [])):
        for name in ("model_fit", "linearity", "proportional", "periods", "adjusted_subgroups", "discrimination"):
            shown = getattr(question, name)(fit) if hasattr(question, name) else ""
            text = shown if isinstance(shown, str) else "".join([shown.title, shown.to_text() if isinstance(shown, Table) else shown.alt]) if isinstance(shown, Table | Figure) else shown.text
            assert not re.search(r"\b(nan|NaN|None(?! (of|bends))|inf)\b|superior|no difference", text), text
    verdicts = fit["verdicts"]
    assert (verdicts["state"].isin([WEAK, REFUSED]) == (verdicts["why"] != "")).all()


def states(fit):
    """State of each question."""
    return dict(zip([model.rsplit(", ", 1)[0] for model in fit["verdicts"]["model"]], fit["verdicts"]["state"], strict=True))


LARGE_ENOUGH = Case(sizes=(90, 90), hazards=(0.08, 0.05), seed=4)


def test_a_study_that_carries_everything(tmp_path):
    data, fit = made(tmp_path, LARGE_ENOUGH, {"change_at": 9})
    assert_told(fit, drawn=True)
    assert states(fit) == dict.fromkeys(QUESTIONS, FITTED)
    assert fit["model_fit"][["n", "n_missing", "df"]].to_numpy().tolist() == [[180, 0, 3]]
    assert_allclose(fit["model_fit"]["events_per_variable"], fit["model_fit"]["n_events"] / 3)
    assert fit["model_quartiles"]["variable"].tolist() == ["ep: age: line", "ep: age: spline"]
    ages = data.patients["own.age"].astype(float)
    assert_allclose(fit["model_quartiles"][["q1", "q3"]].iloc[0], ages.quantile([0.25, 0.75]))  # in years, not in steps
    assert fit["curve"]["value"].between(ages.quantile(0.05) - 1e-9, ages.quantile(0.95) + 1e-9).all()
    assert fit["model_concordance"]["n_resamples"].iat[0] == 10
    assert isinstance(plot.linearity(fit), Figure) and isinstance(plot.proportional(fit), Figure)


def test_the_same_study_gives_the_same_numbers(tmp_path):
    fits = [made(tmp_path / str(i), LARGE_ENOUGH, {"change_at": 9})[1] for i in range(2)]
    pd.testing.assert_frame_equal(*(to_rows("models", fit) for fit in fits))


def few(patients):
    """Fifteen events: five for each coefficient."""
    had = patients.index[patients["status"] == 1]
    return patients.assign(status=patients["status"].where(~patients.index.isin(had.difference(had[::3][:15])), 0))


def test_few_events_weaken_and_refuse(tmp_path):
    _, fit = made(tmp_path, Case(hazards=(0.12, 0.1), seed=8), {"change_at": 4}, few)
    assert_told(fit)
    assert states(fit) == dict(zip(QUESTIONS, [REFUSED, WEAK, REFUSED, REFUSED, WEAK], strict=True))
    why = fit["verdicts"]["why"].tolist()
    assert why[0] == why[1] == "Fewer than 10 events per coefficient."
    assert why[2] == "Fewer than 5 events per coefficient."  # one more coefficient
    assert "model_quartiles" not in fit and "model_period" not in fit


# Why the whole model is not checked -> study.
UNCHECKED = {
    "nothing_happens": (Case(sizes=(9, 8), hazards=(0.0, 0.0)), {}, None, "Fewer than 5 events."),
    "one_event": (Case(), {}, lambda d: d.assign(status=(d.index == 3).astype(int)), "Fewer than 5 events."),
    "an_arm_without": (Case(sizes=(40, 40), hazards=(0.1, 0.0)), {}, None, "No event with Drug B, so the hazard ratio has no limit."),
    "few": (Case(sizes=(9, 9), hazards=(0.1, 0.1)), {"covariates": [AGE, SEX, {"variable": "centre"}]}, None, "Fewer than 5 events per coefficient."),
    "all_missing": (Case(), {}, lambda d: d.assign(age=np.nan), "Nobody with Drug A or Drug B has every covariate known."),
    "an_arm_missing": (Case(), {}, lambda d: d.assign(age=d["age"].where(d["arm"] == "A")), "Nobody with Drug B has every covariate known."),
    "one_centre_an_arm": (Case(), {"covariates": [{"variable": "centre"}]}, lambda d: d.assign(centre=(d["arm"] == "B").astype(int)), "An arm cannot be told from the covariates."),
    "separated": (Case(sizes=(60, 60)), {}, lambda d: d.assign(age=40 + d["status"], days=d["days"].where(d["status"] == 1, 2000)), "The covariates separate events from non-events."),
}  # fmt: skip
CENTRE = {"id": "centre", "label": "Centre", "type": "category", "levels": [{"value": str(i), "label": f"Town {i}"} for i in range(4)]}
BASELINE = [
    {"id": "age", "label": "Age", "unit": "years", "type": "integer"},
    {"id": "sex", "label": "Sex", "type": "category", "levels": [{"value": "F", "label": "Female"}, {"value": "M", "label": "Male"}]},
    CENTRE,
]


def with_centre(patients):
    """A fourth of the patients in each centre."""
    return patients.assign(centre=patients.index % 4)


@pytest.mark.parametrize("name", UNCHECKED)
def test_what_no_model_can_be_made_of_is_refused_with_its_reason(name, tmp_path):
    case, models, change, why = UNCHECKED[name]
    _, fit = made(tmp_path, case, models, lambda d: (change or (lambda x: x))(with_centre(d)), baseline=BASELINE)
    assert fit["verdicts"][["model", "state", "why"]].to_numpy().tolist() == [["Checks of the Cox regression, EFS", REFUSED, why]]
    assert set(fit) == {"model_fit", "model_missing"}
    assert f"not checked: {why[:1].lower()}{why[1:].removesuffix('.')}".lower() in say.model_fit(fit).lower()
    to_rows("models", fit)
    assert recheck.recompute(fit.dataset, [fit]).empty
    for show in (say.linearity, say.proportional, say.periods, say.adjusted_subgroups, say.discrimination):
        assert show(fit) == ""


def test_one_arm_and_no_covariates_are_absent(tmp_path):
    for i, (case, more) in enumerate([(Case(sizes=(25,), hazards=(0.06,)), {}), (Case(), {"confounding": None})]):
        _, fit = made(tmp_path / str(i), case, {} if i == 0 else None, **more)
        assert isinstance(fit, Absent)
        assert say.model_fit(fit) == fit.reason and plot.linearity(fit).text == ""


def test_the_covariates_of_confounding_stand_in(tmp_path):
    """Without `models` no time is declared and no spline asked for; what is left is asked."""
    _, fit = made(tmp_path, LARGE_ENOUGH, None)
    assert_told(fit)
    assert [states(fit)[q] for q in QUESTIONS] == [REFUSED, FITTED, REFUSED, FITTED, FITTED]
    assert fit["model_fit"]["df"].iat[0] == 2


# What a covariate is -> what becomes of its curve.
BENDS = {
    "constant": (lambda d: d.assign(age=50), "too many patients have the same value for a curve"),
    "two_values": (lambda d: d.assign(age=50 + d.index % 2), "too many patients have the same value for a curve"),
    "mostly_one_value": (lambda d: d.assign(age=np.where(d.index % 20, 50, 60)), "too many patients have the same value for a curve"),
    "whole_numbers": (lambda d: d.assign(age=d.index % 5), ""),
    "missing": (lambda d: d.assign(age=d["age"].where(d.index % 4 > 0)), ""),
    "large": (lambda d: d.assign(age=d["age"] * 100_000_000), ""),
    "negative": (lambda d: d.assign(age=d["age"] - 60), ""),
}


@pytest.mark.parametrize("name", BENDS)
def test_numbers_of_every_kind(name, tmp_path):
    change, why = BENDS[name]
    _, fit = made(tmp_path, LARGE_ENOUGH, {"change_at": 9}, change)
    assert_told(fit)
    assert fit["model_linearity"]["note"].tolist() == [f"not tested: {why}" if why else ""]
    if name == "missing":
        assert fit["model_missing"].set_index("variable").loc["ep: age", ["n", "n_missing"]].tolist() == [180, 45]
        assert "45 patients without a value of a covariate" in say.model_fit(fit)


def test_a_logarithm_is_drawn_in_its_own_unit(tmp_path):
    """Values of 0 have none: those patients are left out, and counted."""
    log = {"covariates": [{"variable": "age", "log": True, "spline": True, "step": 3}]}
    data, fit = made(tmp_path, LARGE_ENOUGH, log, lambda d: d.assign(age=np.where(d.index < 7, 0, d["age"])))
    assert_told(fit)
    assert fit["model_missing"]["n_missing"].tolist() == [7]
    known = data.patients["own.age"].astype(float)
    known = known[known > 0]
    q1 = np.exp(np.quantile(np.log(known), 0.25))
    assert_allclose(fit["model_quartiles"]["q1"], q1)
    assert fit["curve"]["value"].between(known.min(), known.max()).all()


def test_every_level_of_a_subgroup_has_its_denominator(tmp_path):
    """Those of the two arms that its ratio compares; together all of them."""
    data, fit = made(tmp_path, Case(sizes=(90, 90, 60), hazards=(0.08, 0.05, 0.06), seed=4), {}, subgroups=[{"id": "sex", "variable": "sex"}])
    found, tte = fit["model_subgroup"], fit["fit_rows"]
    two = tte[tte["arm"].isin(data.contrast)]
    assert found["n"].sum() == len(two) < len(tte)
    assert found["n_events"].sum() == two["event"].sum()
    cells = [row.cells for row in table.adjusted_subgroups(fit).rows if row.kind == "sub"]
    assert [cell[1] for cell in cells] == [f"{row.n_events}/{row.n}" for row in found.itertuples()]


@pytest.mark.parametrize("at", [0.01, 1_000])
def test_a_time_without_events_on_one_side(at, tmp_path):
    _, fit = made(tmp_path, LARGE_ENOUGH, {"change_at": at})
    assert_told(fit)
    assert states(fit)["Hazard ratios before and after a time"] in ({REFUSED} if at == 1_000 else {REFUSED, WEAK})
    assert "model_period_test" not in fit or fit["model_period_test"]["p_value"].isna().all()


def test_strata_have_baselines_of_their_own(tmp_path):
    _, alone = made(tmp_path / "1", LARGE_ENOUGH, {"covariates": [AGE], "change_at": 9})
    _, fit = made(tmp_path / "2", LARGE_ENOUGH, {"covariates": [AGE], "strata": ["sex"], "change_at": 9})
    assert_told(fit)
    assert fit["model_fit"]["df"].iat[0] == alone["model_fit"]["df"].iat[0] == 2
    assert fit["model_period"]["hr"].iat[0] != alone["model_period"]["hr"].iat[0]
    _, missing = made(tmp_path / "3", LARGE_ENOUGH, {"covariates": [AGE], "strata": ["sex"]}, lambda d: d.assign(sex=d["sex"].where(d.index > 9)))
    assert missing["model_fit"]["n_missing"].iat[0] == 10


def test_six_arms(tmp_path):
    case = Case(sizes=(40,) * 6, hazards=(0.08, 0.05, 0.06, 0.1, 0.07, 0.09), seed=2)
    _, fit = made(tmp_path, case, {"change_at": 6})
    assert_told(fit, drawn=True)
    assert len(fit["model_period"]) == 10 and fit["residuals"]["group"].nunique() == 5


def test_subgroups_of_every_kind(tmp_path):
    """By a cut, of a covariate, of a variable with gaps, with a level in which an arm has no event, of one level."""
    groups = [
        {"id": "young", "variable": "age", "cut": 60}, {"id": "sex", "variable": "sex"}, {"id": "town", "variable": "centre"},
        {"id": "old", "variable": "age", "cut": 20},
    ]  # fmt: skip

    def change(d):
        centre = np.where((d["arm"] == "B") & (d["status"] == 1), 1, d.index % 2)
        return d.assign(centre=pd.Series(centre).where(d.index % 9 > 0))

    _, fit = made(tmp_path, LARGE_ENOUGH, {}, change, baseline=BASELINE, subgroups=groups)
    assert_told(fit)
    notes = dict(zip(fit["model_interaction"]["variable"], fit["model_interaction"]["note"], strict=True))
    assert notes == {"ep: young": "", "ep: sex": "", "ep: town": "not tested: no event with Drug B in one of the levels", "ep: old": "not tested: one level only"}
    assert fit["model_interaction"].set_index("variable").loc["ep: town", "n"] == 160
    assert states(fit)["Interaction of the arm with subgroups"] == WEAK
    assert [v for v in fit["model_subgroup"]["variable"] if "young" in v] == ["ep: young: <60", "ep: young: >=60"]


def test_names_that_are_also_ours(tmp_path):
    """Variables called time, event and stratum, an arm called x."""
    names = {"age": "time", "sex": "event", "centre": "stratum"}
    baseline = [variable | {"id": names[variable["id"]]} for variable in BASELINE]
    data_of = lambda d: with_centre(d).rename(columns=names | {"arm": "given"}).assign(given=lambda p: p["given"].map({"A": "x", "B": "overall2"}))  # noqa: E731
    arms = [{"id": "x", "label": "Drug A", "colour": "#0072B2"}, {"id": "overall2", "label": "Drug B", "colour": "#D55E00"}]
    tables = {"patients": {"file": "patients.csv", "columns": {"arm": "given"}}}
    models = {"covariates": [{"variable": "time", "spline": True}, {"variable": "event"}, {"variable": "stratum"}], "change_at": 9}
    more = {"subgroups": [{"id": "time", "variable": "event"}], "confounding": None, "arms": arms, "reference_arm": "x", "focus_arm": "overall2"}
    _, fit = made(tmp_path, LARGE_ENOUGH, models, data_of, baseline=baseline, tables=tables, **more)
    assert_told(fit)
    assert fit["model_fit"]["df"].iat[0] == 6


def test_large_studies_are_not_resampled(tmp_path):
    case = Case(sizes=(1_600, 1_600), hazards=(0.06, 0.05), seed=5)
    _, fit = made(tmp_path, case, {"change_at": 9})
    assert_told(fit)
    row = fit["model_concordance"].iloc[0]
    assert row["note"].startswith("not resampled, because there are more than") and np.isnan(row["optimism"])
    assert states(fit)["Discrimination"] == WEAK
    assert "there are more than" in plot.proportional(fit).text


def test_hazards_that_cross_are_found(tmp_path):
    """Drug B does harm at first and good later."""

    def cross(d):
        rng = np.random.default_rng(1)
        late = rng.exponential(np.where(d["arm"] == "A", 300, 900))
        early = rng.exponential(np.where(d["arm"] == "A", 700, 200))
        days = np.where(early < 120, early, 120 + late)
        return d.assign(days=np.ceil(np.minimum(days, 900)).astype(int), status=(days < 900).astype(int))

    _, fit = made(tmp_path, Case(sizes=(150, 150), seed=3), {"change_at": 4}, cross)
    assert_told(fit)
    assert fit.row("model_proportional_arm", "overall")["p_value"] < 0.001
    before, after = fit["model_period"]["hr"]
    assert before > 1 > after
    assert "change over time" in say.proportional(fit) and "They change" in say.periods(fit)
    assert states(fit)["Proportional hazards"] == WEAK
    _, silent = made(tmp_path / "2", Case(sizes=(150, 150), seed=3), {}, cross)
    assert "change_at under models" in say.proportional(silent)


def test_a_curve_is_found(tmp_path):
    """Hazards lowest in the middle of the ages."""

    def curved(d):
        days = np.random.default_rng(2).exponential(400 / np.exp(((d["age"] - 58) / 8) ** 2))
        return d.assign(days=np.ceil(np.minimum(days, 900)).astype(int), status=(days < 900).astype(int))

    _, fit = made(tmp_path, Case(sizes=(100, 100), seed=3), {}, curved)
    assert_told(fit)
    assert fit["model_linearity"]["p_value"].iat[0] < 0.001
    assert "its ratio per step is an average over a curve" in say.linearity(fit)
    assert states(fit)["Numbers as straight lines"] == WEAK


@pytest.mark.parametrize("first", [0, 0.5])
def test_events_on_the_first_day_are_at_risk_before_a_change(first, tmp_path):
    def change(patients):
        return patients.assign(days=patients["days"].where(patients.index % 5 > 0, first))

    data, fit = made(tmp_path, LARGE_ENOUGH, {"change_at": 9}, change)
    assert data is fit.dataset and fit["model_period"]["hr"].notna().all()
    assert_told(fit)


@pytest.mark.parametrize("far", [1e6, 1e9, 1e12])
def test_risks_that_only_rounding_tells_apart_are_not_held_against_each_other(far, tmp_path):
    """Of a covariate with one slip of the comma the others differ by next to nothing."""
    _, fit = made(tmp_path, LARGE_ENOUGH, {"covariates": [{"variable": "age"}, SEX]}, lambda p: p.assign(age=p["age"].where(p.index > 0, far)))
    assert_told(fit)
