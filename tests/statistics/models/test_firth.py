"""What Cox models, with Firth's penalty and without, say where a ratio is no number."""

import numpy as np
import pytest
from reference_data import make_tte

from lib.statistics.models.cox import estimate_cox
from lib.statistics.models.firth import estimate_firth


@pytest.mark.parametrize("estimate", [estimate_firth, lambda *asked: estimate_cox(*asked).terms])
@pytest.mark.parametrize("step", [1.0, 1e9])
def test_a_ratio_per_step_that_is_no_number_is_left_out(step, estimate):
    tte = make_tte({"a": [(4, 1), (7, 0), (9, 1), (11, 0)], "b": [(3, 0), (8, 1), (10, 0), (12, 1)]})
    tte = tte.assign(x=np.array([3.0, 1, 4, 1, 5, 9, 2, 6]) / step)
    terms = estimate(tte, "a", ["x"])
    row = terms[terms["term"] == "x"].iloc[0]
    assert np.isfinite([row["coef"], row["p_value"]]).all()
    assert np.isnan(row["ci_high"]) == (step > 1)
