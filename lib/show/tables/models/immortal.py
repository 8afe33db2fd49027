"""Tables of a component that takes time to be added: one question in four ways, the weights, the strategies. Computes nothing."""

from __future__ import annotations

__all__ = ["table_same_question", "table_strategies", "table_strategy_weights"]

import pandas as pd

from lib.analyses.models.covariates import declared_covariates, said_step
from lib.analyses.models.immortal import CLONED, Immortal
from lib.analyses.models.same_question import ADJUSTED, LANDMARK, NAIVE, TIME_DEPENDENT
from lib.analyses.result import where
from lib.analyses.verdicts import REFUSED
from lib.dataset.dataset import Dataset
from lib.languages.notes import worded
from lib.languages.speech import N_, _
from lib.show.display import EMPTY, Block, Column, Row, Table, empty_if_absent
from lib.show.formats import DASH, capitalised, format_interval, format_number, format_percent, format_whole
from lib.show.labels import decimals_of_time, inside, level_text
from lib.show.phrases import format_duration, plural, unit_name
from lib.show.tables import parts
from lib.statistics.weighting.cloning import ADDED, NOT_ADDED
from lib.statistics.weighting.strategies import PERCENTILE

WAYS = {
    NAIVE: N_("Ever added, from time zero"),
    LANDMARK: N_("Added by {period}, from then on"),
    TIME_DEPENDENT: N_("Added, from the day of adding on"),
    CLONED: N_("Both strategies, from time zero"),
}
TRUNCATED = f"{CLONED}, truncated"


@empty_if_absent
def table_same_question(immortal: Immortal) -> Table:
    """What the added component comes to, in four ways of counting the days before it."""
    data = immortal.dataset
    unit, level, d = data.study.time.unit, level_text(data), decimals_of_time(data)
    time, tau = _last(immortal), immortal["strategy_mean"]["tau"].max()
    refused = immortal["verdicts"]["state"].iat[0] == REFUSED
    rows = []
    for way, words in WAYS.items():
        label = _(words, period=plural(data.study.strategy.within_days, "day"))
        if way == CLONED and refused:
            rows.append(Row((label, "", *[_("refused")] * 4)))
            continue
        crude, held = (_cell(immortal, "strategy_hr", name, "hr", 2) for name in (way, way + ADJUSTED))
        crude, held = (DASH, crude) if way == CLONED else (crude, held)
        counts = where(immortal["strategy_hr"], variable=way).iloc[0]
        share = where(immortal["strategy_risk"], variable=way, time=time)
        rows.append(Row((
            label, f"{format_whole(counts['n_events'])}/{format_whole(counts['n'])}", crude, held,
            parts.format_difference(share.iloc[0]) if len(share) else DASH, _cell(immortal, "strategy_mean", way, "estimate", d),
        )))  # fmt: skip
    columns = (
        Column(_("How the days before are counted")), Column(_("Events / patients")), Column(_("Hazard ratio"), _("{level} CI, crude", level=level)),
        Column(_("Hazard ratio"), _("{level} CI, covariates alike", level=level)),
        Column(_("Without the event at {duration}", duration=format_duration(time, unit)) if pd.notna(time) else _("Without the event"), _("difference in points")),
        Column(_("Mean {unit} without it", unit=unit_name(unit)), _("up to {tau}, difference", tau=format_number(tau, d))),
    )  # fmt: skip
    return Table(f"{immortal.variable}_same_question", _("{endpoint}: the same question, four answers", endpoint=data.study.endpoint(immortal.variable).short), columns, tuple(rows), _notes(data, immortal, refused))


def _notes(data: Dataset, immortal: Immortal, refused: bool) -> tuple[str, ...]:
    why = [_("Both strategies: refused. {iat}", iat=worded(immortal['verdicts']['why'].iat[0]))] if refused else []
    return (
        _(
            "Added against not added; a hazard ratio below 1: fewer events with it. From time zero, whoever ever added it is credited with the days "
            "before, in which nobody who added it can have had the event. From the end of the period on, only those count who were still without the "
            "event; its means begin there. From the day of adding on, a patient counts as without it before and with it after; that has no curve.",
        ),
        _(
            "Both strategies: a copy of each patient follows each strategy and leaves it when what was done no longer fits; inverse probability weights "
            "stand in for who left, and intervals come from resampled patients. Within the period each strategy holds all who had not decided yet. They "
            "answer for all patients who began; in the other ways the covariates are terms of the model, which answers for patients who are alike. What "
            "is added after the period is left as it came.",
        ),
        *why,
        *parts.notes_of(immortal["strategy_hr"], where(immortal["strategy_risk"], time=_last(immortal)), immortal["strategy_mean"]),
    )


def _last(immortal: Immortal) -> float:
    """The last time at which the shares of any way are known."""
    known = immortal["strategy_risk"].dropna(subset=["difference"])
    cloned = where(known, variable=CLONED)
    return (cloned if len(cloned) else known)["time"].max()


def _cell(immortal: Immortal, output: str, way: str, column: str, decimals: int) -> str:
    row = where(immortal[output], variable=way)
    return parts.format_with_interval(row.iloc[0], column, decimals) if len(row) else DASH


@empty_if_absent
def table_strategies(immortal: Immortal) -> Table | Block:
    """Share without the event under both strategies, and their difference, also with weights truncated."""
    if "strategy_share" not in immortal or immortal["strategy_share"].empty:
        return EMPTY
    data, rows = immortal.dataset, []
    for way, heading in ((CLONED, _("Weights as estimated")), (TRUNCATED, _("Weights truncated at their {percentile} percentile", percentile=format_percent(PERCENTILE)))):
        rows.append(Row((heading,), "group"))
        shares = where(immortal["strategy_share"], variable=way)
        for row in where(immortal["strategy_risk"], variable=way).to_dict("records"):
            own = where(shares, time=row["time"])
            cells = parts.cells(own, [ADDED, NOT_ADDED], _share)
            rows.append(Row((_("At {duration}", duration=format_duration(row['time'], data.study.time.unit)), *cells, parts.format_difference(row)), "sub"))
        ratio = _cell(immortal, "strategy_hr", way, "hr", 2)
        rows.append(Row((_("Hazard ratio"), "", "", ratio), "sub"))
        rows.append(Row((_("Mean {unit} without the event", unit=unit_name(data.study.time.unit)), "", "", _cell(immortal, "strategy_mean", way, "estimate", decimals_of_time(data))), "sub"))
    columns = (Column(_("Weights")), Column(_("Added"), _("% without the event")), Column(_("Not added"), _("% without the event")), Column(_("Difference"), f"{level_text(data)} CI"))
    used = immortal["strategy_hr"].set_index("variable")["n_resamples"]
    notes = (_(
        "Percentile intervals of resampled patients, the weights estimated anew in each ({used} could be used). Truncation trades a little bias for "
        "less noise where the two answers are alike, and shows who carries the answer where they are not.",
        used=format_whole(used[CLONED]),
    ),)
    return Table(f"{immortal.variable}_strategies", _("{endpoint} under both strategies", endpoint=data.study.endpoint(immortal.variable).short), columns, tuple(rows), (*notes, *parts.notes_of(immortal["strategy_risk"])))


def _share(row: pd.Series) -> str:
    return DASH if pd.isna(row["estimate"]) else f"{format_percent(row['estimate'])} ({format_interval(row['ci_low'], row['ci_high'], 0, percent=True)})"


@empty_if_absent
def table_strategy_weights(immortal: Immortal) -> Table | Block:
    """Who left which strategy, and what weights those who stayed have."""
    if "strategy_weight" not in immortal:
        return EMPTY
    data, rows = immortal.dataset, []
    leaving, weights = immortal["strategy_leaving"], immortal["strategy_weight"]
    for group, part in leaving.groupby("group", sort=False):
        first = part.iloc[0]
        rows.append(Row((_("Leaving “{group}”: {count} of {n}; log odds of leaving", group=worded(group), count=format_whole(first['count']), n=plural(first['n'], 'patient')),), "group"))
        rows += [Row((_term(data, row["variable"]), *[""] * 3, parts.format_with_interval(row, "coef", 2)), "sub") for __, row in part.iterrows()]
    for way, heading in ((CLONED, _("Weights of who stayed")), (TRUNCATED, _("Truncated at their {percentile} percentile", percentile=format_percent(PERCENTILE)))):
        rows.append(Row((heading,), "group"))
        for row in where(weights, variable=way).to_dict("records"):
            spread = (format_number(row["min"], 2), format_number(row["median"], 2), format_number(row["max"], 2))
            rows.append(Row((_("{group}, {n}", group=capitalised(worded(row["group"])), n=plural(row["n"], "patient")), *spread, format_number(row["ess"], 1)), "sub"))
    columns = (Column(_("Model, and weights")), Column(_("Smallest")), Column(_("Median")), Column(_("Largest")), Column(_("Effective patients"), _("or log odds, {level} CI", level=level_text(data))))
    notes = (_(
        "Pooled logistic models of leaving, with an intercept for each day on which somebody left; who adds the component leaves “not added” on that "
        "day, who has not added it leaves “added” at the end of the period. A weight is 1 over the probability of having stayed, not stabilised: "
        "within a strategy a numerator cancels. Effective patients: Kish.",
    ),)
    return Table(f"{immortal.variable}_strategy_weights", _("Who left a strategy, and the weights of who stayed"), columns, tuple(rows), notes)


def _term(data: Dataset, term: str) -> str:
    """A covariate column in words: "Age, per 10 years", "Sex: male"."""
    name, __, level = term.partition("=")
    variable = data.study.variable(name)
    labels = {str(one.value): one.label for one in variable.levels}
    if level:
        return _("{label}: {level}", label=variable.label, level=inside(labels.get(level, level)))
    return _("{label}, {step}", label=variable.label, step=next(said_step(data, c) for c in declared_covariates(data) if c.variable == name))
