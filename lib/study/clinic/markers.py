"""Laboratory markers followed over time, and scores."""

from __future__ import annotations

__all__ = ["Interference", "Kinetics", "Liver", "Marker", "Reference", "Rise", "Surrogate"]

import re
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from lib.study.parts import Days, Frozen, Id, LegendLabel, Level, Text, unique


class Surrogate(Frozen):
    """When an interfering marker, followed in place of the one that it spoils, fell or rose: its ratio to baseline."""

    fell: float = Field(gt=0, lt=1)
    rose: float = Field(gt=1)


class Interference(Frozen):
    """Samples in which another marker, above a limit, makes this one unreliable."""

    marker: Id
    above: float
    surrogate: Surrogate | None = None


class Kinetics(Frozen):
    """Which values of a patient a slope over time is fitted to; `doubling_below` is a time in the study's unit."""

    since: Literal["baseline", "nadir"]
    min_values: int = Field(3, ge=3)
    min_days: Days = 0
    doubling_below: float | None = Field(None, gt=0)


class Rise(Frozen):
    """When a marker has progressed: so many times, and so much in its unit, above an earlier value."""

    ratio: float = Field(gt=1)
    over: Literal["baseline", "nadir"]
    at_least: float = Field(0, ge=0)
    confirmed: bool


class Reference(Frozen):
    """Reference limits of a laboratory value, in its unit; grades begin above so many times the upper limit."""

    low: float | None = None
    high: Annotated[float, Field(gt=0)] | None = None
    grades_above: tuple[Annotated[float, Field(ge=1)], ...] = Field((), max_length=4)

    @model_validator(mode="after")
    def _limits_in_order(self) -> Self:
        if self.low is None and self.high is None:
            raise ValueError("reference needs low, high or both")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError(f"low {self.low:g} must be below high {self.high:g}")
        if self.grades_above and self.high is None:
            raise ValueError("grades_above are multiples of high, which is missing")
        if list(self.grades_above) != sorted(set(self.grades_above)):
            raise ValueError("grades_above must rise from grade 1 on")
        return self


class Liver(Frozen):
    """Ids of the markers that are liver tests, for Hy's law; each has an upper reference limit."""

    transaminases: tuple[Id, ...] = Field(min_length=1)
    bilirubin: Id
    alkaline_phosphatase: Id | None = None

    @property
    def markers(self) -> tuple[Id, ...]:
        """Every liver test."""
        return (*self.transaminases, self.bilirubin, *filter(None, [self.alkaline_phosphatase]))


class Marker(Frozen):
    """A laboratory marker followed over time. `units` are those accepted, with the factor to `unit`.

    An `endpoint` is an outcome of efficacy, `safety` is watched for harm, `quality` judges other markers.
    """

    id: Id
    label: LegendLabel
    short: LegendLabel
    unit: Text
    units: dict[Text, float]
    scale: Literal["log", "linear", "ordinal"] = "log"
    # Of an ordinal scale, as a performance status: its codes (numbers in the table), best first.
    levels: tuple[Level, ...] = Field((), max_length=12)
    role: Literal["endpoint", "quality", "safety"] = "endpoint"
    visits: tuple[float, ...] = ()
    interference: Interference | None = None
    match_state: bool = False
    reference: Reference | None = None
    kinetics: Kinetics | None = None
    progression: Rise | None = None

    @property
    def surrogate(self) -> Surrogate | None:
        """How the interfering marker is followed in its place."""
        return self.interference.surrogate if self.interference else None

    @model_validator(mode="after")
    def _safety_has_limits(self) -> Self:
        if self.role == "safety" and self.reference is None:
            raise ValueError("role safety needs reference: the limits that say what is normal")
        return self

    @model_validator(mode="after")
    def _followed_as_an_outcome(self) -> Self:
        asked = [key for key in ("kinetics", "progression", "surrogate") if getattr(self, key)]
        if asked and self.role != "endpoint":
            raise ValueError(f"{asked[0]} belongs to a marker whose role is endpoint")
        if self.scale != "log" and (self.kinetics or self.progression):
            raise ValueError(f"{asked[0]} needs scale: log, because it is told in ratios")
        return self

    @model_validator(mode="after")
    def _ordinal_has_levels(self) -> Self:
        if (self.scale == "ordinal") != bool(self.levels):
            raise ValueError(f"{self.id}: scale ordinal has levels, best first, and only scale ordinal has them")
        if not self.levels:
            return self
        if len(self.levels) < 2 or not all(re.fullmatch(r"-?\d{1,6}(\.\d{1,4})?", level.value) for level in self.levels):
            raise ValueError(f"{self.id}: levels are at least two, and the value of each is a number, as in the table markers")
        unique("level", [f"{code:g}" for code in self.codes])
        if self.reference or set(self.units.values()) != {1.0}:
            raise ValueError(f"{self.id}: an ordinal scale has no reference limits, and its codes are in one unit (units: {{{self.unit}: 1}})")
        return self

    @property
    def codes(self) -> list[float]:
        """The codes of an ordinal scale, best first."""
        return [float(level.value) for level in self.levels]
