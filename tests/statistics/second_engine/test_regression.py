"""The second engine of regressions climbs to the top wherever there is one."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from reference_data import make_tte

from lib.statistics.models.cox import estimate_cox
from lib.statistics.second_engine import nested
from lib.statistics.second_engine.regression import Cox

# Minutes to breakdown of an insulating fluid by voltage (Nelson 1982; R's survival::ifluid): arms that hardly overlap.
FLUID = {
    "v26": [5.79, 1579.52, 2323.7],
    "v30": [7.74, 17.05, 20.46, 21.02, 22.66, 43.4, 47.3, 139.07, 144.12, 175.88, 194.9],
    "v34": [0.19, 0.78, 0.96, 1.31, 2.78, 3.16, 4.15, 4.67, 4.85, 6.5, 7.35, 8.01, 8.27, 12.06, 31.75, 32.52, 33.91, 36.71, 72.89],
    "v38": [0.09, 0.39, 0.47, 0.73, 0.74, 1.13, 1.4, 2.38],
}


@pytest.mark.parametrize("left_out", [None, "v30", "v38"])
def test_steps_that_go_too_far_are_taken_back(left_out):
    """Newton's full steps from 0 miss the top."""
    tte = make_tte({arm: [(t, 1) for t in times] for arm, times in FLUID.items() if arm != left_out})
    expected = estimate_cox(tte, "v26").terms[["coef", "std_err"]].to_numpy()
    x = np.column_stack([(tte["arm"] == arm).to_numpy(float) for arm in FLUID if arm not in ("v26", left_out)])
    time, event = tte["time"].to_numpy(float), tte["event"].to_numpy(bool)
    model = Cox(time, event, x - x.mean(axis=0))
    beta = model.climb()
    assert_allclose(np.column_stack([beta, model.errors(beta)]), expected, rtol=1e-7)
    assert_allclose(nested.Events(time, event).fit(x).coef, expected[:, 0], rtol=1e-7)
