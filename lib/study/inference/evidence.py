"""The parts `external` and `worthwhile` of study.yml: what others found, and which effect would be worth having."""

from __future__ import annotations

__all__ = ["External", "Published", "Worthwhile"]

from typing import Annotated, Self

from pydantic import Field, model_validator

from lib.study.parts import Frozen, Id
from lib.study.words import Label, Text, Told

# No ratio and no time of a study lies beyond; a number that does was typed wrongly.
Positive = Annotated[float, Field(ge=1e-6, le=1e6)]
Number = Annotated[int, Field(le=10_000_000)]


class Published(Frozen):
    """A number of another study: `kind` and `estimate` with its interval, or `count` of `n`.

    A median is in the study's unit of time; `ci_high` is left out where it was not reached.
    """

    kind: str = Field(pattern="^(hazard_ratio|median|proportion)$")
    estimate: Positive | None = None
    ci_low: Positive | None = None
    ci_high: Positive | None = None
    level: float = Field(0.95, ge=0.5, le=0.999)
    count: Annotated[Number, Field(ge=0)] | None = None
    n: Annotated[Number, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.kind == "proportion":
            if self.count is None or self.n is None or self.count > self.n:
                raise ValueError("a proportion is a count of n")
            if (self.estimate, self.ci_low, self.ci_high) != (None, None, None):
                raise ValueError("a proportion has no estimate, ci_low or ci_high: they follow from count and n")
        elif self.estimate is None:
            raise ValueError(f"a {self.kind} has an estimate")
        elif self.count is not None or self.n is not None:
            raise ValueError(f"a {self.kind} has no count or n")
        elif self.kind == "hazard_ratio" and (self.ci_low is None or self.ci_high is None):
            raise ValueError("a hazard_ratio has ci_low and ci_high")
        return self

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.ci_high is not None and (self.ci_low is None or self.ci_low >= self.ci_high):
            raise ValueError("ci_high stands beside a ci_low below it; a limit that was not reached is left out")
        if self.estimate is not None and not (self.ci_low or self.estimate) <= self.estimate <= (self.ci_high or self.estimate):
            raise ValueError("an estimate lies in its interval")
        return self


class External(Frozen):
    """A result of another study that stands beside one of this; `endpoint` (its median), or the best response.

    `against`: the arm that a hazard ratio compares `arm` with. `number`: the result as numbers, for pooling and as prior
    knowledge; without it the printed words alone are shown. `differs`: in what it asks another question (another event,
    another treatment of the other arm); then it is neither put together with this study's nor prior knowledge. `weight`: as prior knowledge, the
    chance given beforehand that the result holds in this study too.
    """

    arm: Id
    label: Label
    printed: Text
    citation: Text
    why: Told = ""
    endpoint: Id | None = None
    against: Id | None = None
    number: Published | None = None
    differs: Told = ""
    weight: float = Field(0.5, gt=0, lt=1)

    @model_validator(mode="after")
    def _a_ratio_has_two_arms(self) -> Self:
        if (self.number is not None and self.number.kind == "hazard_ratio") != (self.against is not None):
            raise ValueError("a hazard_ratio, and only that, is against another arm")
        if self.against == self.arm:
            raise ValueError("against is another arm than arm")
        return self

    @model_validator(mode="after")
    def _times_have_an_endpoint(self) -> Self:
        if self.number is not None and (self.number.kind == "proportion") != (self.endpoint is None):
            raise ValueError("a hazard_ratio or a median is of an endpoint; a proportion is of best objective responses and names none")
        return self


# Beyond these a report would show 0.00 or 1.00; one that is so small or so large was typed wrongly.
Effect = Annotated[float, Field(ge=0.01, le=0.999)]


class Worthwhile(Frozen):
    """The smallest effects that would change what is done: a hazard ratio below 1, a gain in the share of responders."""

    hazard_ratio: Effect | None = None
    response_difference: Effect | None = None
    why: Told = ""
