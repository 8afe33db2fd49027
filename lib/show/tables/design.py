"""What study.yml declares of the design beside what the report found: target trial, risks of bias, published claims."""

from __future__ import annotations

__all__ = ["table_published", "table_risks_of_bias", "table_target_trial"]

import pandas as pd

from lib.analyses.cohort.checklist import Declared
from lib.analyses.efficacy.course import Course
from lib.analyses.efficacy.response import ResponseRates
from lib.analyses.efficacy.survival import Survival
from lib.analyses.result import Absent, where
from lib.analyses.robustness.confounding import Calendar, EValues, Weights
from lib.analyses.robustness.multiplicity import Multiplicity
from lib.analyses.robustness.robustness import Robustness
from lib.dataset.dataset import Dataset
from lib.show.display import EMPTY, Block, Column, Links, Row, Table, anchor, empty_if_absent
from lib.show.formats import (
    DASH,
    MASKED,
    format_given,
    format_interval,
    format_number,
    format_whole,
    is_masked,
    joined,
    plural,
)
from lib.show.labels import (
    OVERALL,
    counted,
    covariate_label,
    decimals_of_time,
    everybody,
    how_formed,
    pair_label,
    years_of,
)
from lib.show.tables.parts import format_with_interval
from lib.show.verdict import plain_note
from lib.statistics.comparisons import name_pair
from lib.study.design import ELEMENTS

NOT_STATED = "not stated in study.yml"
# Domain -> headings of the reports that hold its evidence.
PLACES = {
    "randomisation": (("cohort", "How alike are the arms?"), ("cohort", "Who is in the study?")),
    "confounding": (("robustness", "Could the arms differ for other reasons?"), ("cohort", "How alike are the arms?")),
    "selection": (("cohort", "Who is in the study?"), ("robustness", "How robust is the answer?")),
    "classification": (("cohort", "What did the patients receive?"),),
    "deviations": (("cohort", "What did the patients receive?"), ("efficacy", "What happened to each patient?")),
    "missing_data": (("cohort", "Were the patients examined when due?"), ("efficacy", "How many tumours respond, how soon, and for how long?")),
    "measurement": (
        ("cohort", "Were the patients examined when due?"),
        ("robustness", "Does a reader see the same response?"),
    ),
    "reporting": (("efficacy", "How was this computed?"), ("robustness", "How was this computed?")),
}
COLUMNS = ("Domain", "Judgement in study.yml", "What this report shows", "Where it stands")


@empty_if_absent
def table_target_trial(
    declared: Declared, survival: Survival | Absent, weights: Weights | Absent, calendar: Calendar | Absent
) -> Table | Block:
    """The trial that would answer the question, element by element, beside what this study could do.

    Nothing for a trial, which stands in for no other, and for a single arm, which makes no contrast.
    """
    data = declared.dataset
    if not data.study.by_design.may_be_confounded:
        return EMPTY
    trial, found = data.study.target_trial, _emulation(data, survival, weights, calendar)
    rows = [
        Row((label, getattr(trial, name) or NOT_STATED, found[name] or DASH)) for name, label in ELEMENTS.items()
    ]
    columns = tuple(Column(label, text=True) for label in ("Element", "As declared in study.yml", "In this report"))
    notes = ("Elements of a target trial: Hernán MA, Robins JM. Am J Epidemiol 2016;183:758-764.",)
    return Table("target_trial", "The trial that this study stands in for", columns, tuple(rows), notes)


def _emulation(
    data: Dataset, survival: Survival | Absent, weights: Weights | Absent, calendar: Calendar | Absent
) -> dict:
    """What the report computed for each element."""
    about, arms = data.study.study, {arm.id: arm.label for arm in data.arms}
    return {
        "eligibility": f"{plural(len(data.patients), 'patient')}{f', {about.population}' if about.population else ''}.",
        "strategies": f"{joined([f'{label} ({data.n[arm]})' for arm, label in arms.items()])}, {data.study.by_design.arms_as}.",
        "assignment": f"{_formed(data)} {_imbalance(data, weights, 'before')}".strip(),
        "time_zero": f"{data.study.time.zero_label[:1].upper()}{data.study.time.zero_label[1:]}. {_gap(data, calendar)}".strip(),
        "follow_up": _followed(data, survival),
        "outcome": _outcome(data, survival),
        "contrast": _contrast(data, survival),
        "analysis": _weighted(data, weights),
    }


def _formed(data: Dataset) -> str:
    return f"Arms formed: {how_formed(data.study)}."


def _followed(data: Dataset, survival: Survival | Absent) -> str:
    cutoff = f"data cut-off {data.cutoff or 'not recorded'}."
    if isinstance(survival, Absent):
        return cutoff.capitalize()
    d, found = decimals_of_time(data), survival["follow_up"].set_index("group")
    rows = [(arm.label, found.loc[arm.id]) for arm in data.arms if found.at[arm.id, "n"] != 0]
    by_arm = [f"{MASKED if is_masked(row) else format_number(row['median'], d, missing='not reached')} with {label}" for label, row in rows]
    return f"Median, {data.study.time.unit}: {joined(by_arm)}; {cutoff}"


def _outcome(data: Dataset, survival: Survival | Absent) -> str:
    if isinstance(survival, Absent):
        return survival.reason
    endpoint, median = data.study.endpoint(survival.variable), survival["median"].set_index("group")
    counts = {arm.label: median.loc[arm.id] for arm in data.arms}
    events = [f"{format_whole(r['n_events'])}/{format_whole(r['n'])} with {label}" for label, r in counts.items()]
    return f"{endpoint.short}: {endpoint.definition}. Events: {joined(events)}."


def _contrast(data: Dataset, survival: Survival | Absent) -> str:
    if isinstance(survival, Absent):
        return survival.reason
    if "cox" not in survival:
        return "One arm: there is no contrast."
    pair = name_pair(*data.contrast)
    ratio, mean = (survival.row(name, pair) for name in ("cox", "rmst_difference"))
    means = _said(f"difference in mean {data.study.time.unit} up to {format_given(mean['tau'])}:", mean, "estimate", decimals_of_time(data))
    return f"{pair_label(data, pair)}: {_said('hazard ratio', ratio, 'hr', 2)}, {means}."


def _said(name: str, row: pd.Series, column: str, decimals: int) -> str:
    """A number with its name and interval, or why there is none: a cell of words holds no dash."""
    if pd.isna(row[column]):
        return f"{name.rstrip(':')} not estimated ({plain_note(row['note'])})"
    return f"{name} {format_with_interval(row, column, decimals)}"


def _weighted(data: Dataset, weights: Weights | Absent) -> str:
    if isinstance(weights, Absent):
        return weights.reason
    pair = name_pair(*data.contrast)
    return f"{pair_label(data, pair)} with overlap weights: {_said('hazard ratio', weights.row('weighted_cox', pair), 'hr', 2)}."


def _imbalance(data: Dataset, weights: Weights | Absent, when: str) -> str:
    """The variable in which the arms differ most, before or after weighting."""
    if isinstance(weights, Absent):
        return "" if data.study.by_design.by_chance else weights.reason
    sizes = where(weights[f"balance_{when}"], group=OVERALL).set_index("variable")["smd"].dropna()
    if sizes.empty:
        return "No standardized difference can be estimated."
    largest = sizes.idxmax()
    return f"Largest standardized difference {when} weighting: {format_number(sizes[largest], 2)} ({covariate_label(data, largest)})."


def _gap(data: Dataset, calendar: Calendar | Absent) -> str:
    """Days that a patient has to live through to have every component."""
    if isinstance(calendar, Absent):
        return calendar.reason
    if "component_gap" not in calendar or calendar["component_gap"].empty:
        return "No arm combines components, so none holds immortal time between them."
    gaps = [
        f"{MASKED if pd.isna(r.min) else f'{format_number(r.median, 0)} ({format_interval(r.min, r.max, 0)})'} with {data.study.arm(r.group).label}"
        for r in calendar["component_gap"].itertuples()
    ]
    return f"Immortal days between the components of a combination, median (range): {joined(gaps)}."


@empty_if_absent
def table_risks_of_bias(
    declared: Declared,
    *,
    weights: Weights | Absent,
    e_values: EValues | Absent,
    calendar: Calendar | Absent,
    robust: Robustness | Absent,
    response: ResponseRates | Absent,
    course: Course | Absent,
    tests: Multiplicity | Absent,
) -> Table:
    """Domains of ROBINS-I or RoB 2: the declared judgement, and the report's own evidence with links to where it stands."""
    data = declared.dataset
    tool = data.study.by_design.instrument
    evidence = {
        "randomisation": f"{_formed(data)} {_years(data, calendar)}",
        "confounding": f"{_imbalance(data, weights, 'before')} {_strength(data, weights, e_values)}".strip(),
        "selection": _years(data, calendar),
        "classification": _gap(data, calendar),
        "deviations": _deviations(data),
        "missing_data": _missing(data, weights, response),
        "measurement": f"{_scans(data, robust)} {_readers(course)}".strip(),
        "reporting": _tests(tests),
        "overall": "No number sums up the domains.",
    }
    rows = []
    for name, label in tool.domains.items():
        judged = getattr(data.study.risks_of_bias, name)
        said = NOT_STATED if judged is None else f"{judged.judgement[:1].upper()}{judged.judgement[1:]}"
        said += f". {judged.why}" if judged and judged.why else ""
        links = [
            (f"{page.capitalize()}: {heading}", f"{page}.html#{anchor(heading)}")
            for page, heading in PLACES.get(name, ())
        ]
        rows.append(Row((label, said, evidence[name] or DASH, Links(links) if links else DASH)))
    other = "" if data.study.by_design.allocation else " A study whose arms were formed by chance is judged by RoB 2 instead."
    notes = (
        f"{tool.source}. The judgement is that of whoever declared the study; the numbers beside it are this report's and judge nothing.{other}",
    )
    columns = tuple(Column(label, text=True) for label in COLUMNS)
    return Table("risks_of_bias", "Risks of bias", columns, tuple(rows), notes, dash="none")


def _strength(data: Dataset, weights: Weights | Absent, e_values: EValues | Absent) -> str:
    if isinstance(e_values, Absent):
        return e_values.reason
    after = "" if isinstance(weights, Absent) else f"{_imbalance(data, weights, 'after')} "
    row = e_values.row("e_value", name_pair(*data.contrast))
    if pd.isna(row["e_value"]):
        return f"{after}No E-value of {pair_label(data, row['group'])} can be computed."
    limit = "" if pd.isna(row["e_value_limit"]) else f" (limit {format_number(row['e_value_limit'], 2)})"
    return f"{after}E-value of {pair_label(data, row['group'])}: {format_number(row['e_value'], 2)}{limit}."


def _years(data: Dataset, calendar: Calendar | Absent) -> str:
    if isinstance(calendar, Absent):
        return calendar.reason
    known = [(arm.label, years_of(calendar["enrolment"], arm.id)) for arm in data.arms]
    said = [f"{label} {years}" for label, years in known if years]
    return f"Years of start: {joined(said)}." if said else ""


def _deviations(data: Dataset) -> str:
    if not data.holds("treatments"):
        return "This study holds no table of treatments."
    return f"Doses, interruptions and later lines of treatment are counted by arm; every analysis takes the arms {data.study.by_design.arms_as}."


def _missing(data: Dataset, weights: Weights | Absent, response: ResponseRates | Absent) -> str:
    said = []
    if not isinstance(weights, Absent):
        sizes = weights["effective_size"]
        lacking = [f"{format_whole(r['n_missing'])} with {data.study.arm(r['group']).label}" for _, r in sizes.iterrows() if r["n_missing"] != 0]
        said.append(f"{joined(lacking) if lacking else 'none'} without a covariate")
    if not isinstance(response, Absent) and len(response["response_category"]):
        rows = where(response["response_category"], group=everybody(data), variable="missing")
        said += [
            f"{'none' if r['count'] == 0 else format_whole(r['count'])} without a scan at {format_given(r['time'])} {data.study.time.unit}"
            for _, r in rows.iterrows()
        ]
    return (
        f"Of {plural(len(data.patients), 'patient')}: {joined(said)}."
        if said
        else "This report holds no table in which a visit could be missing."
    )


def _scans(data: Dataset, robust: Robustness | Absent) -> str:
    if isinstance(robust, Absent) or "scan_interval" not in robust:
        return "No dates of scans to compare."
    gaps = robust["scan_interval"]
    parts = [
        f"{format_number(r.median, 0)} with {data.study.arm(r.group).label}"
        for r in gaps.itertuples()
        if r.group != OVERALL and r.n
    ]
    return f"Median days between scans: {joined(parts)}." if parts else ""


def _readers(course: Course | Absent) -> str:
    if isinstance(course, Absent) or "reader_total" not in course:
        return "No reader's category stands beside the derived one."
    total = course["reader_total"].iloc[0]
    if pd.isna(total["count"]):
        return "How often the reader and the rule agree is masked."
    return f"The reader and the rule agree at {format_whole(total['count'])} of {counted(total)}."


def _tests(tests: Multiplicity | Absent) -> str:
    if isinstance(tests, Absent):
        return tests.reason
    counts = tests["tests"].set_index("variable")["n_tests"]
    if pd.isna(counts["all"]):
        return ""
    own = format_whole(counts["confirmatory"]) if counts["confirmatory"] else "none"
    return f"{plural(counts['all'], 'test')}, {own} of them confirmatory." if counts["all"] else "No test."


def table_published(claims: pd.DataFrame) -> Table | Block:
    """Published claims beside the report's own numbers; nothing for a study without claims."""
    if claims.empty:
        return EMPTY
    rows = [Row((row.id, row.claim, row.printed, row.reproduced, row.verdict)) for row in claims.itertuples()]
    columns = (
        Column("Id"),
        Column("Claim", text=True),
        Column("Published", text=True),
        Column("This report", text=True),
        Column("To the printed precision", text=True),
    )
    return Table("published", "Published beside reproduced", columns, tuple(rows))
