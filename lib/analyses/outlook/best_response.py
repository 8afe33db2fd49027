"""Who responded at best, of all whose first assessment was due: what the next trial and other studies are held against."""

from __future__ import annotations

__all__ = ["count_best_responses"]

import pandas as pd

from lib.dataset.course import course_frame
from lib.dataset.dataset import Dataset
from lib.statistics import proportions


def count_best_responses(data: Dataset) -> pd.DataFrame | None:
    """Best objective responses by arm: `group`, `count`, `n`; None in a study without lesions that are measured."""
    if not (data.holds("lesions") and data.holds("measurements")):
        return None
    course = course_frame(data)
    return proportions.count_outcome(course[course["best_response"] != "not due"], "responder")
