"""The part `strategy` of study.yml: a treatment that takes time to begin, and whose arm is known only when it has."""

from __future__ import annotations

__all__ = ["Strategy", "check_strategy", "shared_components"]

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from lib.study.clinic.treatment import Component
from lib.study.parts import Days, Frozen, Id, Told


class Strategy(Frozen):
    """Begin with one component and add `add` within `within_days`, against not adding it within them.

    Patients of `arms` (those who began with what both strategies begin with) are cloned, censored when they leave a
    strategy, and weighted for that.
    """

    label: Told
    arms: tuple[Id, ...] = Field(min_length=1)
    add: Id
    within_days: Annotated[Days, Field(ge=1)]


def shared_components(components: Sequence[Component], strategy: Strategy) -> list[str]:
    """Ids of what every arm of a strategy receives, the component to be added left out: with one of them both strategies begin."""
    return [c.id for c in components if c.id != strategy.add and set(strategy.arms) <= set(c.arms)]


def check_strategy(components: Sequence[Component], strategy: Strategy | None) -> None:
    """Refuse a strategy whose arms have nothing to begin with, or nobody who could add the component.

    Raises
    ------
    ValueError
        With the key.
    """
    if strategy is None:
        return
    arms = ", ".join(strategy.arms)
    if not shared_components(components, strategy):
        raise ValueError(f"strategy.arms: no component but {strategy.add} is given in all of {arms}, so that nobody can begin both strategies")
    if not any(set(strategy.arms) & set(c.arms) for c in components if c.id == strategy.add):
        raise ValueError(f"strategy.add: {strategy.add} is given in none of {arms} (treatments.components)")
