"""What is declared of a study's design, and what follows from it: words, checklists, instruments, what makes no sense.

Everything that hangs on the design is decided in `ByDesign`; whoever shows or computes asks it.
"""

from __future__ import annotations

__all__ = [
    "AS_RANDOMISED",
    "AS_TREATED",
    "ELEMENTS",
    "NOT_RANDOMISED",
    "OLDER",
    "RANDOMISED",
    "ROBINS_I",
    "ROB_2",
    "SINGLE_ARM",
    "ByDesign",
    "Design",
    "Instrument",
    "Judgement",
    "RisksOfBias",
    "TargetTrial",
    "decide",
    "doubt",
    "read_allocation",
    "read_analysed",
]

import re
from typing import Literal, NamedTuple, Self

from pydantic import model_validator

from lib.study.parts import Frozen, Told

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
Allocation = Literal["randomised", "not_randomised", "single_arm"]
Analysed = Literal["as_randomised", "as_treated"]
RANDOMISED, NOT_RANDOMISED, SINGLE_ARM = "randomised", "not_randomised", "single_arm"
AS_RANDOMISED, AS_TREATED = "as_randomised", "as_treated"
# Value of the older key study.allocation -> design.allocation.
OLDER: dict[str, Allocation] = {"randomised": "randomised", "not randomised": "not_randomised"}

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
ANALYSED = {
    AS_TREATED: re.compile(r"\bas[\s-]treated|\bper[\s-]protocol", re.IGNORECASE),
    AS_RANDOMISED: re.compile(r"\bas[\s-]randomi[sz]ed|\binten(?:t|tion)[\s-]to[\s-]treat|\bITT\b", re.IGNORECASE),
}


def read_allocation(design: str) -> str:
    """What the words of a design say of how the arms were formed: `RANDOMISED`, `NOT_RANDOMISED`, or "" where they leave it open.

    Examples
    --------
    >>> read_allocation("Randomised trial, two arms"), read_allocation("Non-randomised trial"), read_allocation("Trial")
    ('randomised', 'not_randomised', '')
    """
    denied, claimed = bool(DENIED.search(design)), bool(CLAIMED.search(DENIED.sub("", design)))
    if claimed:
        return "" if denied or OBSERVED.search(design) else RANDOMISED
    return NOT_RANDOMISED if denied or OBSERVED.search(design) else ""


def read_analysed(design: str) -> str:
    """What the words of a design say of who counts in which arm: `AS_RANDOMISED`, `AS_TREATED`, or "" for neither and for both."""
    said = [name for name, words in ANALYSED.items() if words.search(design)]
    return said[0] if len(said) == 1 else ""


class Design(Frozen):
    """`design` of study.yml: how the arms were formed, who counts in which, and the design in free words."""

    allocation: Allocation | None = None
    analysed: Analysed | None = None
    routine_data: bool = False
    # Whether the order of `arms` is one of the treatment, as rising doses: only then a trend is tested.
    ordered_arms: bool = False
    description: Told = ""


def doubt(said: Design, n_arms: int) -> str:
    """What contradicts what is declared of a design, as a question to whoever declared it; "" for nothing."""
    told, analysed = read_allocation(said.description), read_analysed(said.description)
    words = f"the description ({said.description!r})"
    if said.allocation and told and (said.allocation == RANDOMISED) != (told == RANDOMISED):
        read = "arms that were formed by chance" if told == RANDOMISED else "no arms that were formed by chance"
        return (
            f"allocation says {said.allocation}, {words} speaks of {read}: which is true? Correct one of them; a description "
            "that names both, such as a registry-based randomised trial, contradicts neither"
        )
    if said.analysed and analysed and said.analysed != analysed:
        return f"analysed says {said.analysed}, {words} {analysed}: which is true? Correct one of them"
    if said.analysed == AS_RANDOMISED and (said.allocation or told) != RANDOMISED:
        return "analysed says as_randomised, and nothing says that the arms were formed by chance (allocation: randomised): which is true?"
    return _wrong_number(said, n_arms)


def _wrong_number(said: Design, n_arms: int) -> str:
    """What of a design does not go with so many arms."""
    if said.ordered_arms and n_arms < 3:
        return f"ordered_arms says that the arms have an order, and of {n_arms} there is none: a trend needs three arms; leave it out"
    if said.allocation == SINGLE_ARM and n_arms > 1:
        return f"allocation says single_arm, and there are {n_arms} arms: which is true?"
    if said.allocation == RANDOMISED and n_arms == 1:
        return "allocation says randomised, and there is one arm: of one arm of a trial say single_arm, and the rest in description"
    return ""


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


class ByDesign(NamedTuple):
    """What follows from a design, decided here and nowhere else.

    Attributes
    ----------
    allocation : str
        `RANDOMISED`, `NOT_RANDOMISED` or `SINGLE_ARM`; "" where study.yml leaves it open.
    analysed : str
        `AS_RANDOMISED` or `AS_TREATED`; "" for a randomised study that does not say.
    routine_data : bool
        Whether the data were collected for another purpose than the study.
    description : str
        The design in free words.
    """

    allocation: str
    analysed: str
    routine_data: bool
    description: str

    @property
    def by_chance(self) -> bool:
        """Whether chance formed the arms: what differs at baseline is chance, and testing it makes no sense."""
        return self.allocation == RANDOMISED

    @property
    def may_be_confounded(self) -> bool:
        """Whether arms are compared that chance did not form: only then a target trial and an E-value mean something."""
        return self.allocation == NOT_RANDOMISED or not self.allocation

    @property
    def instrument(self) -> Instrument:
        """What the risks of bias of such a study are judged by."""
        return ROB_2 if self.by_chance else ROBINS_I

    @property
    def checklists(self) -> tuple[str, ...]:
        """The guidelines by which such a study is reported."""
        if self.by_chance:
            return ("consort",)
        return ("strobe", "record") if self.routine_data else ("strobe",)

    @property
    def entered(self) -> str:
        """What made a patient one of the study's, as a verb of the flow."""
        return "randomised" if self.by_chance and self.analysed != AS_TREATED else "treated"

    @property
    def arms_as(self) -> str:
        """What an arm of the tables is; a randomised study that does not say leaves it open."""
        return self.analysed.replace("_", " ") or "as the table of patients has it"


def decide(said: Design, n_arms: int, treatment_chosen: bool = False) -> ByDesign:
    """What follows from a declared design; what it does not declare is read from its words, or left open with them.

    Who declares confounders says that treatment was chosen; with words that say otherwise it is left open.
    """
    allocation = said.allocation or read_allocation(said.description)
    if treatment_chosen and not said.allocation:
        allocation = "" if allocation == RANDOMISED else NOT_RANDOMISED
    allocation = allocation if n_arms > 1 else SINGLE_ARM
    analysed = said.analysed or read_analysed(said.description) or ("" if allocation == RANDOMISED else AS_TREATED)
    return ByDesign(allocation, analysed, said.routine_data, said.description)


class TargetTrial(Frozen):
    """The randomised trial that would answer the question, element by element; an empty one was not stated."""

    eligibility: Told = ""
    strategies: Told = ""
    assignment: Told = ""
    time_zero: Told = ""
    follow_up: Told = ""
    outcome: Told = ""
    contrast: Told = ""
    analysis: Told = ""


class Judgement(Frozen):
    """Risk of bias in one domain, and what it rests on."""

    judgement: Grade
    why: Told = ""


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
