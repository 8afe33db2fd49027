"""The second computation agrees with the first, does not use it, and notices planted errors on either side."""

import ast
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from both_engines import compute, gather
from reference_data import SURVIVAL_SETS, load_expected, load_tte, make_tte

import lib
from lib.statistics.second_engine import survival


def landmarks(tte):
    return sorted(set(np.quantile(tte["time"], [0.2, 0.5, 0.8], method="inverted_cdf")))


@pytest.fixture(scope="module")
def small():
    tte = load_tte("edge_small_three_arm")
    times = landmarks(tte)
    return compute(tte, "a", times), survival.recompute(tte, "a", landmark_times=times)


@pytest.mark.parametrize("name", SURVIVAL_SETS)
def test_two_engines_agree(name):
    tte, reference = load_tte(name), load_expected(name)["arms"][0]
    times = landmarks(tte)
    second = survival.recompute(tte, reference, landmark_times=times)
    found = survival.verify(gather(**compute(tte, reference, times)), second)
    assert len(found) == len(second)  # nothing is recomputed in vain
    assert found["engine"].nunique() > 1


def test_another_level_is_followed():
    tte = load_tte("veteran")
    first = gather(**compute(tte, "squamous", [100], level=0.9))
    assert len(survival.verify(first, survival.recompute(tte, "squamous", 0.9, [100])))
    with pytest.raises(survival.DisagreementError, match="ci_low"):
        survival.verify(first, survival.recompute(tte, "squamous", 0.95, [100]))


@pytest.mark.parametrize("scale", [1e-5, 1e-3, 1.0, 1e6])
@pytest.mark.parametrize("noise", [0, 1e-12, 1e-8])
def test_short_times_and_noise(scale, noise):
    """Minutes in years, and the same time by two ways of computing it: the gap that is none is R's for both engines."""
    tte = load_tte("edge_small_three_arm")
    rng = np.random.default_rng(0)
    tte["time"] = scale * tte["time"] * np.pi + noise * rng.random(len(tte))
    times = landmarks(tte)
    second = survival.recompute(tte, "a", landmark_times=times)
    assert len(survival.verify(gather(**compute(tte, "a", times)), second)) == len(second)


def columns_of(frames):
    return [
        (name, column) for name, frame in frames.items() for column in frame.select_dtypes("number") if column != "time"
    ]


def test_an_error_planted_in_any_shown_number_is_caught(small):
    """Each numeric column of each frame in turn, moved by 0.001 % (or there where nothing should be)."""
    frames, second = small
    unseen = set()
    for name, column in columns_of(frames):
        wrong = frames[name].assign(**{column: frames[name][column].fillna(5.0) * 1.00001 + 1e-9})
        try:
            survival.verify(gather(**{name: wrong}), second)
            unseen.add(f"{name}.{column}")
        except survival.DisagreementError as error:
            assert f"{name}.{column}" in str(error)
    assert not unseen


def test_an_error_planted_in_the_second_engine_is_caught(small):
    frames, second = small
    first = gather(**frames)
    for row in range(0, len(second), 7):
        wrong = second.copy()
        wrong.loc[row, "value"] = 1.0 if np.isnan(wrong.loc[row, "value"]) else wrong.loc[row, "value"] * 1.0001 + 1e-4
        with pytest.raises(survival.DisagreementError) as error:
            survival.verify(first, wrong)
        assert f"{second.loc[row, 'output']}.{second.loc[row, 'statistic']}" in str(error.value)


def test_a_patient_moved_between_the_computations_is_caught():
    tte = load_tte("edge_small_three_arm")
    first = gather(**compute(tte, "a", [12]))
    wrong = tte.copy()
    wrong.loc[0, "event"] = ~wrong.loc[0, "event"]
    with pytest.raises(survival.DisagreementError, match="numbers differ"):
        survival.verify(first, survival.recompute(wrong, "a", landmark_times=[12]))


def test_the_message_gives_both_values(small):
    frames, second = small
    frames = frames | {"median": frames["median"].assign(median=[1.5, 2.5, 3.5])}
    with pytest.raises(survival.DisagreementError, match=r"median.median, a: 1.5 here, 11.4 by statsmodels"):
        survival.verify(gather(**frames), second)


def test_a_number_on_one_side_only_is_a_disagreement(small):
    frames, second = small
    frames = frames | {"median": frames["median"].assign(median=np.nan)}
    with pytest.raises(survival.DisagreementError, match="nan here"):
        survival.verify(gather(**frames), second)


def test_comparing_nothing_is_not_agreement(small):
    with pytest.raises(survival.DisagreementError, match="nothing was compared"):
        survival.verify(gather(flow_endpoint=pd.DataFrame({"group": ["a"], "n": [1.0]})), small[1])


def test_single_arm_and_no_events():
    for tte in (make_tte({"a": [(1, 1), (2, 0), (3, 1)]}), make_tte({"a": [(1, 0), (2, 0)], "b": [(3, 0)]})):
        found = survival.verify(gather(**compute(tte, "a", [2])), survival.recompute(tte, "a", 0.95, [2]))
        assert found["difference"].max() < 1e-9


def test_the_second_engines_import_nothing_of_the_first():
    """Of the library only each other."""
    parts = sorted((Path(lib.__file__).parent / "statistics" / "second_engine").glob("[a-z]*.py"))
    assert len(parts) == 11
    for path in parts:
        tree = ast.parse(path.read_text("utf-8"))
        froms = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        plain = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        ours = {module for module in froms | plain if module.split(".")[0] == "lib"}
        assert ours <= {f"lib.statistics.second_engine.{other.stem}" for other in parts}, path.name
