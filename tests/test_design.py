"""Design as a whole: tests are counted once, declared design stands beside what was found, gaps are named."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from notebook_cells import read_notebook, shipped
from study_builder import write_study

from lib import multiplicity, tables_design
from lib.analysis import Absent
from lib.dataset import load
from lib.display import anchor
from lib.narrative_design import sentence_declared, sentence_tests
from lib.study import ROOT
from lib.study_design import DOMAINS, ELEMENTS

EVIDENCE = ("weights", "e_values", "calendar", "robust", "response", "course", "tests")
P = st.lists(st.floats(0, 1), max_size=30)


def _data(study="data/rair_dtc", **parameters):
    return load("efficacy", study=str(ROOT / study), **parameters)


COHORT = _data()


def _results(values, output="logrank", variable="os", statistic="p_value") -> pd.DataFrame:
    return pd.DataFrame({
        "output": output, "variable": variable, "group": [f"g{i}" for i in range(len(values))],
        "statistic": statistic, "value": values,
    })  # fmt: skip


@given(P, P)
def test_every_p_value_counts_once(own, repeated):
    """A test that the robustness table shows again is no second test; an adjusted p-value is none at all."""
    first = _results(own)
    again = _results(own, "robustness", "os: pairwise")
    new = _results([2 + p for p in repeated], "robustness", "os: peto")
    adjusted = _results(own, statistic="p_adjusted")
    found = multiplicity.count_tests(COHORT, pd.concat([first, again, new, adjusted]))["tests"].iloc[0]
    assert found["n_tests"] == len(own) + len(repeated)
    assert found["n_below"] == sum(p < 0.05 for p in own)
    assert found["n_expected"] == pytest.approx(0.05 * (len(own) + len(repeated)))


def test_the_one_confirmatory_test_is_the_declared_one():
    results = pd.concat([_results([0.01], variable="lpfs"), _results([0.2], variable="os")])
    confirmatory = lambda data: multiplicity.count_tests(data, results)["tests"]["n_tests"].iloc[1]  # noqa: E731
    assert confirmatory(COHORT) == 1
    for restricted in ({"arms": ["A", "C"]}, {"subgroup": "sex", "subgroup_values": ["F"]}, {"cutoff": "2023-06-30"}):
        assert confirmatory(_data(**restricted)) == 0


def test_the_page_counts_its_own_tests_and_links_to_its_own_sections():
    shown = shipped("efficacy", "data/rair_dtc")
    data, page = shown.names["data"], shown.names["page"]
    counts = shown.names["tests"]["tests"].set_index("variable")
    said = sentence_tests(data, shown.names["tests"])
    assert f"{counts.at['all', 'n_tests']} p-values" in said
    assert said in shown.text
    assert 0 < counts.at["all", "n_tests"] < (page.results["statistic"] == "p_value").sum()
    headings = {"cohort": set(), "efficacy": set(), "safety": set()}
    for name in headings:
        cells = [c.source.splitlines()[0] for c in read_notebook(name).cells if c.cell_type == "markdown"]
        headings[name] = {heading.lstrip("# ") for heading in cells}
    for places in tables_design.PLACES.values():
        assert all(heading in headings[page] and anchor(heading) for page, heading in places)


def test_declared_and_found_stand_side_by_side():
    shown = shipped("efficacy", "data/rair_dtc")
    data = shown.names["data"]
    text = "\n".join(t["csv"] for t in shown.records("table") if t["id"] in ("target_trial", "risks_of_bias"))
    for name in ELEMENTS:
        assert getattr(data.study.target_trial, name) in text
    for name in DOMAINS:
        assert getattr(data.study.risks_of_bias, name).why in text
    ratio = shown.names["first"].row("cox", "C vs A")
    assert f"hazard ratio {ratio['hr']:.2f} ({ratio['ci_low']:.2f} to {ratio['ci_high']:.2f})" in text
    gap = shown.names["calendar"]["component_gap"].iloc[0]
    assert f"{gap['median']:.0f} ({gap['min']:.0f} to {gap['max']:.0f})" in text


def test_what_is_not_declared_is_said(tmp_path):
    cut = lambda text: text[: text.index("# the randomised trial")] + text[text.index("policy:") :]  # noqa: E731
    data = load("efficacy", study=str(write_study(tmp_path / "s", study=cut)))
    absent = Absent("Nothing.")
    table = tables_design.table_risks_of_bias(data, **dict.fromkeys(EVIDENCE, absent))
    assert [row.cells[1] for row in table.rows] == ["not stated in study.yml"] * len(DOMAINS)
    assert "declares neither" in sentence_declared(data)
