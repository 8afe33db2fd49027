"""The synthetic cohort in data/rair_dtc: published numbers, invariants, realism, and script -> same bytes.

The numbers are computed here a second time, with lifelines, scipy and plain loops; `lib` is only used where the test
is about the agreement with it. R gives the same: survdiff(Surv(t, e) ~ arm), survfit(...), kruskal.test(x ~ arm),
wilcox.test(x, exact = TRUE), fisher.test(table).
"""

import hashlib
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter
from lifelines.statistics import logrank_test, multivariate_logrank_test
from scipy import stats

from lib.intake import recist
from lib.intake.tables import read_tables
from lib.statistics import contingency
from lib.study.study import read_study

pytestmark = pytest.mark.thorough

FOLDER = Path(__file__).parents[2] / "data" / "rair_dtc"
ROOT = FOLDER.parent.parent
MONTH = 30.4375
ARMS = ["A", "B", "C"]
CUTOFF = pd.Timestamp("2025-02-28")
SCHEDULE = {0, 1, 3, 6, 9, 12, *range(18, 85, 6)}
DIAMETERS = ["longest_mm", "short_mm", "third_mm"]
TABLES = ["patients", "lesions", "measurements", "assessments", "markers", "treatments", "adverse_events"]


def read(name: str) -> pd.DataFrame:
    header = (FOLDER / f"{name}.csv").read_text(encoding="utf-8").partition("\n")[0].split(",")
    dates = [column for column in header if re.search("_date$|^time_zero$|^last_tumour", column)]
    return pd.read_csv(FOLDER / f"{name}.csv", parse_dates=dates)


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    tables = {name: read(name) for name in TABLES}
    lesions = tables["lesions"]
    tables["measurements"] = tables["measurements"].merge(lesions, on="lesion_id", validate="m:1")
    zero = tables["patients"].set_index("patient_id")[["arm", "time_zero", "last_contact_date"]]
    for name in TABLES[1:]:
        tables[name] = tables[name].merge(zero, left_on="patient_id", right_index=True, validate="m:1")
    return tables


@pytest.fixture(scope="module")
def patients(tables) -> pd.DataFrame:
    """Days and events of both endpoints, from the dates."""
    p = tables["patients"].copy()
    event = p[["local_progression_date", "death_date"]].min(axis=1)
    p["lpfs_event"], p["os_event"] = event.notna(), p["death_date"].notna()
    p["lpfs"] = (event.fillna(p["last_tumour_assessment"]) - p["time_zero"]).dt.days
    p["os"] = (p["last_contact_date"] - p["time_zero"]).dt.days
    return p


@pytest.fixture(scope="module")
def responses(tables) -> pd.DataFrame:
    """Response at each assessment by the rule of study.yml, patient by patient, in tenths of a millimetre."""
    rows = []
    for patient, own in tables["measurements"].groupby("patient_id"):
        totals, progressed = [], False
        for date, at in own.sort_values("assessment_date").groupby("assessment_date"):
            targets = at[at["target"] == 1]
            node = targets["site"] == "cervical_lymph_node"
            tenths = (targets["short_mm"].where(node, targets["longest_mm"]) * 10).round().astype(int)
            total, gone = int(tenths.sum()), bool(((tenths == 0) | (node & (tenths < 100))).all())
            if totals:
                nadir = min(totals)
                progressed |= (10 * total >= 12 * nadir and total - nadir >= 50) or bool((at["target"] == 0).any())
                status = "PD" if progressed else "CR" if gone else "PR" if 10 * total <= 7 * totals[0] else "SD"
                rows.append((patient, at["arm"].iloc[0], date, at["visit"].iloc[0], status))
            totals.append(total)
    return pd.DataFrame(rows, columns=["patient_id", "arm", "assessment_date", "visit", "response"])


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


def test_response_as_printed(responses):
    n = np.array([14, 25, 13])
    six, twelve = (np.array(responders(responses, visit)) for visit in (6, 12))
    assert six.tolist() == [3, 8, 10]  # P05, P06: 21, 32 and 77 %
    assert contingency.exact_test([six, n - six]).p_value == pytest.approx(0.007591586631, rel=1e-9)  # P07
    assert contingency.exact_test([twelve, n - twelve]).p_value > 0.05  # P10
    assert np.ptp(twelve / n) < np.ptp(six / n)
    assert np.argmax(twelve / n) == 2


def test_reader_and_rule(tables, responses):
    """The reader differs from the rule in two or three patients, never about progression; `lib` does not at all."""
    said = tables["assessments"].dropna(subset="reader_response")
    both = said.merge(responses, on=["patient_id", "assessment_date"], validate="1:1")
    assert len(both) == len(said) == len(responses)
    differs = both[both["reader_response"] != both["response"]]
    assert differs["patient_id"].nunique() in (2, 3)
    assert set(differs["reader_response"]) | set(differs["response"]) == {"SD", "PR"}
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
    assert progressed.groupby("patient_id").size().eq(1).all()
    first = progressed.set_index("patient_id")["assessment_date"].sort_index()
    assert first.tolist() == dates["local_progression_date"].sort_index().tolist()
    by_new = tables["assessments"][tables["assessments"]["new_lesion"] == 1]
    assert 3 <= len(by_new) <= 8
    assert (by_new["reader_response"] == "PD").all()


def test_volume_falls_most_in_the_combination(tables):
    m = tables["measurements"][tables["measurements"]["target"] == 1]
    volume = m.assign(value=np.pi / 6 * m[DIAMETERS].prod(axis=1) / 1000)
    volume = volume.groupby(["arm", "patient_id", "visit"], as_index=False)["value"].sum()
    change = change_from_baseline(volume, 6)
    assert [len(change[arm]) for arm in ARMS] == [14, 25, 13]
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


def test_markers(tables):
    samples = tables["markers"]
    assert dict(samples.groupby("marker")["unit"].unique().str.join(",")) == {
        "tg": "ng/mL", "tgab": "IU/mL", "tsh": "mIU/L"
    }  # fmt: skip
    assert (samples["value"] > 0).all()
    assert samples.groupby("patient_id")["state"].nunique().eq(1).all()
    below = samples[samples["below_limit"] == 1]
    assert 3 <= len(below) <= 7
    assert (below["value"] == below["limit"]).all()
    assert not samples.duplicated(["patient_id", "visit", "marker"]).any()
    tsh = samples[samples["marker"] == "tsh"].set_index("state")["value"]
    assert tsh["suppressed"].max() < 4
    assert tsh["stimulated"].min() > 30


def test_adverse_events(tables):
    events, n = tables["adverse_events"], np.array([14, 25, 13])
    affected = lambda rows: rows.groupby("arm")["patient_id"].nunique().reindex(ARMS, fill_value=0).to_numpy()  # noqa: E731
    assert 90 <= len(events) <= 110
    assert (events["grade"] <= 2).mean() >= 0.9  # P14
    for chosen in (events, events[events["grade"] >= 3]):
        assert contingency.exact_test([affected(chosen), n - affected(chosen)]).p_value > 0.05
    procedural = events["related"].isin(["procedure", "both"])
    assert not (procedural & (events["grade"] >= 3)).any()  # P15
    assert events["grade"].max() == 3
    hypertension = affected(events[events["term"] == "Hypertension"])
    assert hypertension[1] == 0 < min(hypertension[0], hypertension[2])
    assert set(events.loc[events["arm"] == "A", "related"]) <= {"drug", "no"}
    assert set(events.loc[events["arm"] == "B", "related"]) <= {"procedure", "no"}
    assert not events.duplicated(["patient_id", "term", "onset_date"]).any()


def test_dose_reductions_have_a_reason(tables):
    drug = tables["treatments"].query("component == 'anlotinib' and line == 1")
    reduced = set(drug.loc[drug["lowest_dose"] < drug["start_dose"], "patient_id"])
    events = tables["adverse_events"]
    assert reduced == set(events.loc[events["action"] == "reduced", "patient_id"])
    assert 0.3 < len(reduced) / len(drug) < 0.45
    stopped = events[events["action"] == "stopped"].merge(drug, on="patient_id", suffixes=("", "_drug"))
    assert (stopped["onset_date"] <= stopped["end_date_drug"]).all()


def test_no_query_is_open():
    """Every rule of the intake holds."""
    assert read_tables(read_study(FOLDER)).queries.empty


def test_dates(tables, patients):
    assert patients["time_zero"].between("2018-04-01", "2023-09-30").all()
    assert patients["last_contact_date"].max() <= CUTOFF
    dead = patients[patients["death"] == 1]
    assert (dead["death_date"] == dead["last_contact_date"]).all()
    assert (patients["lpfs"] <= patients["os"]).all()
    last = tables["measurements"].groupby("patient_id")["assessment_date"].max()
    assert (patients.set_index("patient_id")["last_tumour_assessment"] == last).all()
    for table, date in (("measurements", "assessment_date"), ("markers", "sample_date")):
        rows = tables[table]
        off = (rows[date] - rows["time_zero"]).dt.days - (rows["visit"] * MONTH).round()
        assert off.between(-12, 24).all()
        assert set(rows["visit"]) <= SCHEDULE
        assert (rows[date] <= rows["last_contact_date"]).all()
    first = tables["treatments"].groupby("patient_id")["start_date"].min()
    assert (patients.set_index("patient_id")["time_zero"] == first).all()


def test_working_days(tables):
    """Scans, samples and treatments fall on Monday to Friday; deaths and contacts on any day."""
    for name, date in (("measurements", "assessment_date"), ("markers", "sample_date"), ("treatments", "start_date")):
        assert tables[name][date].dt.dayofweek.max() < 5
    assert tables["patients"]["death_date"].dt.dayofweek.max() > 4


def test_measurements(tables):
    m = tables["measurements"]
    assert ((m["longest_mm"] >= m["short_mm"]) & (m["short_mm"] >= m["third_mm"])).all()
    assert (m[DIAMETERS].round(1) == m[DIAMETERS]).all(axis=None)
    assert (m.loc[m["status"] == "too_small", DIAMETERS] == 5).all(axis=None)
    assert (m.loc[m["status"] == "absent", DIAMETERS] == 0).all(axis=None)
    assert (m.loc[m["status"] == "measured", DIAMETERS] > 0).all(axis=None)
    assert ((m["status"] == "too_small") == (m["too_small"] == 1)).all()
    assert ((m["site"].isin(["cervical_lymph_node", "thyroid_bed"])) == (m["modality"] == "US")).all()
    baseline = m[(m["visit"] == 0) & (m["site"] == "cervical_lymph_node")]
    assert (baseline["short_mm"] >= 15).all()
    for _, own in m[m["status"] != "absent"].sort_values("assessment_date").groupby("lesion_id"):
        assert all(max(a, b) < 10 * min(a, b) for a, b in pairwise(own["longest_mm"]))


def test_realism(tables, patients, responses):
    """What a trial data set shows and a convenient one does not."""
    assert {"CR", "PR", "SD", "PD"} == set(responses["response"])
    assert {"measured", "too_small", "absent"} == set(tables["measurements"]["status"])
    complete = responses[responses["response"] == "CR"].groupby("arm")["patient_id"].nunique()
    assert complete["B"] >= 1 and complete["C"] >= 1
    alive = patients[patients["death"] == 0]
    lost = alive[(CUTOFF - alive["last_contact_date"]).dt.days > 60]
    assert 3 <= len(lost) <= 6
    seen_at_12 = set(tables["measurements"].loc[tables["measurements"]["visit"] >= 12, "patient_id"])
    unseen = patients[~patients["patient_id"].isin(seen_at_12) & (patients["local_progression"] == 0)]
    assert set(unseen.loc[unseen["arm"] == "B", "death"]) == {0, 1}  # lost, and dead, before the 12-month scan
    assert patients["ecog"].isna().sum() == patients["cum_rai_gbq"].isna().sum() == 1
    assert 8 <= patients["distant_progression_date"].notna().sum() <= 25
    later = set(tables["treatments"].query("line > 1")["patient_id"])
    assert len(later) >= 8
    assert later <= set(patients.query("local_progression == 1")["patient_id"])
    years = patients.groupby("arm")["time_zero"].agg(["min", "max"])
    assert years["min"].idxmin() == "B" and years["max"].idxmax() == "A"
    targets = tables["lesions"].query("target == 1")
    node = (targets["site"] == "cervical_lymph_node").groupby(targets["arm"]).mean()
    assert node["A"] < node["C"] < node["B"]
    assert tables["adverse_events"]["end_date"].isna().any()


def test_files_are_plain():
    for name in TABLES:
        raw = (FOLDER / f"{name}.csv").read_bytes()
        assert b"\r" not in raw and raw.endswith(b"\n") and not raw.startswith(b"\xef\xbb\xbf")
        raw.decode("utf-8")


def checksums(folder: Path) -> dict[str, str]:
    lines = (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in (line.split("  ") for line in lines)}


def test_checksums():
    sums = checksums(FOLDER)
    assert set(sums) == {f"{name}.csv" for name in TABLES}
    assert sums == {name: hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() for name in sums}


def test_script_gives_the_same_bytes(tmp_path):
    """Only under the locked numpy: its streams may change between versions."""
    locked = re.search(r"^numpy==([0-9.]+)", (ROOT / "requirements.lock").read_text(encoding="utf-8"), re.MULTILINE)
    if np.__version__ != locked[1]:
        pytest.skip(f"numpy {np.__version__}, but {locked[1]} is locked")
    command = [sys.executable, "-B", str(FOLDER / "make_cohort.py"), str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    for name in TABLES:
        assert (tmp_path / f"{name}.csv").read_bytes() == (FOLDER / f"{name}.csv").read_bytes(), name
    assert checksums(tmp_path) == checksums(FOLDER)
