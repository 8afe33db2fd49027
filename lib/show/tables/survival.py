"""Tables of endpoints in time: medians, landmarks, comparisons between arms."""

from __future__ import annotations

__all__ = ["table_comparisons", "table_differences", "table_survival"]

import pandas as pd

from lib.analyses.efficacy.response import ResponseRates
from lib.analyses.efficacy.survival import Survival
from lib.analyses.result import Absent
from lib.dataset.dataset import Dataset
from lib.languages.notes import worded
from lib.languages.speech import N_, _
from lib.show.display import EMPTY, Block, Column, Row, Table, compares_arms, empty_if_absent
from lib.show.formats import (
    DASH,
    MASKED,
    format_count,
    format_given,
    format_interval,
    format_limit,
    format_median,
    format_p,
    format_percent,
    format_whole,
    said_p,
)
from lib.show.labels import (
    OVERALL,
    decimals_of_time,
    groups_of,
    inside,
    level_text,
    needed_to_treat,
    pair_label,
    trend_note,
    unit_label,
)
from lib.show.phrases import format_duration, horizon, unit_name
from lib.show.tables.parts import (
    LEVEL,
    NEEDED,
    arm_columns,
    cells,
    format_difference,
    format_with_interval,
    notes_by_arm,
    notes_of,
)
from lib.show.verdict import is_apart
from lib.statistics.comparisons import ALPHA
from lib.study.endpoints import Endpoint
from lib.study.limits import SMALL_ARM


@empty_if_absent
def table_survival(analysis: Survival) -> Table:
    """Events, median, follow-up, landmarks and restricted mean by arm."""
    data = analysis.dataset
    endpoint, groups, d = data.study.endpoint(analysis.variable), groups_of(data), decimals_of_time(data)
    unit, median = data.study.time.unit, analysis["median"]
    rows = [
        Row((_("Events / {unit_label}", unit_label=unit_label(median)), *cells(analysis["events"], groups, _events))),
        *_missing_row(median, groups),
        Row(
            (
                _("Median, {unit} ({level} CI)", unit=unit_name(unit), level=level_text(data)),
                *cells(median, groups, lambda r: format_median(r, d)),
            )
        ),
        Row(
            (
                _("Median follow-up, {unit}", unit=unit_name(unit)),
                *cells(analysis["follow_up"], groups, lambda r: format_median(r, d, interval=False)),
            ),
            "sub",
        ),
        Row((_("{free} at ({level} CI); at risk", free=_free(endpoint), level=level_text(data)),), "group"),
    ]
    for time, part in analysis["landmark"].groupby("time"):
        rows.append(Row((format_duration(time, unit), *cells(part, groups, _landmark)), "sub"))
    rmst = analysis["rmst"]
    tau = rmst["tau"].max()
    notes = [
        _("Kaplan-Meier; log-log intervals. Follow-up by reverse Kaplan-Meier."),
        *notes_by_arm(data, analysis["landmark"], rmst),
    ]
    if "cumulative_incidence" in analysis:
        rows.append(Row((_("Cumulative incidence at ({level} CI); at risk", level=level_text(data)),), "group"))
        for time, part in analysis["cumulative_incidence"].groupby("time"):
            rows.append(Row((format_duration(time, unit), *cells(part, groups, _landmark)), "sub"))
        notes.append(
            _("Kaplan-Meier counts a competing event as censoring and so overstates the risk; the cumulative incidence does not (Aalen variance).")
        )
    free, supposed = N_("Mean {unit} event-free up to {tau} ({level} CI)"), N_("Mean {unit} event-free if nobody had the competing event up to {tau} ({level} CI)")
    mean = _(supposed if endpoint.has_competing else free, unit=unit_name(unit), tau=format_given(horizon(tau)), level=level_text(data))
    rows.append(Row((mean, *cells(rmst, groups, lambda r: format_with_interval(r, "estimate", d)))))
    return Table(
        f"{endpoint.id}_by_arm",
        _("{endpoint} by arm", endpoint=endpoint.label),
        (Column(endpoint.short), *arm_columns(data)),
        tuple(rows),
        tuple(notes),
    )


def _events(row: pd.Series) -> str:
    return format_count(row["n_events"], row["n"], row["proportion"])


def _missing_row(median: pd.DataFrame, groups: list[str]) -> list[Row]:
    """Patients without a known time, where there are any (a hidden count may be one)."""
    if (median["n_missing"] == 0).all():
        return []
    return [Row((_("Without a known time"), *cells(median, groups, lambda r: format_whole(r["n_missing"]))), "sub")]


def _landmark(row: pd.Series) -> str:
    if pd.isna(row["estimate"]):
        return _(MASKED) if str(row["note"]).startswith(MASKED) else _("not estimable")
    interval = format_interval(row["ci_low"], row["ci_high"], 0, percent=True)
    return f"{format_percent(row['estimate'])} ({interval}); {format_whole(row['n_risk'])}"


def _free(endpoint: Endpoint) -> str:
    """What survival means for this endpoint: with a competing event it is a supposition."""
    return _("Event-free if nobody had the competing event") if endpoint.has_competing else _("Event-free")


@empty_if_absent
@compares_arms
def table_comparisons(analysis: Survival) -> Table:
    """Comparisons of arms: hazard ratio, log-rank, difference in restricted means."""
    data = analysis.dataset
    endpoint, d, unit = data.study.endpoint(analysis.variable), decimals_of_time(data), data.study.time.unit
    pairs = analysis["logrank_pairwise"]
    rows = []
    for group in pairs["group"]:
        rows.append(Row((
            pair_label(data, group),
            *cells(analysis["cox"], [group], lambda r: format_with_interval(r, "hr", 2)),
            *cells(analysis["rmst_difference"], [group], lambda r: format_with_interval(r, "estimate", d)),
            *cells(pairs, [group], lambda r: format_p(r["p_value"])),
            *cells(pairs, [group], lambda r: format_p(r["p_adjusted"])),
        )))  # fmt: skip
    p_values = [analysis[name]["p_value"].iat[0] for name in ("logrank", "gray") if name in analysis]
    for label, p in zip((_("All arms"), _("All arms, Gray's test (competing event)")), p_values, strict=False):
        rows.append(Row((label, "", "", format_p(p), "")))
    trend = analysis["logrank_trend"].iloc[0] if "logrank_trend" in analysis else None
    if trend is not None:
        rows.append(Row((_("Trend over the arms in order"), "", "", format_p(trend["p_value"]), "")))
    level = level_text(data)
    columns = (
        Column(_("Comparison")),
        Column(_("Cause-specific hazard ratio") if endpoint.has_competing else _("Hazard ratio"), f"{level} CI"),
        Column(_("Difference in mean {unit}", unit=unit_name(unit)), f"{level} CI"),
        Column(said_p(), _("log-rank")),
        Column(said_p(), _("Holm")),
    )
    global_test = analysis["proportional_hazards"]
    global_p = global_test[global_test["group"] == OVERALL]["p_value"]
    notes = [
        _(
            "Hazard ratio: {iat}; below 1: fewer events per time with the arm named first. Difference in restricted mean up to {duration}; above 0: "
            "longer without event with the arm named first.",
            iat=worded(analysis['cox']['method'].iat[0]), duration=format_duration(horizon(analysis['rmst']['tau'].max()), unit),
        ),
        *(
            _("Proportional hazards, test of all arms: {p}. The test has little power when events are few.", p=format_p(p, symbol=True))
            for p in global_p.dropna()
        ),
        *(
            [_("With arms this small the interval of the difference in means is somewhat too narrow.")]
            if data.n.min() < SMALL_ARM and analysis["rmst_difference"]["ci_low"].notna().any()
            else []
        ),
        *([trend_note(data, trend, _("events than expected"))] if trend is not None and pd.notna(trend["statistic"]) else []),
        *_exploratory(data, endpoint, p_values, analysis["comparison_count"]["n_tests"].iat[0]),
        *([_(LEVEL, level=level, p=said_p(), limit=format_limit())] if data.parameters.level != 1 - ALPHA else []),
        *notes_of(analysis["cox_likelihood_ratio"], analysis["logrank"], analysis["cox"], analysis["rmst_difference"]),
    ]
    return Table(
        f"{endpoint.id}_comparisons", _("{endpoint}: comparisons of arms", endpoint=endpoint.label), columns, tuple(rows), tuple(notes)
    )


def _exploratory(data: Dataset, endpoint: Endpoint, p_values: list[float], tests: float) -> list[str]:
    """Say what is exploratory: every endpoint but the primary, and pairs that the test of all arms does not carry."""
    said = []
    primary = data.study.primary
    if primary.role != "primary":
        said.append(_("Exploratory: no endpoint is declared primary. Tests in this table: {tests}.", tests=format_whole(tests)))
    elif endpoint.id != primary.id:
        said.append(
            _("Exploratory: the primary endpoint is {primary}. Tests in this table: {tests}.", primary=inside(primary.short), tests=format_whole(tests))
        )
    if len(data.arms) > 2 and not pd.isna(p_values).all() and not is_apart(p_values):
        said.append(_("The pairwise tests are exploratory: the tests of all arms do not carry them."))
    return said


@empty_if_absent
@compares_arms
def table_differences(analysis: Survival, response: ResponseRates | Absent) -> Table | Block:
    """Absolute differences to the reference arm with the number needed to treat: without the event at each landmark, responses."""
    data = analysis.dataset
    endpoint, unit = data.study.endpoint(analysis.variable), data.study.time.unit
    parts = [(N_("{free} at {duration}"), analysis["landmark_difference"])]
    if not isinstance(response, Absent) and "objective_response_treated_difference" in response:
        parts.append((N_("Objective response at {duration}"), response["objective_response_treated_difference"]))
    pairs, rows = [f"{arm.id} vs {data.reference}" for arm in data.arms if arm.id != data.reference], []
    for heading, frame in parts:
        for time, found in frame.groupby("time"):
            rows.append(Row((_(heading, free=_free(endpoint), duration=format_duration(time, unit)),), "group"))
            by_pair = {row["group"]: row for __, row in found.iterrows()}
            rows += [Row((pair_label(data, pair), format_difference(by_pair[pair]), needed_to_treat(by_pair[pair]) if "nnt" in frame else DASH), "sub")
                     for pair in pairs if pair in by_pair]  # fmt: skip
    if not any(frame["difference"].notna().any() for __, frame in parts):
        return EMPTY
    level = level_text(data)
    columns = (Column(_("Comparison")), Column(_("Difference, points"), f"{level} CI"), Column(_("Number needed to treat"), f"{level} CI"))
    notes = (
        _("Arm named first minus arm named second, in percentage points: {join}.", join=_("; ").join(dict.fromkeys(worded(frame['method'].iat[0]) for __, frame in parts if len(frame)))),
        _(NEEDED, one=_("is without the event or responds"), level=level),
        *notes_of(analysis["landmark_difference"]),
    )
    title = _("{endpoint}{part}: absolute differences and numbers needed to treat", endpoint=endpoint.short, part=_(" and response") if len(parts) > 1 else '')
    return Table(f"{endpoint.id}_differences", title, columns, tuple(rows), notes)
