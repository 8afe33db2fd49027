"""Proportional hazards and absolute differences: what is drawn against the numbers, and what is not drawn."""

from dataclasses import replace

import numpy as np
import pytest
from designed_studies import CASES, write_case
from matplotlib.colors import to_hex
from numpy.testing import assert_allclose

from lib.analyses.efficacy import response, survival
from lib.analyses.result import Absent, where
from lib.analyses.robustness import subgroups
from lib.dataset.dataset import load
from lib.show.disclosure.audience import mask_analysis
from lib.show.display import EMPTY
from lib.show.formats import format_points
from lib.show.labels import pair_label
from lib.show.plots import effects

pytestmark = pytest.mark.thorough

STUDIES = ("data/rair_dtc", "data/colon", "tests/cases/six_arms")


def of(study):
    data = load("efficacy", study=str(study))
    return survival.analyse(data, data.study.primary), response.analyse(data, data.response_visits)


@pytest.fixture
def drawn_by(monkeypatch):
    """Matplotlib's figure, and the words that stand for it."""

    def made(plot, *arguments):
        kept = []
        monkeypatch.setattr(effects, "write_figure", lambda figure, *rest: kept.append((figure, *rest)))
        plot(*arguments)
        return kept[0]

    return made


@pytest.mark.parametrize("study", STUDIES)
def test_every_step_stands_where_the_curve_is_and_parallel_is_proportional(drawn_by, study):
    analysis, _ = of(study)
    figure, *_ = drawn_by(effects.plot_hazards, analysis)
    axes = figure.axes[0]
    arms = {arm.label: arm for arm in analysis.dataset.arms}
    for line in axes.lines:
        curve = where(analysis["curve"], group=arms[line.get_label()].id)
        curve = curve[(curve["survival"] < 1) & (curve["survival"] > 0) & (curve["time"] > 0)]
        assert_allclose(np.column_stack(line.get_data()), curve[["time", "survival"]].to_numpy(float))
        assert to_hex(line.get_color()) == arms[line.get_label()].colour.lower()
    # Twice the hazard is the same distance on the scale, whatever the share: survival and its square.
    heights = [axes.transData.transform((1, share))[1] - axes.transData.transform((1, share**2))[1] for share in (0.95, 0.8, 0.5, 0.3)]
    assert_allclose(heights, heights[0])
    assert heights[0] > 0, "who fares better stands above"


def test_the_test_of_proportional_hazards_stands_below(drawn_by):
    analysis, _ = of("data/colon")
    figure, *words = drawn_by(effects.plot_hazards, analysis)
    assert figure.axes[0].get_xlabel().endswith("Test of proportional hazards, all arms: p = 0.860")
    assert "p = 0.860" in words[2]
    six, _ = of("tests/cases/six_arms")
    assert drawn_by(effects.plot_hazards, six)[0].axes[0].get_xlabel().endswith("Proportional hazards were not tested")


@pytest.mark.parametrize("study", STUDIES)
def test_every_difference_has_its_square_interval_and_words(drawn_by, study):
    analysis, responses = of(study)
    figure, _, _, alt, _ = drawn_by(effects.plot_differences, analysis, responses)
    axes, words = figure.axes[1], [text.get_text() for text in figure.axes[2].texts]
    expected = [row for _, row in analysis["landmark_difference"].sort_values("time", kind="stable").iterrows()]
    if not isinstance(responses, Absent):
        rows = responses["objective_response_treated_difference"]
        expected += [row for _, row in rows.iterrows() if row["group"].endswith(f" vs {analysis.dataset.reference}")]
    squares = [line for line in axes.lines if line.get_marker() == "s"]
    assert_allclose([line.get_xdata()[0] for line in squares], [row["difference"] for row in expected if row["difference"] == row["difference"]])
    limits = [line.get_xdata() for line in axes.lines if len(line.get_xdata()) == 2 and line.get_linewidth() == 1.4]
    assert_allclose(limits, [[row["ci_low"], row["ci_high"]] for row in expected if row["ci_low"] == row["ci_low"]])
    assert len(words) == len(expected) + 1
    for row in expected:
        told = f"{format_points(row['difference'])} (" if row["difference"] == row["difference"] else "not estimated"
        assert any(word.startswith(told) for word in words)
        assert pair_label(analysis.dataset, row["group"]) in alt
    low, high = axes.get_xlim()
    assert low == -high, "no difference stands in the middle"
    assert high >= max(abs(value) for pair in limits for value in pair)


def test_where_every_difference_is_none_the_axis_has_a_width(drawn_by):
    """Everybody of both arms had the event before the landmark: 0 points, without an interval."""
    analysis, _ = of("data/rair_dtc")
    rows = analysis["landmark_difference"].assign(difference=0.0, ci_low=np.nan, ci_high=np.nan)
    alike = replace(analysis, frames=analysis.frames | {"landmark_difference": rows})
    figure, *_ = drawn_by(effects.plot_differences, alike, Absent("none"))
    low, high = figure.axes[1].get_xlim()
    assert low == -high < 0


def test_an_interval_that_few_events_do_not_carry_is_pale_and_says_so(drawn_by):
    """An arm without an event has no variance, and no share differs by more than 100 points."""
    analysis, responses = of("tests/cases/six_arms")
    figure, _, _, alt, own = drawn_by(effects.plot_differences, analysis, responses)
    lines = [line for line in figure.axes[1].lines if len(line.get_xdata()) == 2 and line.get_linewidth() == 1.4]
    rows = analysis["landmark_difference"].sort_values("time", kind="stable").dropna(subset=["ci_low"])
    small = rows["note"].str.startswith("interval too narrow") | (rows["ci_high"] > 1) | (rows["ci_low"] < -1)
    assert small.any()
    assert not small.all()
    assert [line.get_alpha() for line in lines] == [0.4 if pale else 1 for pale in small]
    assert alt.count(effects.PALE_MEANS) == small.sum()
    assert effects.PALE_MEANS in own
    assert effects.PALE_MEANS not in str(drawn_by(effects.plot_differences, *of("data/colon"))[3:])


@pytest.mark.parametrize("case", sorted(CASES))
def test_any_designed_study_has_its_pictures_or_none(case, tmp_path):
    analysis, responses = of(write_case(tmp_path / case, case))
    hazards, differences = effects.plot_hazards(analysis), effects.plot_differences(analysis, responses)
    if isinstance(analysis, Absent) or len(analysis.dataset.arms) == 1:
        assert hazards == differences == EMPTY
    elif not analysis["curve"]["survival"].between(0, 1, inclusive="neither").any():
        assert hazards == EMPTY
    else:
        assert "<svg" in hazards.svg


def test_what_is_masked_is_drawn_nowhere(drawn_by):
    data = load("efficacy", study="data/rair_dtc", audience="share")
    full = survival.analyse(data, data.study.primary)
    masked = mask_analysis(data, full)
    gone = masked["landmark_difference"]["difference"].isna() & full["landmark_difference"]["difference"].notna()
    picture = effects.plot_differences(masked, Absent("none"))
    shown = picture.alt if picture != EMPTY else ""
    assert gone.any() or shown
    assert masked["landmark_difference"].loc[masked["landmark_difference"]["difference"].isna(), ["nnt", "nnt_low", "nnt_high"]].isna().all(axis=None)
    for _, row in full["landmark_difference"][gone].iterrows():
        assert f"{pair_label(data, row['group'])}: {format_points(row['difference'])} (" not in shown


def test_a_forest_of_the_response_draws_each_difference_and_says_what_was_counted(drawn_by):
    data = load("robustness")
    found = subgroups.analyse_response_subgroups(data, data.response_visits)
    figure, *words = drawn_by(effects.plot_response_subgroups, found)
    left, axes, right = figure.axes
    rows = found["response_subgroup"].dropna(subset=["difference"])
    squares = [float(line.get_xdata()[0]) for line in axes.lines if line.get_marker() == "s"]
    assert_allclose(squares, rows["difference"])
    lines = [line.get_xdata() for line in axes.lines if len(line.get_xdata()) == 2 and line.get_color() == data.study.arm(data.contrast[0]).colour]
    assert_allclose(np.array(lines, dtype=float), rows[["ci_low", "ci_high"]].to_numpy(float))
    counts = where(found["response_subgroup_count"], variable="response: all").set_index("group")
    first = " vs ".join(f"{counts.at[arm, 'count']}/{counts.at[arm, 'n']}" for arm in data.contrast)
    assert left.texts[0].get_text() == f"All patients: {first}"
    assert len(right.texts) == len(found["response_subgroup"]) + 1
    assert data.study.arm(data.contrast[0]).label in axes.get_xlabel().replace("\n", " ")
    assert "at 6 months by subgroup" in words[1]
