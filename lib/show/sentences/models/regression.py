"""Sentences on regressions, and on the verdicts of the page. Results in, words out."""

from __future__ import annotations

__all__ = ["sentence_model_verdicts", "sentence_regression", "sentence_response_regression", "sentence_subdistribution"]

import pandas as pd

from lib.analyses.models.covariates import declared_covariates
from lib.analyses.models.regression import Regression
from lib.analyses.models.response_regression import ResponseRegression
from lib.analyses.models.terms import COEFFICIENT
from lib.analyses.result import where
from lib.analyses.verdicts import FITTED, REFUSED, WEAK, Verdicts
from lib.show.formats import (
    capitalised,
    format_ci,
    format_duration,
    format_number,
    format_p,
    from_to,
    joined,
    plural,
)
from lib.show.labels import caveat, inside, pair_label
from lib.show.sentences.absent import reason_if_absent
from lib.show.verdict import below
from lib.show.ways import event_label
from lib.statistics.comparisons import name_pair

STAYS = "The arms were randomised, so the crude comparison stays the answer."
UNMEASURED = "What was not measured is not held alike."


@reason_if_absent
def sentence_regression(regression: Regression) -> str:
    """What the hazard ratio of the comparison becomes when the covariates are held alike, and how far it may be relied on."""
    data = regression.dataset
    first = getattr(data.parameters, "endpoint", "") or data.study.primary.id
    return _compared(regression, inside(data.study.endpoint(regression.variable).short), "hazard ratio", cautious=regression.variable == first)


@reason_if_absent
def sentence_response_regression(regression: ResponseRegression) -> str:
    """What the odds ratio of the comparison becomes when the covariates are held alike."""
    when = format_duration(regression["response_regression_count"]["time"].iat[0], regression.dataset.study.time.unit)
    return _compared(regression, f"objective response at {when}", "odds ratio", cautious=not regression.dataset.study.endpoints)


def _compared(regression: Regression | ResponseRegression, what: str, name: str, cautious: bool) -> str:
    """The comparison before and after; what holds of all of a page's regressions is said once, where it is `cautious`."""
    data, about, begins, ratio = regression.dataset, regression.variable, regression.BEGINS, regression.RATIO
    pair = name_pair(*data.contrast)
    if f"{begins}adjusted" not in regression:
        return f"There is no adjusted {name} of {what}: {regression['reason']['reason'].iat[0]}."
    crude, same, found = (where(regression[f"{begins}{which}"], variable=about, group=pair).iloc[0] for which in ("crude", "same", "adjusted"))
    size = regression[f"{begins}fit"].iloc[0]
    whom = f", in the {plural(size['n'], 'patient')} with known covariates," if size["n_missing"] else ""
    moved = from_to(format_number(same[ratio], 2), format_number(found[ratio], 2), "goes", "stays")
    interval = format_ci(data.parameters.level, found["ci_low"], found["ci_high"], 2)
    held = joined([inside(data.study.variable(c.variable).label) for c in declared_covariates(data)])
    lead = f"With {held} held alike, the {name} of {pair_label(data, pair)} for {what}{whom} {moved} ({interval}; {format_p(found['p_value'], symbol=True)}): {_told(crude, found, ratio)}."
    caution = STAYS if data.study.by_design.by_chance else f"{caveat(data.study, 'a difference')} {UNMEASURED}"
    return " ".join([lead, _carried(regression, size), *([caution] if cautious else [])])


def _told(crude: pd.Series, found: pd.Series, ratio: str) -> str:
    """What the second test says beside the first."""
    was, now = below(crude["p_value"]), below(found["p_value"])
    if was and now:
        turned = (crude[ratio] < 1) != (found[ratio] < 1)
        return "told apart the other way round, so the answer depends on the covariates" if turned else "told apart as well"
    if was:
        return "no longer told apart, so these covariates may explain part of the difference, or the model is less precise"
    return "told apart only so, and the answer depends on the covariates" if now else "not told apart either"


def _carried(regression: Regression | ResponseRegression, size: pd.Series) -> str:
    """How many events each coefficient has, and what is weak about the model."""
    verdict = regression["verdicts"].iloc[0]
    per = format_number(size["events_per_variable"], 1)
    counted = "responses (or others, whichever are fewer)" if isinstance(regression, ResponseRegression) else "events"
    if verdict["state"] == FITTED:
        return f"The model rests on {per} {counted} per coefficient."
    # The number says by itself that it is small.
    few = next((said.capitalize() for said in COEFFICIENT.values() if verdict["why"].startswith(said.capitalize())), "")
    why = verdict["why"].removeprefix(few) if few else f". {verdict['why']}"
    return f"The model is weak, with {per} {counted} per coefficient{why}"


@reason_if_absent
def sentence_subdistribution(regression: Regression) -> str:
    """What Fine and Gray's model says beside the cause-specific one; nothing without competing events."""
    if "subdistribution_crude" not in regression:
        return ""
    data, which = regression.dataset, "adjusted" if "subdistribution_adjusted" in regression and "regression_adjusted" in regression else "crude"
    pair, endpoint = name_pair(*data.contrast), data.study.endpoint(regression.variable)
    sub, cause = (where(regression[f"{name}_{which}"], variable=regression.variable, group=pair).iloc[0] for name in ("subdistribution", "regression"))
    if pd.isna(sub["hr"]) or pd.isna(cause["hr"]):
        return ""
    other = joined([event_label(column) for column in endpoint.competing], "or") or "the competing event"
    interval = format_ci(data.parameters.level, sub["ci_low"], sub["ci_high"], 2)
    return (
        f"{capitalised(other)} competes with {inside(endpoint.short)}: the {which} subdistribution hazard ratio of {pair_label(data, pair)} is {format_number(sub['hr'], 2)} ({interval}; {format_p(sub['p_value'], symbol=True)}) "
        f"beside a cause-specific one of {format_number(cause['hr'], 2)}. The first goes with how many come to the event, the second with the rate among those still without any."
    )


@reason_if_absent
def sentence_model_verdicts(verdicts: Verdicts) -> str:
    """How many models were fitted, are weak, were refused."""
    counts = verdicts["model_verdicts"].set_index("variable")["count"]
    said = {FITTED: ("was fitted as asked", "were fitted as asked"), WEAK: ("is weak", "are weak"), REFUSED: ("was refused", "were refused")}
    parts = [f"{plural(counts[state], 'model')} {one if counts[state] == 1 else several}" for state, (one, several) in said.items() if counts[state]]
    weak = " A weak model gives a direction at most." if counts[WEAK] else ""
    refused = " A model that was refused says nothing, neither for an arm nor against it." if counts[REFUSED] else ""
    return f"{joined(parts)}.{weak}{refused}"
