"""Sentences about the design as a whole: how many tests a report holds, and what was declared beforehand."""

from __future__ import annotations

__all__ = ["sentence_declared", "sentence_tests"]

import pandas as pd

from lib.analyses.cohort.checklist import Declared
from lib.analyses.robustness.multiplicity import Multiplicity, is_declared
from lib.languages.speech import N_, _, in_a_row
from lib.show.formats import format_limit, format_whole, p_value
from lib.show.labels import inside
from lib.show.phrases import p_values
from lib.show.sentences.absent import reason_if_absent
from lib.show.verdict import by_chance
from lib.show.ways import GRADES
from lib.study.design import RANDOMISED, SINGLE_ARM, TargetTrial
from lib.study.study import Study

NO_TARGET = {
    RANDOMISED: N_("This is a randomised trial: it stands in for no other."),
    SINGLE_ARM: N_("This is a study of one arm: it makes no comparison for which a trial could stand."),
}


@reason_if_absent
def sentence_tests(tests: Multiplicity) -> str:
    """How many p-values the page holds, how many were announced, how many chance alone would put below 0.05."""
    data = tests.dataset
    every, own = (tests["tests"].set_index("variable").loc[name] for name in ("all", "confirmatory"))
    if not every["n_tests"]:
        return _("This page holds no {p_value}.", p_value=p_value())
    primary = data.study.primary
    announced = (
        _("One of them is confirmatory, the log-rank test of all arms for {primary}; all others are exploratory.", primary=inside(primary.short))
        if own["n_tests"]
        else _("Not one of them is confirmatory: the log-rank test of all arms for {primary} could not be made.", primary=inside(primary.short))
        if len(data.arms) > 1 and is_declared(data)
        else _("Not one of them is confirmatory: this report shows a part of the study or a study without a declared primary endpoint.")
        if len(data.arms) > 1
        else _("Not one of them compares arms.")
    )
    return (
        _(
            "This page holds {p_values}, each counted once. {announced} {p_values2} {en} below {limit}; if nothing differed anywhere, {by_chance} "
            "would by chance. Most ask related questions of the same patients, so they rise and fall together and the number proves nothing in either "
            "direction; only Holm's adjustment over the pairs of one endpoint is made.",
            p_values=p_values(every['n_tests']), announced=announced, p_values2=p_values(every['n_below']), en="lies" if every['n_below'] == 1 else "lie", limit=format_limit(), by_chance=by_chance(every['n_tests']),
        )
    )


@reason_if_absent
def sentence_declared(declared: Declared) -> str:
    """How much of the target trial and of the risks of bias the authors declared."""
    study, counts = declared.dataset.study, declared["declared"].set_index("variable")
    own = _no_target(study)
    if not counts["n_answered"].any():
        if own:
            return in_a_row([own, _("This study does not declare its risks of bias, so only what the report found stands here.")])
        return _("This study declares neither the trial that it emulates nor its risks of bias, so only what the report found stands here.")
    judged = _("judges {share} domains of bias ({instrument}).", share=_share(counts.loc['risks_of_bias']), instrument=study.by_design.instrument.name)
    trial = "" if own else _("declares {share} elements of the target trial and ", share=_share(counts.loc['target_trial']))
    overall = _(" Its overall judgement: {risk}.", risk=_(GRADES[study.risks_of_bias.overall.judgement].within)) if study.risks_of_bias.overall else ""
    return in_a_row([own, _("study.yml {trial}{judged}{overall}", trial=trial, judged=judged, overall=overall)])


def _no_target(study: Study) -> str:
    """Why a study stands in for no trial; "" where it does."""
    why = _(NO_TARGET[study.by_design.allocation]) if study.by_design.allocation in NO_TARGET else ""
    left = _(" The target_trial that study.yml declares is not shown.") if study.target_trial != TargetTrial() else ""
    return f"{why}{left}" if why else ""


def _share(counts: pd.Series) -> str:
    return _("{n_answered} of {n_items}", n_answered=format_whole(counts['n_answered']), n_items=format_whole(counts['n_items']))
