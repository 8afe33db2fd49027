"""The part `strategy` of study.yml: a treatment that takes time to begin, and whose arm is known only when it has."""

from __future__ import annotations

__all__ = ["Strategy"]

from pydantic import Field

from lib.study.parts import Days, Frozen, Id, Text


class Strategy(Frozen):
    """Begin with one component and add `add` within `within_days`, against not adding it within them.

    Patients of `arms` (those who began with what both strategies begin with) are cloned, censored when they leave a
    strategy, and weighted for that.
    """

    label: Text
    arms: tuple[Id, ...] = Field(min_length=1)
    add: Id
    within_days: Days = Field(ge=1)
