"""What else progression could have meant: every definition equals R, none breaks on an odd study, and the publication is held against each."""

import json
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lesion_studies import (
    FOLDER,
    Lesion,
    Patient,
    draw_lesions,
    study_of,
    treatments,
    with_kinds,
    write_lesions,
    write_treatments,
)
from reference_data import load_expected, numbers

from lib import analyse
from lib.analyses.result import Absent, where
from lib.analyses.robustness import robustness
from lib.analyses.robustness.definitions import (
    CENSORED,
    COMPETING,
    DECLARED,
    FIELD,
    IGNORED,
    analyse_definitions,
    redefine,
)
from lib.dataset.dataset import load
from lib.dataset.derived import time_to_event_frame
from lib.report.page import Page
from lib.show import say, table
from lib.show.display import EMPTY
from lib.study.claims import Check, Claim, read_claims
from lib.study.study import ROOT

pytestmark = pytest.mark.thorough

NEW_WAYS = [FIELD, CENSORED, COMPETING, IGNORED]
EXPECTED = load_expected("progression")


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    """Ways that are drawn are not what is asked here."""
    for count in ("N_RESAMPLES", "N_SIMULATIONS"):
        monkeypatch.setattr(robustness, count, 50)


def robust(data, endpoint):
    survival = analyse.survival(data, data.study.endpoint(endpoint))
    return analyse.robustness(data, survival)


def held(ways, way, expected):
    rows = where(ways, way=way).set_index("group")
    assert rows.at["overall", "n_events"] == expected["n_events"]
    assert rows.at["overall", "p_value"] == pytest.approx(expected["p"], rel=1e-6)
    if "hr" in expected:
        assert rows.loc["C vs A", ["hr", "ci_low", "ci_high"]].tolist() == pytest.approx([expected["hr"], *expected["ci"]], rel=1e-6)


@pytest.mark.parametrize("size", ["small", "large"])
@pytest.mark.parametrize("endpoint", ["pfs", "ttp"])
def test_every_definition_equals_r(size, endpoint):
    """R: survdiff, coxph, cuminc on endpoints that progression.R derives from the lesions; death is an event, or competes."""
    ways = robust(load("robustness", study=str(FOLDER / size)), endpoint)["ways"]
    for way, expected in EXPECTED[size][endpoint].items():
        held(ways, way, expected)


@pytest.mark.parametrize("size", ["small", "large"])
def test_an_endpoint_of_kinds_equals_r(size):
    """R: survdiff, coxph of progression.R; distant progression and death compete."""
    data = load("robustness", study=str(FOLDER / size))
    survival = analyse.survival(data, data.study.endpoint("lc"))
    ways, expected = analyse.robustness(data, survival)["ways"], EXPECTED[size]
    for way, name in ((DECLARED, "control"), (FIELD, "control_in_field"), (IGNORED, "control_new_ignored")):
        held(ways, way, expected[name])
    assert survival["median"]["median"].tolist() == pytest.approx(numbers(expected["control"]["median"]), rel=1e-6, nan_ok=True)


def test_medians_of_each_definition_equal_r():
    """R: summary(survfit(...))$table["median"] of progression.R."""
    data = load("robustness", study=str(FOLDER / "large"))
    claims = _claims("pfs")
    found = analyse_definitions(data, analyse.survival(data, data.study.endpoint("pfs")), claims)
    for name in (DECLARED, FIELD, CENSORED, IGNORED):
        own = where(found["definition_median"], variable=f"pfs: {name}")["median"].tolist()
        assert own == pytest.approx(EXPECTED["large"]["pfs"][name]["median"], rel=1e-6)


def _claims(endpoint, **check):
    asked = {"rule": "equals", "output": "logrank", "variable": endpoint, "group": ("overall",), "statistic": "p_value", "decimals": 3, "value": (0.2,)}
    return (Claim(id="P1", claim="Log-rank p", printed="0.2", checks=(Check(**(asked | check)),)),)


def test_what_an_endpoint_already_is_is_not_asked_again(tmp_path):
    patients = [Patient("P1"), Patient("P2", "B")]
    lesions = [Lesion(p.id, "neck", {0: 20}, treated=True) for p in patients]

    def ways(*events, **changed):
        data = load("robustness", study=str(write_lesions(tmp_path, patients, lesions, with_kinds(study_of(patients), *events) | changed)))
        return {way: (e.events, e.competing) for way, e in redefine(data, data.study.endpoint("lc")).items()}

    assert ways("progression.in_field", "death_date") == {}
    assert ways("death_date") == {}
    assert ways("progression.target_growth") == {FIELD: (("progression.in_field",), ())}
    local = ways("progression.in_field", "progression.local_untreated", "death_date")
    growth = ("progression.in_field.growth", "progression.local_untreated.growth", "death_date")
    assert local == {
        FIELD: (("progression.in_field", "death_date"), ()),
        COMPETING: (growth, ("progression.local_untreated.new",)), IGNORED: (growth, ()),
    }  # fmt: skip


def test_nobody_knows_the_field_of_an_arm_without_treated_targets(tmp_path):
    patients = [Patient(f"P{i}", "AB"[i % 2]) for i in range(8)]
    lesions = [Lesion(p.id, "neck", {0: 20, 2: 20, 4: 20 + 3 * i}) for i, p in enumerate(patients)]
    study = treatments(study_of(patients))
    data = load("robustness", study=str(write_treatments(write_lesions(tmp_path, patients, lesions, study), patients, study)))
    row = where(robust(data, "pfs")["ways"], way=FIELD).iloc[0]
    assert row["note"] == "not made: no target is marked as treated in Implant"


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from(["pfs", "ttp"]))
def test_without_new_lesions_they_change_nothing(tmp_path_factory, seed, endpoint):
    patients, lesions = draw_lesions((4, 4, 3), seed)
    data = load("robustness", study=str(write_lesions(tmp_path_factory.mktemp("drawn"), patients, [x for x in lesions if x.target])))
    declared = data.study.endpoint(endpoint)
    others = redefine(data, declared)
    assert set(others) == {FIELD, COMPETING, IGNORED}
    for way in (COMPETING, IGNORED):
        new, old = (time_to_event_frame(data, e)[["patient_id", "time", "event", "cause"]] for e in (others[way], declared))
        pd.testing.assert_frame_equal(new, old)


# ---------------------------------------------------------------- studies of odd shape


def _stays(*more):
    return {0: 20, 2: 20, 4: 20, **dict(more)}


def _of(course, *, arms="AB", treated=False, extra=(), n=4, site="neck"):
    patients = [Patient(f"P{i}", arms[i % len(arms)], death=300 + 10 * i if i % 3 == 2 else None) for i in range(n)]
    return patients, [Lesion(p.id, site, course, treated=treated) for p in patients] + list(extra)


ODD = {
    "nothing treated": (_of({0: 20, 2: 30}), {}),
    "no column treated": (_of({0: 20, 2: 30}), {"without": ("treated",)}),
    "all treated": (_of({0: 20, 2: 30}, treated=True), {}),
    "no region": (_of({0: 20, 2: 30}), {"study": {"sites": [{"value": "neck", "label": "Neck"}], "response": {"visits": [6], "progression_column": "local_progression_date"}}}),
    "only new lesions": (_of(_stays(), extra=[Lesion(f"P{i}", "lung", {4: 9}, False) for i in range(3)]), {}),
    "nothing new": (_of({0: 20, 2: 30}), {}),
    "nobody progresses": (_of(_stays()), {}),
    "each lesion seen once": (_of({0: 20}), {}),
    "gone, then back": (_of({0: 20, 2: "absent", 4: 12}), {}),
    "gone at the baseline": (_of({0: "absent", 2: 12}), {}),
    "too small throughout": (_of({0: "small", 2: "small"}), {}),
    "not measured after the baseline": (_of({0: 20, 2: None, 4: None}), {}),
    "a node that is new and grows": (_of(_stays(), site="node", extra=[Lesion("P0", "node", {2: 12, 4: 30}, False)]), {}),
    "one arm": (_of({0: 20, 2: 30}, arms="A"), {}),
    "one patient an arm": (_of({0: 20, 2: 30}, n=2), {}),
    "six lesions a patient": (_of({0: 20, 2: 20, 4: 30}, extra=[Lesion("P0", s, _stays()) for s in ("neck", "node", "lung", "lung", "neck")]), {}),
    "a new lesion from the first scan after the baseline on": (_of(_stays(), extra=[Lesion("P1", "lung", {2: 9, 4: 9}, False)]), {}),
    "new and treated": (_of(_stays(), treated=True, extra=[Lesion("P1", "lung", {2: 9, 4: 19}, False, True)]), {}),
}
QUIET = ("nobody progresses", "each lesion seen once", "too small throughout", "not measured after the baseline", "gone at the baseline")


@pytest.mark.parametrize("name", ODD)
def test_an_odd_study_is_asked_and_shown(tmp_path, name):
    """Every row says a number or why there is none, and no table or sentence breaks."""
    (patients, lesions), options = ODD[name]
    study = with_kinds(study_of(patients), "progression.target_growth", "progression.new_lesion", competing=["death_date"]) | options.get("study", {})
    folder = write_lesions(tmp_path, patients, lesions, study, without=options.get("without", ()))
    page = Page("robustness", load("robustness", study=str(folder)))
    for endpoint in page.endpoints:
        survival = page.analyse(analyse.survival, endpoint)
        found = page.analyse(analyse.robustness, survival)
        said = f"{say.robustness(found)} {say.definition(survival)} {table.robustness(found)} {table.incidence(found)}"
        assert "nan" not in said.lower()
        assert page.definitions(survival) == ("", EMPTY)
        if isinstance(found, Absent):
            assert name == "one arm"
            continue
        ways = found["ways"]
        assert set(NEW_WAYS) <= set(ways["way"])
        told = ways[["p_value", "hr", "difference", "min", "count"]].notna().any(axis=1) | (ways["note"] != "")
        assert told.groupby(ways["way"]).any().all()
    first = page.analyse(analyse.first_progression)
    assert isinstance(first, Absent) == (name in QUIET)
    assert isinstance(first, Absent) or "Any progression" in table.first_progression(first).to_text()


# ---------------------------------------------------------------- which of them the published numbers fit


def page_of(folder, claims, **parameters):
    (folder / "published.yml").write_text(json.dumps({"claims": claims}))
    page = Page("robustness", load("robustness", study=str(folder), **parameters))
    return page, page.analyse(analyse.survival, page.endpoint)


@pytest.fixture
def published(tmp_path):
    """Two of eight progress by a new lesion, so that the log-rank test and a median tell the definitions apart."""
    patients = [Patient(f"P{i}", "AB"[i % 2], death=700 if i > 9 else None) for i in range(12)]
    lesions = [Lesion(p.id, "neck", {0: 20, 2: 20, 4: 20, 6: 30 if i < 6 else 20, 9: 20}) for i, p in enumerate(patients)]
    lesions += [Lesion(f"P{i}", "lung", {2: 9}, False) for i in (7, 9)]
    study = treatments(study_of(patients))
    for lesion, patient in zip(list(lesions), patients, strict=False):
        lesions[lesions.index(lesion)] = replace(lesion, treated=patient.arm == "B")
    write_treatments(write_lesions(tmp_path, patients, lesions, study), patients, study)
    data = load("robustness", study=str(tmp_path))
    return tmp_path, where(robust(data, "pfs")["ways"], group="overall").set_index("way")["p_value"]


def claim(value, decimals=4, **check):
    asked = {"rule": "equals", "output": "logrank", "variable": "pfs", "group": ["overall"], "statistic": "p_value", "decimals": decimals, "value": [value]}
    return {"id": "P1", "claim": "Log-rank p", "printed": str(value), "checks": [asked | check]}


def test_the_definition_that_fits_is_named(published):
    folder, p = published
    assert p[[DECLARED, FIELD, CENSORED]].round(4).nunique() == 3
    page, survival = page_of(folder, [claim(round(p[DECLARED], 4))])
    text, shown = page.definitions(survival)
    assert text == "PFS: the published claim fits the endpoint as declared and none of the other definitions of progression."
    assert shown.to_csv().count("(matches)") == 1

    page, survival = page_of(folder, [claim(round(p[CENSORED], 4))])
    text, shown = page.definitions(survival)
    assert "does not fit the endpoint as declared but" in text
    assert "“Growth; a new lesion censors”" in text
    assert "Drug, without a local component, every target" in shown.to_text()

    page, survival = page_of(folder, [claim(0.9876)])
    assert "fits none of 4 definitions of progression." in page.definitions(survival)[0]


def test_the_sentence_says_what_the_publication_states(published):
    folder, p = published
    study = json.loads((folder / "study.yml").read_text())
    for stated, said in (("not stated", "does not state which one it used."), ("RECIST 1.1", "states: “RECIST 1.1”.")):
        study["endpoints"][0]["published_definition"] = stated
        (folder / "study.yml").write_text(json.dumps(study))
        page, survival = page_of(folder, [claim(round(p[DECLARED], 4))])
        assert page.definitions(survival)[0].endswith(f"The publication {said}")


def test_nothing_is_said_where_nothing_is_claimed_or_others_are_analysed(published):
    folder, p = published
    fits = claim(round(p[DECLARED], 4))
    for claims in ([], [fits | {"checks": [fits["checks"][0] | {"variable": "os"}]}], [claim(12, output="median", group=["A"], statistic="n")]):
        page, survival = page_of(folder, claims)
        assert page.definitions(survival) == ("", EMPTY)
    for parameters in ({"arms": ["A", "B"], "cutoff": "2020-09-01"}, {"audience": "share"}):
        page, survival = page_of(folder, [fits], **parameters)
        assert page.definitions(survival) == ("", EMPTY)
    page, survival = page_of(folder, [fits], level=0.9)
    assert page.definitions(survival)[0]


def test_the_shipped_cohort_is_held_against_its_publication():
    page = Page("robustness", load("robustness", study=str(ROOT / "data/rair_dtc")))
    text, shown = page.definitions(page.analyse(analyse.survival, page.endpoint))
    assert "fit the endpoint as declared" in text
    assert "The publication does not state which one it used." in text
    assert len(shown.rows) == sum("LPFS" in c.claim for c in read_claims(ROOT / "data/rair_dtc"))


def test_a_study_without_lesions_has_no_further_rows():
    data = load("robustness", study=str(ROOT / "data/colon"))
    assert redefine(data, data.study.primary) == {}
    ways = analyse.robustness(data, analyse.survival(data, data.study.primary))["ways"]["way"]
    assert not set(NEW_WAYS) & set(ways)
