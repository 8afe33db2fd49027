"""What is declared of a study's design: the trial that it emulates, other studies, its risks of bias (ROBINS-I)."""

from __future__ import annotations

__all__ = ["DOMAINS", "ELEMENTS", "External", "Judgement", "RisksOfBias", "TargetTrial"]

from typing import Literal

from pydantic import model_validator

from lib.study_parts import Frozen, Id, Text

# Key of study.yml -> label, in the order of Hernan and Robins (Am J Epidemiol 2016;183:758-764).
ELEMENTS = {
    "eligibility": "Eligibility",
    "strategies": "Treatment strategies",
    "assignment": "Assignment",
    "time_zero": "Time zero",
    "follow_up": "Follow-up",
    "outcome": "Outcome",
    "contrast": "Causal contrast",
    "analysis": "Analysis",
}
# Key of study.yml -> label, in the order of Sterne et al. (BMJ 2016;355:i4919).
DOMAINS = {
    "confounding": "Confounding",
    "selection": "Selection of patients",
    "classification": "Classification of the intervention",
    "deviations": "Deviations from the intended intervention",
    "missing_data": "Missing data",
    "measurement": "Measurement of the outcome",
    "reporting": "Selection of the reported result",
    "overall": "Overall",
}
# Best first; "no information" stands outside the order.
GRADES = ("low", "moderate", "serious", "critical")


class TargetTrial(Frozen):
    """The randomised trial that would answer the question, element by element; an empty one was not stated."""

    eligibility: Text = ""
    strategies: Text = ""
    assignment: Text = ""
    time_zero: Text = ""
    follow_up: Text = ""
    outcome: Text = ""
    contrast: Text = ""
    analysis: Text = ""


class External(Frozen):
    """A result of another study that stands beside one of this; `endpoint` (its median), or the best response."""

    arm: Id
    label: Text
    printed: Text
    citation: Text
    why: Text = ""
    endpoint: Id | None = None


class Judgement(Frozen):
    """Risk of bias in one domain, and what it rests on."""

    judgement: Literal[(*GRADES, "no information")]
    why: Text = ""


class RisksOfBias(Frozen):
    """The declared judgement per domain of ROBINS-I; a missing one was not stated."""

    confounding: Judgement | None = None
    selection: Judgement | None = None
    classification: Judgement | None = None
    deviations: Judgement | None = None
    missing_data: Judgement | None = None
    measurement: Judgement | None = None
    reporting: Judgement | None = None
    overall: Judgement | None = None

    @model_validator(mode="after")
    def _overall_is_no_better_than_the_worst(self):
        judged = {name: getattr(self, name) for name in DOMAINS}
        known = {name: GRADES.index(j.judgement) for name, j in judged.items() if j and j.judgement in GRADES}
        overall = known.pop("overall", None)
        worst = max(known, key=known.get, default=None)
        if overall is not None and worst is not None and known[worst] > overall:
            raise ValueError(f"overall cannot be {GRADES[overall]} while {worst} is {GRADES[known[worst]]}")
        return self
