"""What is declared of a study's design: how its arms were formed, the trial that it emulates, its risks of bias."""

from __future__ import annotations

__all__ = [
    "ALLOCATIONS",
    "ELEMENTS",
    "NOT_RANDOMISED",
    "RANDOMISED",
    "ROBINS_I",
    "ROB_2",
    "External",
    "Instrument",
    "Judgement",
    "RisksOfBias",
    "TargetTrial",
    "read_allocation",
]

import re
from typing import Literal, NamedTuple, Self

from pydantic import model_validator

from lib.study.parts import Frozen, Id, Label, Text

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
RANDOMISED, NOT_RANDOMISED = "randomised", "not randomised"
ALLOCATIONS = (RANDOMISED, NOT_RANDOMISED)

# What a design says in words, in the languages of most clinics: first what denies chance, then what claims it.
DENIED = re.compile(
    r"\b(?:non|not|no|never|nicht|niet|ohne|keine?|without|sin|sans|senza|un|quasi|pseudo|mendelian)[\s_-]*"
    r"(?:(?:an?|any|been|yet|eine[rn]?|een)\s+)?(?:ge)?(?:randomi[sz]|randomly|random\s+allocat|aleatori)|非随机|无随机",
    re.IGNORECASE,
)
CLAIMED = re.compile(
    r"randomi[sz]|random(?:ly)?\s+(?:allocat|assign)|aleatori[sz]|\bRCT\b|随机|無作為|무작위", re.IGNORECASE
)
OBSERVED = re.compile(
    r"observational|observationnel|beobachtungs|cohort|kohort|retrospe[ck]ti|regist(?:ry|er)|case[\s-](?:control|series)"
    r"|chart review|single[\s-]arm|one[\s-]arm|historical(?:ly)? control|观察性|回顾|队列",
    re.IGNORECASE,
)


def read_allocation(design: str) -> str:
    """What the words of a design say of how the arms were formed: one of `ALLOCATIONS`, or "" where they leave it open.

    Examples
    --------
    >>> read_allocation("Randomised trial, two arms"), read_allocation("Non-randomised trial"), read_allocation("Trial")
    ('randomised', 'not randomised', '')
    """
    denied, claimed = bool(DENIED.search(design)), bool(CLAIMED.search(DENIED.sub("", design)))
    if claimed:
        return "" if denied or OBSERVED.search(design) else RANDOMISED
    return NOT_RANDOMISED if denied or OBSERVED.search(design) else ""


# Of either instrument; "no information" stands outside the order.
Grade = Literal["low", "moderate", "serious", "critical", "some concerns", "high", "no information"]


class Instrument(NamedTuple):
    """A tool that judges risks of bias: key of study.yml -> domain, and its grades, best first."""

    name: str
    domains: dict[str, str]
    grades: tuple[Grade, ...]
    source: str


ROBINS_I = Instrument(
    "ROBINS-I",
    {
        "confounding": "Confounding",
        "selection": "Selection of patients",
        "classification": "Classification of the intervention",
        "deviations": "Deviations from the intended intervention",
        "missing_data": "Missing data",
        "measurement": "Measurement of the outcome",
        "reporting": "Selection of the reported result",
        "overall": "Overall",
    },
    ("low", "moderate", "serious", "critical"),
    "Risk of bias in non-randomised studies of interventions (ROBINS-I): Sterne JAC et al. BMJ 2016;355:i4919",
)
ROB_2 = Instrument(
    "RoB 2",
    {
        "randomisation": "Randomisation process",
        "deviations": "Deviations from the intended intervention",
        "missing_data": "Missing outcome data",
        "measurement": "Measurement of the outcome",
        "reporting": "Selection of the reported result",
        "overall": "Overall",
    },
    ("low", "some concerns", "high"),
    "Risk of bias in randomised trials (RoB 2): Sterne JAC et al. BMJ 2019;366:l4898",
)

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
    label: Label
    printed: Text
    citation: Text
    why: Text = ""
    endpoint: Id | None = None


class Judgement(Frozen):
    """Risk of bias in one domain, and what it rests on."""

    judgement: Grade
    why: Text = ""


class RisksOfBias(Frozen):
    """The declared judgement per domain of ROBINS-I, or of RoB 2 for a randomised study; a missing one was not stated."""

    randomisation: Judgement | None = None
    confounding: Judgement | None = None
    selection: Judgement | None = None
    classification: Judgement | None = None
    deviations: Judgement | None = None
    missing_data: Judgement | None = None
    measurement: Judgement | None = None
    reporting: Judgement | None = None
    overall: Judgement | None = None

    @property
    def declared(self) -> dict[str, str]:
        """Domain -> grade, of those that were stated."""
        return {name: part.judgement for name in type(self).model_fields if (part := getattr(self, name))}

    def misfits(self, instrument: Instrument) -> list[str]:
        """Domains that the instrument does not have, or judges by other grades."""
        allowed = (*instrument.grades, "no information")
        return [n for n, grade in self.declared.items() if n not in instrument.domains or grade not in allowed]

    @model_validator(mode="after")
    def _overall_is_no_better_than_the_worst(self) -> Self:
        for grades in (ROBINS_I.grades, ROB_2.grades):
            known = {name: grades.index(grade) for name, grade in self.declared.items() if grade in grades}
            overall = known.pop("overall", None)
            worst = max(known, key=known.__getitem__, default=None)
            if overall is not None and worst is not None and known[worst] > overall:
                raise ValueError(f"overall cannot be {grades[overall]} while {worst} is {grades[known[worst]]}")
        return self
