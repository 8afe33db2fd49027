"""Results -> tables for the page."""

from lib.show.tables import (
    cohort,
    conduct,
    confounding,
    course,
    design,
    laboratory,
    markers,
    models,
    parts,
    response,
    robustness,
    safety,
    survival,
)

__all__ = [
    "cohort",
    "conduct",
    "confounding",
    "course",
    "design",
    "laboratory",
    "markers",
    "models",
    "parts",
    "response",
    "robustness",
    "safety",
    "survival",
]
