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
from lib.languages.notes import worded
from lib.languages.speech import N_, _, in_a_row
from lib.show.formats import capitalised, format_ci, format_number, format_p
from lib.show.labels import caveat, inside, pair_label
from lib.show.phrases import format_duration, from_to, joined, plural
from lib.show.sentences.absent import reason_if_absent
from lib.show.verdict import below
from lib.show.ways import event_label
from lib.statistics.comparisons import name_pair

STAYS = N_("The arms were randomised, so the crude comparison stays the answer.")
UNMEASURED = N_("What was not measured is not held alike.")


@reason_if_absent
def sentence_regression(regression: Regression) -> str:
    """What the hazard ratio of the comparison becomes when the covariates are held alike, and how far it may be relied on."""
    data = regression.dataset
    first = getattr(data.parameters, "endpoint", "") or data.study.primary.id
    return _compared(regression, inside(data.study.endpoint(regression.variable).short), _("hazard ratio"), cautious=regression.variable == first)


@reason_if_absent
def sentence_response_regression(regression: ResponseRegression) -> str:
    """What the odds ratio of the comparison becomes when the covariates are held alike."""
    when = format_duration(regression["response_regression_count"]["time"].iat[0], regression.dataset.study.time.unit)
    return _compared(regression, _("objective response at {when}", when=when), _("odds ratio"), cautious=not regression.dataset.study.endpoints)


def _compared(regression: Regression | ResponseRegression, what: str, name: str, cautious: bool) -> str:
    """The comparison before and after; what holds of all of a page's regressions is said once, where it is `cautious`."""
    data, about, begins, ratio = regression.dataset, regression.variable, regression.BEGINS, regression.RATIO
    pair = name_pair(*data.contrast)
    if f"{begins}adjusted" not in regression:
        return _("There is no adjusted {name} of {what}: {iat}.", name=name, what=what, iat=worded(regression['reason']['reason'].iat[0]))
    crude, same, found = (where(regression[f"{begins}{which}"], variable=about, group=pair).iloc[0] for which in ("crude", "same", "adjusted"))
    size = regression[f"{begins}fit"].iloc[0]
    whom = _(", in the {n} with known covariates,", n=plural(size['n'], 'patient')) if size["n_missing"] else ""
    moved = from_to(format_number(same[ratio], 2), format_number(found[ratio], 2), "goes", "stays")
    interval = format_ci(data.parameters.level, found["ci_low"], found["ci_high"], 2)
    held = joined([inside(data.study.variable(c.variable).label) for c in declared_covariates(data)])
    lead = _("With {held} held alike, the {name} of {pair_label} for {what}{whom} {moved} ({interval}; {p}): {told}.", held=held, name=name, pair_label=pair_label(data, pair), what=what, whom=whom, moved=moved, interval=interval, p=format_p(found['p_value'], symbol=True), told=_told(crude, found, ratio))
    cautions = [_(STAYS)] if data.study.by_design.by_chance else [caveat(data.study, _("a difference")), _(UNMEASURED)]
    return in_a_row([lead, _carried(regression, size), *(cautions if cautious else [])])


def _told(crude: pd.Series, found: pd.Series, ratio: str) -> str:
    """What the second test says beside the first."""
    was, now = below(crude["p_value"]), below(found["p_value"])
    if was and now:
        turned = (crude[ratio] < 1) != (found[ratio] < 1)
        return _("told apart the other way round, so the answer depends on the covariates") if turned else _("told apart as well")
    if was:
        return _("no longer told apart, so these covariates may explain part of the difference, or the model is less precise")
    return _("told apart only so, and the answer depends on the covariates") if now else _("not told apart either")


def _carried(regression: Regression | ResponseRegression, size: pd.Series) -> str:
    """How many events each coefficient has, and what is weak about the model."""
    verdict = regression["verdicts"].iloc[0]
    per = format_number(size["events_per_variable"], 1)
    carried = _("{per} responses (or others, whichever are fewer) per coefficient", per=per) if isinstance(regression, ResponseRegression) else _("{per} events per coefficient", per=per)
    if verdict["state"] == FITTED:
        return _("The model rests on {carried}.", carried=carried)
    # The number says by itself that it is small.
    few = next((said.capitalize() for said in COEFFICIENT.values() if verdict["why"].startswith(said.capitalize())), "")
    why = verdict["why"].removeprefix(few)
    if few and why.startswith(", "):
        lead = _("The model is weak, with {carried}, so Firth's penalty is used.", carried=carried)
        why = why.partition(".")[2]
    else:
        lead = _("The model is weak, with {carried}.", carried=carried)
    return in_a_row([lead, worded(why.removeprefix(".").strip())])


@reason_if_absent
def sentence_subdistribution(regression: Regression) -> str:
    """What Fine and Gray's model says beside the cause-specific one; nothing without competing events."""
    if "subdistribution_crude" not in regression:
        return ""
    data, adjusted = regression.dataset,  "subdistribution_adjusted" in regression and "regression_adjusted" in regression
    which = "adjusted" if adjusted else "crude"
    pair, endpoint = name_pair(*data.contrast), data.study.endpoint(regression.variable)
    sub, cause = (where(regression[f"{name}_{which}"], variable=regression.variable, group=pair).iloc[0] for name in ("subdistribution", "regression"))
    if pd.isna(sub["hr"]) or pd.isna(cause["hr"]):
        return ""
    other = joined([event_label(column) for column in endpoint.competing], "or") or _("the competing event")
    interval = format_ci(data.parameters.level, sub["ci_low"], sub["ci_high"], 2)
    return (
        _(
            "{other} competes with {endpoint}: the {which} subdistribution hazard ratio of {pair_label} is {hr} ({interval}; {p}) beside a "
            "cause-specific one of {hr2}. The first goes with how many come to the event, the second with the rate among those still without any.",
            other=capitalised(other), endpoint=inside(endpoint.short), which=_("adjusted") if adjusted else _("crude"), pair_label=pair_label(data, pair), hr=format_number(sub['hr'], 2), interval=interval, p=format_p(sub['p_value'], symbol=True), hr2=format_number(cause['hr'], 2),
        )
    )


@reason_if_absent
def sentence_model_verdicts(verdicts: Verdicts) -> str:
    """How many models were fitted, are weak, were refused."""
    counts = verdicts["model_verdicts"].set_index("variable")["count"]
    said = {
        FITTED: (N_("{models} was fitted as asked"), N_("{models} were fitted as asked")), WEAK: (N_("{models} is weak"), N_("{models} are weak")),
        REFUSED: (N_("{models} was refused"), N_("{models} were refused")),
    }  # fmt: skip
    parts = [_(one if counts[state] == 1 else several, models=plural(counts[state], "model")) for state, (one, several) in said.items() if counts[state]]
    weak = _(" A weak model gives a direction at most.") if counts[WEAK] else ""
    refused = _(" A model that was refused says nothing, neither for an arm nor against it.") if counts[REFUSED] else ""
    return _("{listed}.{weak}{refused}", listed=joined(parts), weak=weak, refused=refused)
