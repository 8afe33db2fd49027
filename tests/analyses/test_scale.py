"""Ticks under curves."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from lib.analyses import scale
from lib.dataset import dataset


@pytest.mark.parametrize(
    ("longest", "unit"),
    [(0, "months"), (7.9, "months"), (80, "months"), (9.1, "years"), (40, "years"), (np.nan, "days")],
)
def test_ticks_are_few_and_reach_the_end(longest, unit):
    found = scale.ticks(longest, unit)
    assert found[0] == 0
    assert len(found) <= 10
    assert np.isnan(longest) or found[-1] <= max(longest, 1)


@pytest.mark.parametrize(("longest", "last"), [(80, 72), (50, 48), (37, 36), (20, 18), (0, 1), (np.nan, 1)])
def test_ticks_of_a_report_are_equally_far_apart_unless_a_curve_is_much_shorter(longest, last, monkeypatch):
    data = dataset.load("efficacy")
    monkeypatch.setattr(scale, "_longest", lambda data: pd.DataFrame({"time": [30.0, 80.0, np.nan]}))
    found = scale.common_ticks(data, longest)
    assert found[-1] == last
    assert set(np.diff(found)) <= ({12.0} if longest > 36 else {1.0, 3.0, 6.0})


@pytest.mark.parametrize("unit", list(scale.TICK_STEPS))
def test_a_report_whose_curves_all_end_before_the_first_tick(unit, monkeypatch):
    data = dataset.load("efficacy")
    short = data.study.model_copy(update={"time": data.study.time.model_copy(update={"unit": unit})})
    monkeypatch.setattr(scale, "_longest", lambda data: pd.DataFrame({"time": [0.2, 0.5]}))
    assert scale.common_ticks(dataclasses.replace(data, study=short), 0.2) == [0.0]
