"""What a study calls its columns, variables, endpoints, subgroups and levels changes no number: its names are its own.

Names are drawn from those that the library itself uses, found by reading its source.
"""

import csv
import io
import json
import re

import numpy as np
import pandas as pd
import pytest
from any_names import in_use
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from notebook_cells import run_notebook, without_drawing

from lib.dataset.dataset import load
from lib.study.parts import own
from lib.study.study import TAKEN, read_study
from lib.study.yaml_file import ProblemsFound

pytestmark = pytest.mark.notebook

# What a study must give a name, in the order in which `write` takes them.
NAMED = ("age", "sex", "stage", "days", "status", "os", "by_sex", "by_age")
PLAIN = dict(zip(NAMED, ("v_age", "v_sex", "v_stage", "c_days", "c_status", "e_os", "s_sex", "s_age"), strict=True))
# Codes of the two levels of `sex` and the three of `stage`.
CODES = ("F", "M", "I", "II", "III")
N = 48


def write(folder, names=PLAIN, codes=CODES, arms=("x1", "x2")):
    """A study of two arms and 48 patients in which everything that has a name may have another."""
    rng = np.random.default_rng(8)
    folder.mkdir(parents=True, exist_ok=True)
    sex, stage = (pd.Series(rng.integers(0, k, N)) for k in (2, 3))
    frame = pd.DataFrame({
        "patient_id": [f"P{i:02d}" for i in range(N)], "arm": np.array(arms)[np.arange(N) % 2],
        names["age"]: rng.integers(30, 80, N), names["sex"]: sex.map(dict(enumerate(codes[:2]))), names["stage"]: stage.map(dict(enumerate(codes[2:]))),
        names["days"]: rng.integers(1, 1500, N), names["status"]: rng.integers(0, 2, N),
    })  # fmt: skip
    frame.to_csv(folder / "patients.csv", index=False)
    levels = [{"value": code, "label": label} for code, label in zip(codes, CODES, strict=True)]
    study = {
        "study": {"id": "named", "title": "T", "short_title": "T", "synthetic": False},
        "time": {"unit": "months", "days_per_unit": 30.4375, "zero_label": "start"},
        "arms": [{"id": arm, "label": f"Arm {i}", "colour": colour} for i, (arm, colour) in enumerate(zip(arms, ("#0072B2", "#D55E00"), strict=True))],
        "reference_arm": arms[0],
        "tables": {"patients": {"file": "patients.csv"}},
        "baseline": [
            {"id": names["age"], "label": "Age", "type": "integer"},
            {"id": names["sex"], "label": "Sex", "type": "category", "levels": levels[:2]},
            {"id": names["stage"], "label": "Stage", "type": "category", "levels": levels[2:]},
        ],
        "endpoints": [{
            "id": names["os"], "label": "Overall survival", "short": "OS", "role": "primary", "definition": "to death", "landmarks": [12],
            "time": {"column": names["days"], "unit": "days"}, "event": {"column": names["status"], "event": "1", "censored": "0"},
        }],
        "subgroups": [
            {"id": names["by_sex"], "variable": names["sex"]},
            {"id": names["by_age"], "variable": names["age"], "cut": 60},
        ],
        "sensitivity": {"strata": [names["stage"]], "landmarks": [6]},
        "confounding": {"covariates": [{"variable": names["age"], "log": True}, {"variable": names["sex"]}]},
    }  # fmt: skip
    (folder / "study.yml").write_text(json.dumps(study), "utf-8")
    return folder


def numbers(folder, **parameters):
    """Every number of the cohort and the efficacy report and where it stands, but for the names; and all that is shown."""
    found, text = [], ""
    for notebook in ("cohort", "efficacy"):
        with pytest.MonkeyPatch.context() as patch:
            without_drawing(patch)
            shown = run_notebook(notebook, patch, study=str(folder), **parameters)
        rows = csv.DictReader(io.StringIO(shown.records("results")[0]["csv"]))
        found += [(notebook, row["output"], row["time"], row["statistic"], row["value"]) for row in rows]
        text += shown.text
    return found, text


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return numbers(write(tmp_path_factory.mktemp("plain")))


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(in_use, min_size=2 * len(NAMED), max_size=2 * len(NAMED), unique=True))
@example(["time", "event", "cause", "decided_by", "weight", "arm_", "group", "variable"])
@example(["excluded", "death", "death_date", "time_zero", "local_progression", "value", "n", "count"])
@example(["index", "size", "T", "values", "name", "dtype", "level_0", "product_0_0"])
@example(["term", "method", "note", "statistic", "hr", "overall", "all", "missing"])
def test_numbers_do_not_depend_on_names(plain, tmp_path_factory, drawn):
    """Variables, columns of times and events, endpoint and subgroups called as the library calls things of its own."""
    names = dict(zip(NAMED, [name for name in drawn if name not in ("patient_id", "arm", *TAKEN["endpoints"])], strict=False))
    found, text = numbers(write(tmp_path_factory.mktemp("named"), names))
    assert found == plain[0]
    assert text == plain[1]
    assert not re.search(r"\bown\.\w", text)


@pytest.mark.parametrize("codes", [
    ("overall", "missing", "n", "index", "all"), ("nan", "None", "a: b", "a", "b"), ("x vs y", "a -> b", "<5", ">=5", "5"),
    ("0", "00", "1.0", "1", "True"), ("Männlich", "女", "a, grade 3", "events", "lesions"), ("own.sex", ".", "a,b", "c;d", "*"),
])  # fmt: skip
def test_numbers_do_not_depend_on_the_codes_of_levels(plain, tmp_path, codes):
    assert numbers(write(tmp_path / "s", codes=codes)) == plain


def test_a_shared_report_masks_whatever_the_levels_are_called(tmp_path):
    strange = ("a: b", "a", "x vs y", "overall", "n")
    shown = [numbers(write(tmp_path / str(i), codes=codes), audience="share") for i, codes in enumerate((CODES, strange))]
    assert shown[0] == shown[1]


@pytest.mark.parametrize("arms", [("time", "vs"), ("index", "group"), ("nan", "all")])
def test_numbers_do_not_depend_on_the_ids_of_arms(plain, tmp_path, arms):
    assert numbers(write(tmp_path / "s", arms=arms)) == plain


def test_a_subgroup_is_chosen_by_any_name(tmp_path):
    names = dict(zip(NAMED, ("time", "event", "cause", "decided_by", "weight", "arm_", "group", "variable"), strict=True))
    chosen = [
        numbers(write(tmp_path / key, own_names), subgroup=own_names["by_sex"], subgroup_values=["F"])
        for key, own_names in (("plain", PLAIN), ("named", names))
    ]
    assert chosen[0][0] == chosen[1][0]


@pytest.mark.parametrize(("part", "names", "arms", "says"), [
    ("baseline", {"age": "patient_id"}, None, "the column patient_id is the patients' ids"),
    ("baseline", {"sex": "arm"}, None, "the column arm is the arms"),
    ("baseline", {"age": "c_days"}, None, "the column c_days is the time of e_os"),
    ("baseline", {"stage": "c_status"}, None, "the column c_status is the event of e_os"),
    ("endpoints", {"days": "arm"}, None, "arm cannot be the time of e_os"),
    ("endpoints", {"os": "response"}, None, "the id response means something else"),
    ("arms", {}, ("overall", "x2"), "the id overall means something else"),
])  # fmt: skip
def test_a_column_has_one_meaning(tmp_path, part, names, arms, says):
    """What cannot be told apart is refused, with what to do; a variable may have the column of any name by another id."""
    with pytest.raises(ProblemsFound) as found:
        read_study(write(tmp_path / "s", PLAIN | names, arms=arms or ("x1", "x2")))
    assert [problem.code for problem in found.value.problems] == ["E100"]
    assert part in str(found.value)
    assert says in str(found.value)


@pytest.mark.parametrize("audience", ["internal", "share"])
@pytest.mark.parametrize("kept", ["numbers", "categories", "nothing"])
def test_baseline_of_one_kind_or_none(plain, tmp_path, kept, audience):
    """A study may hold numbers only, categories only, or no baseline variable: each gives its rows of Table 1 and the rest."""
    folder = write(tmp_path / "s")
    study = json.loads((folder / "study.yml").read_text())
    types = {"numbers": ("integer",), "categories": ("category",), "nothing": ()}[kept]
    study["baseline"] = [variable for variable in study["baseline"] if variable["type"] in types]
    for key in ("subgroups", "sensitivity", "confounding"):
        del study[key]
    (folder / "study.yml").write_text(json.dumps(study))
    found, text = numbers(folder, audience=audience)
    shown = {output for _, output, *_ in found}
    assert ("baseline_number" in shown, "baseline_category" in shown) == ("integer" in types, "category" in types)
    assert ("Age" in text, "Stage" in text) == ("integer" in types, "category" in types)
    same = [row for row in found if row[1].startswith("baseline_")]
    assert audience == "share" or set(same) <= set(plain[0])


def test_columns_may_change_places_with_ours(tmp_path, plain):
    """A file whose own columns bear our names: `columns` says which is which."""
    folder = write(tmp_path / "s")
    frame = pd.read_csv(folder / "patients.csv", dtype=str)
    theirs = {"patient_id": "time", "arm": "v_age", "v_age": "arm", "c_days": "patient_id", "v_sex": "excluded"}
    frame.rename(columns=theirs).to_csv(folder / "patients.csv", index=False)
    study = json.loads((folder / "study.yml").read_text())
    study["tables"]["patients"]["columns"] = theirs
    (folder / "study.yml").write_text(json.dumps(study))
    assert numbers(folder) == plain


def test_one_column_of_codes_may_serve_two_endpoints(tmp_path):
    """Each endpoint says which codes it knows: one that it does not is no censored patient."""
    folder = write(tmp_path / "s")
    frame = pd.read_csv(folder / "patients.csv", dtype=str)
    frame.loc[frame.index[:5], "c_status"] = "2"
    frame.to_csv(folder / "patients.csv", index=False)
    study = json.loads((folder / "study.yml").read_text())
    first, second = (json.loads(json.dumps(study["endpoints"][0])) for _ in range(2))
    first["event"]["competing"], second["event"]["event"] = "2", "2"
    second |= {"id": "other", "label": "Another"}
    study["endpoints"] = [first, second]
    (folder / "study.yml").write_text(json.dumps(study))
    with pytest.raises(ProblemsFound) as found:
        load("efficacy", study=str(folder))
    assert {problem.code for problem in found.value.problems} == {"E102"}
    second["event"]["competing"] = "1"
    (folder / "study.yml").write_text(json.dumps(study | {"endpoints": [first, second]}))
    data = load("efficacy", study=str(folder))
    assert (data.patients[own("other.event")] == "2").sum() == 5
