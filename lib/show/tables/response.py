"""Tables of tumour response: by visit, pairs of arms, over time, survival by it; of single lesions. Computes nothing."""

from __future__ import annotations

__all__ = [
    "table_criteria", "table_dose", "table_lesion_control", "table_lesion_failures", "table_lesion_response", "table_response", "table_response_incidence",
    "table_response_pairs", "table_survival_by_response",
]  # fmt: skip

import pandas as pd

from lib.analyses.efficacy.dose_response import STEP, DoseResponse
from lib.analyses.efficacy.lesion_control import ALL, FAILURES, OUTCOMES, LesionControl, LesionResponse
from lib.analyses.efficacy.response import CATEGORIES, NON_RESPONDER, RESPONDER, ResponseRates, ResponseTime
from lib.analyses.result import where
from lib.analyses.robustness.criteria import BENEFIT, Criteria
from lib.dataset.dataset import Dataset
from lib.languages.notes import worded
from lib.languages.speech import N_, _
from lib.show.display import EMPTY, Block, Column, Row, Table, compares_arms, empty_if_absent
from lib.show.formats import (
    DASH,
    MASKED,
    exactness,
    format_given,
    format_interval,
    format_median,
    format_number,
    format_p,
    format_percent,
    format_whole,
    is_masked,
    said_p,
)
from lib.show.labels import (
    CATEGORY_LABELS,
    OVERALL,
    counted,
    decimals_of_time,
    groups_of,
    level_text,
    pair_label,
    trend_note,
    unit_label,
)
from lib.show.phrases import format_duration, plural, unit_name
from lib.show.tables import parts
from lib.show.tables.parts import format_difference, format_rate, visit_label
from lib.show.ways import criteria_label, criteria_words, not_compared

RATES = {
    "objective_response_treated": N_("Objective response, all {entered}"),
    "objective_response_evaluable": N_("Objective response, evaluable"),
    "disease_control_treated": N_("Disease control, all {entered}"),
    "disease_control_evaluable": N_("Disease control, evaluable"),
}
LABELS = {RESPONDER: N_("Response at the landmark"), NON_RESPONDER: N_("No response")}


@empty_if_absent
def table_response(response: ResponseRates) -> Table:
    """Categories and response rates by visit and arm."""
    data = response.dataset
    groups, rows, entered = groups_of(data, overall=True), [], _(data.study.by_design.entered)
    for time, categories in response["response_category"].groupby("time"):
        rows.append(Row((_("At {visit_label}", visit_label=visit_label(data, time)),), "group"))
        for category in CATEGORIES:
            part = categories[categories["variable"] == category]
            if (part["count"] != 0).any() or category in CATEGORIES[:4]:
                rows.append(Row((_(CATEGORY_LABELS[category]), *parts.cells(part, groups, lambda r: format_whole(r["count"]))), "sub"))
        for output, label in RATES.items():
            part = response[output]
            rows.append(Row((_(label, entered=_(entered)), *parts.cells(part[part["time"] == time], groups, format_rate))))
    notes = [
        _("Rates: {unit_label}/denominator (%); exact Clopper-Pearson {level} CI in %. All {entered} counts patients who died or were not assessed as non-responders.", unit_label=unit_label(response['objective_response_treated']), level=level_text(data), entered=entered),
        _("{criteria_label}, instead of the declared rule: {criteria_words}", criteria_label=criteria_label(data, data.criteria), criteria_words=criteria_words(data)[data.criteria]) if data.criteria else data.response.caveat,
    ]
    columns = (Column(_("Response")), *parts.arm_columns(data, overall=True))
    return Table("response", _("Tumour response by visit and arm"), columns, tuple(rows), tuple(n for n in notes if n))


@empty_if_absent
@compares_arms
def table_response_pairs(response: ResponseRates, outcome: str = "objective_response") -> Table:
    """Comparisons of response rates: risk difference, odds ratio, exact tests."""
    data = response.dataset
    level, rows, trends = level_text(data), [], []
    name = f"{outcome}_treated"
    for time, pairs in response[f"{name}_pairwise"].groupby("time"):
        rows.append(Row((_("At {visit_label}, all {entered}", visit_label=visit_label(data, time), entered=_(data.study.by_design.entered)),), "group"))
        for group in pairs["group"]:
            at = {part: where(response[f"{name}{part}"], time=time) for part in ("_difference", "_newcombe", "_odds_ratio")}
            rows.append(Row((
                pair_label(data, group),
                *parts.cells(at["_difference"], [group], format_difference),
                *parts.cells(at["_newcombe"], [group], lambda r: format_interval(r["ci_low"], r["ci_high"], 0, percent=True)),
                *parts.cells(at["_odds_ratio"], [group], lambda r: _ratio(r, "odds_ratio")),
                *parts.cells(pairs, [group], lambda r: format_p(r["p_value"])),
                *parts.cells(pairs, [group], lambda r: format_p(r["p_adjusted"])),
            )))  # fmt: skip
        exact = where(response[f"{name}_test"], time=time).iloc[0]
        chisq = where(response[f"{name}_chisq"], time=time).iloc[0]
        rows.append(Row((_("All arms, {exactness}", exactness=exactness([exact['mc_error']])), "", "", "", format_p(exact["p_value"]), "")))
        rows.append(Row((_("All arms, chi-square"), "", "", "", format_p(chisq["p_value"]), "")))
        for trend in where(response[f"{name}_trend"], time=time).to_dict("records") if f"{name}_trend" in response else []:
            rows.append(Row((_("Trend over the arms, Cochran-Armitage"), "", "", "", format_p(trend["p_value"]), "")))
            trends.append(trend_note(data, trend, _("of these at {visit_label}", visit_label=visit_label(data, time))))
    columns = (Column(_("Comparison")), Column(_("Risk difference, points"), f"{level} CI"), Column(_("Newcombe"), f"{level} CI"),
               Column(_("Odds ratio"), _("exact {level} CI", level=level)), Column(said_p(), _("Fisher")), Column(said_p(), _("Holm")))  # fmt: skip
    notes = (
        _("Risk difference: arm named first minus arm named second, in percentage points, with the Miettinen-Nurminen interval; Newcombe's interval beside it."),
        _("Overall: {iat}; chi-square without continuity correction, for comparison with the publication.", iat=worded(response[f'{name}_test']['method'].iat[0])),
        *filter(None, trends),
        *parts.notes_of(response[f"{name}_odds_ratio"]),
    )
    title = _("{replace}: comparisons of arms", replace=_(outcome.replace('_', ' ').capitalize()))
    return Table(f"{outcome}_comparisons", title, columns, tuple(rows), notes)


@empty_if_absent
def table_criteria(criteria: Criteria) -> Table:
    """Response of all patients by each of several criteria, with the test of all arms and how many patients change sides."""
    data, rates, rows = criteria.dataset, criteria["criteria"], []
    groups = groups_of(data, overall=True)
    for time, at in rates[rates["variable"] != BENEFIT].groupby("time"):
        rows.append(Row((_("Objective response at {visit_label}", visit_label=visit_label(data, time)),), "group"))
        rows += [_criteria_row(criteria, name, time, groups) for name in dict.fromkeys(at["variable"])]
    rows.append(Row((_("Response, or stable for {benefit_days}", benefit_days=plural(data.response.benefit_days, 'day')),), "group"))
    rows += [_criteria_row(criteria, BENEFIT, time, groups) for time in rates.loc[rates["variable"] == BENEFIT, "time"].unique()]
    tested = "criteria_test" in criteria
    columns = (Column(_("Criteria")), *parts.arm_columns(data, overall=True), *([Column(said_p(), _("exact"))] if tested else []), Column(_("Differs"), _("from declared")))
    entered = _(data.study.by_design.entered)
    notes = (
        _("Rates: patients/all {entered} who were due (%); exact Clopper-Pearson {level} CI in %. Who died or could not be assessed by the criteria counts as a non-responder. Differs: responders by these criteria and not by the declared ones, or the other way round. All criteria read the same scans, so that they agree confirms nothing.", entered=entered, level=level_text(data)),
        *_who_is_assessed(criteria),
        *(_("{name}: {title}", name=criteria_label(data, name), title=words) for name, words in criteria_words(data).items() if name in set(rates["variable"])),
        *(_("{criteria_label}: {note}.", criteria_label=criteria_label(data, r.variable), note=worded(r.note)) for r in criteria["left_out"].itertuples()),
    )
    return Table("criteria", _("What the answer would be by other response criteria"), columns, tuple(rows), notes)


def _who_is_assessed(criteria: Criteria) -> list[str]:
    """By which criteria arms are not compared, because they can assess too few."""
    data = criteria.dataset
    few = _("not compared, because fewer than {min_at_risk} patients of an arm can be assessed.", min_at_risk=data.study.policy.min_at_risk)
    return [_("{name}: {title}", name=criteria_label(data, name), title=few) for name in not_compared(criteria)]


def _criteria_row(criteria: Criteria, name: str, time: float, groups: list[str]) -> Row:
    cells = parts.cells(where(criteria["criteria"], variable=name, time=time), groups, format_rate)
    if "criteria_test" in criteria:
        test = where(criteria["criteria_test"], variable=name, time=time)
        cells.append(DASH if test.empty else format_p(test["p_value"].iat[0]))
    changed = where(criteria["criteria_changed"], variable=name, time=time) if "criteria_changed" in criteria else pd.DataFrame()
    cells.append("" if changed.empty else f"{format_whole(changed['count'].iat[0])}/{format_whole(changed['n'].iat[0])}")
    return Row((criteria_label(criteria.dataset, name), *cells), "sub")


def _ratio(row: pd.Series, column: str) -> str:
    if pd.isna(row[column]) and pd.isna(row["ci_low"]):
        return DASH
    return f"{format_number(row[column], 2)} ({format_interval(row['ci_low'], row['ci_high'], 2)})"


@empty_if_absent
def table_response_incidence(timed: ResponseTime) -> Table:
    """Share of each arm with a first response by the end of each response visit, the others not censored away."""
    data = timed.dataset
    unit, rows = data.study.time.unit, []
    for time, part in timed["response_incidence"].groupby("time"):
        label = _("By {duration}", duration=format_duration(round(time, 1), unit))
        rows.append(Row((label, *parts.cells(part, groups_of(data), _share))))
    notes = [
        _("Aalen-Johansen, log-log {level} CI in %; number of first responses up to then. Progression and death before a response compete: they end the chance of one and are not censored. Times are the ends of the visits' windows.", level=level_text(data)),
        *parts.notes_by_arm(data, timed["response_incidence"]),
    ]
    if "response_incidence_test" in timed:
        row = timed["response_incidence_test"].iloc[0]
        notes.append(_("All arms, Gray's test: {value}.", value=format_p(row['p_value'], symbol=True) if pd.notna(row['p_value']) else worded(row['note'])))
    columns = (Column(_("First response")), *parts.arm_columns(data))
    return Table("response_incidence", _("Cumulative incidence of response"), columns, tuple(rows), tuple(notes))


def _share(row: pd.Series) -> str:
    if pd.isna(row["estimate"]):
        return _(MASKED) if is_masked(row) else _("not estimable")
    interval = format_interval(row["ci_low"], row["ci_high"], 0, percent=True)
    return f"{format_percent(row['estimate'])} ({interval}); {format_whole(row['n_events'])}"


@empty_if_absent
def table_survival_by_response(timed: ResponseTime) -> Table | Block:
    """Responders against non-responders, the clock set back to the landmark."""
    data = timed.dataset
    if "response_landmark" not in timed:
        return EMPTY
    d, unit, rows = decimals_of_time(data), data.study.time.unit, []
    for test in timed["response_landmark"].to_dict("records"):
        short = data.study.endpoint(test["variable"]).short
        out = N_("{short} from {duration} on: {test}; none left out") if test["n_missing"] == 0 else N_("{short} from {duration} on: {test}; {n} left out")
        heading = _(out, short=short, duration=format_duration(round(test["time"], 1), unit), test=counted(test), n=format_whole(test["n_missing"]))
        rows.append(Row((heading,), "group"))
        medians = where(timed["response_landmark_median"], variable=test["variable"], time=test["time"]).set_index("group")
        ratio = DASH if pd.isna(test["hr"]) else parts.format_with_interval(pd.Series(test), "hr", 2)
        for group, cells in ((RESPONDER, (ratio, format_p(test["p_value"]))), (NON_RESPONDER, ("1", ""))):
            row = medians.loc[group]
            events = f"{format_whole(row['n_events'])}/{format_whole(row['n'])}"
            median = format_median(row, d)
            rows.append(Row((_(LABELS[group]), events, median, *cells), "sub"))
    columns = (
        Column(_("Group")),
        Column(_("Events / {unit_label}", unit_label=unit_label(timed['response_landmark_median']))),
        Column(_("Median from the landmark, {unit}", unit=unit_name(unit)), f"{level_text(data)} CI"),
        Column(_("Hazard ratio"), f"{level_text(data)} CI"),
        Column(said_p(), _("log-rank")),
    )
    notes = (
        _("Left out: the event or the end of follow-up before the landmark, or not evaluable at the visit. All arms together. Responders were not made by lot: who responds may have had the better outlook anyway, so this says whom to expect well of and not that response prolongs life, nor which treatment is better."),
        *parts.notes_of(timed["response_landmark"]),
    )
    return Table("survival_by_response", _("Survival by response, from a landmark on"), columns, tuple(rows), notes)


def _lesion_columns(data: Dataset, sizes: pd.DataFrame) -> tuple[list[str], list[Column]]:
    """Groups with treated lesions, and a column of each with how many lesions of how many patients these are."""
    groups, columns = [], []
    for __, row in sizes.iterrows():
        arm = None if row["group"] == OVERALL else data.study.arm(row["group"])
        detail = _("{label}, {detail}", label=counted(row), detail=plural(row["n_patients"], "patient"))
        groups.append(row["group"])
        columns.append(Column(arm.label if arm else _("All"), detail, arm.colour if arm else ""))
    return groups, columns


def _lesions_of(row: pd.Series) -> str:
    """A count of lesions, and of the patients who have them: "23 (13)"."""
    return f"{format_whole(row['count'])} ({format_whole(row['n_patients'])})" if row["count"] else "0"


@empty_if_absent
def table_lesion_control(control: LesionControl) -> Table:
    """What became of the treated lesions, and how many had progressed at the landmarks."""
    data, outcomes, incidence = control.dataset, control["lesion_outcome"], control["lesion_control"]
    sizes = where(outcomes, variable=ALL)
    groups, columns = _lesion_columns(data, sizes[sizes["group"] != OVERALL])
    rows = [Row((label, *parts.cells(where(outcomes, variable=name), groups, _lesions_of))) for name, label in OUTCOMES.items()]
    rows.append(Row((_("Had progressed by ({level} CI); at risk", level=level_text(data)),), "group"))
    for time, part in incidence.groupby("time"):
        rows.append(Row((format_duration(time, data.study.time.unit), *parts.cells(part, groups, _incidence_cell)), "sub"))
    notes = [
        _("Lesions (patients who have such a one). A treated lesion has progressed at the first assessment at which its own diameter meets the study's rule of progression, whatever other lesions do; the clock is that of the endpoints."),
        _("Aalen-Johansen, the patient's death competing; log-log intervals from the jackknife of patients, because lesions of one patient are alike."),
        *parts.notes_by_arm(data, incidence),
    ]
    for row in control.frames.get("lesion_control_cox", pd.DataFrame()).to_dict("records"):
        ratio = worded(row["note"]) if pd.isna(row["hr"]) else f"{format_number(row['hr'], 2)} ({format_interval(row['ci_low'], row['ci_high'], 2)})"
        notes.append(_("Cause-specific hazard ratio, {pair_label}: {ratio}; robust variance.", pair_label=pair_label(data, row['group']), ratio=ratio))
    return Table("lesion_control", _("Control of treated lesions by arm"), (Column(_("Treated lesions")), *columns), tuple(rows), tuple(notes))


def _incidence_cell(row: pd.Series) -> str:
    if pd.isna(row["estimate"]):
        return _("not estimable")
    return f"{format_percent(row['estimate'])} ({format_interval(row['ci_low'], row['ci_high'], 0, percent=True)}); {format_whole(row['n_risk'])}"


@empty_if_absent
def table_lesion_failures(control: LesionControl) -> Table:
    """Lesions that grew or appeared, by what they were and where, in the arms that treat lesions."""
    data, found = control.dataset, control["lesion_failure"]
    groups, columns = _lesion_columns(data, where(control["lesion_outcome"], variable=ALL))
    known = [name for name in FAILURES if (found["variable"] == name).any()]
    rows = [Row((worded(FAILURES[name]), *parts.cells(where(found, variable=name), groups, _failures_cell))) for name in known]
    notes = (
        _("Lesions that grew or appeared/lesions of the kind (patients with such a one), in all patients of the arms that treat lesions, over the whole follow-up; a patient can have several. A new lesion had no row at baseline."),
    )
    return Table("lesion_failures", _("Where lesions grew or appeared: in the treated field and outside"), (Column(_("Lesion")), *columns), tuple(rows), notes)


def _failures_cell(row: pd.Series) -> str:
    of = "" if pd.isna(row["n"]) else f"/{format_whole(row['n'])}"
    patients = f" ({format_whole(row['n_patients'])})" if row["count"] else ""
    return f"{format_whole(row['count'])}{of}{patients}"


@empty_if_absent
def table_lesion_response(response: LesionResponse) -> Table:
    """Category of every treated lesion at each response visit, and the share that responded."""
    data, counts, rows = response.dataset, response["lesion_response_category"], []
    groups, columns = _lesion_columns(data, response["sizes"])
    for time, part in counts.groupby("time"):
        rows.append(Row((_("At {visit_label}", visit_label=visit_label(data, time)),), "group"))
        for category in CATEGORIES:
            own = where(part, variable=category)
            if (own["count"] > 0).any() or category in CATEGORIES[:4]:
                rows.append(Row((_(CATEGORY_LABELS[category]).replace("Died", "Patient died"), *parts.cells(own, groups, _lesions_of)), "sub"))
        rows.append(Row((_("Objective response"), *parts.cells(where(response["lesion_response"], time=time), groups, _response_cell))))
    notes = (
        _("Lesions (patients who have such a one). Each lesion is held against its own baseline and its own smallest diameter, by the rule that is used for the sum of all."),
        _("Objective response: lesions/lesions whose visit was due (%), with a {level} CI that allows for lesions of one patient being alike; a lesion that was not assessed counts as without response.", level=level_text(data)),
        *parts.notes_by_arm(data, response["lesion_response"]),
    )
    return Table("lesion_response", _("Response of treated lesions by visit and arm"), (Column(_("Response of the lesion")), *columns), tuple(rows), notes)


def _response_cell(row: pd.Series) -> str:
    if not row["n"]:
        return DASH
    return f"{format_whole(row['count'])}/{format_whole(row['n'])} ({format_percent(row['estimate'])}; {format_interval(row['ci_low'], row['ci_high'], 0, percent=True)})"


@empty_if_absent
def table_dose(dose: DoseResponse) -> Table:
    """What goes with ten more Gy of D90: odds of control, volume."""
    data, unit = dose.dataset, dose.dataset.study.time.unit
    control = dose["dose_control"].iloc[0]
    at = "" if pd.isna(control["time"]) else _(" at {duration}", duration=format_duration(control['time'], unit))
    rows = [Row((_("Odds of control{at}", at=at), *_dose_cells(control, "odds_ratio")))]
    rows += [Row((_("Volume at {visit_label}", visit_label=visit_label(data, row['time'])), *_dose_cells(row, "ratio"))) for __, row in dose["dose_volume"].iterrows()]
    notes = (
        _("Control: logistic regression of pseudo-values of the cumulative incidence of progression, the patient's death competing, so that lesions that were followed for a shorter time count as well. Volume: linear regression of the logarithm of the ratio to the baseline. One intercept per arm and one slope; an arm in which no lesion progressed, or all, tells nothing about control."),
        _("Intervals allow for lesions of one patient being alike (cluster-robust, t). Above 1: more control, or a larger volume, with a higher dose."),
        *parts.notes_of(dose["dose_control"], dose["dose_volume"]),
    )
    columns = (Column(_("Outcome")), Column(_("Lesions")), Column(_("Patients")), Column(_("Per {step} Gy of D90", step=format_given(STEP)), _("multiplied by ({level} CI)", level=level_text(data))), Column(said_p()))
    return Table("dose_response", _("Control and volume of the lesion, by step of dose"), columns, tuple(rows), notes)


def _dose_cells(row: pd.Series, column: str) -> tuple[str, ...]:
    return format_whole(row["n"]), format_whole(row["n_patients"]), parts.format_with_interval(row, column, 2), format_p(row["p_value"])
