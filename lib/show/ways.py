"""Words for the ways of asking again, the levels of a subgroup, the terms of a regression and what other studies found, as table, plot and say share them."""

from __future__ import annotations

__all__ = [
    "EFFECTS", "TermLine", "criteria_label", "criteria_words", "definition_label", "estimate_label", "event_label", "field_label", "level_label",
    "limits_label", "not_compared", "printed_label", "question_label", "subgroup_of", "term_lines", "way_label",
]  # fmt: skip

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pandas as pd

from lib.analyses.models.covariates import declared_covariates, said_step
from lib.analyses.models.regression import Regression
from lib.analyses.models.response_regression import ResponseRegression
from lib.analyses.outlook.next_trial import LIMIT, SEEN, WORTHWHILE
from lib.analyses.outlook.others import KINDS, Question, is_turned
from lib.analyses.robustness.criteria import BENEFIT, Criteria
from lib.analyses.robustness.definitions import CENSORED, DECLARED, FIELD, IGNORED
from lib.analyses.robustness.robustness import WAYS, Robustness
from lib.dataset.dataset import Dataset
from lib.dataset.progression import local_arms
from lib.show.formats import (
    NOT_REACHED,
    format_count,
    format_duration,
    format_given,
    format_interval,
    format_number,
    format_percent,
    joined,
)
from lib.show.labels import decimals_of_time, pair_label
from lib.statistics.comparisons import name_pair
from lib.study.clinic.tumour import CRITERIA, Response
from lib.study.inference.evidence import External
from lib.study.inference.models import ModelCovariate
from lib.study.study import present

UNNAMED = {
    "first_event": "Competing events are censored",
    "competing": "Competing events are counted as such: Gray's test",
}


# Effects that a trial is planned for.
EFFECTS = {SEEN: "The effect seen", LIMIT: "The cautious limit of its interval", WORTHWHILE: "The smallest worth having"}
KIND_LABELS = {
    "progression.in_field": "growth of a treated lesion",
    "progression.local_untreated": "local progression outside the treated lesions",
    "progression.regional": "regional progression",
    "progression.distant": "distant progression",
    "progression.new_lesion": "a new lesion",
    "progression.target_growth": "growth of the sum of the targets",
}


def event_label(column: str) -> str:
    """Such as "local progression" from local_progression_date."""
    if column in KIND_LABELS:
        return KIND_LABELS[column]
    return column.removesuffix("_date").removesuffix("_days").replace("_", " ")


def definition_label(definition: str) -> str:
    """What counts as progression, as the head of a column or quoted in a sentence."""
    return {
        DECLARED: "As declared",
        FIELD: "Only what the arm treats",
        CENSORED: "Growth; a new lesion censors",
        IGNORED: "Growth; new lesions do not count",
    }[definition]


def field_label(data: Dataset) -> str:
    """What counts as treated, arm by arm, within a sentence."""
    if data.study.treatments is None:
        return "lesions marked as treated locally, and every target of a patient who has none"
    local = local_arms(data)
    whole = [arm.label for arm in data.arms if arm.id not in local]
    if len(whole) == len(data.arms):
        return "every target, because no arm has a local component"
    rest = f"; with {joined(whole)}, without a local component, every target" if whole else ""
    return f"the targets treated locally{rest}"


def way_label(data: Dataset, analysis: Robustness, way: str, time: float = float("nan")) -> str:
    """What was done in one way of asking, in plain words."""
    endpoint = data.study.endpoint(analysis.variable)
    columns = [*endpoint.events, *endpoint.competing]
    words = {
        "focus": data.study.arm(data.contrast[0]).label,
        "event": event_label(columns[0]) if columns else "the event",
        "other": " or ".join(event_label(c) for c in columns[1:]) or "a competing event",
        "strata": joined([data.study.variable(v).label.lower() for v in data.study.sensitivity.strata])
        or "a site or another stratum",
        "time": "a landmark" if pd.isna(time) else format_duration(time, data.study.time.unit),
    }
    # A ready-made endpoint names no event: what it holds is all that can be said.
    label = UNNAMED[way] if way in UNNAMED and not columns else WAYS[way][1].format(**words)
    return label[0].upper() + label[1:]


def level_label(data: Dataset, variable: str) -> tuple[str, str]:
    """("Sex", "Female") from "os: sex: F"; ("All patients", "") from "os: all"."""
    parts = variable.split(": ", 2)
    if len(parts) == 2:
        return "All patients", ""
    subgroup = data.study.subgroup(parts[1])
    declared = data.study.variable(subgroup.variable)
    labels = {level.value: level.label for level in declared.levels}
    unit = f" {declared.unit}" if declared.unit else ""
    shown = labels.get(parts[2]) or parts[2].replace(">=", "≥ ").replace("<", "< ") + unit
    return declared.label, shown


def subgroup_of(variable: str) -> str:
    """The subgroup of a level, "os: sex" of "os: sex: F"; a level may hold anything."""
    return ": ".join(variable.split(": ", 2)[:2])


def criteria_label(data: Dataset, name: str) -> str:
    """What response criteria are called."""
    if name == DECLARED:
        return f"{present(data.study.response).rule} (declared)"
    return "Clinical benefit" if name == BENEFIT else CRITERIA[name]


def not_compared(criteria: Criteria) -> list[str]:
    """Names of the criteria by which arms are not compared at some visit, since they can assess too few."""
    if len(criteria.dataset.arms) < 2:
        return []
    tested = set(criteria["criteria_test"][["variable", "time"]].itertuples(index=False, name=None)) if "criteria_test" in criteria else set()
    asked = criteria["criteria_evaluable"][["variable", "time"]].drop_duplicates().itertuples(index=False, name=None)
    return list(dict.fromkeys(name for name, time in asked if (name, time) not in tested))


def criteria_words(data: Dataset) -> dict[str, str]:
    """Each response criteria in a sentence, by its name."""
    declared = present(data.study.response)
    balls = " These are the volumes of balls whose diameters are at the thresholds of the declared rule."
    said = {DECLARED: rule_words(declared), **{name: rule_words(declared.by(name)) for name in CRITERIA}}
    said["volumetric"] += balls if declared.measure != "volume" else ""
    days = declared.benefit_days
    said[BENEFIT] = (
        f"by the declared rule, a response before the first progression, or {format_given(days)} days without progression or death "
        "and an assessment then, as early as the window of a visit allows, or later that shows none."
    )
    return said


def rule_words(rule: Response) -> str:
    """A response rule in words: what is added up, of which lesions, and its thresholds."""
    which = "target lesions that were not treated locally" if rule.treated_lesions == "leave_out" else "target lesions, locally treated or not"
    least = f" and {format_given(rule.progression_mm)} mm" if rule.progression_mm else ""
    return (
        f"{rule.measured} of the {which}; partial response at {format_number(rule.partial_percent, 0)}% from baseline or below, "
        f"progression at least {format_number(rule.progression_percent, 0)}%{least} above the smallest before, or a new lesion."
    )


def estimate_label(data: Dataset, row: Mapping) -> str:
    """An estimate of another study's kind: "0.41 (0.22 to 0.76)", "18.6 (12.5 to NR)", "5/14 (36%); 13 to 65", or why there is none."""
    if pd.isna(row["estimate"]):
        return str(row["note"])
    if row["term"] == "proportion":
        counted = "count" in row and pd.notna(row["count"])
        shown = format_count(row["count"], row["n"], row["estimate"]) if counted else format_percent(row["estimate"])
        return f"{shown}; {limits_label(data, row)}"
    return f"{format_number(row['estimate'], _decimals(data, row))} ({limits_label(data, row)})"


def limits_label(data: Dataset, row: Mapping, low: str = "ci_low", high: str = "ci_high") -> str:
    """Two limits of an estimate with the decimals of its kind."""
    if row["term"] == "proportion":
        return format_interval(row[low], row[high], 0, percent=True)
    return format_interval(row[low], row[high], _decimals(data, row), missing=NOT_REACHED if pd.notna(row[low]) else "no interval")


def _decimals(data: Dataset, row: Mapping) -> int:
    return 2 if row["term"] == "hazard_ratio" else decimals_of_time(data)


def question_label(data: Dataset, question: Question) -> str:
    """What estimates are of, in the plural: "medians of OS, drug A"."""
    of = f" of {data.study.endpoint(question.endpoint).short}" if question.endpoint else ""
    return f"{KINDS[question.kind]}{of}, {pair_label(data, question.group)}"


def printed_label(data: Dataset, other: External) -> str:
    """What another study printed, and of which pair where that is not the one this study compares: the numbers stand as published."""
    return f"{other.printed}, of {pair_label(data, name_pair(other.arm, present(other.against)))}" if is_turned(data, other) else other.printed


class TermLine(NamedTuple):
    """A line of a regression: a heading (of several levels, without counts), a level of it, or a number.

    `counts`: patients and events; `crude`, `adjusted`: its ratios, None where it is a reference or has none; `of`: the
    variable whose tests stand in a heading.
    """

    label: str
    of: str
    counts: pd.Series | None = None
    crude: pd.Series | None = None
    adjusted: pd.Series | None = None
    reference: bool = False


def term_lines(analysis: Regression | ResponseRegression) -> Iterator[TermLine]:
    """Arms, then each covariate in the order declared, as a reader knows them."""
    data, about = analysis.dataset, analysis.variable
    counts = analysis[f"{analysis.BEGINS}count"]
    named = {c.variable: c for c in declared_covariates(data)}
    shown = ""
    for _, row in counts.iterrows():
        of, (heading, label) = _term(data, row, about, named)
        if label and of != shown:
            yield TermLine(heading, of)
        shown = of
        crude, adjusted = (_ratio(analysis, which, row, about) for which in ("crude", "adjusted"))
        first = row["group"] == data.reference if of == about else bool(label) and crude is None
        yield TermLine(label or heading, of, row, crude, adjusted, first)


def _term(data: Dataset, row: pd.Series, about: str, named: dict[str, ModelCovariate]) -> tuple[str, tuple[str, str]]:
    """The variable of a line, as it is recorded, and its heading and label."""
    if row["variable"] == about:
        return about, ("Arm", data.study.arm(row["group"]).label)
    _, name, *level = row["variable"].split(": ", 2)
    variable = data.study.variable(name)
    if level:
        return f"{about}: {name}", (variable.label, {one.value: one.label for one in variable.levels}[level[0]])
    return f"{about}: {name}", (f"{variable.label}, {said_step(data, named.get(name, ModelCovariate(variable=name)))}", "")


def _ratio(analysis: Regression | ResponseRegression, which: str, row: pd.Series, about: str) -> pd.Series | None:
    """The row of a ratio that belongs to a line."""
    name = f"{analysis.BEGINS}{which}"
    if name not in analysis:
        return None
    rows = analysis[name]
    group = f"{row['group']} vs {analysis.dataset.reference}" if row["variable"] == about else "overall"
    found = rows[(rows["variable"] == row["variable"]) & (rows["group"] == group)]
    return None if found.empty else found.iloc[0]
