"""Sum of diameters, response and volume of lib/intake/recist.py."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.intake.recist import RESPONSES, derive_growth, derive_response, derive_sums, derive_volume
from lib.study.clinic.tumour import Response

RULE = Response(visits=(6,), node_sites=("node",))
DAY_0 = pd.Timestamp("2020-01-01")


def course(*lesions: dict, patient: str = "P1"):
    """Lesions and measurements from {site, target, sizes: visit -> longest or (longest, short, third) or "absent"}."""
    rows, known = [], []
    for i, lesion in enumerate(lesions, 1):
        name = f"{patient}-{i}"
        known.append((name, patient, lesion.get("site", "lung"), lesion.get("target", True), False))
        for visit, size in lesion["sizes"].items():
            status = size if isinstance(size, str) else "measured"
            axes = {"absent": 0.0, "too_small": 5.0}.get(status, size)
            axes = axes if isinstance(axes, tuple) else (axes,) * 3
            date = DAY_0 + pd.Timedelta(days=30 * visit)
            rows.append((name, date, float(visit), *axes, status == "too_small", status))
    columns = ["lesion_id", "assessment_date", "visit", "longest_mm", "short_mm", "third_mm", "too_small", "status"]
    return (
        pd.DataFrame(known, columns=["lesion_id", "patient_id", "site", "target", "treated"]),
        pd.DataFrame(rows, columns=columns),
    )


def responses(*lesions: dict, rule: Response = RULE) -> dict:
    derived = derive_response(*course(*lesions), rule)
    return {visit: None if pd.isna(r) else r for visit, r in zip(derived["visit"], derived["response"], strict=True)}


def one(**sizes) -> dict:
    """One target, sizes by visit: v0=30, v3=20."""
    return {"sizes": {int(visit[1:]): size for visit, size in sizes.items()}}


@pytest.mark.parametrize(
    ("baseline", "then", "expected"),
    [
        (100.0, 70.0, "PR"),
        (100.0, 70.1, "SD"),
        (100.0, 120.0, "PD"),
        (100.0, 119.9, "SD"),
        (91.5, 109.8, "PD"),  # 1.2 * 91.5 > 109.8 in floating point
        (30.3, 21.2, "PR"),  # exactly 0.6997
        (10.0, 14.9, "SD"),  # + 49 %, but below 5 mm
        (10.0, 15.0, "PD"),
        (100.0, "absent", "CR"),
        (100.0, "too_small", "PR"),
    ],
)
def test_thresholds_are_exact(baseline, then, expected):
    assert responses(one(v0=baseline, v6=then)) == {0: None, 6: expected}


def test_thresholds_come_from_the_study():
    rule = Response(visits=(6,), progression_ratio=1.73, progression_mm=2.5, partial_ratio=0.35)
    assert responses(one(v0=10.0, v6=17.3), rule=rule)[6] == "PD"
    assert responses(one(v0=10.0, v6=17.2), rule=rule)[6] == "SD"
    assert responses(one(v0=10.0, v6=3.5), rule=rule)[6] == "PR"


def test_nadir_includes_the_baseline_and_every_earlier_visit_but_not_this_one():
    derived = derive_response(*course(one(v0=50.0, v3=30.0, v6=40.0, v9=20.0)), RULE)
    assert derived["nadir_mm"].tolist()[1:] == [50.0, 30.0, 30.0]
    assert math.isnan(derived["nadir_mm"].iloc[0])
    assert derived["response"].tolist()[1:] == ["PR", "PD", "PD"]


def test_after_progression_it_stays():
    assert list(responses(one(v0=30.0, v3=36.0, v6=10.0, v9="absent")).values()) == [None, "PD", "PD", "PD"]


def test_node_is_measured_by_its_short_axis_and_is_normal_below_10_mm():
    node = {"site": "node", "sizes": {0: (30.0, 20.0, 15.0), 3: (30.0, 9.9, 9.0), 6: (30.0, 10.0, 9.0)}}
    derived = derive_response(*course(node), RULE)
    assert derived["sum_mm"].tolist() == [20.0, 9.9, 10.0]
    assert derived["response"].tolist()[1:] == ["CR", "PR"]


def test_complete_response_needs_every_target():
    node, lung = {"site": "node", "sizes": {0: 20.0, 3: 8.0, 6: 8.0}}, one(v0=20.0, v3=5.0, v6="absent")
    assert responses(node, lung) == {0: None, 3: "PR", 6: "CR"}


def test_missing_target_is_not_evaluable_and_is_no_nadir():
    first, second = one(v0=30.0, v3=10.0, v6=30.0), one(v0=30.0, v6=30.0)
    derived = derive_response(*course(first, second), RULE)
    assert derived["response"].tolist()[1:] == ["NE", "SD"]
    assert derived["nadir_mm"].tolist()[1:] == [60.0, 60.0]
    assert math.isnan(derived["percent_change"].iloc[1])


def test_row_without_diameter_is_not_evaluable():
    assert responses(one(v0=30.0, v3=np.nan, v6=30.0)) == {0: None, 3: "NE", 6: "SD"}


def test_new_lesion_is_progression_even_when_targets_are_missing():
    target, new = one(v0=30.0, v3=10.0, v9=5.5), {"target": False, "sizes": {6: 8.0, 9: 8.0}}
    derived = derive_response(*course(target, new), RULE)
    assert derived["new_lesion"].tolist() == [False, False, True, False]
    assert derived["response"].tolist()[1:] == ["PR", "PD", "PD"]
    assert derived["n_targets"].unique().tolist() == [1]


def test_new_target_does_not_join_the_sum():
    derived = derive_response(*course(one(v0=30.0, v6=30.0), one(v6=40.0)), RULE)
    assert derived["sum_mm"].tolist() == [30.0, 30.0]
    assert derived["response"].tolist()[1:] == ["PD"]


def test_absent_row_is_no_new_lesion():
    assert responses(one(v0=30.0, v6=30.0), {"target": False, "sizes": {6: "absent"}})[6] == "SD"


def test_without_baseline_nothing_is_evaluable():
    assert responses(one(v3=30.0, v6=10.0)) == {3: "NE", 6: "NE"}


def test_status_column_is_optional():
    lesions, measurements = course(one(v0=30.0, v3="too_small"))
    derived = derive_response(lesions, measurements.drop(columns="status"), RULE)
    assert derived["sum_mm"].tolist() == [30.0, 5.0]


def test_sums_and_empty_tables():
    lesions, measurements = course(one(v0=30.3, v3=20.1), one(v0=9.9, v3=10.0))
    sums = derive_sums(lesions, measurements, RULE)
    assert sums["sum_mm"].tolist() == [40.2, 30.1]
    assert sums["n_measured"].tolist() == [2, 2]
    for frame in (derive_response(lesions[:0], measurements[:0], RULE), derive_volume(lesions[:0], measurements[:0])):
        assert frame.empty
        assert frame.columns[:3].tolist() == ["patient_id", "assessment_date", "visit"]


def test_volume_is_that_of_ellipsoids():
    first = {"sizes": {0: (30.0, 20.0, 10.0), 3: "absent", 6: (30.0, 20.0, np.nan)}}
    volume = derive_volume(*course(first, one(v0=10.0, v3=10.0, v6=10.0)))["volume_cm3"]
    assert volume.iloc[0] == pytest.approx(math.pi / 6 * (6.0 + 1.0), rel=1e-12)
    assert volume.iloc[1] == pytest.approx(math.pi / 6, rel=1e-12)
    assert math.isnan(volume.iloc[2])


def plainly(sizes: list[int]) -> list[str]:
    """The rule, written again for one lung target, in exact fractions; sizes in tenths of a millimetre."""
    status, progressed = [], False
    for i, size in enumerate(sizes[1:], 1):
        nadir = min(sizes[:i])
        progressed |= Fraction(size) >= Fraction("1.2") * nadir and size - nadir >= 50
        shrunk = Fraction(size) <= Fraction("0.7") * sizes[0]
        status.append("PD" if progressed else "CR" if size == 0 else "PR" if shrunk else "SD")
    return status


@given(
    st.lists(
        st.lists(st.integers(0, 600), min_size=2, max_size=8).filter(lambda s: s[0] >= 100), min_size=1, max_size=5
    )
)
@settings(max_examples=25, deadline=None)
def test_agrees_with_the_rule_written_plainly(patients):
    tables = [
        course({"sizes": {v: size / 10 if size else "absent" for v, size in enumerate(sizes)}}, patient=f"P{i}")
        for i, sizes in enumerate(patients)
    ]
    lesions, measurements = (pd.concat(frames) for frames in zip(*tables, strict=True))
    derived = derive_response(lesions, measurements.sample(frac=1, random_state=1), RULE)
    for i, sizes in enumerate(patients):
        own = derived[derived["patient_id"] == f"P{i}"]
        assert own["response"].tolist()[1:] == plainly(sizes)
        assert own["sum_mm"].tolist() == [size / 10 for size in sizes]
        assert own["response"].isin([*RESPONSES, np.nan]).all()


@given(st.integers(2, 9), st.floats(0.5, 3))
@settings(max_examples=15, deadline=None)
def test_larger_lesions_never_respond_better(scale, grow):
    """With a common factor on all sizes the response keeps; with growth at the last visit it never improves."""
    rank = {"CR": 0, "PR": 1, "SD": 2, "PD": 3}
    sizes = {0: 10.0 * scale, 3: 8.0 * scale}
    smaller = responses({"sizes": {**sizes, 6: round(6.0 * scale * grow, 1)}})[6]
    larger = responses({"sizes": {**sizes, 6: round(6.0 * scale * grow, 1) + 1}})[6]
    assert rank[larger] >= rank[smaller]


def by(criteria: str, **keys) -> Response:
    return RULE.model_copy(update=keys).by(criteria)


VOLUMES = [((10.0, 10.0, 10.0), "SD"), ((10.0, 10.0, 3.5), "SD"), ((10.0, 10.0, 3.4), "PR"), ((14.0, 14.0, 9.0), "PD"), ((12.0, 12.0, 11.9), "SD")]


@pytest.mark.parametrize(("then", "expected"), VOLUMES)
def test_volume_rule_multiplies_three_diameters(then, expected):
    """From 10 x 10 x 10 mm: partial at 0.343 of it (343 of 1000), progression at 1.728."""
    assert responses(one(v0=(10.0, 10.0, 10.0), v3=then), rule=by("volumetric"))[3] == expected


def test_volume_rule_calls_a_node_of_normal_size_gone():
    node = {"site": "node", "sizes": {0: (20.0, 16.0, 15.0), 3: (18.0, 9.9, 9.0)}}
    assert responses(node, rule=by("volumetric"))[3] == "CR"


@pytest.mark.parametrize("other", ["SD", "PD"])
def test_recist_leaves_out_lesions_that_were_treated(other):
    """One treated lesion shrinks, the other target stays or grows: only the other counts."""
    lesions, measured = course(one(v0=30.0, v3=9.0), one(v0=30.0, v3={"SD": 30.0, "PD": 36.0}[other]))
    lesions["treated"] = [True, False]
    assert derive_response(lesions, measured, RULE)["response"].iat[1] == ("PR" if other == "SD" else "SD")
    assert derive_response(lesions, measured, by("recist"))["response"].iat[1] == other
    lesions["treated"] = True
    assert derive_response(lesions, measured, by("recist"))["response"].iat[1] == "NE"


@pytest.mark.parametrize(("viable", "expected"), [(30.0, "SD"), (21.0, "PR"), (0.0, "CR"), (36.0, "PD"), (np.nan, "NE")])
def test_mrecist_measures_what_is_viable(viable, expected):
    lesions, measured = course(one(v0=40.0, v3=40.0))
    measured["viable_mm"] = [30.0, viable]
    assert derive_response(lesions, measured, by("mrecist"))["response"].iat[1] == expected
    assert derive_response(lesions, measured.drop(columns="viable_mm"), by("mrecist"))["response"].iat[1] == "NE"


def test_declared_rule_stays_what_it_is():
    assert by("") is not None and RULE.by("") is RULE
    assert by("volumetric", measure="volume", partial_ratio=0.5).partial_ratio == 0.5  # already of volumes


sizes = st.lists(st.integers(60, 600), min_size=2, max_size=6)


@given(sizes)
@settings(deadline=None)
def test_volumes_of_balls_answer_as_diameters_do(tenths):
    """One lesion that is a ball: by its volume or by its diameter, the same response."""
    diameters = RULE.model_copy(update={"progression_mm": 0})
    lesions, measured = course({"sizes": {visit: size / 10 for visit, size in enumerate(tenths)}})
    plain, cubed = (derive_response(lesions, measured, rule) for rule in (diameters, diameters.by("volumetric")))
    assert plain["response"].astype(str).tolist() == cubed["response"].astype(str).tolist()


@given(st.lists(st.tuples(*[st.integers(50, 900)] * 3), min_size=2, max_size=5))
@settings(deadline=None)
def test_change_of_volume_equals_the_ellipsoids(boxes):
    lesions, measured = course({"sizes": {visit: tuple(sorted((x / 10 for x in box), reverse=True)) for visit, box in enumerate(boxes)}})
    volumes = derive_volume(lesions, measured)["volume_cm3"].to_numpy()
    found = derive_response(lesions, measured, by("volumetric"))["percent_change"]
    np.testing.assert_allclose(found, 100 * (volumes / volumes[0] - 1), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("criteria", ["volumetric", "mrecist"])
def test_what_has_vanished_stays_a_complete_response(criteria):
    """Nothing grows by any ratio from nothing, where the rule asks for no millimetres."""
    lesions, measured = course(one(v0=30.0, v3="absent", v6="absent", v9=8.0))
    measured["viable_mm"] = measured["longest_mm"]
    found = derive_response(lesions, measured, by(criteria))["response"].tolist()[1:]
    assert found == ["CR", "CR", "PD"]
    grown = derive_growth(lesions, measured, by(criteria))["growth_date"].iat[0]
    assert grown == measured["assessment_date"].iat[-1]
