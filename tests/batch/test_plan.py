"""A plan becomes runs, or a list of everything that is wrong with it."""

import pytest

from lib.batch.plan import read_plan
from lib.study.study import ROOT
from lib.study.yaml_file import ProblemsFound


@pytest.fixture
def plan(tmp_path):
    def read(text):
        (tmp_path / "plan.yml").write_text(text)
        return read_plan(tmp_path / "plan.yml")

    return read


def _problems(plan, text) -> list[tuple]:
    with pytest.raises(ProblemsFound) as found:
        plan(text)
    assert {p.file for p in found.value.problems} <= {"plan.yml", "data/nowhere/study.yml"}
    return [(p.code, p.row, p.column) for p in found.value.problems]


def test_a_grid_is_every_combination_and_a_block_may_stand_alone(plan):
    asked, runs = plan("""
title: Two things
runs:
  - study: data/rair_dtc
    parameters: {cutoff: 2023-06-30}
    grid:
      endpoint: [default, os]
      subgroup: [default, {sex: F}]
  - study: data/colon
    name: bounds
    notebooks: [safety, efficacy]
    parameters: {level: 0.9}
""")
    assert asked.title == "Two things"
    assert [run.name for run in runs] == [
        "rair_dtc/cutoff=2023-06-30",
        "rair_dtc/cutoff=2023-06-30,subgroup=sex,subgroup_values=F",
        "rair_dtc/cutoff=2023-06-30,endpoint=os",
        "rair_dtc/cutoff=2023-06-30,endpoint=os,subgroup=sex,subgroup_values=F",
        "colon/bounds",
    ]
    assert runs[3].routed["efficacy"] == {
        "study": "data/rair_dtc",
        "cutoff": "2023-06-30",
        "subgroup": "sex",
        "subgroup_values": ["F"],
        "endpoint": "os",
    }
    assert list(runs[4].routed) == ["efficacy", "safety"]


def test_everything_wrong_is_listed_with_its_line(plan):
    found = _problems(
        plan,
        """
runs:
  - study: data/rair_dtc
    parameters: {cutoff: 2031-01-01, subgroup: {sex: X}}
  - study: data/colon
    grid: {endpoint: [os, death], arms: [[Nobody]]}
  - study: data/rair_dtc
    parameters: {endpont: os}
  - study: data/nowhere
""",
    )
    assert {("E110", 3, "cutoff"), ("E110", 3, "subgroup_values")} <= set(found)
    assert {("E110", 5, "endpoint"), ("E110", 5, "arms"), ("E110", 7, "endpont")} <= set(found)
    assert ("E001", "", "") in found
    assert len(found) == len(set(found))


def test_a_run_without_patients_is_refused(plan):
    text = "runs:\n  - study: data/rair_dtc\n    parameters: {cutoff: 1999-01-01}"
    assert _problems(plan, text) == [("E111", 2, "")]


def test_two_runs_with_one_name_are_refused(plan):
    text = "runs:\n  - study: data/colon\n  - study: data/colon\n    parameters: {level: default}"
    with pytest.raises(ProblemsFound, match=r"colon/default is asked for 2 times \(blocks in lines 2, 3\)"):
        plan(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("runs: []", "at least 1 item"),
        ("runs:\n  - study: data/colon\n    grids: {}", "did you mean grid"),
        ("runs:\n  - study: data/colon\n    notebooks: [cohrt]", "cohort"),
        ("runs:\n  - study: data/colon\n    name: ../x", "pattern"),
        ("runs:\n  - study: data/colon\n    parameters: !!python/object:os.system {}", "tag is refused"),
        (f"runs:\n  - study: data/colon\n    grid: {{level: {[0.5] * 101}, arms: {[0] * 100}}}", "10\u202f100 runs"),
    ],
)
def test_a_plan_that_is_none(plan, text, said):
    with pytest.raises(ProblemsFound, match=said):
        plan(text)


def test_the_plan_that_is_shipped():
    _, runs = read_plan(ROOT / "plans" / "example.yml")
    assert len(runs) == len({run.name for run in runs}) == 14
    assert {run.study.study.id for run in runs} == {"rair_dtc", "colon"}
