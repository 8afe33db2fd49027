"""Changes adjusted for the baseline: what is modelled, on which scale, against least squares on the tables themselves."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from lib.analyses.efficacy import adjusted, markers
from lib.analyses.result import where
from lib.dataset.dataset import load
from lib.report import recheck
from lib.report.results import to_rows
from lib.show import table
from lib.show.display import EMPTY

RAIR = "data/rair_dtc"


def least_squares(patients, arms):
    """Adjusted means by numpy: lm(change ~ baseline + arm), at the mean baseline."""
    columns = [(patients["arm"].astype(str) == arm).to_numpy(float) for arm in arms]
    x = np.column_stack([*columns, patients["baseline"] - patients["baseline"].mean()])
    return np.linalg.lstsq(x, patients["change"].to_numpy(float), rcond=None)[0][:-1]


@pytest.fixture(scope="module")
def data():
    return load("efficacy", study=RAIR)


def volumes(data):
    """Volume per patient and visit from the table of measurements: a lesion that has vanished is a ball of the least size."""
    lesions = data.tables["lesions"].set_index("lesion_id")
    rows = data.tables["measurements"]
    rows = rows.assign(patient_id=rows["lesion_id"].map(lesions["patient_id"]), target=rows["lesion_id"].map(lesions["target"]))
    rows = rows[rows["target"]].drop_duplicates(["lesion_id", "visit"])
    cubic = np.pi / 6 * rows["longest_mm"] * rows["short_mm"] * rows["third_mm"] / 1000
    small = np.pi / 6 * data.study.response.too_small_mm**3 / 1000
    rows = rows.assign(value=cubic.where(cubic > 0, small).where(rows["longest_mm"].notna()))
    return rows.groupby(["patient_id", "visit"])["value"].agg(lambda v: v.sum(skipna=False))


def test_volume_is_compared_as_a_ratio_and_a_vanished_lesion_has_a_size(data):
    found, by_visit = markers.analyse_volume(data, data.response_visits), volumes(data)
    frame = found["volume_adjusted_mean"]
    for visit, rows in frame.groupby("time"):
        arm = data.patients.set_index("patient_id")["arm"].astype(str)
        both = pd.DataFrame({"first": by_visit.xs(0.0, level="visit"), "now": by_visit.xs(visit, level="visit")}).dropna()
        known = set(found["values"].query("visit == @visit and value == value and baseline == baseline")["patient_id"])
        both = both[both.index.isin(known)]
        patients = pd.DataFrame({"arm": both.index.map(arm), "baseline": np.log(both["first"]), "change": np.log(both["now"] / both["first"])})
        assert_allclose(rows["ratio"], np.exp(least_squares(patients, data.study.arm_ids)), rtol=1e-8)
        assert rows["n"].tolist() == [(patients["arm"] == arm).sum() for arm in data.study.arm_ids]
        described = found["volume_percent_change"].query("time == @visit").set_index("group")["n"]
        assert rows.set_index("group")["n"].to_dict() == described.to_dict(), "nobody is left out whose lesions have vanished"


@pytest.mark.parametrize("scale", ["log", "linear"])
def test_a_marker_is_adjusted_on_its_scale(data, scale):
    tg = data.study.marker("tg").model_copy(update={"scale": scale})
    study = data.study.model_copy(update={"markers": tuple(tg if m.id == "tg" else m for m in data.study.markers)})
    given = replace(data, study=study)
    found = markers.analyse_marker(given, tg)
    name = "ratio" if scale == "log" else "estimate"
    for visit, rows in found["tg_adjusted_mean"].groupby("time"):
        tested = where(found["tested"], visit=visit).dropna()
        values = where(found["values"], visit=visit).drop_duplicates("patient_id").set_index("patient_id")
        start = tested["patient_id"].map(values["baseline"]).astype(float)
        patients = pd.DataFrame({"arm": tested["arm"], "baseline": np.log(start) if scale == "log" else start, "change": tested["tested"].astype(float)})
        means = least_squares(patients, study.arm_ids)
        assert_allclose(rows[name], np.exp(means) if scale == "log" else means, rtol=1e-8)
        pairs = found["tg_adjusted_difference"].query("time == @visit").set_index("group")
        apart = means[1:] - means[0]
        assert_allclose(pairs["ratio" if scale == "log" else "difference"], np.exp(apart) if scale == "log" else apart, rtol=1e-8)
        assert pairs.index.tolist() == ["B vs A", "C vs A"]
    checked = recheck.check(given, [(found, to_rows("efficacy", found))])
    assert (checked.compared["kind"] == "changes adjusted for the baseline").sum() > 50
    shown = table.adjusted(found)
    assert shown.columns[2].label == ("Ratio to baseline" if scale == "log" else "Change, ng/mL")
    assert len(shown.rows) == len(found["tg_adjusted_mean"]["time"].unique()) * (1 + 3 + 2 + 1)


def test_a_wrong_number_is_found_by_the_second_engine(data):
    found = markers.analyse_volume(data, data.response_visits)
    found["volume_adjusted_difference"].loc[0, "ratio"] *= 1.001
    with pytest.raises(ValueError, match="volume_adjusted_difference"):
        recheck.check(data, [(found, to_rows("efficacy", found))])


def test_zero_has_no_logarithm(data):
    values = pd.DataFrame({"patient_id": data.patients["patient_id"], "arm": data.patients["arm"], "visit": 6.0, "value": 0.0, "baseline": 2.0})
    frames, modelled = adjusted.adjust(data, "tg", values, (6.0,), log=True)
    assert frames["tg_adjusted_mean"]["ratio"].isna().all()
    assert set(frames["tg_adjusted_difference"]["note"]) == {adjusted.WITHOUT_LOGARITHM}
    assert modelled.empty


def test_one_arm_has_a_mean_and_nothing_to_compare():
    data = load("efficacy", study=RAIR, arms=["B"])
    found = markers.analyse_volume(data, data.response_visits)
    assert [name for name in found if "adjusted" in name] == ["volume_adjusted_mean"]
    assert {len(row.cells) for row in table.adjusted(found).rows if row.kind != "group"} == {4}
    few = markers.Levels(data, "volume", {"volume_adjusted_mean": found["volume_adjusted_mean"].assign(std_err=np.nan)})
    assert table.adjusted(few) == EMPTY
