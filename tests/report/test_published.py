"""Published claims against results: the rules, the printed precision, and what a study cannot answer."""

import json
from dataclasses import replace

import pandas as pd
import pytest
from designed_studies import write_case
from pydantic import ValidationError

from lib.dataset.dataset import load
from lib.report import blocks
from lib.report.published import compare_published
from lib.study.claims import Check, Claim, read_claims

RESULTS = pd.DataFrame(
    [("median", "lpfs", "A", float("nan"), "median", 18.5955), ("median", "lpfs", "B", float("nan"), "median", 18.694),
     ("rate", "response", "A", 6.0, "proportion", 3 / 14), ("rate", "response", "B", 6.0, "proportion", 10 / 13),
     ("rate", "response", "A", 12.0, "proportion", 5 / 14), ("rate", "response", "B", 12.0, "proportion", 8 / 13),
     ("logrank", "os", "overall", float("nan"), "p_value", 0.42493)],
    columns=["output", "variable", "group", "time", "statistic", "value"],
)  # fmt: skip


def verdict(**check) -> str:
    claim = Claim(id="P1", claim="a claim", printed="x", checks=(Check(**check),))
    return compare_published((claim,), RESULTS)["verdict"].item()


MEDIANS = {"output": "median", "variable": "lpfs", "statistic": "median", "decimals": 1}
RATE = {"output": "rate", "variable": "response", "statistic": "proportion", "scale": 100, "group": ["A", "B"]}


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        (MEDIANS | {"rule": "equals", "group": ["A"], "value": [18.6]}, "matches"),
        (MEDIANS | {"rule": "equals", "group": ["A"], "value": [18.5]}, "differs"),
        (MEDIANS | {"rule": "span", "group": ["A", "B"], "value": [18.6, 18.7]}, "matches"),
        (MEDIANS | {"rule": "span", "group": ["A", "B"], "value": [18.6, 18.8]}, "differs"),
        (MEDIANS | {"rule": "equals", "group": ["C"], "value": [42.2]}, "not available"),
        (RATE | {"rule": "equals", "time": 6, "value": [21, 77]}, "matches"),
        (RATE | {"rule": "lowest", "time": 6, "which": "A"}, "matches"),
        (RATE | {"rule": "lowest", "time": 6, "which": "B"}, "differs"),
        (RATE | {"rule": "narrower", "time": 12, "than_time": 6}, "matches"),
        (RATE | {"rule": "narrower", "time": 6, "than_time": 12}, "differs"),
        (RATE | {"rule": "below", "time": 6, "value": [78]}, "matches"),
        (RATE | {"rule": "at_least", "time": 6, "value": [22]}, "differs"),
    ],
)
def test_each_rule(check, expected):
    assert verdict(**check) == expected


def test_a_p_value_matches_to_the_printed_precision_only():
    p = {
        "rule": "equals",
        "output": "logrank",
        "variable": "os",
        "group": ["overall"],
        "statistic": "p_value",
        "decimals": 3,
    }
    assert verdict(**p, value=[0.425]) == "matches"
    assert verdict(**p, value=[0.424]) == "differs"


def test_an_incomplete_check_is_refused():
    with pytest.raises(ValidationError, match="needs 2 in value"):
        Check(**MEDIANS, rule="span", group=["A"], value=[1])


def test_a_study_without_claims(tmp_path):
    assert read_claims(tmp_path) == ()
    assert compare_published((), RESULTS).empty


def _claims(folder, *groups):
    checks = [MEDIANS | {"rule": "span", "group": list(group), "value": [18.6, 18.7]} for group in groups]
    claims = [{"id": f"P{i}", "claim": "c", "printed": "p", "checks": [check]} for i, check in enumerate(checks)]
    (folder / "published.yml").write_text(json.dumps({"claims": claims}), encoding="utf-8")


@pytest.mark.parametrize(
    ("synthetic", "groups", "tick"),
    [
        (False, ["AB"], True),
        (False, ["AB", "AA"], False),  # one differs
        (False, ["AB", "AC"], False),  # one has no number
        (False, ["AC", "CC"], None),  # a check of nothing
        (True, ["AB"], None),  # matches by construction
        (True, ["AB", "AA"], None),
    ],
)
def test_a_tick_is_earned(tmp_path, synthetic, groups, tick):
    """No tick for claims that agree by construction, none for claims that nothing could be held against."""
    folder = write_case(tmp_path / "s", "apart")
    _claims(folder, *groups)
    data = load("efficacy", study=str(folder))
    about = data.study.study.model_copy(update={"synthetic": synthetic})
    data = replace(data, study=data.study.model_copy(update={"study": about}))
    record = blocks.published("efficacy", data, RESULTS)[1].record
    assert record["ok"] is tick
    assert ("confirms nothing" in record["text"]) == synthetic
