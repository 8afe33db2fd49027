"""Sentences about the design as a whole: how many tests a report holds, and what was declared beforehand."""

from __future__ import annotations

__all__ = ["sentence_declared", "sentence_tests"]

import pandas as pd

from lib.analyses.cohort.checklist import Declared
from lib.analyses.robustness.multiplicity import Multiplicity, is_declared
from lib.show.formats import format_limit, format_whole, p_value, p_values
from lib.show.labels import inside
from lib.show.sentences.absent import reason_if_absent
from lib.show.verdict import by_chance
from lib.study.design import RANDOMISED, SINGLE_ARM, TargetTrial
from lib.study.study import Study

NO_TARGET = {
    RANDOMISED: "This is a randomised trial: it stands in for no other.",
    SINGLE_ARM: "This is a study of one arm: it makes no comparison for which a trial could stand.",
}


@reason_if_absent
def sentence_tests(tests: Multiplicity) -> str:
    """How many p-values the page holds, how many were announced, how many chance alone would put below 0.05."""
    data = tests.dataset
    every, own = (tests["tests"].set_index("variable").loc[name] for name in ("all", "confirmatory"))
    if not every["n_tests"]:
        return f"This page holds no {p_value()}."
    primary = data.study.primary
    announced = (
        f"One of them is confirmatory, the log-rank test of all arms for {inside(primary.short)}; all others are exploratory."
        if own["n_tests"]
        else f"Not one of them is confirmatory: the log-rank test of all arms for {inside(primary.short)} could not be made."
        if len(data.arms) > 1 and is_declared(data)
        else "Not one of them is confirmatory: this report shows a part of the study or a study without a declared primary endpoint."
        if len(data.arms) > 1
        else "Not one of them compares arms."
    )
    return (
        f"This page holds {p_values(every['n_tests'])}, each counted once. {announced} {p_values(every['n_below'])} {'lies' if every['n_below'] == 1 else 'lie'} below {format_limit()}; "
        f"if nothing differed anywhere, {by_chance(every['n_tests'])} would by chance. Most ask related questions of the same patients, so "
        "they rise and fall together and the number proves nothing in either direction; only Holm's adjustment over the pairs of one endpoint is made."
    )


@reason_if_absent
def sentence_declared(declared: Declared) -> str:
    """How much of the target trial and of the risks of bias the authors declared."""
    study, counts = declared.dataset.study, declared["declared"].set_index("variable")
    own = _no_target(study)
    if not counts["n_answered"].any():
        missing = "does not declare" if own else "declares neither the trial that it emulates nor"
        return f"{own}This study {missing} its risks of bias, so only what the report found stands here."
    judged = f"judges {_share(counts.loc['risks_of_bias'])} domains of bias ({study.by_design.instrument.name})."
    trial = "" if own else f"declares {_share(counts.loc['target_trial'])} elements of the target trial and "
    overall = f" Its overall judgement: {_risk(study.risks_of_bias.overall.judgement)}." if study.risks_of_bias.overall else ""
    return f"{own}study.yml {trial}{judged}{overall}"


def _no_target(study: Study) -> str:
    """Why a study stands in for no trial; "" where it does."""
    why = NO_TARGET.get(study.by_design.allocation, "")
    left = " The target_trial that study.yml declares is not shown." if study.target_trial != TargetTrial() else ""
    return f"{why}{left} " if why else ""


def _share(counts: pd.Series) -> str:
    return f"{format_whole(counts['n_answered'])} of {format_whole(counts['n_items'])}"


def _risk(grade: str) -> str:
    return grade if grade in ("some concerns", "no information") else f"{grade} risk of bias"
