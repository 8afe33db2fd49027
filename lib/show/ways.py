"""Words for the ways of asking again, the levels of a subgroup, the terms of a regression and what other studies found, as table, plot and say share them."""

from __future__ import annotations

__all__ = [
    "EFFECTS", "GRADES", "TermLine", "criteria_label", "criteria_words", "definition_label", "estimate_label", "event_label", "field_label", "level_label",
    "limits_label", "not_compared", "printed_label", "question_label", "question_of_whom", "subgroup_of", "term_lines", "way_label",
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
from lib.languages.notes import worded
from lib.languages.speech import N_, _
from lib.show.formats import NOT_REACHED, format_count, format_given, format_interval, format_number, format_percent
from lib.show.labels import decimals_of_time, pair_label
from lib.show.phrases import format_duration, joined
from lib.statistics.comparisons import name_pair
from lib.study.clinic.tumour import CRITERIA, Response
from lib.study.inference.evidence import External
from lib.study.inference.models import ModelCovariate
from lib.study.study import present

UNNAMED = {
    "first_event": N_("Competing events are censored"),
    "competing": N_("Competing events are counted as such: Gray's test"),
}


# Words of analyses that stand alone, or are too short to be found by their pattern.
ALONE = (
    N_("medians"), N_("proportion"), N_("regressions"), N_("vague"), N_("sceptical"), N_("enthusiastic"), N_("historical"), N_("per day"), N_("per week"),
    N_("per month"), N_("per year"), N_("so Firth's penalty is used"),
)  # fmt: skip
# Effects that a trial is planned for.
EFFECTS = {SEEN: N_("The effect seen"), LIMIT: N_("The cautious limit of its interval"), WORTHWHILE: N_("The smallest worth having")}
KIND_LABELS = {
    "progression.in_field": N_("growth of a treated lesion"),
    "progression.local_untreated": N_("local progression outside the treated lesions"),
    "progression.regional": N_("regional progression"),
    "progression.distant": N_("distant progression"),
    "progression.new_lesion": N_("a new lesion"),
    "progression.target_growth": N_("growth of the sum of the targets"),
}


class Grade(NamedTuple):
    """A judgement of the risk of bias: as a cell begins, and within a sentence."""

    label: str
    within: str


GRADES = {
    "low": Grade(N_("Low"), N_("low risk of bias")),
    "moderate": Grade(N_("Moderate"), N_("moderate risk of bias")),
    "serious": Grade(N_("Serious"), N_("serious risk of bias")),
    "critical": Grade(N_("Critical"), N_("critical risk of bias")),
    "high": Grade(N_("High"), N_("high risk of bias")),
    "some concerns": Grade(N_("Some concerns"), N_("some concerns")),
    "no information": Grade(N_("No information"), N_("no information")),
}


# Events by their columns; what is not here is said in English.
EVENTS = (
    N_("local progression"), N_("distant progression"), N_("death"), N_("progression"), N_("last contact"), N_("last tumour assessment"), N_("time zero"),
    N_("later line"), N_("response"),
)  # fmt: skip


def event_label(column: str) -> str:
    """Such as "local progression" from local_progression_date."""
    if column in KIND_LABELS:
        return _(KIND_LABELS[column])
    return _(column.removesuffix("_date").removesuffix("_days").replace("_", " "))


def definition_label(definition: str) -> str:
    """What counts as progression, as the head of a column or quoted in a sentence."""
    return {
        DECLARED: _("As declared"),
        FIELD: _("Only what the arm treats"),
        CENSORED: _("Growth; a new lesion censors"),
        IGNORED: _("Growth; new lesions do not count"),
    }[definition]


def field_label(data: Dataset) -> str:
    """What counts as treated, arm by arm, within a sentence."""
    if data.study.treatments is None:
        return _("lesions marked as treated locally, and every target of a patient who has none")
    local = local_arms(data)
    whole = [arm.label for arm in data.arms if arm.id not in local]
    if len(whole) == len(data.arms):
        return _("every target, because no arm has a local component")
    rest = _("; with {listed}, without a local component, every target", listed=joined(whole)) if whole else ""
    return _("the targets treated locally{rest}", rest=rest)


def way_label(data: Dataset, analysis: Robustness, way: str, time: float = float("nan")) -> str:
    """What was done in one way of asking, in plain words."""
    endpoint = data.study.endpoint(analysis.variable)
    columns = [*endpoint.events, *endpoint.competing]
    words = {
        "focus": data.study.arm(data.contrast[0]).label,
        "event": event_label(columns[0]) if columns else _("the event"),
        "other": joined([event_label(c) for c in columns[1:]], "or") or _("a competing event"),
        "strata": joined([data.study.variable(v).label.lower() for v in data.study.sensitivity.strata])
        or _("a site or another stratum"),
        "time": _("a landmark") if pd.isna(time) else format_duration(time, data.study.time.unit),
    }
    # A ready-made endpoint names no event: what it holds is all that can be said.
    label = _(UNNAMED[way]) if way in UNNAMED and not columns else _(WAYS[way][1], **words)
    return label[0].upper() + label[1:]


def level_label(data: Dataset, variable: str) -> tuple[str, str]:
    """("Sex", "Female") from "os: sex: F"; ("All patients", "") from "os: all"."""
    parts = variable.split(": ", 2)
    if len(parts) == 2:
        return _("All patients"), ""
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
        return _("{rule} (declared)", rule=present(data.study.response).rule)
    return _("Clinical benefit") if name == BENEFIT else worded(CRITERIA[name])


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
    balls = _(" These are the volumes of balls whose diameters are at the thresholds of the declared rule.")
    said = {DECLARED: rule_words(declared), **{name: rule_words(declared.by(name)) for name in CRITERIA}}
    said["volumetric"] += balls if declared.measure != "volume" else ""
    days = declared.benefit_days
    said[BENEFIT] = (
        _(
            "by the declared rule, a response before the first progression, or {days} days without progression or death and an assessment then, as early "
            "as the window of a visit allows, or later that shows none.",
            days=format_given(days),
        )
    )
    return said


def rule_words(rule: Response) -> str:
    """A response rule in words: what is added up, of which lesions, and its thresholds."""
    which = _("target lesions that were not treated locally") if rule.treated_lesions == "leave_out" else _("target lesions, locally treated or not")
    least = _(" and {progression_mm} mm", progression_mm=format_given(rule.progression_mm)) if rule.progression_mm else ""
    return (
        _(
            "{measured} of the {which}; partial response at {partial_percent}% from baseline or below, progression at least "
            "{progression_percent}%{least} above the smallest before, or a new lesion.",
            measured=_(rule.measured), which=which, partial_percent=format_number(rule.partial_percent, 0), progression_percent=format_number(rule.progression_percent, 0), least=least,
        )
    )


def estimate_label(data: Dataset, row: Mapping) -> str:
    """An estimate of another study's kind: "0.41 (0.22 to 0.76)", "18.6 (12.5 to NR)", "5/14 (36%); 13 to 65", or why there is none."""
    if pd.isna(row["estimate"]):
        return worded(str(row["note"]))
    if row["term"] == "proportion":
        counted = "count" in row and pd.notna(row["count"])
        shown = format_count(row["count"], row["n"], row["estimate"]) if counted else format_percent(row["estimate"])
        return _("{shown}; {limits}", shown=shown, limits=limits_label(data, row))
    return f"{format_number(row['estimate'], _decimals(data, row))} ({limits_label(data, row)})"


def limits_label(data: Dataset, row: Mapping, low: str = "ci_low", high: str = "ci_high") -> str:
    """Two limits of an estimate with the decimals of its kind."""
    if row["term"] == "proportion":
        return format_interval(row[low], row[high], 0, percent=True)
    return format_interval(row[low], row[high], _decimals(data, row), missing=NOT_REACHED if pd.notna(row[low]) else _("no interval"))


def _decimals(data: Dataset, row: Mapping) -> int:
    return 2 if row["term"] == "hazard_ratio" else decimals_of_time(data)


def question_label(data: Dataset, question: Question) -> str:
    """What estimates are of, in the plural: "medians of OS, drug A"."""
    kind, of = worded(KINDS[question.kind]), question_of_whom(data, question)
    return _("{kind} of {of}", kind=kind, of=of) if question.endpoint else _("{kind}, {of}", kind=kind, of=of)


def question_of_whom(data: Dataset, question: Question) -> str:
    """The same without the kind of number: "OS, drug A"."""
    pair = pair_label(data, question.group)
    return _("{label}, {pair}", label=data.study.endpoint(question.endpoint).short, pair=pair) if question.endpoint else pair


def printed_label(data: Dataset, other: External) -> str:
    """What another study printed, and of which pair where that is not the one this study compares: the numbers stand as published."""
    return _("{printed}, of {pair_label}", printed=other.printed, pair_label=pair_label(data, name_pair(other.arm, present(other.against)))) if is_turned(data, other) else other.printed


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
    for __, row in counts.iterrows():
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
        return about, (_("Arm"), data.study.arm(row["group"]).label)
    __, name, *level = row["variable"].split(": ", 2)
    variable = data.study.variable(name)
    if level:
        return f"{about}: {name}", (variable.label, {one.value: one.label for one in variable.levels}[level[0]])
    return f"{about}: {name}", (_("{label}, {step}", label=variable.label, step=said_step(data, named.get(name, ModelCovariate(variable=name)))), "")


def _ratio(analysis: Regression | ResponseRegression, which: str, row: pd.Series, about: str) -> pd.Series | None:
    """The row of a ratio that belongs to a line."""
    name = f"{analysis.BEGINS}{which}"
    if name not in analysis:
        return None
    rows = analysis[name]
    group = f"{row['group']} vs {analysis.dataset.reference}" if row["variable"] == about else "overall"
    found = rows[(rows["variable"] == row["variable"]) & (rows["group"] == group)]
    return None if found.empty else found.iloc[0]
