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
from lib.show.display import EMPTY, Block, Column, Row, Table, empty_if_absent
from lib.show.formats import (
    DASH,
    capitalised,
    format_duration,
    format_interval,
    format_number,
    format_percent,
    format_whole,
    plural,
)
from lib.show.labels import decimals_of_time, inside, level_text
from lib.show.tables import parts
from lib.statistics.weighting.cloning import ADDED, NOT_ADDED
from lib.statistics.weighting.strategies import PERCENTILE

WAYS = {
    NAIVE: "Ever added, from time zero",
    LANDMARK: "Added by {period}, from then on",
    TIME_DEPENDENT: "Added, from the day of adding on",
    CLONED: "Both strategies, from time zero",
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
        label = words.format(period=plural(data.study.strategy.within_days, "day"))
        if way == CLONED and refused:
            rows.append(Row((label, "", "refused", "refused", "refused", "refused")))
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
        Column("How the days before are counted"), Column("Events / patients"), Column("Hazard ratio", f"{level} CI, crude"),
        Column("Hazard ratio", f"{level} CI, covariates alike"),
        Column(f"Without the event at {format_duration(time, unit)}" if pd.notna(time) else "Without the event", "difference in points"),
        Column(f"Mean {unit} without it", f"up to {format_number(tau, d)}, difference"),
    )  # fmt: skip
    return Table(f"{immortal.variable}_same_question", f"{data.study.endpoint(immortal.variable).short}: the same question, four answers", columns, tuple(rows), _notes(data, immortal, refused))


def _notes(data: Dataset, immortal: Immortal, refused: bool) -> tuple[str, ...]:
    why = [f"Both strategies: refused. {immortal['verdicts']['why'].iat[0]}"] if refused else []
    return (
        "Added against not added; a hazard ratio below 1: fewer events with it. From time zero, whoever ever added it is credited with the days before, in which nobody who added it can have had the event. From the end of the period on, only those count who were still without the event; its means begin there. From the day of adding on, a patient counts as without it before and with it after; that has no curve.",
        "Both strategies: a copy of each patient follows each strategy and leaves it when what was done no longer fits; inverse probability weights stand in for who left, and intervals come from resampled patients. Within the period each strategy holds all who had not decided yet. They answer for all patients who began; in the other ways the covariates are terms of the model, which answers for patients who are alike. What is added after the period is left as it came.",
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
    for way, heading in ((CLONED, "Weights as estimated"), (TRUNCATED, f"Weights truncated at their {format_percent(PERCENTILE)} percentile")):
        rows.append(Row((heading,), "group"))
        shares = where(immortal["strategy_share"], variable=way)
        for row in where(immortal["strategy_risk"], variable=way).to_dict("records"):
            own = where(shares, time=row["time"])
            cells = parts.cells(own, [ADDED, NOT_ADDED], _share)
            rows.append(Row((f"At {format_duration(row['time'], data.study.time.unit)}", *cells, parts.format_difference(row)), "sub"))
        ratio = _cell(immortal, "strategy_hr", way, "hr", 2)
        rows.append(Row(("Hazard ratio", "", "", ratio), "sub"))
        rows.append(Row((f"Mean {data.study.time.unit} without the event", "", "", _cell(immortal, "strategy_mean", way, "estimate", decimals_of_time(data))), "sub"))
    columns = (Column("Weights"), Column("Added", "% without the event"), Column("Not added", "% without the event"), Column("Difference", f"{level_text(data)} CI"))
    used = immortal["strategy_hr"].set_index("variable")["n_resamples"]
    notes = (f"Percentile intervals of resampled patients, the weights estimated anew in each ({format_whole(used[CLONED])} could be used). Truncation trades a little bias for less noise where the two answers are alike, and shows who carries the answer where they are not.",)
    return Table(f"{immortal.variable}_strategies", f"{data.study.endpoint(immortal.variable).short} under both strategies", columns, tuple(rows), (*notes, *parts.notes_of(immortal["strategy_risk"])))


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
        rows.append(Row((f"Leaving “{group}”: {format_whole(first['count'])} of {plural(first['n'], 'patient')}; log odds of leaving",), "group"))
        rows += [Row((_term(data, row["variable"]), *[""] * 3, parts.format_with_interval(row, "coef", 2)), "sub") for _, row in part.iterrows()]
    for way, heading in ((CLONED, "Weights of who stayed"), (TRUNCATED, f"Truncated at their {format_percent(PERCENTILE)} percentile")):
        rows.append(Row((heading,), "group"))
        for row in where(weights, variable=way).to_dict("records"):
            spread = (format_number(row["min"], 2), format_number(row["median"], 2), format_number(row["max"], 2))
            rows.append(Row((f"{capitalised(row['group'])}, {plural(row['n'], 'patient')}", *spread, format_number(row["ess"], 1)), "sub"))
    columns = (Column("Model, and weights"), Column("Smallest"), Column("Median"), Column("Largest"), Column("Effective patients", f"or log odds, {level_text(data)} CI"))
    notes = ("Pooled logistic models of leaving, with an intercept for each day on which somebody left; who adds the component leaves “not added” on that day, who has not added it leaves “added” at the end of the period. A weight is 1 over the probability of having stayed, not stabilised: within a strategy a numerator cancels. Effective patients: Kish.",)
    return Table(f"{immortal.variable}_strategy_weights", "Who left a strategy, and the weights of who stayed", columns, tuple(rows), notes)


def _term(data: Dataset, term: str) -> str:
    """A covariate column in words: "Age, per 10 years", "Sex: male"."""
    name, _, level = term.partition("=")
    variable = data.study.variable(name)
    labels = {str(one.value): one.label for one in variable.levels}
    if level:
        return f"{variable.label}: {inside(labels.get(level, level))}"
    return f"{variable.label}, {next(said_step(data, c) for c in declared_covariates(data) if c.variable == name)}"
