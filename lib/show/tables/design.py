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
from lib.languages.notes import worded
from lib.languages.speech import N_, _, in_a_row
from lib.show.display import EMPTY, Block, Column, Links, Row, Table, anchor, empty_if_absent
from lib.show.formats import (
    DASH,
    MASKED,
    capitalised,
    format_given,
    format_interval,
    format_number,
    format_whole,
    is_masked,
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
from lib.show.phrases import horizon, in_unit, joined, plural, unit_name
from lib.show.tables.parts import format_with_interval
from lib.show.verdict import plain_note
from lib.show.ways import GRADES
from lib.statistics.comparisons import name_pair
from lib.study.design import ELEMENTS

NOT_STATED = N_("not stated in study.yml")
# Domain -> headings of the reports that hold its evidence.
PLACES = {
    "randomisation": (("cohort", N_("How alike are the arms?")), ("cohort", N_("Who is in the study?"))),
    "confounding": (("robustness", N_("Could the arms differ for other reasons?")), ("cohort", N_("How alike are the arms?"))),
    "selection": (("cohort", N_("Who is in the study?")), ("robustness", N_("How robust is the answer?"))),
    "classification": (("cohort", N_("What did the patients receive?")),),
    "deviations": (("cohort", N_("What did the patients receive?")), ("efficacy", N_("What happened to each patient?"))),
    "missing_data": (("cohort", N_("Were the patients examined when due?")), ("efficacy", N_("How many tumours respond, how soon, and for how long?"))),
    "measurement": (
        ("cohort", N_("Were the patients examined when due?")),
        ("robustness", N_("Does a reader see the same response?")),
    ),
    "reporting": (("efficacy", N_("How was this computed?")), ("robustness", N_("How was this computed?"))),
}
COLUMNS = (N_("Domain"), N_("Judgement in study.yml"), N_("What this report shows"), N_("Where it stands"))


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
        Row((_(label), getattr(trial, name) or _(NOT_STATED), found[name] or DASH)) for name, label in ELEMENTS.items()
    ]
    columns = tuple(Column(label, text=True) for label in (_("Element"), _("As declared in study.yml"), _("In this report")))
    notes = (_("Elements of a target trial: Hernán MA, Robins JM. Am J Epidemiol 2016;183:758-764."),)
    return Table("target_trial", _("The trial that this study stands in for"), columns, tuple(rows), notes)


def _emulation(
    data: Dataset, survival: Survival | Absent, weights: Weights | Absent, calendar: Calendar | Absent
) -> dict:
    """What the report computed for each element."""
    about, arms = data.study.study, {arm.id: arm.label for arm in data.arms}
    return {
        "eligibility": _("{n}{part}.", n=plural(len(data.patients), 'patient'), part=_(", {population}", population=about.population) if about.population else ""),
        "strategies": _("{listed}, {arms_as}.", listed=joined([f'{label} ({data.n[arm]})' for arm, label in arms.items()]), arms_as=_(data.study.by_design.arms_as)),
        "assignment": in_a_row([_formed(data), _imbalance(data, weights)]),
        "time_zero": in_a_row([_("{zero}.", zero=capitalised(data.study.time.zero_label)), _gap(data, calendar)]),
        "follow_up": _followed(data, survival),
        "outcome": _outcome(data, survival),
        "contrast": _contrast(data, survival),
        "analysis": _weighted(data, weights),
    }


def _formed(data: Dataset) -> str:
    return _("Arms formed: {how_formed}.", how_formed=how_formed(data.study))


def _followed(data: Dataset, survival: Survival | Absent) -> str:
    cutoff = _("data cut-off {value}.", value=data.cutoff or _("not recorded"))
    if isinstance(survival, Absent):
        return cutoff.capitalize()
    d, found = decimals_of_time(data), survival["follow_up"].set_index("group")
    rows = [(arm.label, found.loc[arm.id]) for arm in data.arms if found.at[arm.id, "n"] != 0]
    by_arm = [_("{part} with {label}", part=_(MASKED) if is_masked(row) else format_number(row['median'], d, missing=_("not reached")), label=label) for label, row in rows]
    return _("Median, {unit}: {listed}; {cutoff}", unit=unit_name(data.study.time.unit), listed=joined(by_arm), cutoff=cutoff)


def _outcome(data: Dataset, survival: Survival | Absent) -> str:
    if isinstance(survival, Absent):
        return worded(survival.reason)
    endpoint, median = data.study.endpoint(survival.variable), survival["median"].set_index("group")
    counts = {arm.label: median.loc[arm.id] for arm in data.arms}
    events = [_("{n_events}/{n} with {label}", n_events=format_whole(r['n_events']), n=format_whole(r['n']), label=label) for label, r in counts.items()]
    return _("{endpoint}: {definition}. Events: {listed}.", endpoint=endpoint.short, definition=endpoint.definition, listed=joined(events))


def _contrast(data: Dataset, survival: Survival | Absent) -> str:
    if isinstance(survival, Absent):
        return worded(survival.reason)
    if "cox" not in survival:
        return _("One arm: there is no contrast.")
    pair = name_pair(*data.contrast)
    ratio, mean = (survival.row(name, pair) for name in ("cox", "rmst_difference"))
    means = _said(_("difference in mean {unit} up to {tau}:", unit=unit_name(data.study.time.unit), tau=format_given(horizon(mean['tau']))), mean, "estimate", decimals_of_time(data))
    return _("{pair_label}: {said}, {means}.", pair_label=pair_label(data, pair), said=_said(_("hazard ratio"), ratio, 'hr', 2), means=means)


def _said(name: str, row: pd.Series, column: str, decimals: int) -> str:
    """A number with its name and interval, or why there is none: a cell of words holds no dash."""
    if pd.isna(row[column]):
        return _("{rstrip} not estimated ({plain_note})", rstrip=name.rstrip(":："), plain_note=worded(plain_note(row["note"])))
    return _("{name} {number}", name=name, number=format_with_interval(row, column, decimals))


def _weighted(data: Dataset, weights: Weights | Absent) -> str:
    if isinstance(weights, Absent):
        return worded(weights.reason)
    pair = name_pair(*data.contrast)
    return _("{pair_label} with overlap weights: {said}.", pair_label=pair_label(data, pair), said=_said(_("hazard ratio"), weights.row('weighted_cox', pair), 'hr', 2))


def _imbalance(data: Dataset, weights: Weights | Absent, after: bool = False) -> str:
    """The variable in which the arms differ most, before or after weighting."""
    if isinstance(weights, Absent):
        return "" if data.study.by_design.by_chance else worded(weights.reason)
    sizes = where(weights["balance_after" if after else "balance_before"], group=OVERALL).set_index("variable")["smd"].dropna()
    if sizes.empty:
        return _("No standardized difference can be estimated.")
    largest = sizes.idxmax()
    size, label = format_number(sizes[largest], 2), covariate_label(data, largest)
    if after:
        return _("Largest standardized difference after weighting: {size} ({label}).", size=size, label=label)
    return _("Largest standardized difference before weighting: {size} ({label}).", size=size, label=label)


def _gap(data: Dataset, calendar: Calendar | Absent) -> str:
    """Days that a patient has to live through to have every component."""
    if isinstance(calendar, Absent):
        return worded(calendar.reason)
    if "component_gap" not in calendar or calendar["component_gap"].empty:
        return _("No arm combines components, so none holds immortal time between them.")
    gaps = [
        _("{part} with {arm}", part=_(MASKED) if pd.isna(r.min) else f'{format_number(r.median, 0)} ({format_interval(r.min, r.max, 0)})', arm=data.study.arm(r.group).label)
        for r in calendar["component_gap"].itertuples()
    ]
    return _("Immortal days between the components of a combination, median (range): {listed}.", listed=joined(gaps))


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
        "randomisation": in_a_row([_formed(data), _years(data, calendar)]),
        "confounding": in_a_row([_imbalance(data, weights), _strength(data, weights, e_values)]),
        "selection": _years(data, calendar),
        "classification": _gap(data, calendar),
        "deviations": _deviations(data),
        "missing_data": _missing(data, weights, response),
        "measurement": in_a_row([_scans(data, robust), _readers(course)]),
        "reporting": _tests(tests),
        "overall": _("No number sums up the domains."),
    }
    rows = []
    for name, label in tool.domains.items():
        judged = getattr(data.study.risks_of_bias, name)
        said = _(NOT_STATED) if judged is None else _(GRADES[judged.judgement].label)
        said += _(". {why}", why=judged.why) if judged and judged.why else ""
        links = [
            (_("{page}: {heading}", page=_(page.capitalize()), heading=_(heading)), f"{page}.html#{anchor(heading)}")
            for page, heading in PLACES.get(name, ())
        ]
        rows.append(Row((worded(label), said, evidence[name] or DASH, Links(links) if links else DASH)))
    other = "" if data.study.by_design.allocation else _(" A study whose arms were formed by chance is judged by RoB 2 instead.")
    notes = (
        _("{source}. The judgement is that of whoever declared the study; the numbers beside it are this report's and judge nothing.{other}", source=worded(tool.source), other=other),
    )
    columns = tuple(Column(_(label), text=True) for label in COLUMNS)
    return Table("risks_of_bias", _("Risks of bias"), columns, tuple(rows), notes, dash="none")


def _strength(data: Dataset, weights: Weights | Absent, e_values: EValues | Absent) -> str:
    if isinstance(e_values, Absent):
        return worded(e_values.reason)
    after = "" if isinstance(weights, Absent) else _imbalance(data, weights, after=True)
    row = e_values.row("e_value", name_pair(*data.contrast))
    if pd.isna(row["e_value"]):
        return in_a_row([after, _("No E-value of {pair_label} can be computed.", pair_label=pair_label(data, row["group"]))])
    limit = "" if pd.isna(row["e_value_limit"]) else _(" (limit {e_value_limit})", e_value_limit=format_number(row['e_value_limit'], 2))
    return in_a_row([after, _("E-value of {pair_label}: {e_value}{limit}.", pair_label=pair_label(data, row["group"]), e_value=format_number(row["e_value"], 2), limit=limit)])


def _years(data: Dataset, calendar: Calendar | Absent) -> str:
    if isinstance(calendar, Absent):
        return worded(calendar.reason)
    known = [(arm.label, years_of(calendar["enrolment"], arm.id)) for arm in data.arms]
    said = [f"{label} {years}" for label, years in known if years]
    return _("Years of start: {listed}.", listed=joined(said)) if said else ""


def _deviations(data: Dataset) -> str:
    if not data.holds("treatments"):
        return _("This study holds no table of treatments.")
    return _("Doses, interruptions and later lines of treatment are counted by arm; every analysis takes the arms {arms_as}.", arms_as=_(data.study.by_design.arms_as))


def _missing(data: Dataset, weights: Weights | Absent, response: ResponseRates | Absent) -> str:
    said = []
    if not isinstance(weights, Absent):
        sizes = weights["effective_size"]
        lacking = [_("{n_missing} with {arm}", n_missing=format_whole(r['n_missing']), arm=data.study.arm(r['group']).label) for __, r in sizes.iterrows() if r["n_missing"] != 0]
        said.append(_("{listed} without a covariate", listed=joined(lacking)) if lacking else _("none without a covariate"))
    if not isinstance(response, Absent) and len(response["response_category"]):
        rows = where(response["response_category"], group=everybody(data), variable="missing")
        said += [_without_scan(r["count"], in_unit(format_given(r["time"]), data.study.time.unit)) for __, r in rows.iterrows()]
    return (
        _("Of {n}: {listed}.", n=plural(len(data.patients), 'patient'), listed=joined(said))
        if said
        else _("This report holds no table in which a visit could be missing.")
    )


def _without_scan(count: float, time: str) -> str:
    return _("none without a scan at {time}", time=time) if count == 0 else _("{n} without a scan at {time}", n=format_whole(count), time=time)


def _scans(data: Dataset, robust: Robustness | Absent) -> str:
    if isinstance(robust, Absent) or "scan_interval" not in robust:
        return _("No dates of scans to compare.")
    gaps = robust["scan_interval"]
    parts = [
        _("{median} with {arm}", median=format_number(r.median, 0), arm=data.study.arm(r.group).label)
        for r in gaps.itertuples()
        if r.group != OVERALL and r.n
    ]
    return _("Median days between scans: {listed}.", listed=joined(parts)) if parts else ""


def _readers(course: Course | Absent) -> str:
    if isinstance(course, Absent) or "reader_total" not in course:
        return _("No reader's category stands beside the derived one.")
    total = course["reader_total"].iloc[0]
    if pd.isna(total["count"]):
        return _("How often the reader and the rule agree is masked.")
    return _("The reader and the rule agree at {count} of {total}.", count=format_whole(total['count']), total=counted(total))


def _tests(tests: Multiplicity | Absent) -> str:
    if isinstance(tests, Absent):
        return worded(tests.reason)
    counts = tests["tests"].set_index("variable")["n_tests"]
    if pd.isna(counts["all"]):
        return ""
    if not counts["all"]:
        return _("No test.")
    every, own = plural(counts["all"], "test"), counts["confirmatory"]
    return _("{every}, {own} of them confirmatory.", every=every, own=format_whole(own)) if own else _("{every}, none of them confirmatory.", every=every)


def table_published(claims: pd.DataFrame) -> Table | Block:
    """Published claims beside the report's own numbers; nothing for a study without claims."""
    if claims.empty:
        return EMPTY
    rows = [Row((row.id, row.claim, row.printed, row.reproduced, _(row.verdict))) for row in claims.itertuples()]
    columns = (
        Column("Id"),
        Column(_("Claim"), text=True),
        Column(_("Published"), text=True),
        Column(_("This report"), text=True),
        Column(_("To the printed precision"), text=True),
    )
    return Table("published", _("Published beside reproduced"), columns, tuple(rows))
