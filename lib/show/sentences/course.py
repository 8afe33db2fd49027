"""Sentences on the tumour's course: best response, readers, who is not drawn."""

from __future__ import annotations

__all__ = [
    "GONE",
    "sentence_agreement",
    "sentence_best_response",
    "sentence_concordance",
    "sentence_duration",
    "sentence_paired_response",
    "sentence_undrawn",
]

import pandas as pd

from lib.analyses.efficacy.course import Course, undrawn
from lib.analyses.result import where
from lib.languages.notes import worded
from lib.languages.speech import N_, _, in_a_row
from lib.show.formats import format_number, format_percent, format_time, format_whole, is_masked
from lib.show.labels import counted, decimals_of_time, everybody, groups_of
from lib.show.phrases import format_duration, in_unit, joined, plural, said_count, said_share
from lib.show.sentences.absent import reason_if_absent
from lib.show.verdict import OverallTest, exact_test, say_arms, say_tests
from lib.study.limits import DRAWN

# Names of patients that a sentence can carry; beyond it the number of patients has to do.
MOST_NAMED = 12
# Why a patient has no value that counts at the last visit, where the reason bends what is left.
GONE = {"died": N_("{count} had died"), "progressed": N_("{count} had progressed")}


@reason_if_absent
def sentence_best_response(course: Course) -> str:
    """Best objective response by arm, and how much of it was confirmed."""
    data = course.dataset
    best, parts = course["best_objective_response"], []
    for arm in data.arms:
        row = best[best["group"] == arm.id].iloc[0]
        known = _(" ({note})", note=format_percent(row["proportion"])) if pd.notna(row["proportion"]) else ""
        share = f"{said_share(row['count'], row['n'])}{known}" if row["n"] else _("nobody due")
        parts.append(_("{share} with {arm}", share=share, arm=arm.label))
    text = _("An objective response was the best response in {listed}.", listed=joined(parts))
    if "best_objective_response_test" in course:
        test = course["best_objective_response_test"].iloc[0]
        text = in_a_row([text, say_arms(data, exact_test(test), course.frames.get("best_objective_response_pairwise"))])
    if "confirmed_response" in course:
        confirmed = course["confirmed_response"].set_index("group").loc[groups_of(data, overall=True)[-1]]
        days, whole = plural(data.response.confirmation_days, "day"), counted(confirmed)
        if confirmed["count"] == 0:
            text += _(" A response that was confirmed {days} later or more was seen in none of {whole}.", days=days, whole=whole)
        else:
            text += _(" A response that was confirmed {days} later or more was seen in {count} of {whole}.", days=days, count=said_count(confirmed["count"]), whole=whole)
    return text


@reason_if_absent
def sentence_undrawn(course: Course) -> str:
    """Who is missing from the pictures of single patients, and why."""
    data = course.dataset
    if "course" not in course:
        return ""
    counts = where(course["course_count"], group=everybody(data)).set_index("variable")
    drawn, missing = counts.loc["drawn"], undrawn(course)
    large = len(data.patients) > DRAWN  # as the pictures decide
    if missing.empty:
        return "" if large else _("Every patient is drawn (n = {n}).", n=format_whole(drawn['n']))
    told = []
    for reason, part in missing.groupby("no_change"):
        number = counted(counts.loc[f"not drawn: {reason}"], "count")
        told.append(_("{name}: {title}", name=worded(reason), title=joined(part["patient_id"]) if len(part) <= MOST_NAMED else number))
    said = N_("{count} of {drawn} have a change. Without one, {join}.") if large else N_("{count} of {drawn} are drawn. Not drawn, {join}.")
    return _(said, count=format_whole(drawn["count"]), drawn=counted(drawn), join=_("; ").join(told))


@reason_if_absent
def sentence_duration(course: Course) -> str:
    """How long responses lasted; nothing is compared, because responders are selected."""
    data = course.dataset
    d, unit, parts = decimals_of_time(data), data.study.time.unit, []
    for row in course["duration_of_response"].to_dict("records"):
        label = data.study.arm(row["group"]).label
        if not row["n"]:
            parts.append(_("nobody responded with {label}", label=label))
            continue
        none = _("a masked time") if is_masked(row) else _("not reached")
        median = none if pd.isna(row["median"]) else in_unit(format_time(row["median"], d), unit)
        parts.append(_("{median} with {label} ({n}, {n_events})", median=median, label=label, n=plural(row['n'], 'responder'), n_events=plural(row['n_events'], 'event')))
    return _("Median duration of response: {listed}.", listed=joined(parts))


@reason_if_absent
def sentence_paired_response(course: Course) -> str:
    """Responses gained and lost between the first and the last response visit."""
    data = course.dataset
    if "response_change_treated" not in course:
        return _("One response visit: no change between visits can be shown.")
    row = course["response_change_treated"].set_index("group").loc[groups_of(data, overall=True)[-1]]
    if not row["n"]:
        return _("No patient was due at both response visits.")
    if is_masked(row):
        return _("How many responses were gained and lost between the response visits is left out of a shared report.")
    last = format_duration(course["response_change_treated"]["time"].iat[0], data.study.time.unit)
    text = _("From the first response visit to {last}, {n_gained} gained and {n_lost} lost among {row}", last=last, n_gained=plural(row['n_gained'], 'response was', 'responses were'), n_lost=format_whole(row['n_lost']), row=counted(row))
    if row["n_gained"] + row["n_lost"] == 0:
        return _("{text}.", text=text)
    return _("{text}. {tests}", text=text, tests=say_tests(_("gains and losses"), OverallTest(_("exact McNemar"), row['p_value'])))


@reason_if_absent
def sentence_agreement(course: Course) -> str:
    """How often the derived category is the reader's."""
    if "reader_total" not in course:
        return _("This study records no category of a reader beside the derived one.")
    read, apart = (course[output].iloc[0] for output in ("reader_total", "reader_patients"))
    if pd.isna(read["n"]):
        return ""
    differing = "" if apart["count"] == 0 else _("; it differs in {count} of {apart}", count=format_whole(apart['count']), apart=counted(apart))
    return _("The derived category is the reader's at {count} of {read}{differing}.", count=format_whole(read['count']), read=counted(read), differing=differing)


@reason_if_absent
def sentence_concordance(course: Course) -> str:
    """Whether volume and diameters tell the same story."""
    data = course.dataset
    if "volume_diameters" not in course:
        return ""
    parts = [
        _("{spearman} at {duration} ({count} of {n} in the same direction)", spearman=format_number(r['spearman'], 2), duration=format_duration(r['time'], data.study.time.unit), count=format_whole(r['count']), n=format_whole(r['n']))
        for r in course["volume_diameters"].to_dict("records")
        if pd.notna(r["spearman"])
    ]
    return _("Changes of the volume and of the sum of diameters go together: Spearman's rank correlation {listed}.", listed=joined(parts)) if parts else ""
