"""An attacker who has a shared report, and nothing else, recovers no masked count; shown to find what is planted."""

import pandas as pd
import pytest
from attacker import attack, possible
from notebook_cells import NOTEBOOKS, each_week, run_notebook, shipped, without_drawing
from random_study import Design, write_random

from lib import report
from lib.analyses.cohort import baseline
from lib.analyses.efficacy import response, survival
from lib.analyses.outputs import find
from lib.analyses.safety import events
from lib.show.disclosure import audience, counts
from lib.show.disclosure.counts import COUNTS
from lib.study.study import ROOT

pytestmark = pytest.mark.thorough

DESIGNS = [Design((20, 18, 25), seed=1), Design((12, 12), seed=2), Design((30, 9, 14, 22), seed=3, missed=0.4)]


def pages_of(folder, names, **parameters):
    """Every page of a shared report."""
    with pytest.MonkeyPatch.context() as patch:
        without_drawing(patch)
        return [run_notebook(name, patch, study=str(folder), audience="share", **parameters).names["page"] for name in names]


def short(folder):
    """A page with the analyses that hold most small counts."""
    page = report.start("safety", {"study": str(folder), "audience": "share"})
    for task in (baseline.analyse_baseline, events.analyse):
        page.record(task(page.data))
    page.record(response.analyse(page.data, page.data.study.response.visits))
    page.record(survival.analyse(page.data, page.data.study.primary))
    return [page]


def recovered(pages):
    """Masked small counts that linear programs over all pages together find; and how many there were."""
    data, analyses = pages[-1].data, [analysis for page in pages for analysis in page._analyses]
    terms = [analysis["terms"] for analysis in analyses if "terms" in analysis.data]
    systems = terms[0].groupby("system")["term"].apply(list).to_dict() if terms else {}
    graded = data.study.adverse_events
    ranks = {"severe": graded.severe, "fatal": graded.fatal} if graded else {}
    sizes = {**data.n.astype(int).to_dict(), "overall": len(data.patients)}
    known = attack(analyses, pd.concat([page.results for page in pages if len(page.results)]), sizes, systems, ranks)
    small = data.study.policy.small_cell
    assert not [key for key in known.shown if 0 < known.true[key] < small], "a small count is shown"
    return known.recovered(small), sum(0 < known.true[key] < small for key in known.true)


def told(pages):
    """Rows with a masked count that still say something else; and pairs made from them."""
    found = []
    for page in pages:
        for full, shown in zip(page._analyses, page._shown, strict=True):
            for name in set(full.frames) & set(getattr(shown, "frames", {})):
                frame, masked, output = full[name], shown[name], find(name, full.variable)
                if not output.examined:
                    assert masked[[c for c in masked if c in COUNTS]].isna().all(axis=None)
                    continue
                deciding = [c for c in ("n", "count", "n_missing", "n_zero") if c in frame and c not in output.never_shared]
                gone = (frame[deciding].notna() & masked[deciding].isna()).any(axis=1)
                said = [c for c in masked if c not in (*COUNTS, "variable", "group", "time", "method", "note", "term", "grade", "step", "unit", "level", "test")]
                found += [(name, *row) for row in masked.loc[gone & masked[said].notna().any(axis=1), ["group"]].itertuples()]
    return found


@pytest.mark.notebook
@pytest.mark.parametrize("study", ["data/rair_dtc", "data/colon", *each_week(DESIGNS, DESIGNS[:2])], ids=str)
def test_nothing_masked_is_recovered_from_all_pages_together(study, tmp_path):
    if isinstance(study, Design):
        pages = pages_of(write_random(tmp_path / "study", study), NOTEBOOKS)
    else:
        pages = [shipped(name, study, "share").names["page"] for name in NOTEBOOKS]
    found, small = recovered(pages)
    assert found == {}
    assert told(pages) == []
    assert small > 0


@pytest.mark.parametrize("design", DESIGNS[:2], ids=str)
def test_nothing_masked_is_recovered(design, tmp_path):
    pages = short(write_random(tmp_path / "study", design))
    found, small = recovered(pages)
    assert found == {}
    assert told(pages) == []
    assert small > 20


@pytest.mark.parametrize("hole", ["_add_totals", "_add_rests", "_add_families _add_rests", "_relate"])
def test_a_relation_that_is_forgotten_is_found(hole, tmp_path, monkeypatch):
    """The attacker knows them by itself; without one of them the library leaves small counts in the open."""
    for name in hole.split():
        monkeypatch.setattr(counts, name, lambda *_: None)
    # In this one a baseline value of one patient is missing.
    folder = ROOT / "data/rair_dtc" if hole == "_add_rests" else write_random(tmp_path / "study", DESIGNS[0])
    found, _ = recovered(short(folder))
    assert found


def test_a_row_that_keeps_something_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(audience, "DECIDING", ())
    assert told(short(write_random(tmp_path / "study", DESIGNS[0]))) != []


def test_what_a_number_with_all_its_digits_tells_three_do_not():
    """Formulas turned round: a mean of whole numbers, a share and its limits, a signed-rank p."""
    exact, shown = {"mean": 1181 / 312}, {"mean": 3.79}
    assert {n for n, _ in possible(exact, 315, whole=True, digits=12)} == {312}
    assert len({n for n, _ in possible(shown, 315, whole=True)}) > 100
    assert len(possible({"proportion": 3 / 14, "ci_low": 0.04658}, 14, digits=4)) == 1
    assert {n for n, _ in possible({"p_value": 111 / 2**13}, 14, digits=12)} == {14}
    assert len({n for n, _ in possible({"p_value": 0.0134}, 40)}) > 20
