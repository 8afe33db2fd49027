"""Results -> sentences, hedged by what n and p carry: never "no difference" from a large p, never "superior"."""

from lib.show.sentences import (
    cohort,
    course,
    design,
    laboratory,
    markers,
    plain,
    response,
    robustness,
    safety,
    survival,
)

__all__ = ["cohort", "course", "design", "laboratory", "markers", "models", "plain", "response", "robustness", "safety", "survival"]
