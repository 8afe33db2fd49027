"""What study.yml may declare of other studies: what contradicts itself is refused, in words."""

import pytest
from pydantic import ValidationError

from lib.study.inference.evidence import External, Published, Worthwhile
from lib.study.inference.models import ModelCovariate

ENTRY = {"arm": "A", "label": "Trial", "printed": "0.7", "citation": "Author"}
RATIO = {"kind": "hazard_ratio", "estimate": 0.7, "ci_low": 0.5, "ci_high": 0.98}
MEDIAN = {"kind": "median", "estimate": 12.0}


@pytest.mark.parametrize(
    ("number", "rule"),
    [
        ({"kind": "odds_ratio", "estimate": 1.0}, "pattern"),
        ({"kind": "hazard_ratio", "estimate": 0.7}, "a hazard_ratio has ci_low and ci_high"),
        (RATIO | {"estimate": 1.2}, "an estimate lies in its interval"),
        (RATIO | {"ci_low": 0.98}, "ci_high stands beside a ci_low below it"),
        (RATIO | {"ci_low": 0.0}, "greater than or equal to"),
        (RATIO | {"estimate": float("inf")}, "finite|less than or equal"),
        (RATIO | {"count": 4}, "has no count or n"),
        (RATIO | {"level": 95}, "less than or equal to 0.999"),
        (MEDIAN | {"ci_high": 20.0}, "ci_high stands beside a ci_low"),
        (MEDIAN | {"ci_low": 13.0}, "an estimate lies in its interval"),
        ({"kind": "median"}, "a median has an estimate"),
        ({"kind": "proportion", "count": 5}, "a proportion is a count of n"),
        ({"kind": "proportion", "count": 6, "n": 5}, "a proportion is a count of n"),
        ({"kind": "proportion", "count": 5, "n": 9, "estimate": 0.55}, "follow from count and n"),
        ({"kind": "proportion", "count": 1, "n": 10**12}, "less than or equal"),
    ],
)
def test_numbers_that_cannot_be(number, rule):
    with pytest.raises(ValidationError, match=rule):
        Published.model_validate(number)


@pytest.mark.parametrize("number", [RATIO, MEDIAN, MEDIAN | {"ci_low": 9.0}, MEDIAN | {"ci_low": 9.0, "ci_high": 20}, {"kind": "proportion", "count": 0, "n": 1}])
def test_numbers_that_can(number):
    assert Published.model_validate(number).kind == number["kind"]


@pytest.mark.parametrize(
    ("entry", "rule"),
    [
        ({"number": RATIO, "endpoint": "os"}, "is against another arm"),
        ({"number": RATIO, "endpoint": "os", "against": "A"}, "against is another arm than arm"),
        ({"number": RATIO, "against": "B"}, "is of an endpoint"),
        ({"number": MEDIAN}, "is of an endpoint"),
        ({"number": MEDIAN, "endpoint": "os", "against": "B"}, "only that, is against"),
        ({"number": {"kind": "proportion", "count": 5, "n": 9}, "endpoint": "os"}, "names none"),
    ],
)
def test_entries_that_contradict_themselves(entry, rule):
    with pytest.raises(ValidationError, match=rule):
        External.model_validate(ENTRY | entry)


@pytest.mark.parametrize("key", ["hazard_ratio", "response_difference"])
@pytest.mark.parametrize("value", [0, -0.2, 1e-9, 0.009, 0.9995, 1, 1.5, 67, float("nan"), float("inf"), "0.7x", [0.7]])
def test_effects_that_no_report_could_show_are_refused(key, value):
    with pytest.raises(ValidationError, match=key):
        Worthwhile.model_validate({key: value})


@pytest.mark.parametrize("step", [-2, 0.5, 1, 1 + 1e-15, 1.001, 1e300])
def test_a_step_of_a_logarithm_is_a_factor(step):
    with pytest.raises(ValidationError, match="step"):
        ModelCovariate.model_validate({"variable": "age", "log": True, "step": step})


@pytest.mark.parametrize("step", [0, -1, 1e-12, 1e12, 1e300, float("nan"), float("inf"), "ten"])
def test_a_step_is_a_unit_that_something_is_measured_in(step):
    with pytest.raises(ValidationError, match="step"):
        ModelCovariate.model_validate({"variable": "age", "step": step})
