"""Results of the tumour's course and of the models of markers -> sentences, hedged as in narrative."""

from __future__ import annotations

__all__ = [
    "sentence_agreement",
    "sentence_best_response",
    "sentence_concordance",
    "sentence_duration",
    "sentence_lesions",
    "sentence_model",
    "sentence_paired_response",
    "sentence_presence",
    "sentence_response_time",
    "sentence_survival_by_response",
    "sentence_undrawn",
]

import pandas as pd

from lib.analysis import Analysis, where
from lib.dataset import Dataset
from lib.figures_tumour import undrawn
from lib.formats import (
    format_duration,
    format_interval,
    format_number,
    format_percent,
    format_time,
    format_whole,
    is_masked,
    joined,
    plural,
    said_count,
    said_share,
)
from lib.labels import counted, decimals_of_time, everybody, groups_of, level_text
from lib.longitudinal import measure
from lib.narrative import reason_if_absent
from lib.response_time import NON_RESPONDER, RESPONDER
from lib.scale import LARGE
from lib.verdict import GRAY, OverallTest, exact_test, say_arms, say_tests

# Names of patients that a sentence can carry; beyond it the number of patients has to do.
MOST_NAMED = 12
# Why a patient has no value that counts at the last visit, where the reason bends what is left.
GONE = {"died": "had died", "progressed": "had progressed"}


@reason_if_absent
def sentence_best_response(data: Dataset, course: Analysis) -> str:
    """Best objective response by arm, and how much of it was confirmed."""
    best, parts = course["best_objective_response"], []
    for arm in data.arms:
        row = best[best["group"] == arm.id].iloc[0]
        known = f" ({format_percent(row['proportion'])})" if pd.notna(row["proportion"]) else ""
        share = f"{said_share(row['count'], row['n'])}{known}" if row["n"] else "nobody due"
        parts.append(f"{share} with {arm.label}")
    text = f"An objective response was the best response in {joined(parts)}."
    if "best_objective_response_test" in course:
        test = course["best_objective_response_test"].iloc[0]
        text += f" {say_arms(data, exact_test(test), course.frames.get('best_objective_response_pairwise'))}"
    if "confirmed_response" in course:
        confirmed = course["confirmed_response"].set_index("group").loc[groups_of(data, overall=True)[-1]]
        days = data.study.response.confirmation_days
        text += f" {_start(said_count(confirmed['count']))} of {counted(confirmed)} had one that was confirmed {days} days later or more."
    return text


def _start(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


@reason_if_absent
def sentence_undrawn(data: Dataset, course: Analysis) -> str:
    """Who is missing from the pictures of single patients, and why."""
    if "course" not in course:
        return ""
    counts = where(course["course_count"], group=everybody(data)).set_index("variable")
    drawn, missing = counts.loc["drawn"], undrawn(course)
    large = len(data.patients) > LARGE  # as the pictures decide
    are, alone = ("have a change", "Without one") if large else ("are drawn", "Not drawn")
    if missing.empty:
        return "" if large else f"Every patient is drawn (n = {format_whole(drawn['n'])})."
    told = []
    for reason, part in missing.groupby("no_change"):
        number = counted(counts.loc[f"not drawn: {reason}"], "count")
        told.append(f"{reason}: {joined(part['patient_id']) if len(part) <= MOST_NAMED else number}")
    return f"{format_whole(drawn['count'])} of {counted(drawn)} {are}. {alone}, {'; '.join(told)}."


@reason_if_absent
def sentence_duration(data: Dataset, course: Analysis) -> str:
    """How long responses lasted; nothing is compared, because responders are selected."""
    d, unit, parts = decimals_of_time(data), data.study.time.unit, []
    for row in course["duration_of_response"].to_dict("records"):
        label = data.study.arm(row["group"]).label
        if not row["n"]:
            parts.append(f"nobody responded with {label}")
            continue
        median = "not reached" if pd.isna(row["median"]) else f"{format_time(row['median'], d)} {unit}"
        parts.append(f"{median} with {label} ({plural(row['n'], 'responder')}, {plural(row['n_events'], 'event')})")
    return f"Median duration of response: {joined(parts)}."


@reason_if_absent
def sentence_paired_response(data: Dataset, course: Analysis) -> str:
    """Responses gained and lost between the first and the last response visit."""
    if "response_change_treated" not in course:
        return "One response visit: no change between visits can be shown."
    row = course["response_change_treated"].set_index("group").loc[groups_of(data, overall=True)[-1]]
    if not row["n"]:
        return "No patient was due at both response visits."
    if is_masked(row):
        return "How many responses were gained and lost between the response visits is left out of a shared report."
    last = format_duration(course["response_change_treated"]["time"].iat[0], data.study.time.unit)
    text = f"From the first response visit to {last}, {plural(row['n_gained'], 'response was', 'responses were')} gained and {format_whole(row['n_lost'])} lost among {counted(row)}"
    if row["n_gained"] + row["n_lost"] == 0:
        return f"{text}."
    return f"{text}. {say_tests('gains and losses', OverallTest('exact McNemar', row['p_value']))}"


@reason_if_absent
def sentence_agreement(data: Dataset, course: Analysis) -> str:
    """How often the derived category is the reader's."""
    if "reader_total" not in course:
        return "This study records no category of a reader beside the derived one."
    read, apart = (course[output].iloc[0] for output in ("reader_total", "reader_patients"))
    if pd.isna(read["n"]):
        return ""
    differing = "" if apart["count"] == 0 else f"; it differs in {format_whole(apart['count'])} of {counted(apart)}"
    return f"The derived category is the reader's at {format_whole(read['count'])} of {counted(read)}{differing}."


@reason_if_absent
def sentence_model(data: Dataset, model: Analysis) -> str:
    """Ratio to baseline at the last visit by arm, and whether the courses differ."""
    name, parts = model.variable, []
    frame = model[f"{name}_model_ratio"]
    last = frame["time"].max()
    for row in where(frame, time=last).to_dict("records"):
        label = data.study.arm(row["group"]).label
        if pd.isna(row["ratio"]):
            parts.append(f"not estimable with {label}")
        else:
            interval = format_interval(row["ci_low"], row["ci_high"], 2, missing="no interval")
            parts.append(f"{format_number(row['ratio'], 2)} ({interval}) with {label}")
    when = format_duration(last, data.study.time.unit)
    sampled = f" {model['sampled']['said'].iat[0]}" if "sampled" in model else ""
    text = f"{measure(data.study, name).label} at {when} as a ratio to baseline, from the mixed model{sampled}: {joined(parts)}."
    if len(data.arms) < 2:
        return text
    test = model[f"{name}_model_term"].set_index("term").loc["arm x visit"]
    return f"{text} {say_tests('the courses of the arms', OverallTest('F test over all visits', test['p_value'], test['note']))}"


@reason_if_absent
def sentence_lesions(data: Dataset, lesions: Analysis) -> str:
    """How many patients have several lesions, and how alike these are."""
    several, variance = lesions.row("lesion_volume_several", everybody(data)), lesions["lesion_volume_model_variance"].iloc[0]
    return (
        f"{format_whole(several['count'])} of {counted(several)} have several target lesions. {sentence_model(data, lesions)} "
        f"{format_percent(variance['correlation'])} of the variance lies between patients: lesions of one patient are alike and do not count as so many patients."
    )


@reason_if_absent
def sentence_presence(data: Dataset, presence: Analysis) -> str:
    """How many patients have a value at the last visit."""
    name = presence.variable
    frame = presence[f"{name}_presence"]
    at_last = where(frame, time=frame["time"].max(), group=everybody(data))
    counts = at_last.set_index(at_last["variable"].str.removeprefix(f"{name}: "))["count"]
    when, value = format_duration(frame["time"].max(), data.study.time.unit), counts["value"]
    text = f"At {when}, {said_count(value)} of {plural(len(data.patients), 'patient')} still {'has' if value == 1 else 'have'} a value that counts"
    lost = [f"{said_count(counts[state])} {label}" for state, label in GONE.items() if counts[state] != 0]
    if lost:
        text += f"; {joined(lost)} before, so the medians of later visits describe those who fared better"
    return f"{text}."


@reason_if_absent
def sentence_response_time(data: Dataset, timed: Analysis) -> str:
    """Share of each arm with a response by the last response visit."""
    rows = timed["response_incidence"]
    end = rows["time"].max()
    last = rows[rows["time"] == end]
    parts = [
        f"{format_percent(r.estimate)} with {data.study.arm(r.group).label}"
        for r in last[last["estimate"].notna()].itertuples()
    ]
    unknown = [data.study.arm(group).label for group in last.loc[last["estimate"].isna(), "group"]]
    when = f"{format_number(end, 1)} {data.study.time.unit}"
    text = f"By {when} a response had come in {joined(parts)} (cumulative incidence; progression and death compete)"
    if unknown:
        never = f"it cannot be told how many had responded by {when} with {joined(unknown, 'or')}"
        text = f"{text}; {never}" if parts else _start(never)
    if "response_incidence_test" not in timed:
        return f"{text}."
    test = timed["response_incidence_test"].iloc[0]
    return f"{text}. {say_arms(data, OverallTest(GRAY, test['p_value'], test['note']))}"


@reason_if_absent
def sentence_survival_by_response(data: Dataset, timed: Analysis) -> str:
    """Responders against non-responders from the last landmark at which both can be compared."""
    if "response_landmark" not in timed:
        return ""
    known = timed["response_landmark"].dropna(subset=["hr", "p_value"])
    if known.empty:
        return "Responders cannot be compared with non-responders: too few events or patients beyond the landmark."
    row = known.iloc[0]
    medians = timed["response_landmark_median"]
    medians = medians[(medians["variable"] == row["variable"]) & (medians["time"] == row["time"])].set_index("group")
    sizes = [f"{format_whole(medians.at[g, 'n'])} {g}s" for g in (RESPONDER, NON_RESPONDER)]
    short, unit = data.study.endpoint(row["variable"]).short, data.study.time.unit
    verdict = say_tests("responders and non-responders", OverallTest("log-rank", row["p_value"]))
    return (
        f"Among those still free of the event at {format_number(row['time'], 1)} {unit} ({joined(sizes)}), the hazard ratio for {short} with a response is "
        f"{format_number(row['hr'], 2)} ({level_text(data)} CI {format_interval(row['ci_low'], row['ci_high'], 2)}). {verdict} Response marks patients who do better; it is no proof that responding is what helped."
    )


@reason_if_absent
def sentence_concordance(data: Dataset, course: Analysis) -> str:
    """Whether volume and diameters tell the same story."""
    if "volume_diameters" not in course:
        return ""
    parts = [
        f"{format_number(r['spearman'], 2)} at {format_duration(r['time'], data.study.time.unit)} ({format_whole(r['count'])} of {format_whole(r['n'])} in the same direction)"
        for r in course["volume_diameters"].to_dict("records")
        if pd.notna(r["spearman"])
    ]
    return f"Changes of the volume and of the sum of diameters go together: Spearman's rank correlation {joined(parts)}." if parts else ""
