"""What Cox models, with Firth's penalty and without, say where a ratio is no number."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from reference_data import make_tte

from lib.statistics.models.cox import estimate_cox
from lib.statistics.models.design import make_design
from lib.statistics.models.firth import _gradient, _penalised, estimate_firth
from lib.statistics.models.partial_likelihood import make_risk_sets


@pytest.mark.parametrize("estimate", [estimate_firth, lambda *asked: estimate_cox(*asked).terms])
@pytest.mark.parametrize("step", [1.0, 1e9])
def test_a_ratio_per_step_that_is_no_number_is_left_out(step, estimate):
    tte = make_tte({"a": [(4, 1), (7, 0), (9, 1), (11, 0)], "b": [(3, 0), (8, 1), (10, 0), (12, 1)]})
    tte = tte.assign(x=np.array([3.0, 1, 4, 1, 5, 9, 2, 6]) / step)
    terms = estimate(tte, "a", ["x"])
    row = terms[terms["term"] == "x"].iloc[0]
    assert np.isfinite([row["coef"], row["p_value"]]).all()
    assert np.isnan(row["ci_high"]) == (step > 1)


@given(st.lists(st.tuples(st.integers(1, 6), st.booleans(), st.integers(0, 2), st.floats(-2, 2)), min_size=8, max_size=25), st.booleans())
@settings(max_examples=40, deadline=None)
def test_the_gradient_is_the_slope_of_what_is_maximised(rows, layered):
    """The penalty's gradient by third moments, against central differences of the penalised likelihood; ties, strata."""
    frame = pd.DataFrame(rows, columns=["time", "event", "g", "x"]).assign(time=lambda d: d["time"].astype(float))
    frame["arm"] = pd.Categorical(np.where(np.arange(len(frame)) % 2, "a", "b"), categories=["a", "b"], ordered=True)
    design = make_design(frame, "a", ["x"])
    sets = make_risk_sets(frame, design, "g" if layered else None, ties="breslow")
    beta = np.array([0.3, -0.2])
    value, at = _penalised(sets, beta)
    # No slope where the information is next to singular: rounding would decide the differences.
    assume(np.isfinite(value) and np.linalg.cond(at.information) < 1e4 and np.linalg.det(at.information) > 1e-3)
    slopes = [(_penalised(sets, beta + 1e-5 * unit)[0] - _penalised(sets, beta - 1e-5 * unit)[0]) / 2e-5 for unit in np.eye(2)]
    assert _gradient(sets, beta, at) == pytest.approx(slopes, rel=1e-5, abs=1e-6)
