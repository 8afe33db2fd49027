"""Regressions and the verdicts on models -> tables. Computes nothing."""

from __future__ import annotations

__all__ = ["table_model_verdicts", "table_regression", "table_subdistribution"]

import pandas as pd

from lib.analyses.models.covariates import declared_covariates
from lib.analyses.models.regression import Regression
from lib.analyses.models.response_regression import ResponseRegression
from lib.analyses.models.terms import UNSTRATIFIED
from lib.analyses.result import where
from lib.analyses.verdicts import Verdicts
from lib.dataset.dataset import Dataset
from lib.languages.notes import worded
from lib.languages.speech import N_, _
from lib.show.display import EMPTY, Block, Column, Row, Table, empty_if_absent
from lib.show.formats import DASH, format_p, format_whole, said_p
from lib.show.labels import inside, level_text, pair_label
from lib.show.phrases import format_duration, joined, plural
from lib.show.tables import parts
from lib.show.verdict import STATES
from lib.show.ways import TermLine, event_label, term_lines

REFERENCE = N_("1 (reference)")
COVARIATES = N_(
    "The ratio of a covariate is no effect of it: the model holds covariates alike for the sake of the arms, and what stands between a covariate "
    "and the outcome is held alike with it.",
)
PENALTY = N_("Adjusted with Firth's penalty, which keeps estimates finite and draws them towards 1; intervals by profile likelihood, p by likelihood-ratio tests.")
MOVES = N_("A hazard or odds ratio can move further from 1 when covariates are held alike, without any confounding: it is then one for patients alike in them.")


@empty_if_absent
def table_regression(regression: Regression | ResponseRegression) -> Table:
    """Arms and covariates, each by itself and all together: events, ratio with interval, p; tests of what has several levels."""
    data, name = regression.dataset, "odds" if isinstance(regression, ResponseRegression) else "hazard"
    begins, fitted = regression.BEGINS, f"{regression.BEGINS}adjusted" in regression
    rows = [_row(regression, line, fitted) for line in term_lines(regression)]
    level = f"{level_text(data)} CI"
    counted = _("Responses / patients") if name == "odds" else _("Events / patients")
    columns = [Column(_("Arm or covariate")), Column(counted), Column(_("Crude odds ratio") if name == "odds" else _("Crude hazard ratio"), level), Column(said_p(), _("crude"))]
    if fitted:
        size = regression[f"{begins}fit"].iloc[0]
        columns += [Column(_("Adjusted odds ratio") if name == "odds" else _("Adjusted hazard ratio"), _("{level}, {n_events}/{n}", level=level, n_events=format_whole(size["n_events"]), n=format_whole(size["n"]))), Column(said_p(), _("adjusted"))]
    frames = [regression[f"{begins}{which}"] for which in ("crude", "crude_test", *(("adjusted", "adjusted_test") if fitted else ()))]
    notes = (*_notes(regression, fitted), *parts.notes_of(*frames))
    return Table(_id(regression), _title(regression), tuple(columns), tuple(rows), notes)


def _id(regression: Regression | ResponseRegression) -> str:
    return f"{regression.variable}_regression"


def _title(regression: Regression | ResponseRegression) -> str:
    data = regression.dataset
    if isinstance(regression, ResponseRegression):
        when = format_duration(regression["response_regression_count"]["time"].iat[0], data.study.time.unit)
        return _("Objective response at {when}: one covariate at a time, and all held alike", when=when)
    return _("{endpoint}: one covariate at a time, and all held alike", endpoint=data.study.endpoint(regression.variable).short)


def _row(regression: Regression | ResponseRegression, line: TermLine, fitted: bool) -> Row:
    if line.counts is None:
        tests = [_test(regression, which, line.of) for which in ("crude", *(("adjusted",) if fitted else ()))]
        return Row((line.label, "", *(cell for test in tests for cell in ("", test))))
    counts = f"{format_whole(line.counts['n_events'])}/{format_whole(line.counts['n'])}"
    ratios = [line.crude, *([line.adjusted] if fitted else [])]
    cells = [(_(REFERENCE), "") if line.reference else _cells(row, regression.RATIO) for row in ratios]
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
    within = _(", within strata of {listed}", listed=joined(strata)) if strata else ""
    together = _(" Adjusted: the arm and all covariates together{within}.", within=within) if fitted else ""
    said = [_("Crude: each by itself, of the patients in whom it is known.{together} {p} beside a heading: likelihood-ratio test of all its levels.", together=together, p=said_p())]
    if not fitted:
        return [*said, _("No adjusted model: {iat}.", iat=worded(regression['reason']['reason'].iat[0]))]
    unstratified = [worded(UNSTRATIFIED)] if about == "response" and data.study.models and data.study.models.strata else []
    penalty = [_(PENALTY)] if regression[f"{regression.BEGINS}adjusted"]["method"].str.contains("Firth").any() else []
    return [*said, *_left_out(data, regression), *unstratified, *penalty, _(COVARIATES), _(MOVES)]


def _left_out(data: Dataset, regression: Regression | ResponseRegression) -> list[str]:
    """Who is not in the adjusted model, and for which covariate."""
    size, missing = regression[f"{regression.BEGINS}fit"].iloc[0], regression[f"{regression.BEGINS}missing"]
    if not size["n_missing"]:
        return []
    whom = [_("{covariate} ({n_missing})", covariate=inside(data.study.variable(row.variable.split(": ")[1]).label), n_missing=format_whole(row.n_missing)) for row in missing.itertuples() if row.n_missing]
    why = _(" without a known value of {listed}", listed=joined(whom)) if whom else _(" of an unknown stratum")
    lacking = {row.variable.split(": ")[1] for row in missing.itertuples() if row.n_missing}
    logs = _(" A logarithm needs a value above 0.") if any(c.log and c.variable in lacking for c in declared_covariates(data)) else ""
    return [_("The adjusted model leaves out {n_missing}{why}.{logs}", n_missing=plural(size['n_missing'], 'patient'), why=why, logs=logs)]


@empty_if_absent
def table_subdistribution(regression: Regression) -> Table | Block:
    """Cause-specific hazard ratios beside those of the subdistribution; nothing without competing events."""
    if "subdistribution_crude" not in regression:
        return EMPTY
    data, adjusted = regression.dataset, "subdistribution_adjusted" in regression and "regression_adjusted" in regression
    which = "adjusted" if adjusted else "crude"
    cause, sub = regression[f"regression_{which}"], regression[f"subdistribution_{which}"]
    rows = []
    for __, row in sub.iterrows():
        beside = where(cause, variable=row["variable"], group=row["group"]).iloc[0]
        rows.append(Row((_term_label(regression, row), *_cells(beside, "hr"), *_cells(row, "hr"))))
    level = f"{level_text(data)} CI"
    columns = (Column(_("Comparison") if not adjusted else _("Comparison or covariate")), Column(_("Cause-specific hazard ratio"), level), Column(said_p()),
               Column(_("Subdistribution hazard ratio"), _("{level}, robust", level=level)), Column(said_p()))  # fmt: skip
    endpoint = data.study.endpoint(regression.variable)
    other = joined([event_label(column) for column in endpoint.competing], "or") or _("the competing event")
    notes = (
        _(
            "Cause-specific: the rate of the event among those without any, {other} being the end of observation; subdistribution (Fine and Gray): the "
            "share who come to the event while {other} goes on. {part}",
            other=other, part=_("All covariates held alike in both.") if adjusted else _("The arms alone."),
        ),
        *parts.notes_of(sub),
    )
    title = _("{endpoint}: with a competing event, by cause and by incidence", endpoint=endpoint.short)
    return Table(f"{endpoint.id}_subdistribution", title, columns, tuple(rows), notes)


def _term_label(regression: Regression, row: pd.Series) -> str:
    """A pair of arms, a number, or a covariate with its level."""
    if row["group"] != "overall":
        return pair_label(regression.dataset, row["group"])
    heading = ""
    for line in term_lines(regression):
        heading = line.label if line.counts is None else heading
        if line.counts is not None and line.counts["variable"] == row["variable"]:
            return line.label if row["variable"].count(": ") == 1 else _("{label}: {level}", label=heading, level=line.label)
    raise KeyError(row["variable"])


@empty_if_absent
def table_model_verdicts(verdicts: Verdicts) -> Table:
    """One line per model: whether it was fitted, what weakens or forbids it, what may be concluded."""
    rows = [Row((row.model, _(STATES[row.state]), worded(row.why) or DASH, worded(row.conclude) or DASH)) for row in verdicts["verdicts"].itertuples()]
    columns = (Column(_("Model")), Column(_("Verdict"), text=True), Column(_("What weakens or forbids it"), text=True), Column(_("What a reader may conclude"), text=True))
    return Table("model_verdicts", _("One verdict per model"), columns, tuple(rows))
