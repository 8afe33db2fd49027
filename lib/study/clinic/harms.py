"""How adverse events are coded and counted."""

from __future__ import annotations

__all__ = ["FATAL_GRADE", "AdverseEvents", "RiskWindow"]

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from lib.languages.speech import N_, _, said_here
from lib.study.parts import Code, Days, Frozen, Id, Level, Text, Told, unique
from lib.study.words import Spoken

# Of CTCAE and every scale of five grades: death.
FATAL_GRADE = 5


class RiskWindow(Frozen):
    """An event is treatment-emergent from a component's start to `days` after its anchor."""

    component: Id
    anchor: Literal["start", "end"]
    days: Days


class AdverseEvents(Frozen):
    """How adverse events are coded and counted: by grades, or by a severity scale in the study's own words.

    Within the code a severity is a rank: a grade is its own, the mildest of the `levels` is 1.
    """

    dictionary: Told
    systems: dict[Text, tuple[Text, ...]]
    plain: dict[Text, Spoken] = Field({})
    labels: dict[Text, Spoken] = Field({})
    severe_grade: int = Field(3, ge=1, le=5)
    max_grade: int = Field(FATAL_GRADE, ge=1, le=5)
    # Instead of grades, mildest first; the mildest one that counts as severe, and the one that is death, if any is.
    levels: tuple[Level, ...] = Field((), max_length=5)
    severe_level: Code = ""
    fatal_level: Code = ""
    risk_windows: tuple[RiskWindow, ...] = ()
    landmarks: tuple[Annotated[float, Field(gt=0)], ...] = ()

    @model_validator(mode="after")
    def _plain_words_are_of_terms(self) -> Self:
        if unknown := sorted(set(self.plain) - set(self.terms)):
            raise ValueError(f"plain: {', '.join(unknown)} is no term of systems")
        if unknown := sorted(set(self.labels) - {*self.terms, *self.systems}):
            raise ValueError(f"labels: {', '.join(unknown)} is no term and no system")
        return self

    def called(self, name: str) -> str:
        """What a term or a system is called in the language in force: by its label, or as the tables have it."""
        return said_here(self.labels.get(name, {}), name)

    @model_validator(mode="after")
    def _one_scale(self) -> Self:
        codes = [level.value for level in self.levels]
        if not codes:
            if self.severe_level or self.fatal_level:
                raise ValueError("severe_level and fatal_level belong to levels, which are missing")
            if self.severe_grade > self.max_grade:
                raise ValueError(f"severe_grade {self.severe_grade} is above max_grade {self.max_grade}")
            return self
        if {"severe_grade", "max_grade"} & self.model_fields_set:
            raise ValueError("either levels (own words), or severe_grade and max_grade")
        if len(codes) < 2:
            raise ValueError("levels: a scale has at least two, mildest first")
        unique("level", codes)
        if self.severe_level not in codes:
            raise ValueError(f"severe_level: which of {', '.join(codes)} is the mildest that counts as severe?")
        if self.fatal_level not in ("", codes[-1]):
            raise ValueError(f"fatal_level: death is the worst of all, so {codes[-1]} or nothing")
        return self

    @property
    def terms(self) -> dict[str, str]:
        """Term -> system."""
        return {term: system for system, terms in self.systems.items() for term in terms}

    @property
    def ranks(self) -> range:
        """Every severity, mildest first."""
        return range(1, (len(self.levels) or self.max_grade) + 1)

    @property
    def severe(self) -> int:
        """Lowest rank that counts as severe."""
        return [level.value for level in self.levels].index(self.severe_level) + 1 if self.levels else self.severe_grade

    @property
    def fatal(self) -> int | None:
        """Rank that is death; None where the scale has none."""
        if self.levels:
            return len(self.levels) if self.fatal_level else None
        return FATAL_GRADE if self.max_grade == FATAL_GRADE else None

    @property
    def scale(self) -> str:
        """What a severity is called."""
        return N_("severity") if self.levels else N_("grade")

    def code(self, rank: int) -> str:
        """A severity as results.csv names it."""
        return f"{self.scale} {self.levels[rank - 1].value if self.levels else rank}"

    def short(self, rank: int) -> str:
        """A severity where its column says what it is: "3", or "Severe"."""
        return self.levels[rank - 1].label if self.levels else f"{rank}"

    def words(self, rank: int) -> str:
        """A severity within a sentence: "grade 3", or "severe"."""
        if not self.levels:
            return _("grade {rank}", rank=rank)
        label = self.levels[rank - 1].label
        return label if label[:2].isupper() else label[:1].lower() + label[1:]

    @property
    def severe_words(self) -> str:
        """What counts as severe: "grade 3 or higher", or "severe or worse"."""
        least = self.words(self.severe)
        if self.severe == self.ranks[-1]:
            return least
        return _("{least} or worse", least=least) if self.levels else _("{least} or higher", least=least)
