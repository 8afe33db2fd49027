"""Values above what an assay can measure: as the limit in levels, without a change where the baseline is one."""

from dataclasses import replace

import numpy as np
import pytest

from lib.analyses.efficacy import marker_models, markers
from lib.analyses.result import where
from lib.analyses.safety.laboratory import sample_frame
from lib.dataset.dataset import load
from lib.dataset.derived import marker_frame
from lib.dataset.markers import ABOVE
from lib.show.tables.markers.change import table_excluded, table_level, table_presence
from lib.study.clinic.markers import Interference, Reference

MARKER = load("efficacy").study.marker("tg").model_copy(update={"interference": None, "match_state": False})


def with_a_rise():
    """The shipped cohort, in which the patient of the lowest baseline rises above everybody."""
    data = load("efficacy")
    samples = data.tables["markers"].copy()
    own = samples[samples["marker"] == MARKER.id]
    lowest = own[own["visit"] == 0].sort_values("value")["patient_id"]
    risen = next(patient for patient in lowest if (own["patient_id"].eq(patient) & own["visit"].isin(MARKER.visits[1:])).any())
    samples.loc[own.index[own["patient_id"].eq(risen) & own["visit"].isin(MARKER.visits[1:])], "value"] = 1e6
    samples["above_limit"] = False  # as if every sample had been diluted
    return replace(data, tables=data.tables | {"markers": samples})


DATA = with_a_rise()


def limited(limit: float):
    """The cohort as an assay with this upper limit would have measured it, and its samples without one."""
    samples = DATA.tables["markers"].copy()
    above = samples["marker"].eq(MARKER.id) & samples["value"].gt(limit)
    samples["above_limit"] = above
    samples.loc[above, "value"] = limit
    return replace(DATA, tables=DATA.tables | {"markers": samples})


LIMIT = float(marker_frame(DATA, MARKER).query("visit == 0")["value"].quantile(0.8))
CUT = limited(LIMIT)
TRUTH, CUT_VALUES = marker_frame(DATA, MARKER), marker_frame(CUT, MARKER)


def test_a_value_above_the_limit_is_the_limit_and_ranks_are_kept():
    assert CUT_VALUES["above_limit"].sum() == TRUTH["value"].gt(LIMIT).sum() > 0
    np.testing.assert_array_equal(CUT_VALUES["value"], TRUTH["value"].clip(upper=LIMIT))


def test_quantiles_that_no_such_value_reaches_are_those_of_the_truth():
    full, cut = (markers.analyse_marker(data, MARKER)["tg_level"].set_index(["time", "group"]) for data in (DATA, CUT))
    both = full.join(cut, rsuffix="_cut")
    reached = both["median"] < LIMIT
    assert reached.any()
    np.testing.assert_allclose(both.loc[reached, "median_cut"], both.loc[reached, "median"])
    assert (cut["note"].ne("") == (cut["max"] == LIMIT)).all() and cut["note"].ne("").any()


def test_from_a_baseline_above_the_limit_no_change_is_told():
    from_above = TRUTH[(TRUTH["visit"] == 0) & (TRUTH["value"] > LIMIT)]["patient_id"]
    own = CUT_VALUES["patient_id"].isin(from_above)
    assert (CUT_VALUES["unchanged"].eq(ABOVE) == own).all() and own.any()
    changes = ["baseline", "change", "percent_change", "log_ratio"]
    assert CUT_VALUES.loc[own, changes].isna().all(axis=None)
    known = ~own & CUT_VALUES["value"].lt(LIMIT)
    np.testing.assert_allclose(CUT_VALUES.loc[known, changes], TRUTH.loc[known, changes])


def test_whose_baseline_is_above_the_limit_is_counted_as_left_out():
    analysis = markers.analyse_marker(CUT, MARKER)
    excluded = where(analysis["marker_excluded"], variable=f"tg: {ABOVE}").set_index("group")["count"]
    expected = CUT_VALUES[CUT_VALUES["above_limit"] & (CUT_VALUES["visit"] == 0)].groupby("arm", observed=False)["patient_id"].nunique()
    assert excluded.to_dict() == expected.to_dict()
    within = analysis["tg_within"].groupby("time")["n"].sum()
    for visit, n in within.items():
        with_value = CUT_VALUES[(CUT_VALUES["visit"] == visit) & (CUT_VALUES["unchanged"] == "")]
        assert n == with_value["baseline"].notna().sum()
    assert "above the limit" in str(table_excluded(analysis)) and "count as that limit" in str(table_level(analysis).notes)


def test_the_model_leaves_the_same_patients_out_and_is_fitted_again_without_such_values():
    model = marker_models.analyse_model(CUT, MARKER)
    used = model.data["samples"].set_index("choice")
    assert (used.loc[marker_models.MAIN, "unchanged"] == "").all() and used.loc[marker_models.ALL, "unchanged"].ne("").any()
    again = used.loc["samples below the upper limit of the assay"]
    assert not again["above_limit"].any() and len(again) < len(used.loc[marker_models.MAIN])


def test_samples_above_the_limit_are_counted_beside_those_below():
    presence = marker_models.analyse_presence(CUT, MARKER)
    at = CUT_VALUES[CUT_VALUES["visit"].isin(MARKER.visits)]
    assert presence["tg_above_limit"]["count"].sum() == at["above_limit"].sum() > 0
    assert "above the limit of the assay" in str(table_presence(presence))
    assert "tg_above_limit" not in marker_models.analyse_presence(DATA, MARKER).frames


@pytest.mark.parametrize(("value", "above", "interferes"), [(40, True, True), (40, False, False), (500, True, True), (30, True, False)])
def test_an_interfering_value_above_its_assay_is_above_every_lower_limit(value, above, interferes):
    samples = DATA.tables["markers"].copy()
    other = samples["marker"].eq("tgab")
    one = samples.index[other][0]
    samples.loc[other, "value"], samples["above_limit"] = 10.0, False
    samples.loc[one, ["value", "above_limit"]] = [value, above]
    data = replace(DATA, tables=DATA.tables | {"markers": samples})
    marker = MARKER.model_copy(update={"interference": Interference(marker="tgab", above=40)})
    left_out = marker_frame(data, marker).query("excluded != ''")["patient_id"].unique()
    assert list(left_out) == ([samples.loc[one, "patient_id"]] if interferes else [])


def test_a_laboratory_value_above_the_limit_lies_above_a_reference_limit_of_the_same_value():
    watched = MARKER.model_copy(update={"reference": Reference(high=LIMIT)})
    samples = sample_frame(CUT, watched)
    assert (samples["ratio"] > 1).sum() == TRUTH["value"].gt(LIMIT).sum()
    assert samples["ratio"].max() == pytest.approx(1, rel=1e-12)
