"""What is known of one quantity: a distribution with quantiles and probabilities, and what is read off it."""

from __future__ import annotations

__all__ = ["Knowledge", "find_quantile", "read_off"]

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from scipy import optimize


class Knowledge(Protocol):
    """A distribution of one quantity."""

    @property
    def mean(self) -> float:
        """Its mean."""
        ...

    def cdf(self, x: np.ndarray | float) -> np.ndarray:
        """Probability of at most `x`."""
        ...

    def pdf(self, x: np.ndarray) -> np.ndarray:
        """Density at `x`."""
        ...

    def quantile(self, p: float) -> float:
        """Value below which the quantity lies with probability `p`."""
        ...


def find_quantile(cdf: Callable[[float], np.ndarray], p: float, ends: Sequence[float]) -> float:
    """Value between the `ends` at which a continuous distribution reaches `p`; an end where it does so there."""
    low, high = min(ends), max(ends)
    if low == high or float(cdf(low)) >= p:
        return low
    if float(cdf(high)) <= p:
        return high
    return float(optimize.brentq(lambda x: float(cdf(x)) - p, low, high, xtol=1e-13, rtol=1e-13))


def read_off(known: Knowledge, level: float) -> dict[str, float]:
    """Median, mean and the interval that leaves as much on either side (equal tails)."""
    tail = (1 - level) / 2
    return {"median": known.quantile(0.5), "mean": known.mean, "ci_low": known.quantile(tail), "ci_high": known.quantile(1 - tail)}
