"""The catalogue of outputs: complete, without a row too many, true, and the only way into results.csv."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from notebook_cells import NOTEBOOKS, run_notebook, shipped, without_drawing
from staples_study import write_staples
from strategy_study import draw_strategy, write_strategy
from study_builder import PATIENTS, write_study

from lib.analyses import outputs
from lib.analyses.outputs import OUTPUTS, find, named
from lib.analyses.result import Analysis, unit_of
from lib.analyses.safety import events
from lib.dataset.dataset import load
from lib.report.page import Page
from lib.report.results import to_rows
from lib.show.disclosure.audience import mask_analysis, restrict
from lib.show.disclosure.counts import COUNTS

# Tests of the laboratory with limits, an outcome on a linear scale, and one that is followed in every way there is.
MORE_MARKERS = """
  - {id: alt, label: Transaminase, short: ALT, unit: U/L, units: {U/L: 1}, role: safety, reference: {high: 40}}
  - {id: bili, label: Bilirubin, short: Bilirubin, unit: U/L, units: {U/L: 1}, role: safety, reference: {high: 21}}
  - {id: pain, label: Pain, short: Pain, unit: U/L, units: {U/L: 1}, role: endpoint, scale: linear}
  - id: psa
    label: Antigen
    short: PSA
    unit: U/L
    units: {U/L: 1}
    interference: {marker: bili, above: 230, surrogate: {fell: 0.5, rose: 1.5}}
    kinetics: {since: baseline, min_days: 30, doubling_below: 6}
    progression: {ratio: 1.2, over: nadir, confirmed: false}

liver: {transaminases: [alt], bilirubin: bili}

treatments:"""


def _with_more_markers(frame: pd.DataFrame) -> pd.DataFrame:
    """The samples of the six patients, and a value of each new marker before and during treatment."""
    rows = [
        {"patient_id": patient, "sample_date": str(dt.date.fromisoformat(own[7]) + dt.timedelta(days=day)), "visit": visit,
         "marker": marker, "value": str(20 + 7 * number + day), "unit": "U/L", "below_limit": "0"}
        for number, (patient, own) in enumerate(PATIENTS.items())
        for marker in ("alt", "bili", "pain") for day, visit in ((0, "0"), (182, "6"))
    ]  # fmt: skip
    rows += [dict(row, marker="psa", above_limit=str(int(row["visit"] == "6"))) for row in rows if row["marker"] == "pain"]
    rows += [dict(row, sample_date=str(dt.date.fromisoformat(row["sample_date"]) + dt.timedelta(days=91)), visit="3", value="33")
             for row in rows if row["marker"] == "psa" and row["visit"] == "0"]  # fmt: skip
    rows += [dict(row, sample_date=str(dt.date.fromisoformat(row["sample_date"]) + dt.timedelta(days=45)), visit="1.5", value="41")
             for row in rows if row["marker"] == "psa" and row["visit"] == "0"]  # fmt: skip
    return pd.concat([frame, pd.DataFrame(rows)], ignore_index=True).fillna("")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory) -> list[Analysis]:
    """All that is recorded of the shipped studies, of those of the cases, and of six patients in two ways."""
    root = tmp_path_factory.mktemp("six")
    more = write_study(
        root / "more", lambda text: text.replace("\n\ntreatments:", MORE_MARKERS, 1), markers=_with_more_markers
    )
    staples = write_staples(root / "staples")
    pages = [shipped(name, study).names["page"] for study in ("data/rair_dtc", "data/colon") for name in NOTEBOOKS]
    for study in ("tests/cases/six_arms", "tests/cases/weighted", str(write_study(root / "six")), str(more), str(staples)):
        for name in NOTEBOOKS:
            with pytest.MonkeyPatch.context() as monkeypatch:
                without_drawing(monkeypatch)
                asked = {"show_p_values": True} if name == "cohort" else {}
                pages.append(run_notebook(name, monkeypatch, study=study, **asked).names["page"])
    with pytest.MonkeyPatch.context() as monkeypatch:
        without_drawing(monkeypatch)
        pages.append(run_notebook("models", monkeypatch, study=str(write_strategy(root / "strategy", draw_strategy(120, 1)))).names["page"])
    return [analysis for page in pages for analysis in page._analyses]


@pytest.mark.notebook
def test_each_row_is_recorded_by_somebody(recorded):
    """And by its own name: a pattern is there for several variables."""
    names = {output.name for output in OUTPUTS}
    seen = set()
    for analysis in recorded:
        for name in analysis:
            seen |= {name} if name in names else {name.replace(analysis.variable, "*", 1)}
    assert seen == names


@pytest.mark.notebook
def test_what_the_catalogue_says_is_so(recorded):
    """What is counted, and where p-values are."""
    counted: dict[str, set] = {}
    for analysis in recorded:
        for name, frame in analysis.frames.items():
            row = find(name, analysis.variable)
            assert ("p_value" in frame) == bool(row.tests) or frame.empty, name
            if set(COUNTS) & set(frame):
                counted.setdefault(row.counts, set()).update(unit_of(frame))
    for said, units in counted.items():
        assert units == set(said.split(" or ")), said


def test_names_are_there_once_and_lead_somewhere():
    names = [output.name for output in OUTPUTS]
    assert len(names) == len(set(names))
    for row in OUTPUTS:
        others = (
            {row.sums, row.made_from, row.step, row.counted_in}
            | {rule.outer for rule in row.within}
            | {same.output for same in row.same}
        )
        assert others - {""} <= set(names), row.name
        # What is made from counts that nobody examined cannot be examined either.
        assert not row.made_from or find(row.made_from.replace("*", "tg"), "tg").examined == row.examined


def _analysis(name: str, variable: str = "tg", **columns) -> Analysis:
    return Analysis(None, variable, {name: pd.DataFrame({"group": ["A"], "method": ""} | columns)})


@pytest.mark.parametrize(
    ("analysis", "message"),
    [
        (_analysis("early_deaths", n=[1]), r"^early_deaths: no such output; enter it in .*lib/analyses/outputs\.py$"),
        (_analysis("psa_level", n=[1]), "^psa_level: no such output"),
        (_analysis("tg_levels", n=[1]), "^tg_levels: no such output"),
        (_analysis("tg_", n=[1]), "^tg_: no such output"),
        (_analysis("*_level", n=[1]), "no such output"),
        (_analysis("*_level", "*", n=[1]), "no such output"),
        (_analysis("_level", "", n=[1]), "^_level: no such output"),
        (_analysis("ae_fancy", "", n=[1]), "^ae_fancy: no such output"),
        (_analysis("flow_more", "", n=[1]), "^flow_more: no such output"),
        (_analysis("tg_level", n=[1], unit=["samples"]), r"^tg_level counts samples; lib/analyses/outputs\.py says patients$"),
        (_analysis("subgroup", "os", n=[1]), "^subgroup counts patients; .* says nothing$"),
        (_analysis("tg_level", p_value=[0.5]), "^tg_level holds p-values; .* no family of tests"),
    ],
)  # fmt: skip
def test_what_is_not_in_the_catalogue_is_not_recorded(analysis, message):
    with pytest.raises(ValueError, match=message):
        to_rows("efficacy", analysis)
    page = Page("safety", load("safety"))
    with pytest.raises(ValueError, match=message):
        page.record(analysis)
    assert page.results.empty


@pytest.mark.parametrize("variable", ["tg", "psa", "x", "lesion_volume", "a_b_c", "level"])
def test_a_pattern_holds_for_the_variable_of_the_analysis_alone(variable):
    assert find(f"{variable}_level", variable).step == "flow_marker"
    assert find(f"{variable}_change_ratio", variable).same[0].output == f"{variable}_percent_change"
    with pytest.raises(ValueError, match="no such output"):
        find(f"{variable}_level", "other")
    assert len(to_rows("efficacy", _analysis(f"{variable}_level", variable, n=[3.0]))) == 1


def test_sharing_follows_the_table(monkeypatch):
    """An output that loses its mark leaves a shared report, and takes nothing else with it."""
    data = restrict(load("safety", audience="share"))
    harms = events.analyse(data)
    before = mask_analysis(data, harms)
    assert before["ae_system"]["count"].notna().any()
    assert not find("term_tests").examined
    assert before["term_tests"][["n_tests", "n_below"]].isna().all(axis=None)
    changed = {row.name: row._replace(examined=row.examined and row.name != "ae_system") for row in OUTPUTS}
    monkeypatch.setattr(outputs, "_BY_NAME", changed)
    find.cache_clear()
    try:
        after = mask_analysis(data, harms)
    finally:
        find.cache_clear()
    assert len(after["ae_system"]) == len(harms["ae_system"])
    assert after["ae_system"][["count", "n", "proportion"]].isna().all(axis=None)
    assert after["ae_term"]["count"].notna().any()


def test_an_analysis_that_nobody_examined_is_left_out():
    data = restrict(load("safety", audience="share"))
    frame = pd.DataFrame(
        {"group": ["A"], "n_tests": [7], "n_below": [np.nan], "n_expected": [0.35], "method": "", "note": ""}
    )
    assert "left out" in mask_analysis(data, Analysis(data, "", {"term_tests": frame})).reason


def test_families_of_tests():
    assert named(tests="confirmatory") == ["logrank"]
    assert named(tests="again") == ["robustness", "definition_logrank", "complete_cox"]
    assert named(counted_in="comparison_count") == ["logrank", "logrank_pairwise", "logrank_trend", "gray"]
