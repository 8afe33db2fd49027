"""What is drawn against the numbers it is drawn from: coordinates, colours and words; each planted error is seen."""

import numpy as np
import pytest
from golden import drawn
from matplotlib.colors import to_hex
from numpy.testing import assert_allclose

from lib.analyses.efficacy import response, survival
from lib.analyses.result import where
from lib.analyses.robustness import subgroups
from lib.analyses.safety import events
from lib.dataset.dataset import load
from lib.show.formats import format_median, format_p
from lib.show.plots import response as plot_response
from lib.show.plots import robustness as plot_robustness
from lib.show.plots import safety as plot_safety
from lib.show.plots import style as plot_style
from lib.show.plots import survival as plot_survival
from lib.statistics.comparisons import name_pair

DATA = load("efficacy")
MODULES = {plot_survival, plot_response, plot_robustness, plot_safety}


@pytest.fixture
def figure_of(monkeypatch):
    """Make a picture, not drawn; give back matplotlib's figure."""

    def made(plot, *arguments):
        kept = []
        for module in MODULES:
            monkeypatch.setattr(module, "write_figure", lambda figure, *rest: kept.append(figure))
        plot(*arguments)
        return kept[0]

    return made


@pytest.fixture
def analysis():
    return survival.analyse(DATA, DATA.study.endpoint("os"))


def curves(axes, arm):
    """Steps of an arm, in order: those with enough at risk, and the pale ones after them."""
    return [line for line in axes.lines if line.get_drawstyle() == "steps-post" and to_hex(line.get_color()) == arm.colour.lower()]


def test_every_step_band_and_tick_of_a_curve_is_where_the_analysis_says(figure_of, analysis):
    top = figure_of(plot_survival.plot_survival, analysis).axes[0]
    for arm in DATA.arms:
        own = where(analysis["curve"], group=arm.id)
        enough, pale = curves(top, arm)
        # The pale part begins where the other ends.
        x, y = (np.concatenate([enough.get_data()[i], pale.get_data()[i][1:]]) for i in (0, 1))
        assert_allclose(x, own["time"])
        assert_allclose(y, own["survival"])
        assert len(enough.get_xdata()) == (own["n_risk"] >= DATA.study.policy.min_at_risk).sum()
        assert enough.get_linestyle() == pale.get_linestyle()
        (ticks,) = [line for line in top.lines if line.get_marker() == "|" and to_hex(line.get_color()) == arm.colour.lower()]
        censored = own[own["n_censored"] > 0]
        assert_allclose(ticks.get_data(), [censored["time"], censored["survival"]])


def test_the_legend_tells_each_arm_its_own_median_beside_its_own_colour(figure_of, analysis):
    top = figure_of(plot_survival.plot_survival, analysis).axes[0]
    legend = top.get_legend()
    told = {text.get_text(): to_hex(line.get_color()) for text, line in zip(legend.get_texts(), legend.get_lines(), strict=True)}
    assert told == {f"{arm.label}: {format_median(analysis.row('median', arm.id))}": arm.colour.lower() for arm in DATA.arms}
    assert f"Log-rank {format_p(analysis['logrank']['p_value'].iat[0], symbol=True)}" in [text.get_text() for text in top.texts]


def test_numbers_at_risk_stand_under_their_time_and_beside_their_arm(figure_of, analysis):
    bottom = figure_of(plot_survival.plot_survival, analysis).axes[1]
    rows = {text.get_text(): text.xyann for text in bottom.texts if hasattr(text, "xyann")}
    assert list(rows) == ["Number at risk", *(arm.label for arm in DATA.arms)]
    at = {(text.get_position()): text.get_text() for text in bottom.texts if not hasattr(text, "xyann")}
    for i, arm in enumerate(DATA.arms, start=1):
        own = where(analysis["at_risk"], group=arm.id)
        assert [at[time, -i] for time in own["time"]] == [f"{n:.0f}" for n in own["n_risk"]]
    assert len(at) == len(analysis["at_risk"])


def one_at_risk(analysis):
    analysis["at_risk"].loc[analysis["at_risk"].index[4], "n_risk"] += 1


def one_median(analysis):
    analysis["median"].loc[analysis["median"].index[1], "median"] += 0.1


def one_event(analysis):
    analysis["curve"].loc[analysis["curve"].index[5], "time"] += 0.5


def one_p_value(analysis):
    analysis["logrank"]["p_value"] += 0.001


@pytest.mark.parametrize("plant", [one_at_risk, one_median, one_event, one_p_value])
def test_one_wrong_number_is_seen_in_what_is_written_down(figure_of, analysis, plant):
    """What the golden texts hold of a picture: the true one differs from it in the lines of this number alone."""
    true = drawn(figure_of(plot_survival.plot_survival, analysis), "km_os", "").splitlines()
    plant(analysis)
    wrong = drawn(figure_of(plot_survival.plot_survival, analysis), "km_os", "").splitlines()
    assert len(wrong) == len(true)
    assert 1 <= sum(a != b for a, b in zip(true, wrong, strict=True)) <= 3


def test_an_exchanged_colour_is_seen_in_what_is_written_down(figure_of, analysis):
    true = drawn(figure_of(plot_survival.plot_survival, analysis), "km_os", "")
    first, second = DATA.arms[0].colour.lower(), DATA.arms[1].colour.lower()
    figure = figure_of(plot_survival.plot_survival, analysis)
    curves(figure.axes[0], DATA.arms[0])[0].set_color(second)
    wrong = drawn(figure, "km_os", "")
    moved = [(a, b) for a, b in zip(true.splitlines(), wrong.splitlines(), strict=True) if a != b]
    assert [(a.replace(first, second), b) for a, b in moved] == [(b, b) for _, b in moved]
    assert len(moved) == 1


def test_bars_of_response_are_as_long_as_their_counts_and_in_their_colours(figure_of):
    rates = response.analyse(DATA, DATA.response_visits)
    figure = figure_of(plot_response.plot_response, rates)
    bars = {patch.get_gid(): patch for axes in figure.axes for patch in axes.patches if patch.get_gid()}
    for row in rates["response_category"].itertuples():
        if row.group == "overall" or row.variable not in plot_style.CATEGORY_COLOURS or row.variable == "NE":
            continue
        bar = bars[f"{row.time:g}-{row.group}-{row.variable}"]
        assert bar.get_width() == pytest.approx(where(rates["response_category"], time=row.time, group=row.group, variable=row.variable)["count"].iat[0] / DATA.n[row.group])
        assert to_hex(bar.get_facecolor()) == plot_style.CATEGORY_COLOURS[row.variable]
    assert len(bars) == 5 * len(DATA.arms) * len(DATA.response_visits)


def test_a_forest_draws_each_ratio_its_interval_and_the_events_of_both_arms(figure_of):
    found = subgroups.analyse_subgroups(load("robustness"), survival.analyse(DATA, DATA.study.primary))
    left, middle, _ = figure_of(plot_robustness.plot_subgroups, found).axes
    pair = name_pair(*DATA.contrast)
    ratios = found["subgroup"].dropna(subset=["hr"])
    squares = sorted(float(line.get_xdata()[0]) for line in middle.lines if line.get_marker() == "s")
    assert_allclose(squares, sorted(ratios["hr"]))
    assert set(ratios["group"]) == {pair}
    written = [text.get_text() for text in left.texts]
    for variable, counts in found["subgroup_count"].groupby("variable"):
        own = counts.set_index("group")
        both = [f"{own.at[arm, 'n_events']:.0f}/{own.at[arm, 'n']:.0f}" for arm in DATA.contrast]
        assert any(written[i : i + 2] == both for i in range(len(written))), variable


def test_dots_of_harm_stand_at_their_share_and_differences_at_their_side(figure_of):
    data = load("safety")
    harms = events.analyse(data)
    risks, differences = figure_of(plot_safety.plot_ae_terms, harms).axes[:2]
    dots = {line.get_gid(): float(line.get_xdata()[0]) for line in risks.lines if line.get_gid()}
    share = harms["ae_term"].set_index(["group", "variable"])["proportion"]
    by_name = {f"{group}-{plot_safety.anchor(term)}": value for (group, term), value in share.items()}
    assert dots
    assert all(x == pytest.approx(by_name[name]) for name, x in dots.items())
    terms = [label.get_text() for label in risks.get_yticklabels()]
    for arm in data.arms:
        if arm.id == data.reference:
            continue
        own = where(harms["ae_term_difference"], group=f"{arm.id} vs {data.reference}").set_index("variable").reindex(terms)
        (line,) = [found for found in differences.lines if to_hex(found.get_color()) == arm.colour.lower() and np.isfinite(np.asarray(found.get_xdata(), float)).any()]
        assert_allclose(np.asarray(line.get_xdata(), float), own["difference"].to_numpy(float))
