"""Studies without a time-to-event endpoint, and endpoints that some or all patients lack."""

import io
import json

import numpy as np
import pandas as pd
import pytest
from notebook_cells import NOTEBOOKS, run_notebook, words_alone
from random_study import Design, write_random

from lib import report
from lib.analyses.cohort import flow
from lib.analyses.efficacy import survival
from lib.analyses.result import Absent
from lib.dataset import derived
from lib.dataset.dataset import load
from lib.explore.page import Explorer
from lib.intake.tables import read_tables
from lib.show.sentences.survival import sentence_survival
from lib.study.study import read_study
from lib.study.yaml_file import ProblemsFound

pytestmark = pytest.mark.notebook

DECLARES_NONE = "This study declares no time-to-event endpoint."
# Table -> the key of study.yml that goes with it.
KEYS = {"measurements": "response", "markers": "markers", "treatments": "treatments", "adverse_events": "adverse_events"}
TABLES = ("lesions", "assessments", *KEYS)
BARE = ["patient_id", "arm", "age", "sex"]


def change(folder, edit, patients=None):
    """Edit study.yml and the table of patients of a study that was drawn."""
    study = json.loads((folder / "study.yml").read_text(encoding="utf-8"))
    edit(study)
    (folder / "study.yml").write_text(json.dumps(study), encoding="utf-8")
    if patients:
        frame = pd.read_csv(folder / "patients.csv", dtype=str, keep_default_na=False)
        patients(frame).to_csv(folder / "patients.csv", index=False)
    return folder


def without_endpoints(folder, *held, columns=(), sizes=(7, 6)):
    """A study that declares no endpoint and holds these tables beside its patients, perhaps with these columns alone."""

    def edit(study):
        del study["endpoints"]
        for table in set(TABLES) - set(held):
            del study["tables"][table]
            study.pop(KEYS.get(table, ""), None)
        kinds = {"marker": "markers", "volume": "measurements"}
        study["baseline"] = [v for v in study["baseline"] if kinds.get(v.get("source", {}).get("kind"), "patients") in (*held, "patients")]
        if not held or "treatments" not in held:
            study.get("adverse_events", {}).pop("risk_windows", None)

    return change(write_random(folder, Design(sizes)), edit, (lambda frame: frame[list(columns)]) if columns else None)


STUDIES = {
    "patients": {},
    "bare": {"columns": BARE},
    "one arm": {"sizes": (9,)},
    "markers": {"held": ("markers",)},
    "markers without dates": {"held": ("markers",), "columns": BARE},
    "response": {"held": ("lesions", "measurements", "assessments")},
    "events": {"held": ("adverse_events",)},
    "events without dates": {"held": ("adverse_events",), "columns": BARE},
    "treatments without dates": {"held": ("treatments",), "columns": BARE},
}


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_without_an_endpoint_has_every_report(name, tmp_path, monkeypatch):
    options = dict(STUDIES[name])
    folder = without_endpoints(tmp_path, *options.pop("held", ()), **options)
    if name not in ("patients", "response"):
        words_alone(monkeypatch)
    for notebook in NOTEBOOKS:
        shown = run_notebook(notebook, monkeypatch, study=str(folder))
        results = pd.read_csv(io.StringIO(shown.records("results")[0]["csv"]))
        assert not {"median", "follow_up", "logrank", "flow_endpoint"} & set(results["output"])
        assert shown.records("header")[0]["endpoints"] == {}
        key = shown.records("key_results")[0]["sentences"]
        assert key, "a box of key results is never empty"
        assert (DECLARES_NONE in shown.text) == (notebook != "safety")
        held = {r["output"] for r in results.to_dict("records")}
        if notebook == "efficacy" and "markers" in name:
            assert {"crp_level", "crp_within"} <= held
        if notebook == "efficacy" and name == "response":
            assert {"objective_response_treated", "best_response"} <= held


def test_the_interactive_page_of_a_study_without_an_endpoint(tmp_path):
    page = Explorer(str(without_endpoints(tmp_path)))
    assert page.view.problems == []
    assert DECLARES_NONE in json.dumps(page.view.blocks)
    assert "endpoint" not in page.form.parameters()


def test_scans_need_a_start(tmp_path):
    """How soon a tumour responds cannot be said without it."""
    folder = without_endpoints(tmp_path, "lesions", "measurements", columns=BARE)
    with pytest.raises(ProblemsFound, match="missing column time_zero"):
        load("cohort", study=str(folder))


def test_a_study_may_call_its_start_otherwise(tmp_path):
    def edit(study):
        study["time"]["zero"] = "first_dose"

    renamed = change(write_random(tmp_path / "a", Design((7, 6))), edit, lambda f: f.rename(columns={"time_zero": "first_dose"}))
    other = load("cohort", study=str(renamed))
    usual = load("cohort", study=str(write_random(tmp_path / "b", Design((7, 6)))))
    endpoint = usual.study.primary
    one, two = (derived.time_to_event_frame(data, endpoint)["time"] for data in (usual, other))
    assert one.tolist() == two.tolist()


def ready(folder, known, sizes=(14, 12, 11)):
    """A study of two ready-made endpoints; `known(i, arm)` says who has the first, everybody has the second."""
    codes = {"event": "1", "censored": "0"}

    def edit(study):
        for table in TABLES:
            del study["tables"][table]
            study.pop(KEYS.get(table, ""), None)
        study["baseline"] = study["baseline"][:2]
        study["endpoints"] = [
            {"id": name, "label": label, "short": name.upper(), "role": role, "definition": "from the start", "landmarks": [6, 12],
             "time": {"column": f"{name}_months", "unit": "months"}, "event": {"column": f"{name}_status", **codes}}
            for name, label, role in (("os", "Overall survival", "primary"), ("ttr", "Time to relapse", "secondary"))
        ]  # fmt: skip

    def patients(frame):
        rng = np.random.default_rng(3)
        frame = frame[BARE].copy()
        for name in ("os", "ttr"):
            frame[f"{name}_months"] = np.round(rng.exponential(12, len(frame)) + 0.1, 1).astype(str)
            frame[f"{name}_status"] = rng.integers(0, 2, len(frame)).astype(str)
        lack = [not known(i, arm) for i, arm in enumerate(frame["arm"])]
        frame.loc[lack, ["os_months", "os_status"]] = ""
        return frame

    return change(write_random(folder, Design(sizes)), edit, patients)


WHO = {
    "all": lambda i, arm: True,
    "two of three": lambda i, arm: i % 3 > 0,
    "one arm lacks it": lambda i, arm: arm != "B",
    "the reference lacks it": lambda i, arm: arm != "A",
    "one has it": lambda i, arm: i == 5,
    "nobody has it": lambda i, arm: False,
}


@pytest.mark.parametrize("who", [who for who in WHO if not who.startswith("all")])
def test_an_endpoint_that_patients_lack(who, tmp_path, monkeypatch):
    folder = ready(tmp_path, WHO[who])
    shown = run_notebook("efficacy", monkeypatch, study=str(folder))
    results = pd.read_csv(io.StringIO(shown.records("results")[0]["csv"]))
    median = results[(results["output"] == "median") & (results["variable"] == "os")].set_index(["group", "statistic"])["value"]
    arms = shown.names["page"].data.patients["arm"].astype(str)
    known = pd.Series([WHO[who](i, arm) for i, arm in enumerate(arms)])
    if not known.any():
        assert median.empty
        assert "Overall survival: no patient has a known time." in shown.text
        return
    for arm in "ABC":
        assert median[arm, "n"] == (known & (arms == arm)).sum()
        assert median[arm, "n_missing"] == (~known & (arms == arm)).sum()
    other = results[(results["output"] == "median") & (results["variable"] == "ttr")].set_index(["group", "statistic"])["value"]
    assert [other[arm, "n_missing"] for arm in "ABC"] == [0, 0, 0]
    tables = {record["id"]: record["csv"] for record in shown.records("table")}
    assert "Without a known time" in tables["os_by_arm"]
    assert "Without a known time" not in tables["ttr_by_arm"]


def test_who_lacks_an_endpoint_is_no_part_of_it(tmp_path):
    """Every number is that of a study without these patients."""
    some = load("efficacy", study=str(ready(tmp_path / "some", WHO["two of three"])))
    folder = ready(tmp_path / "left", WHO["all"])
    frame = pd.read_csv(folder / "patients.csv", dtype=str)
    frame[[i % 3 > 0 for i in range(len(frame))]].to_csv(folder / "patients.csv", index=False)
    left = load("efficacy", study=str(folder))
    one, other = (survival.analyse(data, data.study.primary) for data in (some, left))
    for output, found in one.frames.items():
        expected = other[output].drop(columns="n_missing", errors="ignore")
        pd.testing.assert_frame_equal(found.drop(columns="n_missing", errors="ignore"), expected)
    assert "13 patients without a known time are left out" in sentence_survival(one)
    assert "without a known time" not in sentence_survival(other)
    flowed = flow.analyse(some, ())["flow_endpoint"]
    assert flowed[flowed["variable"] == "os"]["count"].tolist() == [*one["median"]["n"], 24]


def test_a_wrong_count_of_those_who_lack_it_is_found(tmp_path):
    data = load("efficacy", study=str(ready(tmp_path, WHO["two of three"])))
    analysis = survival.analyse(data, data.study.primary)
    analysis["median"].loc[1, "n_missing"] += 1
    with pytest.raises(flow.CountsDifferError, match="median"):
        flow.check_counts(flow.analyse(data, ()), [analysis])


def test_few_who_lack_an_endpoint_are_a_small_cell(tmp_path):
    """In a shared report neither their number nor any n that would give it stands."""
    folder = ready(tmp_path, lambda i, arm: i not in (3, 17, 18))
    page = report.start("efficacy", {"study": str(folder), "audience": "share"})
    shown = page.record(survival.analyse(page.data, page.endpoint))
    assert page.unmasked(shown)["median"]["n_missing"].tolist() == [1, 2, 0]
    assert shown["median"]["n_missing"].isna()[:2].all()
    for output, frame in shown.frames.items():
        by_arm = frame[frame["group"].isin(["A", "B"])]
        assert by_arm[[c for c in ("n",) if c in by_arm]].isna().all(axis=None), output
        if "n_risk" in frame and (frame["time"] == 0).any():
            assert by_arm.loc[by_arm["time"] == 0, "n_risk"].isna().all()


def test_a_derived_endpoint_of_who_was_never_examined(tmp_path):
    """Without an event or an assessment there is no time to progression; death is known all the same."""

    def never(frame):
        frame.loc[[0, 8], ["last_tumour_assessment", "local_progression_date", "death_date"]] = ""
        frame.loc[[0, 8], ["local_progression", "death"]] = "0"
        return frame

    folder = change(write_random(tmp_path, Design((7, 6))), lambda study: None, never)
    data = load("efficacy", study=str(folder))
    missing = {e.id: survival.analyse(data, e)["median"]["n_missing"].tolist() for e in data.study.endpoints}
    assert missing == {"pfs": [1, 1], "os": [0, 0], "ttp": [1, 1]}


def test_a_cut_off_needs_a_start(tmp_path):
    study = {"study": str(without_endpoints(tmp_path / "bare", columns=BARE)), "cutoff": "2020-06-30"}
    with pytest.raises(ProblemsFound, match="cannot be changed"):
        load("cohort", **study)
    moved = load("cohort", **study | {"study": str(without_endpoints(tmp_path / "dated"))})
    assert 0 < len(moved.patients) < 13


def test_an_absent_analysis_of_no_endpoint_says_so(tmp_path):
    folder = without_endpoints(tmp_path)
    assert read_tables(read_study(folder)).queries.empty
    data = load("efficacy", study=str(folder))
    assert survival.analyse(data, data.study.primary) == Absent(DECLARES_NONE)
