"""Regressions and the verdicts on models -> tables. Computes nothing."""

from __future__ import annotations

__all__ = ["table_model_verdicts", "table_regression", "table_subdistribution"]

import pandas as pd

from lib.analyses.models.covariates import declared_covariates
from lib.analyses.models.regression import Regression
from lib.analyses.models.response_regression import ResponseRegression
from lib.analyses.models.terms import UNSTRATIFIED
from lib.analyses.result import where
from lib.analyses.verdicts import FITTED, REFUSED, WEAK, Verdicts
from lib.dataset.dataset import Dataset
from lib.show.display import EMPTY, Block, Column, Row, Table, empty_if_absent
from lib.show.formats import DASH, format_duration, format_p, format_whole, joined, plural, said_p
from lib.show.labels import inside, level_text, pair_label
from lib.show.tables import parts
from lib.show.ways import TermLine, event_label, term_lines

REFERENCE = "1 (reference)"
STATES = {FITTED: "Fitted", WEAK: "Weak", REFUSED: "Refused"}
COVARIATES = "The ratio of a covariate is no effect of it: the model holds covariates alike for the sake of the arms, and what stands between a covariate and the outcome is held alike with it."
PENALTY = "Adjusted with Firth's penalty, which keeps estimates finite and draws them towards 1; intervals by profile likelihood, p by likelihood-ratio tests."
MOVES = "A hazard or odds ratio can move further from 1 when covariates are held alike, without any confounding: it is then one for patients alike in them."


@empty_if_absent
def table_regression(regression: Regression | ResponseRegression) -> Table:
    """Arms and covariates, each by itself and all together: events, ratio with interval, p; tests of what has several levels."""
    data, name = regression.dataset, "odds" if isinstance(regression, ResponseRegression) else "hazard"
    begins, fitted = regression.BEGINS, f"{regression.BEGINS}adjusted" in regression
    rows = [_row(regression, line, fitted) for line in term_lines(regression)]
    level = f"{level_text(data)} CI"
    counted = "Responses / patients" if name == "odds" else "Events / patients"
    columns = [Column("Arm or covariate"), Column(counted), Column(f"Crude {name} ratio", level), Column(said_p(), "crude")]
    if fitted:
        size = regression[f"{begins}fit"].iloc[0]
        columns += [Column(f"Adjusted {name} ratio", f"{level}, {format_whole(size['n_events'])}/{format_whole(size['n'])}"), Column(said_p(), "adjusted")]
    frames = [regression[f"{begins}{which}"] for which in ("crude", "crude_test", *(("adjusted", "adjusted_test") if fitted else ()))]
    notes = (*_notes(regression, fitted), *parts.notes_of(*frames))
    return Table(_id(regression), _title(regression), tuple(columns), tuple(rows), notes)


def _id(regression: Regression | ResponseRegression) -> str:
    return f"{regression.variable}_regression"


def _title(regression: Regression | ResponseRegression) -> str:
    data = regression.dataset
    if isinstance(regression, ResponseRegression):
        when = format_duration(regression["response_regression_count"]["time"].iat[0], data.study.time.unit)
        return f"Objective response at {when}: one covariate at a time, and all held alike"
    return f"{data.study.endpoint(regression.variable).short}: one covariate at a time, and all held alike"


def _row(regression: Regression | ResponseRegression, line: TermLine, fitted: bool) -> Row:
    if line.counts is None:
        tests = [_test(regression, which, line.of) for which in ("crude", *(("adjusted",) if fitted else ()))]
        return Row((line.label, "", *(cell for test in tests for cell in ("", test))))
    counts = f"{format_whole(line.counts['n_events'])}/{format_whole(line.counts['n'])}"
    ratios = [line.crude, *([line.adjusted] if fitted else [])]
    cells = [(REFERENCE, "") if line.reference else _cells(row, regression.RATIO) for row in ratios]
    within = line.counts["variable"].count(": ") != 1
    return Row((line.label, counts, *(cell for pair in cells for cell in pair)), "sub" if within else "")


def _cells(row: pd.Series | None, ratio: str) -> tuple[str, str]:
    return (DASH, DASH) if row is None else (parts.format_with_interval(row, ratio, 2), format_p(row["p_value"]))


def _test(regression: Regression | ResponseRegression, which: str, of: str) -> str:
    """P of all levels together; nothing beside a single ratio, which is tested in its own line."""
    tests = where(regression[f"{regression.BEGINS}{which}_test"], variable=of)
    several = len(where(regression[f"{regression.BEGINS}count"], variable=of)) != 2
    return format_p(tests["p_value"].iat[0]) if len(tests) and several else ""


def _notes(regression: Regression | ResponseRegression, fitted: bool) -> list[str]:
    data, about = regression.dataset, regression.variable
    strata = [inside(data.study.variable(v).label) for v in data.study.models.strata] if data.study.models and about != "response" else []
    within = f", within strata of {joined(strata)}" if strata else ""
    together = f" Adjusted: the arm and all covariates together{within}." if fitted else ""
    said = [f"Crude: each by itself, of the patients in whom it is known.{together} {said_p()} beside a heading: likelihood-ratio test of all its levels."]
    if not fitted:
        return [*said, f"No adjusted model: {regression['reason']['reason'].iat[0]}."]
    unstratified = [UNSTRATIFIED] if about == "response" and data.study.models and data.study.models.strata else []
    penalty = [PENALTY] if regression[f"{regression.BEGINS}adjusted"]["method"].str.contains("Firth").any() else []
    return [*said, *_left_out(data, regression), *unstratified, *penalty, COVARIATES, MOVES]


def _left_out(data: Dataset, regression: Regression | ResponseRegression) -> list[str]:
    """Who is not in the adjusted model, and for which covariate."""
    size, missing = regression[f"{regression.BEGINS}fit"].iloc[0], regression[f"{regression.BEGINS}missing"]
    if not size["n_missing"]:
        return []
    whom = [f"{inside(data.study.variable(row.variable.split(': ')[1]).label)} ({format_whole(row.n_missing)})" for row in missing.itertuples() if row.n_missing]
    why = f" without a known value of {joined(whom)}" if whom else " of an unknown stratum"
    lacking = {row.variable.split(": ")[1] for row in missing.itertuples() if row.n_missing}
    logs = " A logarithm needs a value above 0." if any(c.log and c.variable in lacking for c in declared_covariates(data)) else ""
    return [f"The adjusted model leaves out {plural(size['n_missing'], 'patient')}{why}.{logs}"]


@empty_if_absent
def table_subdistribution(regression: Regression) -> Table | Block:
    """Cause-specific hazard ratios beside those of the subdistribution; nothing without competing events."""
    if "subdistribution_crude" not in regression:
        return EMPTY
    data, adjusted = regression.dataset, "subdistribution_adjusted" in regression and "regression_adjusted" in regression
    which = "adjusted" if adjusted else "crude"
    cause, sub = regression[f"regression_{which}"], regression[f"subdistribution_{which}"]
    rows = []
    for _, row in sub.iterrows():
        beside = where(cause, variable=row["variable"], group=row["group"]).iloc[0]
        rows.append(Row((_term_label(regression, row), *_cells(beside, "hr"), *_cells(row, "hr"))))
    level = f"{level_text(data)} CI"
    columns = (Column("Comparison" if not adjusted else "Comparison or covariate"), Column("Cause-specific hazard ratio", level), Column(said_p()),
               Column("Subdistribution hazard ratio", f"{level}, robust"), Column(said_p()))  # fmt: skip
    endpoint = data.study.endpoint(regression.variable)
    other = joined([event_label(column) for column in endpoint.competing], "or") or "the competing event"
    notes = (
        f"Cause-specific: the rate of the event among those without any, {other} being the end of observation; subdistribution (Fine and Gray): the share who come to the event while {other} goes on. {'All covariates held alike in both.' if adjusted else 'The arms alone.'}",
        *parts.notes_of(sub),
    )
    title = f"{endpoint.short}: with a competing event, by cause and by incidence"
    return Table(f"{endpoint.id}_subdistribution", title, columns, tuple(rows), notes)


def _term_label(regression: Regression, row: pd.Series) -> str:
    """A pair of arms, a number, or a covariate with its level."""
    if row["group"] != "overall":
        return pair_label(regression.dataset, row["group"])
    heading = ""
    for line in term_lines(regression):
        heading = line.label if line.counts is None else heading
        if line.counts is not None and line.counts["variable"] == row["variable"]:
            return line.label if row["variable"].count(": ") == 1 else f"{heading}: {line.label}"
    raise KeyError(row["variable"])


@empty_if_absent
def table_model_verdicts(verdicts: Verdicts) -> Table:
    """One line per model: whether it was fitted, what weakens or forbids it, what may be concluded."""
    rows = [Row((row.model, STATES[row.state], row.why or DASH, row.conclude or DASH)) for row in verdicts["verdicts"].itertuples()]
    columns = (Column("Model"), Column("Verdict", text=True), Column("What weakens or forbids it", text=True), Column("What a reader may conclude", text=True))
    return Table("model_verdicts", "One verdict per model", columns, tuple(rows))
