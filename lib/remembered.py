"""What is derived from a data set more than once, derived once.

A page asks for the response of every patient in its flow, its tables and each profile; the answer is the same.
"""

from __future__ import annotations

__all__ = ["once_per_dataset"]

import weakref
from collections.abc import Callable
from functools import wraps

import pandas as pd

from lib.dataset import Dataset


def once_per_dataset(derive: Callable[..., pd.DataFrame]) -> Callable[..., pd.DataFrame]:
    """Let `derive(data, *arguments)` work once for each data set and arguments, as long as the data set is in use.

    Every caller gets a copy of its own, so none can change what another is given.
    """
    known: dict[int, dict[str, pd.DataFrame]] = {}

    @wraps(derive)
    def remembered(data: Dataset, *arguments) -> pd.DataFrame:
        if id(data) not in known:
            known[id(data)] = {}
            weakref.finalize(data, known.pop, id(data))
        own, asked = known[id(data)], repr(arguments)
        if asked not in own:
            own[asked] = derive(data, *arguments)
        return own[asked].copy()

    return remembered
