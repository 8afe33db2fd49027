"""The synthetic cohort in data/rair_dtc: the published numbers.

The numbers are computed here a second time, with lifelines, scipy and plain loops; `lib` is only used where the test
is about the agreement with it. R gives the same: survdiff(Surv(t, e) ~ arm), survfit(...), kruskal.test(x ~ arm),
wilcox.test(x, exact = TRUE), fisher.test(table)."""

import numpy as np
import pandas as pd
import pytest
from cohort_tables import ARMS, FOLDER, MONTH, read
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines.statistics import logrank_test, multivariate_logrank_test
from scipy import stats

from lib.intake import recist
from lib.statistics import contingency
from lib.study.study import read_study

pytestmark = pytest.mark.thorough

DIAMETERS = ["longest_mm", "short_mm", "third_mm"]


def responders(responses: pd.DataFrame, visit: int) -> list[int]:
    hit = responses[(responses["visit"] == visit) & responses["response"].isin(["CR", "PR"])]
    return [int((hit["arm"] == arm).sum()) for arm in ARMS]


def change_from_baseline(values: pd.DataFrame, visit: int) -> dict[str, np.ndarray]:
    """Log ratio to baseline per arm of a frame patient_id, arm, visit, value."""
    wide = values.pivot(index=["arm", "patient_id"], columns="visit", values="value")
    ratio = np.log((wide[visit].clip(lower=1e-9) / wide[0]).dropna())
    return {arm: ratio.loc[arm].to_numpy() for arm in ARMS}


def curve(patients: pd.DataFrame, arm: str, endpoint: str) -> tuple[KaplanMeierFitter, pd.DataFrame]:
    own = patients[patients["arm"] == arm]
    return KaplanMeierFitter().fit(own[endpoint], own[f"{endpoint}_event"]), own


def test_arms(patients):
    assert patients["arm"].value_counts()[ARMS].tolist() == [14, 25, 13]  # P01
    assert sorted(patients["patient_id"]) == [f"SYN-{i:03d}" for i in range(1, 53)]


def test_medians_as_printed(patients):
    lpfs, os = ([curve(patients, arm, e)[0].median_survival_time_ / MONTH for arm in ARMS] for e in ("lpfs", "os"))
    assert [f"{median:.1f}" for median in lpfs] == ["18.6", "18.7", "42.2"]  # P02, P03
    assert (f"{min(os):.0f}", f"{max(os):.0f}") == ("22", "43")  # P11


@pytest.mark.parametrize("endpoint", ["lpfs", "os"])
@pytest.mark.parametrize("arm", ARMS)
def test_median_is_well_placed(patients, arm, endpoint):
    """No curve lies at 0.5, where libraries disagree; no event near the median; five events and five at risk."""
    km, own = curve(patients, arm, endpoint)
    median = km.median_survival_time_
    assert (km.survival_function_["KM_estimate"] - 0.5).abs().min() > 0.01
    events = own.loc[own[f"{endpoint}_event"], endpoint]
    assert ((events - median).abs() <= 4).sum() == 1
    assert len(events) >= 5
    assert (own[endpoint] >= median).sum() >= 5


@pytest.mark.parametrize(("endpoint", "printed"), [("lpfs", "0.023"), ("os", "0.425")])  # P04, P12
def test_log_rank_as_printed(patients, endpoint, printed):
    p = multivariate_logrank_test(patients[endpoint], patients["arm"], patients[f"{endpoint}_event"]).p_value
    assert f"{p:.3f}" == printed


@pytest.mark.parametrize(("endpoint", "pair", "significant"), [
    ("lpfs", "CA", True), ("lpfs", "CB", True), ("lpfs", "BA", False),
    ("os", "CA", False), ("os", "CB", False), ("os", "BA", False),
])  # fmt: skip
def test_pairs(patients, endpoint, pair, significant):
    one, other = (curve(patients, arm, endpoint)[1] for arm in pair)
    p = logrank_test(one[endpoint], other[endpoint], one[f"{endpoint}_event"], other[f"{endpoint}_event"]).p_value
    assert bool(p < 0.05) == significant


def test_age_does_not_choose_the_arm(patients):
    """Age below 60 and arm do not interact in LPFS (likelihood ratio of two Cox models)."""
    rows = pd.DataFrame({"t": patients["lpfs"], "e": patients["lpfs_event"], "young": 1.0 * (patients["age_years"] < 60)})
    rows = rows.assign(b=1.0 * (patients["arm"] == "B"), c=1.0 * (patients["arm"] == "C"))
    both = rows.assign(by=rows["b"] * rows["young"], cy=rows["c"] * rows["young"])
    one, other = (CoxPHFitter().fit(frame, "t", "e").log_likelihood_ for frame in (rows, both))
    assert stats.chi2.sf(2 * (other - one), 2) > 0.1


def test_response_as_printed(responses):
    n = np.array([14, 25, 13])
    six, twelve = (np.array(responders(responses, visit)) for visit in (6, 12))
    assert six.tolist() == [3, 8, 10]  # P05, P06: 21, 32 and 77 %
    assert contingency.exact_test([six, n - six]).p_value == pytest.approx(0.007591586631, rel=1e-9)  # P07
    assert contingency.exact_test([twelve, n - twelve]).p_value > 0.05  # P10
    assert np.ptp(twelve / n) < np.ptp(six / n)
    assert np.argmax(twelve / n) == 2


def kappa(one: pd.Series, other: pd.Series) -> float:
    table = pd.crosstab(one, other)
    levels = table.index.union(table.columns)
    share = table.reindex(index=levels, columns=levels, fill_value=0).to_numpy() / len(one)
    chance = share.sum(axis=0) @ share.sum(axis=1)
    return (np.trace(share) - chance) / (1 - chance)


def test_reader_agrees_as_readers_do(tables, responses):
    """Kappa of the reader with the rule is 0.6 to 0.8 over all scans, and not far from it at each visit asked for."""
    said = tables["assessments"].dropna(subset="reader_response")
    both = said.merge(responses, on=["patient_id", "assessment_date"], validate="1:1")
    assert len(both) == len(said) == len(responses)
    assert 0.6 < kappa(both["reader_response"], both["response"]) < 0.8
    for visit in (6, 12):
        at = both[both["visit_x"] == visit]
        assert 0.5 < kappa(at["reader_response"], at["response"]) < 0.9
    assert 1 <= (both["reader_response"] == "NE").sum() <= 8
    # a lesion that has vanished has done so for everybody, and a new one is seen by everybody who can read the scan
    m = tables["measurements"][tables["measurements"]["target"] == 1]
    gone = m.groupby(["patient_id", "assessment_date"])["longest_mm"].max().eq(0).rename("gone").reset_index()
    gone = both[both["response"] == "CR"].merge(gone[gone["gone"]], on=["patient_id", "assessment_date"])
    assert set(gone["reader_response"]) <= {"CR", "NE"}
    assert set(both.loc[both["new_lesion"] == 1, "reader_response"]) <= {"PD", "NE"}


def test_lib_derives_the_same_response(tables, responses):
    study = read_study(FOLDER)
    columns = ["lesion_id", "assessment_date", "visit", *DIAMETERS, "too_small", "status"]
    measured = tables["measurements"][columns].assign(too_small=lambda m: m["too_small"].astype(bool))
    lesions = read("lesions").assign(target=lambda frame: frame["target"].astype(bool))
    derived = recist.derive_response(lesions, measured, study.response).dropna(subset="response")
    derived = derived.merge(responses, on=["patient_id", "assessment_date"], validate="1:1")
    assert len(derived) == len(responses)
    assert (derived["response_x"].astype(str) == derived["response_y"]).all()


def test_progression_is_the_first_by_the_rule(tables, responses):
    progressed = responses[responses["response"] == "PD"]
    dates = tables["patients"].dropna(subset="local_progression_date").set_index("patient_id")
    first = progressed.groupby("patient_id")["assessment_date"].min().sort_index()
    assert first.tolist() == dates["local_progression_date"].sort_index().tolist()
    by_new = tables["assessments"][tables["assessments"]["new_lesion"] == 1]
    assert len(by_new) == by_new["patient_id"].nunique() == 6
    assert (by_new.set_index("patient_id")["assessment_date"] == dates.loc[by_new["patient_id"], "local_progression_date"]).all()


def test_where_it_progressed(tables):
    """A new lesion is no target, is first measured on the scan of progression and followed from then on; some are distant."""
    lesions, m = tables["lesions"], tables["measurements"]
    new = lesions[lesions["target"] == 0]
    assert len(new) == 6 and (new["treated"] == 0).all()
    by_new = tables["assessments"][tables["assessments"]["new_lesion"] == 1].set_index("patient_id")["assessment_date"]
    first = m[m["target"] == 0].groupby("patient_id")["assessment_date"].min()
    assert first.sort_index().tolist() == by_new.sort_index().tolist()
    assert {"cervical_lymph_node", "lung"} <= set(new["site"])
    distant = tables["patients"].set_index("patient_id")["distant_progression_date"]
    of_distant = new.loc[new["site"].isin(["lung", "bone"]), "patient_id"]
    assert (distant[of_distant] == first[of_distant]).all()
    # patients in whom only what was not treated locally grew: sizes at progression against their own smallest ones
    own = m[m["target"] == 1].merge(read("patients")[["patient_id", "local_progression_date"]], on="patient_id")
    own = own[own["arm"] != "A"].assign(mm=lambda f: f["longest_mm"].where(f["site"] != "cervical_lymph_node", f["short_mm"]))
    nadir = own[own["assessment_date"] < own["local_progression_date"]].groupby("lesion_id")["mm"].min()
    at = own[own["assessment_date"] == own["local_progression_date"]].set_index("lesion_id")
    grew = at[at["mm"] >= 1.2 * nadir.reindex(at.index)]
    alone = grew.groupby("patient_id")["treated"].max().eq(0)
    assert alone.sum() >= 3 and (~alone).sum() >= 5


def test_volume_falls_most_in_the_combination(tables):
    m = tables["measurements"][tables["measurements"]["target"] == 1]
    volume = m.assign(value=np.pi / 6 * m[DIAMETERS].prod(axis=1) / 1000)
    volume = volume.groupby(["arm", "patient_id", "visit"], as_index=False)["value"].sum()
    change = change_from_baseline(volume, 6)
    seen = [len(change[arm]) for arm in ARMS]
    assert 49 <= sum(seen) <= 51 and all(n <= m for n, m in zip(seen, (14, 25, 13), strict=True))
    medians = {arm: np.median(values) for arm, values in change.items()}
    assert max(medians.values()) < 0  # P08
    assert all(stats.wilcoxon(values, method="exact").pvalue < 0.05 for values in change.values())
    assert min(medians, key=medians.get) == "C"  # P09
    assert stats.kruskal(*change.values()).pvalue < 0.001
    baseline = volume.loc[volume["visit"] == 0, "value"]
    assert 15 < baseline.median() < 26
    assert baseline.between(0.5, 140).all()


@pytest.mark.parametrize("main_set", [False, True])
@pytest.mark.parametrize("visit", [3, 6, 12])
def test_thyroglobulin_falls(tables, visit, main_set):  # P13
    samples = tables["markers"]
    positive = samples.loc[(samples["marker"] == "tgab") & (samples["value"] > 40), "patient_id"].unique()
    tg = samples[samples["marker"] == "tg"]
    tg = tg[~tg["patient_id"].isin(positive)] if main_set else tg
    for values in change_from_baseline(tg, visit).values():
        assert np.median(values) < 0
        assert stats.wilcoxon(values, method="exact").pvalue < 0.05
