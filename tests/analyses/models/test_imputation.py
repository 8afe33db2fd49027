"""What is missing and what it may be: the shipped trial, and what is refused, each with its reason."""

import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from lib import analyse
from lib.analyses.efficacy.survival import Survival
from lib.analyses.models.imputation import COMPLETE, MOST_PATTERNS, OTHERS
from lib.analyses.result import Absent, where
from lib.dataset.dataset import load
from lib.dataset.derived import time_to_event_frame
from lib.report import recheck
from lib.report.results import to_rows
from lib.show import plot, say, table
from lib.statistics.models.cox import estimate_cox
from lib.statistics.second_engine.survival import DisagreementError, verify

COLON = Path("data/colon")
FEW = "    - {variable: age_years, step: 10}\n    - {variable: sex}\n    - {variable: differ}\n"


def write(folder, change, covariates="", study=""):
    """The shipped trial with other patients, other covariates (lines of `models`), or another text of study.yml."""
    text = study or (COLON / "study.yml").read_text(encoding="utf-8")
    if covariates:
        text = re.sub(r"(models:\n  covariates:\n)(    - .*\n)+", lambda found: found[1] + covariates, text)
    (folder / "study.yml").write_text(text, encoding="utf-8")
    change(pd.read_csv(COLON / "patients.csv", dtype=str, keep_default_na=False)).to_csv(folder / "patients.csv", index=False)
    return str(folder)


def asked(study, **parameters):
    """The section of the first endpoint; of the analysis of survival it takes the times alone."""
    data = load("models", study=str(study), **parameters)
    endpoint = data.study.endpoints[0]
    return analyse.imputed(data, Survival(data, endpoint.id, {}, {"tte": time_to_event_frame(data, endpoint)}))


def shown(found):
    """All words of a section: nothing may fail, whatever was refused."""
    parts = [say.imputed(found), *(repr(part(found)) for part in (table.missing, table.missing_patterns, table.imputed))]
    text = "\n".join(parts)
    assert not re.search(r"\b(nan|NaN|inf)\b|superior|no difference|\bown\.", text)
    return text


def refused(found):
    text = shown(found)
    verdict = found["verdicts"].iloc[0]
    assert verdict["state"] == "refused"
    assert "imputed_cox" not in found
    assert "is not imputed" in text
    assert len(to_rows("models", found))
    assert re.fullmatch("[A-Z].+[.]", verdict["why"])
    return verdict["why"]


@pytest.fixture(scope="module")
def colon():
    return asked(COLON)


def test_who_lacks_what(colon):
    patients = pd.read_csv(COLON / "patients.csv")
    patients = patients[patients["nodes"] != 0]  # two, which have no logarithm
    found = colon["missing_covariate"]
    for variable, column in (("differ", "differ"), ("positive_nodes", "nodes"), ("age_years", "age")):
        for arm in ("Obs", "Lev"):
            row = where(found, variable=variable, group=arm).iloc[0]
            own = patients[patients["rx"] == arm]
            assert (row["count"], row["n"]) == (own[column].isna().sum(), len(own))
    events = colon["missing_events"].set_index("variable")
    assert events.loc["differ: missing", "count"] == patients.loc[patients["differ"].isna(), "recurrence_status"].sum()
    assert events.loc["differ: missing", "n"] + events.loc["differ: known", "n"] == 927
    patterns = where(colon["missing_pattern"], group="overall").set_index("variable")["count"]
    assert patterns.to_dict() == {COMPLETE: 886, "differ": 23, "positive_nodes": 18}
    assert where(colon["missing_logarithm"], variable="positive_nodes")["count"].item() == 2


def test_beside_complete_cases(colon):
    """The complete cases are those of the model; what is drawn has all events, and little of the information is missing."""
    complete, imputed = colon["complete_cox"], colon["imputed_cox"]
    assert (complete["n"].iat[0], imputed["n"].iat[0], imputed["n_events"].iat[0]) == (886, 927, 466)
    whole = colon["kept"].dropna()
    alone = estimate_cox(whole, "Obs", [c for c in whole if c.startswith("own.")]).terms
    assert_allclose(complete["hr"], alone["hr"], rtol=1e-12)
    assert_allclose(imputed["coef"], complete["coef"], atol=0.3)
    arms = imputed[imputed["variable"] == "recurrence"].set_index("group")
    assert 0 < arms.loc["Lev5FU vs Obs", "missing_information"] < 41 / 927
    assert (imputed["mc_error"] < 0.1 * imputed["std_err"]).all()
    assert colon["verdicts"].iloc[0]["state"] == "fitted"


def test_the_second_engine_agrees_and_finds_an_error(colon):
    first, again = to_rows("models", colon), recheck.recompute(colon.dataset, [colon])
    found = verify(first, again)
    assert len(found) == len(again)
    for output, statistics in (("imputed_cox", 11), ("complete_cox", 7)):
        own = again[again["output"] == output]
        assert len(own) == statistics * 13
        for statistic in own["statistic"].unique():
            row = first.index[(first["output"] == output) & (first["statistic"] == statistic)][3]
            wrong = first.assign(value=first["value"].where(first.index != row, first["value"] * 1.0001 + 1e-9))
            with pytest.raises(DisagreementError, match=rf"{output}\.{statistic}"):
                verify(wrong, own)


def test_what_is_said(colon):
    text = shown(colon)
    assert "886 of 927 patients have every covariate of the model; not known: positive lymph nodes (18) and differentiation (23)" in text
    assert "are in neither model: positive lymph nodes (2)" in text
    assert "missing at random" in text
    assert "by design" in text
    assert "Age, per 10 years" in text
    assert "Differentiation: Poor vs Well" in text
    assert "Positive lymph nodes, per doubling" in text
    assert "with what is missing drawn 20 times" in text
    assert f"by {colon['imputed_cox']['mc_error'].max():.4f} or less (Monte Carlo standard error)" in text


def test_what_is_drawn(colon):
    """A row for each pattern, a white square with a cross for each covariate that is missing, and who has it in words."""
    figure = plot.missing(colon)
    assert figure.svg.count("23 patients, 10 with event") == 1
    assert "nothing missing: 886 patients, 444 with event; missing Differentiation: 23 patients, 10 with event" in figure.alt
    assert "Grey: known; cross: missing" in figure.svg
    assert len(re.findall("fill: #ffffff; stroke: #222222", figure.svg)) == 2
    assert "927 patients" in figure.legend


def test_nothing_missing():
    found = asked("data/rair_dtc")
    assert isinstance(found, Absent)
    assert found.reason.startswith("Nothing is missing")
    assert say.imputed(found) == found.reason


def test_no_covariate(tmp_path):
    text = (COLON / "study.yml").read_text(encoding="utf-8")
    text = re.sub(r"models:\n(?:  .*\n)+", "", text)
    assert asked(write(tmp_path, lambda p: p, study=text)).reason.startswith("Nothing can be missing")


REFUSED = {
    "nothing known": (lambda p: p.assign(differ=""), "Nothing is known of Differentiation"),
    "constant": (lambda p: p.assign(differ=p["differ"].where(p["differ"] == "", "2")), "All known values of Differentiation are the same"),
    "too many": (lambda p: p.assign(differ=p["differ"].where(p.index % 9 > 3, "")), "Differentiation is missing in more than 40% of the patients"),
    "no event": (lambda p: p.assign(recurrence_status="0"), "There are fewer than 10 events."),
    "few events": (lambda p: p.assign(recurrence_status=p["recurrence_status"].where(p.index % 20 == 0, "0")), "fewer than 5 events for each of the model's 6 coefficients"),
    "few patients": (lambda p: p.iloc[:20].assign(recurrence_status="1", differ=[*["1", "2", "3"] * 5, *["1"] * 2, "", "", ""]), "fewer than 5 events"),
    "separated": (lambda p: p.assign(recurrence_status=p["recurrence_status"].where(p["rx"] != "Lev", "0")), "separate events from non-events"),
    "separated by a level": (lambda p: p.assign(recurrence_status=p["recurrence_status"].where(p["differ"] != "3", "0")), "separate events from non-events"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_refused(kind, tmp_path):
    change, why = REFUSED[kind]
    found = asked(write(tmp_path, change, FEW))
    assert why in refused(found)
    assert len(found["missing_pattern"])  # who lacks what is said all the same


def test_a_large_study_is_drawn_less_often(monkeypatch):
    monkeypatch.setattr("lib.analyses.models.imputation.LARGE", 900)
    monkeypatch.setattr("lib.report.rechecked.imputed.LARGE", 900)
    found = asked(COLON)
    assert set(found["imputed_cox"]["n_imputations"]) == {5}
    assert "Drawn 5 times only, because there are more than" in shown(found)
    assert not recheck.recompute(found.dataset, [found])["output"].isin(["imputed_cox", "complete_cox"]).any()


def test_one_arm():
    assert refused(asked(COLON, arms=["Lev"])) == "With one arm there is nothing to compare."


def test_few_complete_cases(tmp_path):
    """Thirty-six patients, all with the event, twelve of them complete: their number and sex hang on five things each."""
    covariates = "    - {variable: age_years}\n    - {variable: sex}\n"

    def change(patients):
        few, lacking = patients.iloc[:36].assign(recurrence_status="1"), np.arange(36) % 3
        return few.assign(sex=few["sex"].where(lacking > 0, ""), age=few["age"].where(lacking != 1, ""))

    assert "fewer than 3 complete cases for each of the 5 predictors" in refused(asked(write(tmp_path, change, covariates)))


def test_what_is_the_same_in_everybody_is_not_in_the_model():
    found = asked(COLON, subgroup="sex", subgroup_values=["1"])
    assert not found["imputed_cox"]["variable"].str.contains("sex").any()
    assert "The same in everybody, so not in the model: sex" in shown(found)


def test_few_events_weaken(tmp_path):
    def change(patients):
        some = patients.iloc[::10]
        return some.assign(differ=some["differ"].where(np.arange(len(some)) % 7 > 0, ""))

    found = asked(write(tmp_path, change, FEW))
    verdict = found["verdicts"].iloc[0]
    assert (verdict["state"], verdict["why"]) == ("weak", "There are fewer than 10 events per coefficient.")
    assert "to be read with care" in shown(found)


def test_declared_strata_are_not_in_the_model_and_it_says_so(tmp_path):
    study = (COLON / "study.yml").read_text(encoding="utf-8").replace("  change_at: 1\n", "  strata: [perfor]\n")
    found = asked(write(tmp_path, lambda patients: patients, study=study))
    assert tuple(found["verdicts"].iloc[0][["state", "why"]]) == ("weak", "The declared strata are not in this model.")
    assert "The declared strata are not in this model." in shown(found)


def test_many_patterns(tmp_path):
    rng = np.random.default_rng(3)
    names = ["sex", "age", "obstruct", "adhere", "nodes", "differ", "extent", "surg"]

    def change(patients):
        some = patients.iloc[::2]
        return some.assign(**{name: some[name].where(rng.random(len(some)) > 0.12, "") for name in names})

    found = asked(write(tmp_path, change))
    patterns = where(found["missing_pattern"], group="overall")
    assert len(patterns) == MOST_PATTERNS + 2
    assert patterns["variable"].iat[-1] == OTHERS
    assert patterns["count"].sum() == patterns["n"].iat[0]
    assert "imputed_cox" in found
    assert OTHERS in shown(found) + plot.missing(found).alt
    assert len(recheck.verify(to_rows("models", found), recheck.recompute(found.dataset, [found])))


def test_a_level_that_only_incomplete_cases_have(tmp_path):
    """The first level of differentiation occurs only where the nodes are missing: complete cases compare with another one."""
    covariates = "    - {variable: differ}\n    - {variable: age_years}\n    - {variable: positive_nodes}\n"

    def change(patients):
        return patients.assign(nodes=patients["nodes"].where(patients["differ"] != "1", ""))

    found = asked(write(tmp_path, change, covariates))
    own = found["complete_cox"][found["complete_cox"]["variable"].str.contains("differ")]
    assert own["hr"].isna().all()
    assert own["note"].str.contains("no complete case has the level").all()
    assert where(found["imputed_cox"], variable="recurrence: differ: 2")["hr"].notna().all()
    assert "No complete case has the level" in shown(found) or "no complete case has the level" in shown(found)
    assert len(recheck.verify(to_rows("models", found), recheck.recompute(found.dataset, [found])))


def test_levels_of_any_name(tmp_path):
    """Codes that look like our own separators."""
    names = {"1": "a=b", "2": "c: d", "3": "e + f"}
    text = (COLON / "study.yml").read_text(encoding="utf-8")
    for old, new in names.items():
        text = text.replace(f"{{value: {old}, label: {dict(zip('123', ('Well', 'Moderate', 'Poor'), strict=True))[old]}}}", f'{{value: "{new}", label: "{new}"}}')
    found = asked(write(tmp_path, lambda p: p.assign(differ=p["differ"].map(lambda v: names.get(v, v))), FEW, study=text))
    assert "Differentiation: c: d vs a=b" in shown(found)
    assert len(recheck.verify(to_rows("models", found), recheck.recompute(found.dataset, [found])))


@pytest.mark.parametrize("parameters", [{"level": 0.8}, {"arms": ["Lev", "Lev5FU"]}, {"reference": "Lev5FU"}, {"subgroup": "sex", "subgroup_values": ["1"]}])
def test_other_questions(parameters):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = asked(COLON, **parameters)
    assert "imputed_cox" in found
    assert len(recheck.verify(to_rows("models", found), recheck.recompute(found.dataset, [found])))
    shown(found)
