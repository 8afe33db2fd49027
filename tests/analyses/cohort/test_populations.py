"""Analysis populations: who belongs to which, reports about one, and how parts in the study ended."""

import pytest
from staples_study import EOS, PPROT, write_staples
from study_builder import write_study

from lib.analyses.cohort import flow
from lib.analyses.cohort.populations import NOT_RECORDED, analyse_populations
from lib.analyses.result import Absent
from lib.dataset.dataset import load, part_label
from lib.languages.speech import in_language
from lib.show import say, table
from lib.show.display import EMPTY
from lib.study.yaml_file import ProblemsFound

PATIENTS = [f"SYN-0{number}" for number in range(1, 7)]
PER_PROTOCOL = [patient for patient, flag in zip(PATIENTS, PPROT, strict=True) if flag == "Y"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return str(write_staples(tmp_path_factory.mktemp("staples") / "six"))


def with_default(text):
    return text.replace("outside: N}", "outside: N, default: true}")


def test_who_belongs_where(folder):
    data = load("cohort", study=folder)
    found = analyse_populations(data)
    rows = found["population"].set_index(["variable", "group"])
    assert rows.loc["pp", "count"].to_dict() == {"A": 1, "B": 2, "C": 1, "overall": 4}
    assert rows.loc["safe", "proportion"].to_dict() == {"A": 1, "B": 1, "C": 1, "overall": 1}
    ended = found["disposition"]
    assert ended["variable"].unique().tolist() == ["C", "D", "X", NOT_RECORDED], "in their order, who is not recorded last"
    overall = ended[ended["group"] == "overall"].set_index("variable")["count"].to_dict()
    assert overall == {"C": EOS.count("C"), "D": EOS.count("D"), "X": 0, NOT_RECORDED: EOS.count("")}
    assert ended.groupby("group")["count"].sum().to_dict() == {**data.n.to_dict(), "overall": 6}
    flow.check_counts(flow.analyse(data), [found])
    assert [row.cells[0] for row in table.populations(found).rows] == ["Per protocol", "Safety"]
    assert [row.cells[-1] for row in table.disposition(found).rows] == ["3 (50%)", "2 (33%)", "0 (0%)", "1 (17%)"]


def test_a_report_about_one(folder):
    data = load("cohort", study=folder, population="pp")
    assert data.patients["patient_id"].tolist() == PER_PROTOCOL
    step = data.flow[data.flow["step"] == "population"].set_index("group")
    assert step["count"].to_dict() == {"A": 1, "B": 2, "C": 1, "overall": 4}
    assert set(step["note"]) == {"Per protocol"}
    assert {table_ for table_, frame in data.tables.items() if "patient_id" in frame and set(frame["patient_id"]) - set(PER_PROTOCOL)} == set()
    assert "Only the population Per protocol is analysed." in say.flow(flow.analyse(data))
    both = load("cohort", study=folder, population="pp", subgroup="sex", subgroup_values=["F"])
    assert part_label(both.study, both.parameters) == "Per protocol, Sex: Female"
    of_two = both.parameters.model_copy(update={"subgroup_values": ("F", "M")})
    assert part_label(both.study, of_two) == "Per protocol, Sex: Female or Male"
    with in_language("zh"):
        assert part_label(both.study, of_two) == "Per protocol、Sex：Female或Male", "labels of the study, put together as Chinese does"
    assert both.flow["step"].drop_duplicates().tolist()[-3:] == ["population", "subgroup", "analysed"]


@pytest.mark.parametrize(("asked", "n"), [("", 4), ("pp", 4), ("all", 6), ("safe", 6)])
def test_a_study_has_a_usual_one(tmp_path, asked, n):
    folder = str(write_staples(tmp_path / "six", with_default))
    given = {"population": asked} if asked else {}
    data = load("safety", study=folder, **given)
    assert len(data.patients) == n
    again = load("safety", study=folder, population=data.parameters.population)
    assert again.parameters == data.parameters, "what a kernel is told it takes as it is meant"


def test_without_a_usual_one_all_is_everybody(folder):
    assert load("cohort", study=folder, population="all").parameters == load("cohort", study=folder).parameters


@pytest.mark.parametrize(("change", "columns", "parameters", "code", "says"), [
    (str, {}, {"population": "itt"}, "E110", "allowed: pp, safe, all"),
    (str, {"pprot": ["N"] * 6}, {"population": "pp"}, "E111", "population = pp"),
    (str, {"pprot": ["Y", "maybe", "Y", "Y", "Y", "N"]}, {}, "E016", "one of Y, N"),
    (str, {"pprot": ["Y", "", "Y", "Y", "Y", "N"]}, {}, "E016", "is empty"),
    (str, {"eos": ["C", "Q", "C", "C", "C", "C"]}, {}, "E016", "one of C, D, X"),
    (lambda text: text.replace("column: pprot", "column: absent"), {}, {}, "E003", "missing column absent"),
    (lambda text: text.replace("column: pprot", "column: arm"), {}, {}, "E100", "arm tells who a patient is"),
    (lambda text: text.replace("outside: N", "outside: Y"), {}, {}, "E100", "nobody can be told apart"),
    (lambda text: text.replace("id: safe", "id: pp"), {}, {}, "E100", "population given twice: pp"),
    (lambda text: text.replace("id: safe", "id: all"), {}, {}, "E100", "means something else"),
    (lambda text: with_default(text).replace("safety_flag}", "safety_flag, default: true}"), {}, {}, "E100", "one can be the default"),
    (lambda text: text.replace("value: D,", "value: C,"), {}, {}, "E100", "level given twice: C"),
])  # fmt: skip
def test_what_is_wrong_is_said(tmp_path, change, columns, parameters, code, says):  # noqa: PLR0917
    folder = write_staples(tmp_path / "six", change, **columns)
    with pytest.raises(ProblemsFound) as found:
        load("cohort", study=str(folder), **parameters)
    assert [p.code for p in found.value.problems if p.code.startswith("E")] == [code], found.value.problems
    assert says in found.value.problems[0].message


def test_a_study_that_declares_none_says_nothing(tmp_path):
    absent = analyse_populations(load("cohort", study=str(write_study(tmp_path / "six"))))
    assert isinstance(absent, Absent)
    assert table.populations(absent) == table.disposition(absent) == EMPTY
