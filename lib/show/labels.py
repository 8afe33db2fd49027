"""Words that tables, figures and sentences share: groups in order, labels of comparisons, decimals of times."""

from __future__ import annotations

__all__ = [
    "CATEGORY_LABELS",
    "OVERALL",
    "caveat",
    "counted",
    "covariate_label",
    "decimals_of_time",
    "everybody",
    "examination_label",
    "flow_step",
    "groups_of",
    "how_formed",
    "inside",
    "level_text",
    "name_arms",
    "needed_to_treat",
    "pace",
    "pair_label",
    "reader_label",
    "reader_title",
    "rise_rule",
    "share",
    "trend_note",
    "unit_label",
    "variable_label",
    "years_of",
]

import re
from dataclasses import replace
from typing import TypeVar

import pandas as pd

from lib.analyses.cohort.conduct import SCANS
from lib.analyses.outlook.prior import ENTHUSIASTIC, HISTORICAL, SCEPTICAL, VAGUE
from lib.analyses.result import PATIENTS, Analysis, unit_of, where
from lib.dataset.dataset import Dataset
from lib.languages.speech import ENGLISH, N_, _, in_force
from lib.show.formats import (
    DASH,
    DECIMALS,
    MASKED,
    format_count,
    format_given,
    format_level,
    format_needed,
    format_number,
)
from lib.show.phrases import in_unit, joined, plural, unit_name
from lib.statistics.survival.event_table import OVERALL
from lib.study.clinic.markers import Marker
from lib.study.design import NOT_RANDOMISED, RANDOMISED, SINGLE_ARM
from lib.study.study import Study, present

A = TypeVar("A", bound=Analysis)
FLOW_STEPS = {
    "screened": N_("Screened"),
    "excluded": N_("Excluded"),
    "cutoff": N_("Left by the data cut-off"),
    "arms": N_("In the arms shown"),
    "population": N_("Left in the population"),
    "subgroup": N_("Left in the subgroup"),
    "analysed": N_("Analysed"),
}
CATEGORY_LABELS = {
    "CR": N_("Complete response"),
    "PR": N_("Partial response"),
    "SD": N_("Stable disease"),
    "PD": N_("Progressive disease"),
    "NE": N_("Not evaluable"),
    "died": N_("Died before the visit"),
    "missing": N_("No assessment"),
    "not due": N_("Visit not yet due"),
}
FORMED = {
    RANDOMISED: N_("by chance (randomised)"),
    NOT_RANDOMISED: N_("not by chance"),
    SINGLE_ARM: N_("one arm"),
    "": N_("not stated in study.yml (design.allocation)"),
}
# What studies and the rooms below put into a label, or put together from texts that each stand alone.
TOGETHER = (
    N_("local"), N_("regional"), N_("distant"), N_("linear"), N_("logistic"), N_("agreement"), N_("overlap weights"), N_("range over the groups"), N_("RECIST-like"),
    N_("analysis of covariance, baseline as covariate, a variance for each arm, on the log scale"),
    N_("cause-specific log-rank test (score of Cox regression), robust by patient"),
    N_("cause-specific Cox regression (Efron ties), robust Wald 95% interval by patient (t, patients - arms df)"),
)  # fmt: skip
# Who has which prior, as it stands within a sentence.
READERS = {
    VAGUE: N_("without a prior"),
    SCEPTICAL: N_("for the sceptical reader"),
    ENTHUSIASTIC: N_("for the enthusiastic reader"),
    HISTORICAL: N_("for the reader of earlier results"),
}


def decimals_of_time(data: Dataset) -> int:
    """Decimals with which times are shown in the study's unit."""
    return DECIMALS[data.study.time.unit]


def level_text(data: Dataset) -> str:
    """Such as "95%" from 0.95."""
    return format_level(data.parameters.level)


def inside(label: str) -> str:
    """A label within a sentence: "Serum marker" -> "serum marker", while "ECOG status" stays, and every label of another language."""
    return label if label[:2].isupper() or in_force() != ENGLISH else f"{label[:1].lower()}{label[1:]}"


def groups_of(data: Dataset, overall: bool = False) -> list[str]:
    """Groups of `arm_columns`, in the same order."""
    return [arm.id for arm in data.arms] + ([OVERALL] if overall and len(data.arms) > 1 else [])


def examination_label(study: Study, name: str) -> str:
    """Label of what is examined at a visit: scans, or a marker."""
    return _("Tumour scans") if name == SCANS else study.marker(name).label


def name_arms(data: Dataset, analysis: A) -> A:
    """The same results, whose notes call arms as a reader knows them: "no event in B, C" -> "no event in Drug and Both"."""
    labels = {arm.id: arm.label for arm in data.arms}
    one = "|".join(map(re.escape, sorted(labels, key=len, reverse=True)))
    named = re.compile(rf"(no (?:event|value|patient) in |arm )((?:{one})(?:(?:, | and )(?:{one}))*)(?!\w)")

    def renamed(found: re.Match) -> str:
        return found[1].removeprefix("arm ") + joined([labels[arm] for arm in re.split(", | and ", found[2])])

    def with_labels(frame: pd.DataFrame) -> pd.DataFrame:
        if "note" not in frame or not frame["note"].astype(bool).any():
            return frame
        return frame.assign(note=[named.sub(renamed, note) if isinstance(note, str) else note for note in frame["note"]])

    frames, shown = ({k: with_labels(f) for k, f in part.items()} for part in (analysis.frames, analysis.data))
    return replace(analysis, frames=frames, data=shown)


def pair_label(data: Dataset, group: str) -> str:
    """Such as "C vs A" -> "Both drugs vs drug A"."""
    return " vs ".join(data.study.arm(part).label for part in group.split(" vs "))


def reader_label(variable: str) -> str:
    """Whose prior a row is about, within a sentence: "os: vague" -> "without a prior"."""
    return _(READERS[variable.rpartition(": ")[2]])


def reader_title(variable: str) -> str:
    """The same as a heading: "Without a prior", "Sceptical reader"."""
    said = reader_label(variable).removeprefix("for the ")
    return f"{said[:1].upper()}{said[1:]}"


def pace(data: Dataset, doubling: float) -> str:
    """A doubling time in words, of which one below 0 is the time in which the value halves: "doubles in 14.2 months"."""
    if pd.isna(doubling):
        return _("stays")
    time = in_unit(format_number(abs(doubling), decimals_of_time(data)), data.study.time.unit)
    return _("doubles in {time}", time=time) if doubling > 0 else _("halves in {time}", time=time)


def rise_rule(marker: Marker) -> str:
    """What counts as progression of a marker, as the study declares it."""
    rule = present(marker.progression)
    earlier = _("the baseline") if rule.over == "baseline" else _("the lowest value before")
    least = _(", and at least {at_least} {unit} above it", at_least=format_given(rule.at_least), unit=marker.unit) if rule.at_least else ""
    return _("{ratio} times {earlier} or more{least}{part}", ratio=format_given(rule.ratio), earlier=earlier, least=least, part=_(", confirmed by the next sample") if rule.confirmed else '')


def unit_label(frame: pd.DataFrame) -> str:
    """What the rows of a frame count: "patients", "lesions"."""
    return joined([unit_name(unit) for unit in dict.fromkeys(unit_of(frame))]) or unit_name(PATIENTS)


def everybody(data: Dataset) -> str:
    """The group that holds all patients in force: `overall`, or the only arm."""
    return OVERALL if len(data.arms) > 1 else data.arms[0].id


def share(row: pd.Series | dict) -> str:
    """Count, denominator and percentage of a row: "10/13 (77%)"."""
    return format_count(row["count"], row["n"], row["proportion"])


def counted(row: pd.Series | dict, column: str = "n") -> str:
    """A count of a row with what it counts: "1 patient", "29 lesions"."""
    unit = row.get("unit", PATIENTS)
    return plural(row[column], unit.removesuffix("s"), unit)


def variable_label(data: Dataset, variable: str) -> str:
    """Label of a baseline variable, as it stands within a sentence."""
    return inside(data.study.variable(variable).label)


def covariate_label(data: Dataset, variable: str) -> str:
    """Label of a baseline variable, or of its logarithm."""
    label = data.study.variable(variable.removeprefix("log ")).label
    return _("{label} (log)", label=label) if variable.startswith("log ") else label


def years_of(counts: pd.DataFrame, arm: str) -> str:
    """First and last year in which patients of an arm started; "masked" where a count is, "" for nobody."""
    own = where(counts, group=arm)
    if own["count"].isna().any():
        return _(MASKED)
    years = own.loc[own["count"] > 0, "time"]
    return _(" to ").join(dict.fromkeys(f"{year:.0f}" for year in (years.min(), years.max()))) if len(years) else ""


def flow_step(study: Study, step: str) -> str:
    """A step of the participant flow; the first that counts all of the study's patients is named by the design."""
    return _(study.by_design.entered).capitalize() if step == "treated" else _(FLOW_STEPS[step])


def how_formed(study: Study) -> str:
    """How the arms were formed, for the head of a page."""
    return _(FORMED[study.by_design.allocation])


def caveat(study: Study, what: str = N_("this")) -> str:
    """What the design takes from a difference between arms, which `what` names; "" where they were formed by chance."""
    if study.by_design.by_chance:
        return ""
    start = _("The arms were not formed by chance, so") if study.by_design.allocation else _("Unless the arms were formed by chance,")
    return _("{start} {what} need not be an effect of treatment.", start=start, what=_(what))


def needed_to_treat(row: pd.Series | dict, good: bool = True) -> str:
    """Number needed to treat of a difference: "NNTB 6 (4 to 11)", or through infinity "NNTB 6 (NNTB 3 to ∞ to NNTH 20)".

    `good` says whether more of what is counted is better for the arm named first: to benefit (B), else to harm (H).
    """
    if pd.isna(row["difference"]):
        return DASH
    if pd.isna(row["nnt"]):
        return _("none: the difference is 0")
    near, far = ("high", "low") if row["nnt"] > 0 else ("low", "high")
    limits = [row[f"ci_{near}"], row[f"ci_{far}"]]
    if pd.isna(limits).any() or max(map(abs, limits)) > 1:
        shown = DASH
    elif pd.isna(row[f"nnt_{far}"]):
        shown = _("{needed} to ∞", needed=format_needed(row[f'nnt_{near}']))
    elif (limits[0] > 0) == (limits[1] > 0):
        shown = _("{needed} to {needed2}", needed=format_needed(row[f'nnt_{near}']), needed2=format_needed(row[f'nnt_{far}']))
    else:
        shown = _("{needed} to ∞ to {needed2}", needed=_needed(row[f'nnt_{near}'], good), needed2=_needed(row[f'nnt_{far}'], good))
    return f"{_needed(row['nnt'], good)} ({shown})"


def trend_note(data: Dataset, row: pd.Series | dict, what: str) -> str:
    """How a trend over ordered arms was scored, and which way it goes; "" where nothing can be said of it."""
    if pd.isna(row["statistic"]):
        return ""
    order = joined([arm.label for arm in data.arms], "then")
    return _("Trend: the arms scored 1, 2, 3 in the order {order}; {part} {what} along it.", order=order, part=_("more") if row['statistic'] > 0 else _("fewer"), what=what)


def _needed(number: float, good: bool) -> str:
    return _("NNT{part} {needed}", part='B' if (number > 0) == good else 'H', needed=format_needed(number))
