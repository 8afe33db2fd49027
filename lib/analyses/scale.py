"""The scale of time under the curves of a report, and who is left at its ticks."""

from __future__ import annotations

__all__ = ["common_ticks", "left_at_risk", "ticks"]

import numpy as np
import pandas as pd

from lib.dataset.dataset import Dataset, once_per_dataset
from lib.dataset.derived import time_to_event_frame
from lib.statistics.survival import kaplan_meier

# Distance between two ticks under a curve, smallest first, in the study's unit.
TICK_STEPS = {
    "days": (7, 30, 90, 180, 365, 730),
    "weeks": (4, 13, 26, 52, 104),
    "months": (1, 3, 6, 12, 24),
    "years": (1, 2, 5, 10),
}
MAX_TICKS = 9
# With fewer ticks than this on its axis a curve has a scale of its own.
MIN_TICKS = 4


def ticks(longest: float, unit: str) -> list[float]:
    """Ticks of a time axis: the smallest step that needs no more than nine.

    Parameters
    ----------
    longest : float
        Largest time, in the study's unit.
    unit : str

    Returns
    -------
    list of float, from 0
    """
    longest = 1.0 if not np.isfinite(longest) or longest <= 0 else float(longest)
    return _up_to(longest, _step(longest, unit))


def _step(longest: float, unit: str) -> float:
    return next((s for s in TICK_STEPS[unit] if longest / s < MAX_TICKS), np.ceil(longest / (MAX_TICKS - 1)))


def _up_to(longest: float, step: float) -> list[float]:
    return [float(step * i) for i in range(int(longest // step) + 1)]


def common_ticks(data: Dataset, longest: float) -> list[float]:
    """Ticks of one curve of a report: as far apart as on the longest of them, so that curves can be compared.

    A curve that is much shorter than the longest has those of `ticks`.

    Parameters
    ----------
    data : Dataset
    longest : float
        Largest time on the axis of this curve, in the study's unit.
    """
    own, every = ticks(longest, data.study.time.unit), _longest(data)["time"].max()
    if not every > longest > 0:  # nothing to agree with
        return own
    shared = _up_to(longest, _step(every, data.study.time.unit))
    return shared if len(shared) >= MIN_TICKS else own


def left_at_risk(data: Dataset, tte: pd.DataFrame, longest: float) -> pd.DataFrame:
    """Patients at risk at the ticks of any other curve of a report: `group`, `time`, `n_risk`."""
    return kaplan_meier.count_at_risk(tte, common_ticks(data, longest))[["group", "time", "n_risk"]]


@once_per_dataset
def _longest(data: Dataset) -> pd.DataFrame:
    """Largest known time to each endpoint."""
    return pd.DataFrame({"time": [time_to_event_frame(data, endpoint)["time"].max() for endpoint in data.study.endpoints]}, dtype=float)
