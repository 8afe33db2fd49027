"""What is drawn against the numbers it is drawn from: coordinates, colours and words; each planted error is seen."""

import re

import numpy as np
import pytest
from designed_studies import Case, write_case, write_made
from golden import drawn
from matplotlib.colors import to_hex
from matplotlib.path import Path
from matplotlib.text import Text
from numpy.testing import assert_allclose

from lib.analyses.efficacy import response, survival
from lib.analyses.result import where
from lib.analyses.robustness import confounding, subgroups
from lib.analyses.safety import events, events_in_time
from lib.dataset.dataset import load
from lib.show.disclosure.audience import MASKED as MASKED_NOTE
from lib.show.disclosure.audience import mask_analysis
from lib.show.formats import format_median, format_p, format_whole
from lib.show.labels import pair_label
from lib.show.plots import panel
from lib.show.plots import response as plot_response
from lib.show.plots import robustness as plot_robustness
from lib.show.plots import safety as plot_safety
from lib.show.plots import style as plot_style
from lib.show.plots import survival as plot_survival
from lib.statistics.comparisons import name_pair

pytestmark = pytest.mark.thorough

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
    assert f"Log-rank {format_p(analysis['logrank']['p_value'].iat[0], symbol=True)}" in words(top)


def words(axes):
    """Lines of what is written in the axes."""
    return [line for text in axes.texts for line in text.get_text().split("\n")]


def test_the_panel_tells_the_ratio_of_each_pair_that_the_study_asks_about(figure_of, analysis):
    told = " ".join(words(figure_of(plot_survival.plot_survival, analysis).axes[0]))
    focus = DATA.contrast[0]
    asked = [row for row in analysis["cox"].to_dict("records") if focus in row["group"].split(" vs ")]
    assert len(asked) == len(DATA.arms) - 1
    for row in asked:
        assert f"{pair_label(DATA, row['group'])}: {row['hr']:.2f} ({row['ci_low']:.2f} to {row['ci_high']:.2f})" in told
    assert told.count(" vs ") == len(asked)
    assert "Hazard ratio, unadjusted (95% CI)" in told  # nobody was randomised


def written_below(bottom):
    """(arm, column, time) -> what stands there, and the height of each row."""
    return {text.get_gid(): (text.get_text(), text.get_position()) for text in bottom.texts if text.get_gid()}


def test_numbers_at_risk_stand_under_their_time_and_beside_their_arm(figure_of, analysis):
    bottom = figure_of(plot_survival.plot_survival, analysis).axes[1]
    beside = {}
    for text in bottom.texts:
        if not text.get_gid() and text.get_text():
            beside.setdefault(round(text.xy[1], 3), []).append(text.get_text())
    below = written_below(bottom)
    for row in analysis["at_risk"].to_dict("records"):
        for column, label in plot_survival.ROWS.items():
            shown, (x, y) = below.pop(f"{row['group']}-{column}-{row['time']:g}")
            assert (shown, x) == (f"{row[column]:.0f}", row["time"])
            assert label in beside[round(y, 3)]
            assert (DATA.study.arm(row["group"]).label in beside[round(y, 3)]) == (column == "n_risk")
    assert not below


def test_at_risk_censored_and_events_add_up_to_the_arm(analysis):
    rows = analysis["at_risk"]
    assert (rows["n_risk"] + rows["n_censored"] + rows["n_events"] == rows["group"].map(DATA.n)).all()


@pytest.mark.parametrize("endpoint", [endpoint.id for endpoint in DATA.study.endpoints])
def test_all_curves_of_a_report_have_ticks_equally_far_apart(figure_of, analysis, endpoint):
    ticks = np.diff(figure_of(plot_survival.plot_survival, survival.analyse(DATA, DATA.study.endpoint(endpoint))).axes[0].get_xticks())
    assert set(ticks) == set(np.diff(analysis["at_risk"]["time"].unique()))


def test_a_shared_curve_shows_no_number_that_its_tables_mask(figure_of, analysis):
    shared = load("efficacy", audience="share")
    masked = mask_analysis(shared, survival.analyse(shared, shared.study.endpoint("os")))
    assert masked["at_risk"][["n_censored", "n_events"]].isna().all(axis=None)
    figure = figure_of(plot_survival.plot_survival, masked)
    below = written_below(figure.axes[1])
    rows = {f"{row['group']}-n_risk-{row['time']:g}": row["n_risk"] for row in masked["at_risk"].to_dict("records")}
    assert {name: shown for name, (shown, _) in below.items()} == {name: format_whole(n) for name, n in rows.items()}
    assert "masked" in {shown for shown, _ in below.values()}
    masked["cox"].loc[:, ["hr", "ci_low", "ci_high"]] = np.nan
    masked["cox"]["note"] = MASKED_NOTE
    told = " ".join(words(figure_of(plot_survival.plot_survival, masked).axes[0]))
    assert told.count(": masked") == len(DATA.arms) - 1


def of_weights():
    data = load("robustness")
    crude = survival.analyse(data, data.study.primary)
    weights = confounding.analyse_weights(data, crude)
    return plot_robustness.plot_weighted_curves, (crude, weights), weights["weighted_at_risk"]


def of_first_events():
    timed = events_in_time.analyse(load("safety"))
    return plot_safety.plot_ae_first, (timed,), timed["ae_first_at_risk"]


def of_response():
    timed = response.analyse_response_time(DATA, DATA.response_visits)
    return plot_response.plot_response_incidence, (timed,), timed["response_at_risk"]


@pytest.mark.parametrize("made", [of_weights, of_first_events, of_response])
def test_every_other_curve_has_its_numbers_at_risk_under_its_ticks(figure_of, made):
    plot, given, rows = made()
    top, bottom = figure_of(plot, *given).axes[:2]
    below = {name: shown for name, (shown, _) in written_below(bottom).items()}
    assert below == {f"{row.group}-n-{row.time:g}": f"{row.n_risk:.0f}" for row in rows.itertuples()}
    assert list(top.get_xticks()) == sorted(rows["time"].unique())
    assert top.get_xlim() == bottom.get_xlim()
    assert set(rows.loc[rows["time"] == 0, "n_risk"]) == set(DATA.n)


def test_numbers_at_risk_of_a_shared_first_event_are_masked_where_the_table_masks_them(figure_of):
    shared = load("safety", audience="share")
    masked = mask_analysis(shared, events_in_time.analyse(shared))
    bottom = figure_of(plot_safety.plot_ae_first, masked).axes[1]
    rows = {f"{row.group}-n-{row.time:g}": format_whole(row.n_risk) for row in masked["ae_first_at_risk"].itertuples()}
    assert {name: shown for name, (shown, _) in written_below(bottom).items()} == rows
    assert "masked" in rows.values()


def test_with_one_arm_nothing_is_compared(figure_of):
    data = load("efficacy", arms=["B"])
    figure = figure_of(plot_survival.plot_survival, survival.analyse(data, data.study.primary))
    assert not re.search("ratio|rank|vs", " ".join(text.get_text() for text in figure.findobj(Text)))


def test_names_stand_at_the_ends_of_curves_that_end_late_and_apart(figure_of, tmp_path):
    data = load("efficacy", study=str(write_case(tmp_path, "not_reached")))
    analysis = survival.analyse(data, data.study.primary)
    top = figure_of(plot_survival.plot_survival, analysis).axes[0]
    assert top.get_legend() is None
    for arm in data.arms:
        (name,) = [text for text in top.texts if to_hex(text.get_color()) == arm.colour.lower()]
        assert name.get_text() == f"{arm.label}\n{format_median(analysis.row('median', arm.id))}"
        assert abs(name.get_position()[1] - where(analysis["curve"], group=arm.id)["survival"].iat[-1]) < 0.15


LONG = ["Lenvatinib_24 mg + $PEM^2$ 200 mg intravenously in every third week until progression", "Placebo", "Donaudampfschifffahrtselektrizitätenhauptbetriebswerk"]


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6])
@pytest.mark.parametrize("seed", range(2))
def test_long_labels_leave_the_axes_their_room_and_nothing_lies_on_a_curve(figure_of, tmp_path, n, seed):
    """Arms of every number: words lie on no curve and on no other word, and are drawn as they stand."""
    rng = np.random.default_rng(seed)
    case = Case(sizes=(30,) * n, hazards=tuple(rng.uniform(0.01, 0.15, n)), seed=seed)
    data = load("efficacy", study=str(write_made(tmp_path, "made", case, labels=[LONG[i % 3] + " " * (i > 2) + "x" * (i // 3) for i in range(n)])))
    analysis = survival.analyse(data, data.study.primary)
    figure = figure_of(plot_survival.plot_survival, analysis)
    top = figure.axes[0]
    wide, high = panel.inner_size(figure, top)
    assert wide > 3.5 and high > 2.2
    figure.draw_without_rendering()
    boxes = [part.get_window_extent() for part in [*top.texts, *filter(None, [top.get_legend()])] if part.get_window_extent().width]
    assert not [(a, b) for i, a in enumerate(boxes) for b in boxes[i + 1 :] if a.overlaps(b)]
    inside = [box for box in boxes if box.x0 < top.bbox.x1 and box.y0 < top.bbox.y1]
    for arm in data.arms:
        line = np.vstack([line.get_transform().transform(line.get_xydata()) for line in curves(top, arm)])
        dense = np.column_stack([np.repeat(line[:, 0], 2)[1:], np.repeat(line[:, 1], 2)[:-1]])
        assert not [box for box in inside if Path(dense).intersects_bbox(box, filled=False)]
    assert "$PEM^2$" in " ".join(text.get_text() for text in figure.findobj(Text)).replace("\n", " ")


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
    left, middle, right = figure_of(plot_robustness.plot_subgroups, found).axes
    pair = name_pair(*DATA.contrast)
    ratios = found["subgroup"].dropna(subset=["hr"])
    drawn = ratios[ratios["hr"].between(*plot_robustness.HR_SPAN)]  # beyond it an arrow head points outwards
    squares = sorted(float(line.get_xdata()[0]) for line in middle.lines if line.get_marker() == "s")
    assert_allclose(squares, sorted(drawn["hr"]))
    assert set(ratios["group"]) == {pair}
    beside = [text.get_text() for text in right.texts]
    for row in ratios.itertuples():
        assert f"{row.hr:.2f} ({row.ci_low:.2f} to {row.ci_high:.2f})" in beside
    left_side, right_side = (text.get_text() for text in sorted(middle.texts, key=lambda text: text.get_position()[0]))
    assert "Fewer events" in left_side and left_side.split("\n", 1)[1].replace("\n", " ").strip() == DATA.study.arm(DATA.contrast[0]).label
    assert "Fewer events" in right_side and right_side.split("\n", 1)[1].replace("\n", " ").strip() == DATA.study.arm(DATA.contrast[1]).label
    written = [text.get_text() for text in left.texts]
    for variable, counts in found["subgroup_count"].groupby("variable"):
        own = counts.set_index("group")
        both = [f"{own.at[arm, 'n_events']:.0f}/{own.at[arm, 'n']:.0f}" for arm in DATA.contrast]
        assert any(written[i : i + 2] == both for i in range(len(written))), variable


def test_a_masked_ratio_stays_masked_in_the_forest(figure_of):
    found = subgroups.analyse_subgroups(load("robustness"), survival.analyse(DATA, DATA.study.primary))
    found["subgroup"].loc[:, ["hr", "ci_low", "ci_high"]] = np.nan
    found["subgroup"]["note"] = MASKED_NOTE
    _, middle, right = figure_of(plot_robustness.plot_subgroups, found).axes
    assert [text.get_text() for text in right.texts].count("masked") == len(found["subgroup"])
    assert not [line for line in middle.lines if line.get_marker() == "s"]


def test_a_clipped_interval_ends_in_an_arrow(figure_of):
    found = subgroups.analyse_subgroups(load("robustness"), survival.analyse(DATA, DATA.study.primary))
    first = found["subgroup"].index[0]
    found["subgroup"].loc[first, ["hr", "ci_low", "ci_high"]] = 1.0, 0.001, 900.0
    middle = figure_of(plot_robustness.plot_subgroups, found).axes[1]
    heads = {line.get_marker(): line.get_xdata()[0] for line in middle.lines if line.get_marker() in "<>" and line.get_ydata()[0] == middle.lines[0].get_ydata()[0]}
    assert heads == {"<": plot_robustness.HR_SPAN[0], ">": plot_robustness.HR_SPAN[1]}


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
