"""Design as a whole: tests are counted once, declared design stands beside what was found, gaps are named."""

import json

import pandas as pd
import pytest
from designed_studies import write_case
from hypothesis import given
from hypothesis import strategies as st
from notebook_cells import NOTEBOOKS, read_notebook, shipped
from study_builder import write_study

from lib import report
from lib.analyses.cohort import baseline
from lib.analyses.cohort import flow as cohort_flow
from lib.analyses.cohort.checklist import CHECKLISTS, count_answered, count_declared
from lib.analyses.efficacy import survival as efficacy_survival
from lib.analyses.result import Absent
from lib.analyses.robustness import confounding, multiplicity
from lib.dataset.dataset import load
from lib.show.display import EMPTY, Block, anchor
from lib.show.plots import cohort as plot_cohort
from lib.show.sentences import cohort as say_cohort
from lib.show.sentences import survival as say_survival
from lib.show.sentences.design import sentence_declared, sentence_tests
from lib.show.tables import cohort as table_cohort
from lib.show.tables import conduct as table_conduct
from lib.show.tables import confounding as table_confounding
from lib.show.tables import design as table_design
from lib.study.design import ELEMENTS, NOT_RANDOMISED, RANDOMISED, ROB_2, ROBINS_I, SINGLE_ARM, read_allocation
from lib.study.study import ROOT, Study
from lib.study.yaml_file import ProblemsFound

pytestmark = pytest.mark.thorough

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


def _designed(tmp_path, design, more="", allocation=None, older=False):
    """A study of two arms that differ in age, with this design: by the part of its own, the older keys, or (None) in `more`."""
    said = f", allocation: {allocation}" if older and allocation else f", design: {design!r}" if older else ""
    parts = ([f"allocation: {allocation}"] if allocation else []) + ([f"description: {design!r}"] if design else [])
    more += "" if older is not False else f"\ndesign: {{{', '.join(parts)}}}"
    (tmp_path / "study.yml").write_text(f"""
study: {{id: s, title: T, short_title: T, synthetic: false{said}}}
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


@pytest.mark.parametrize("older", [False, True])
@pytest.mark.parametrize(
    "case",  # words, other parts, allocation, what a difference is told with
    [
        ("Randomised trial", "", None, ""),
        ("Cohort", "", None, CHOSEN),
        ("", "", None, OPEN),
        ("", COVARIATES, None, CHOSEN),
        ("Randomised trial", COVARIATES, None, OPEN),
        ("", COVARIATES, "randomised", ""),
        ("", "", "not_randomised", CHOSEN),
    ],
)
def test_the_design_decides_what_is_said(tmp_path, case, older):
    """Of a difference, of unlike arms, of confounding, of the trial, of the risks of bias, in the head of a page."""
    design, more, allocation, start = case
    allocation = allocation.replace("_", " ") if allocation and older else allocation
    data = _designed(tmp_path, design, more, allocation, older)
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
    trial = table_design.table_target_trial(count_declared(data), survival, weights, Absent("None."))
    assert ("as treated" in trial.to_text()) if start else (trial == EMPTY)
    assert ("randomised trial" in sentence_declared(count_declared(data))) == (not start)
    how = {"": "by chance (randomised)", CHOSEN: "not by chance", OPEN: "not stated in study.yml"}[start]
    assert f"<dd>{how}" in report.page.Page("efficacy", data).header().html


WORDS = {
    "{allocation: randomised, analysed: as_randomised}": ("randomised", "as randomised", ("consort",), ROB_2),
    "{allocation: randomised, analysed: as_treated}": ("treated", "as treated", ("consort",), ROB_2),
    "{allocation: randomised}": ("randomised", "as the table of patients has it", ("consort",), ROB_2),
    "{allocation: randomised, routine_data: true, description: Registry-based randomised trial}": (
        "randomised", "as the table of patients has it", ("consort",), ROB_2,
    ),
    "{description: 'RCT, intention to treat'}": ("randomised", "as randomised", ("consort",), ROB_2),
    "{description: 'Randomised trial, per protocol'}": ("treated", "as treated", ("consort",), ROB_2),
    "{allocation: not_randomised}": ("treated", "as treated", ("strobe",), ROBINS_I),
    "{allocation: not_randomised, routine_data: true}": ("treated", "as treated", ("strobe", "record"), ROBINS_I),
    "{description: Cohort, analysed: as_treated}": ("treated", "as treated", ("strobe",), ROBINS_I),
    "{}": ("treated", "as treated", ("strobe",), ROBINS_I),
}  # fmt: skip


@pytest.mark.parametrize("design", WORDS)
def test_words_and_guidelines_follow_from_the_design(tmp_path, design):
    entered, arms_as, checklists, tool = WORDS[design]
    data = _designed(tmp_path, "", f"\ndesign: {design}", older=None)
    found = data.study.by_design
    assert (found.entered, found.arms_as, found.checklists, found.instrument) == (entered, arms_as, checklists, tool)
    counted = count_answered(data)
    assert tuple(counted["reporting"]["variable"]) == checklists
    shown = [name for name in CHECKLISTS if table_conduct.table_checklist(counted, name) != EMPTY]
    assert tuple(shown) == checklists
    flow = table_cohort.table_flow(cohort_flow.analyse(data))
    assert entered.capitalize() in [row.cells[0] for row in flow.rows]
    assert f"{entered.capitalize()}\nn = 40" in plot_cohort._box(data, {"step": "treated", "note": "", "count": 40})
    head = report.page.Page("efficacy", data).header().html
    assert (f"analysed {arms_as}</dd>" in head) == bool(found.allocation and found.analysed)


def test_one_arm_is_a_single_arm_whatever_is_said(tmp_path):
    """It has no E-value, no target trial, and no difference that a design could take back."""
    data = load("efficacy", study=str(write_case(tmp_path / "one", "one_arm")))
    assert data.study.by_design.allocation == SINGLE_ARM
    survival = efficacy_survival.analyse(data, data.study.primary)
    assert isinstance(confounding.analyse_e_values(data, survival), Absent)
    declared = count_declared(data)
    assert list(declared["declared"]["variable"]) == ["risks_of_bias"]
    assert table_design.table_target_trial(declared, survival, Absent("No."), Absent("No.")) == EMPTY
    assert sentence_declared(declared).startswith("This is a study of one arm: it makes no comparison")


@pytest.mark.parametrize("allocation", ["randomised", "not_randomised"])
def test_a_target_trial_that_is_not_shown_is_said(tmp_path, allocation):
    data = _designed(tmp_path, "", "target_trial: {eligibility: Everybody}", allocation)
    said = sentence_declared(count_declared(data))
    assert ("is not shown" in said) == (allocation == "randomised")
    assert ("1 of 8 elements of the target trial" in said) == (allocation != "randomised")


CONTRADICTIONS = {
    "{allocation: randomised, description: Retrospective cohort}": "allocation says randomised.*no arms that were formed by chance",
    "{allocation: randomised, description: Nicht randomisiert}": "allocation says randomised",
    "{allocation: randomised, description: 回顾性队列研究}": "allocation says randomised",
    "{allocation: not_randomised, description: Double-blind RCT}": "allocation says not_randomised.*formed by chance",
    "{allocation: not_randomised, description: ensayo aleatorizado}": "allocation says not_randomised",
    "{allocation: randomised, analysed: as_randomised, description: 'Randomised trial, as treated'}": "analysed says as_randomised.*as_treated",
    "{allocation: randomised, analysed: as_treated, description: 'Randomised trial, intent to treat'}": "analysed says as_treated.*as_randomised",
    "{allocation: not_randomised, analysed: as_randomised}": "nothing says that the arms were formed by chance",
    "{analysed: as_randomised}": "nothing says that the arms were formed by chance",
    "{allocation: single_arm}": "single_arm, and there are 2 arms",
    "{ordered_arms: true}": "ordered_arms says that the arms have an order, and of 2 there is none",
    "{allocation: randomized}": "'randomised', 'not_randomised' or 'single_arm'",
    "{alocation: randomised}": "did you mean allocation",
}


@pytest.mark.parametrize("design", CONTRADICTIONS)
def test_a_contradiction_is_a_question(tmp_path, design):
    with pytest.raises(ProblemsFound, match=CONTRADICTIONS[design]) as found:
        _designed(tmp_path, "", f"\ndesign: {design}", older=None)
    assert len(found.value.problems) == 1
    assert "design" in str(found.value)


def test_the_older_keys_are_held_to_the_same(tmp_path):
    with pytest.raises(ProblemsFound, match=r"study\.design: say it once, under design"):
        _designed(tmp_path, "Cohort", "\ndesign: {allocation: not_randomised}", older=True)
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    both = {"study": {"design": "Cohort", "allocation": "randomised"}}
    with pytest.raises(ValueError, match=r"study\.design and study\.allocation: allocation says randomised"):
        Study.model_validate(_raw(tmp_path / "one", both))
    with pytest.raises(ValueError, match="there is one arm: of one arm of a trial say single_arm"):
        Study.model_validate(_raw(tmp_path / "two", {"design": {"allocation": "randomised"}}, arms=1))


def _raw(folder, changes, arms=2):
    """The content of a designed study's study.yml, with changes."""
    raw = json.loads((write_case(folder, "apart" if arms == 2 else "one_arm") / "study.yml").read_text(encoding="utf-8"))
    raw["study"].pop("design")
    return {**raw, **changes, "study": raw["study"] | changes.get("study", {})}


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
