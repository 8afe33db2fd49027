"""The confidence level reaches every interval: a lower one makes each narrower, and none wider."""

import io

import pandas as pd
import pytest
from designed_studies import write_case
from notebook_cells import NOTEBOOKS, each_week, run_notebook, without_drawing
from random_study import Design, write_random

pytestmark = pytest.mark.thorough

KEY = ["report", "output", "variable", "group", "time"]
# Read off steps of a curve or ordered values: a small study may give the same at two levels, or a lower limit that lies
# beyond the end of the curve at the lower one.
STEPS = {"median", "quartile_1", "quartile_3", "follow_up", "response_landmark_median", "duration_of_response"}


def limits(folder, name: str, level: float, patch) -> pd.DataFrame:
    """Both limits of every row of results.csv that has them."""
    without_drawing(patch)
    shown = run_notebook(name, patch, study=str(folder), level=level)
    rows = pd.read_csv(io.StringIO(shown.records("results")[0]["csv"]), dtype={"group": str}, keep_default_na=False, na_values={"value": [""]})
    wide = rows[rows["statistic"].isin(["ci_low", "ci_high"])].pivot(index=KEY, columns="statistic", values="value")
    return wide.astype(float)


@pytest.fixture(scope="module")
def studies(tmp_path_factory):
    where = tmp_path_factory.mktemp("levels")
    return {"clinic": write_random(where / "clinic", Design((9, 8), seed=7, hazard=0.04)), "competing": write_case(where / "case", "competing")}


@pytest.mark.parametrize(("study", "name"), [*(("clinic", name) for name in NOTEBOOKS), ("competing", "efficacy"), *each_week([("competing", "robustness")], [])])
def test_a_lower_level_is_narrower_in_every_output(studies, study, name):
    found = []
    for level in (0.95, 0.7):
        with pytest.MonkeyPatch.context() as patch:
            found.append(limits(studies[study], name, level, patch))
    wide, narrow = found
    assert len(wide)
    both = wide.join(narrow, rsuffix="_narrow", how="outer")
    # A limit that is not reached at 95 % may be at 70 %; the other way round is for steps alone.
    steps = both.index.get_level_values("output").isin(STEPS)
    assert both[both["ci_low"].notna() & both["ci_low_narrow"].isna() & ~steps].empty
    assert both[both["ci_high"].notna() & both["ci_high_narrow"].isna()].empty
    slack = 1e-9 * (1 + both.abs().max(axis=1))
    wider = (both["ci_low_narrow"] < both["ci_low"] - slack) | (both["ci_high_narrow"] > both["ci_high"] + slack)
    assert both[wider].empty
    closer = (both["ci_low_narrow"] > both["ci_low"] + slack) | (both["ci_high_narrow"] < both["ci_high"] - slack)
    known = both[["ci_low", "ci_high"]].notna().any(axis=1)
    moved = closer.groupby("output").any()[known.groupby("output").any()]
    assert set(moved[~moved].index) <= STEPS, "outputs whose intervals do not know the level"
