"""Design as a whole: tests are counted once, declared design stands beside what was found, gaps are named."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from notebook_cells import NOTEBOOKS, read_notebook, shipped
from study_builder import write_study

from lib import report
from lib.analyses.cohort import baseline
from lib.analyses.cohort.checklist import count_declared
from lib.analyses.efficacy import survival as efficacy_survival
from lib.analyses.result import Absent
from lib.analyses.robustness import confounding, multiplicity
from lib.dataset.dataset import load
from lib.show.display import Block, anchor
from lib.show.sentences import cohort as say_cohort
from lib.show.sentences import survival as say_survival
from lib.show.sentences.design import sentence_declared, sentence_tests
from lib.show.tables import confounding as table_confounding
from lib.show.tables import design as table_design
from lib.study.design import ELEMENTS, NOT_RANDOMISED, RANDOMISED, ROB_2, ROBINS_I, read_allocation
from lib.study.study import ROOT
from lib.study.yaml_file import ProblemsFound

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


@pytest.mark.thorough
def test_the_page_counts_its_own_tests_and_links_to_its_own_sections():
    shown = shipped("efficacy", "data/rair_dtc")
    page = shown.names["page"]
    counts = shown.names["tests"]["tests"].set_index("variable")
    said = sentence_tests(shown.names["tests"])
    assert f"{counts.at['all', 'n_tests']} p-values" in said
    assert said in shown.text
    assert 0 < counts.at["all", "n_tests"] < (page.results["statistic"] == "p_value").sum()
    headings = {name: set() for name in NOTEBOOKS}
    for name in headings:
        cells = [c.source.splitlines()[0] for c in read_notebook(name).cells if c.cell_type == "markdown"]
        headings[name] = {heading.lstrip("# ") for heading in cells}
    for places in table_design.PLACES.values():
        assert all(heading in headings[page] and anchor(heading) for page, heading in places)


def test_declared_and_found_stand_side_by_side():
    shown = shipped("robustness", "data/rair_dtc")
    data = shown.names["page"].data
    text = "\n".join(t["csv"] for t in shown.records("table") if t["id"] in ("target_trial", "risks_of_bias"))
    for name in ELEMENTS:
        assert getattr(data.study.target_trial, name) in text
    for name in ROBINS_I.domains:
        assert getattr(data.study.risks_of_bias, name).why in text
    ratio = shown.names["survival"].row("cox", "C vs A")
    assert f"hazard ratio {ratio['hr']:.2f} ({ratio['ci_low']:.2f} to {ratio['ci_high']:.2f})" in text
    gap = shown.names["calendar"]["component_gap"].iloc[0]
    assert f"{gap['median']:.0f} ({gap['min']:.0f} to {gap['max']:.0f})" in text


def test_what_is_not_declared_is_said(tmp_path):
    cut = lambda text: text[: text.index("# the randomised trial")] + text[text.index("policy:") :]  # noqa: E731
    data = load("efficacy", study=str(write_study(tmp_path / "s", study=cut)))
    absent = Absent("Nothing.")
    table = table_design.table_risks_of_bias(count_declared(data), **dict.fromkeys(EVIDENCE, absent))
    assert [row.cells[1] for row in table.rows] == ["not stated in study.yml"] * len(ROBINS_I.domains)
    assert "declares neither" in sentence_declared(count_declared(data))


DESIGNS = {
    RANDOMISED: (
        "Randomised trial, two arms", "Double-blind, placebo-controlled randomized phase III", "RCT", "Cluster-randomised trial",
        "Unblinded randomised trial", "No blinding, randomised 2:1", "Phase II, 1:1 random allocation", "Randomisierte Studie",
        "gerandomiseerd onderzoek", "étude randomisée", "ensayo aleatorizado", "studio randomizzato", "随机对照试验",
    ),
    NOT_RANDOMISED: (
        "Non-randomised comparison", "nonrandomized", "Not a randomised trial", "quasi-randomised", "without randomisation",
        "not randomly assigned", "Retrospective cohort, as treated", "Registry", "Prospective observational study",
        "nicht randomisiert", "niet gerandomiseerd", "étude non randomisée", "ensayo no aleatorizado", "非随机对照", "回顾性队列研究",
    ),
    "": ("", "Trial", "Two arms", "randomly sampled patients", "observational follow-up of a randomised trial", "Randomised cohort"),
}  # fmt: skip


@pytest.mark.parametrize(("said", "design"), [(said, design) for said, designs in DESIGNS.items() for design in designs])
def test_a_design_in_words_says_how_the_arms_were_formed(said, design):
    assert read_allocation(design) == said


def _designed(tmp_path, design, more="", allocation=None):
    """A study of two arms that differ in age, with this design."""
    said = f"allocation: {allocation}" if allocation else f"design: {design!r}"
    (tmp_path / "study.yml").write_text(f"""
study: {{id: s, title: T, short_title: T, synthetic: false, {said}}}
time: {{unit: days, days_per_unit: 1, zero_label: start}}
arms: [{{id: A, label: Old, colour: "#0072B2"}}, {{id: B, label: New, colour: "#D55E00", line: dashed}}]
reference_arm: A
tables: {{patients: {{file: patients.csv}}}}
baseline: [{{id: age, label: Age, unit: years, type: integer, min: 0, max: 120}}, {{id: sex, label: Sex, type: category, levels: [{{value: F, label: F}}, {{value: M, label: M}}]}}]
endpoints: [{{id: ep, label: Event, short: EP, role: primary, time: {{column: days, unit: days}}, event: {{column: status, event: 1, censored: 0}}, definition: d, landmarks: [10]}}]
{more}
""", encoding="utf-8")
    n = 20
    pd.DataFrame({
        "patient_id": range(1, 2 * n + 1), "arm": ["A", "B"] * n, "days": [5 + i if i % 2 else 1 + i // 4 for i in range(2 * n)],
        "status": 1, "sex": ["F", "M", "M", "F"] * (n // 2), "age": [60 + i % 9 + 5 * (i % 2) for i in range(2 * n)],
    }).to_csv(tmp_path / "patients.csv", index=False)  # fmt: skip
    return load("efficacy", study=str(tmp_path))


CHOSEN, OPEN = "The arms were not formed by chance, so", "Unless the arms were formed by chance,"
COVARIATES = "confounding: {covariates: [{variable: age}]}"


@pytest.mark.parametrize(
    ("design", "more", "allocation", "start"),
    [
        ("Randomised trial", "", None, ""),
        ("Cohort", "", None, CHOSEN),
        ("", "", None, OPEN),
        ("", COVARIATES, None, CHOSEN),
        ("Randomised trial", COVARIATES, None, OPEN),
        ("", COVARIATES, "randomised", ""),
        ("", "", "not randomised", CHOSEN),
    ],
)
def test_the_design_decides_what_is_said(tmp_path, design, more, allocation, start):
    """Of a difference, of unlike arms, of confounding, of the trial, of the risks of bias, in the head of a page."""
    data = _designed(tmp_path, design, more, allocation)
    survival, table_1 = efficacy_survival.analyse(data, data.study.primary), baseline.analyse_baseline(data)
    said = say_survival.sentence_comparison(survival)
    assert "curves differ" in said
    assert said.endswith(f" {start} this need not be an effect of treatment.") if start else "chance" not in said
    formed = start or "The arms were formed by chance, so these differences are chance too"
    assert formed in say_cohort.sentence_baseline(table_1)
    e_values = confounding.analyse_e_values(data, survival)
    assert isinstance(e_values, Absent) == (not start)
    weights = confounding.analyse_weights(data, survival)
    assert isinstance(weights, Absent) == (not more)
    reason = "formed by chance" if not start else "declares no covariates"
    assert reason in weights.reason if isinstance(weights, Absent) else True
    table = table_confounding.table_weighted(weights, e_values)
    assert isinstance(table, Block) == (not start and not more)
    rows = table_design.table_risks_of_bias(count_declared(data), **dict.fromkeys(EVIDENCE, Absent("None."))).rows
    assert rows[0].cells[0] == ("Confounding" if start else "Randomisation process")
    trial = table_design.table_target_trial(count_declared(data), survival, weights, Absent("None.")).to_text()
    assert ("as treated" in trial) == bool(start)
    assert ("randomised trial" in sentence_declared(count_declared(data))) == (not start)
    how = {"": "by chance (randomised)", CHOSEN: "not by chance", OPEN: "not stated in study.yml"}[start]
    assert f"<dd>{how}" in report.page.Page("efficacy", data).header().html


def test_a_randomised_study_is_judged_by_rob_2(tmp_path):
    judged = "risks_of_bias: {{{0}: {{judgement: {1}}}, overall: {{judgement: {1}}}}}"
    data = _designed(tmp_path, "Randomised trial", judged.format("randomisation", "some concerns"))
    table = table_design.table_risks_of_bias(count_declared(data), **dict.fromkeys(EVIDENCE, Absent("None.")))
    assert [row.cells[0] for row in table.rows] == list(ROB_2.domains.values())
    assert table.rows[0].cells[1] == "Some concerns"
    assert "BMJ 2019;366:l4898" in table.notes[0]
    assert "judges 2 of 6 domains of bias (RoB 2). Its overall judgement: some concerns." in sentence_declared(count_declared(data))
    for design, domain, grade, tool in (
        ("Randomised trial", "confounding", "low", "RoB 2"), ("Randomised trial", "deviations", "serious", "RoB 2"),
        ("Cohort", "randomisation", "low", "ROBINS-I"), ("Trial", "deviations", "high", "ROBINS-I"),
    ):  # fmt: skip
        with pytest.raises(ProblemsFound, match=f"{domain}.*{tool}"):
            _designed(tmp_path, design, judged.format(domain, grade))


def test_what_does_not_exist_is_said_in_words():
    """Cells of words hold no signs: nobody of arm E can be followed to a median, two arms without an event have no E-value."""
    six = _data("tests/cases/six_arms")
    followed = table_design._followed(six, efficacy_survival.analyse(six, six.study.primary))
    assert "not reached with Arm E" in followed
    assert "NR" not in followed
    bare = _data("tests/cases/six_arms", arms=["d", "f"], reference="d")
    e_values = confounding.analyse_e_values(bare, efficacy_survival.analyse(bare, bare.study.primary))
    said = table_design._strength(bare, Absent("Not weighted."), e_values)
    assert said == "No E-value of Arm F vs Arm D can be computed."
