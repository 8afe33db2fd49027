"""What the pictures draw: bars, lines, steps and signs against the tables they are made from."""

import dataclasses
import re
import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from numpy.testing import assert_allclose

from lib.analyses.efficacy import course as efficacy_course
from lib.analyses.efficacy import marker_models, markers, response, survival
from lib.analyses.result import where
from lib.dataset.dataset import load
from lib.show.plots import course as plot_course
from lib.show.plots import markers as plot_markers
from lib.show.plots import response as plot_response
from lib.show.plots import style as plot_style
from lib.show.plots import survival as plot_survival
from lib.show.sentences import course as say_course
from lib.show.sentences import markers as say_markers
from lib.show.tables import course as table_course
from lib.show.tables.markers import change as table_markers

VISITS = (6.0, 12.0)
LINES = ("solid", "dashed", "dashdot", "dotted")
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")


def with_arms(data, n):
    """The shipped cohort as if it had `n` arms: patients dealt out in turn."""
    base = data.study.arms[0]
    arms = tuple(
        base.model_copy(update={"id": chr(65 + i), "label": f"Treatment number {i + 1}", "colour": COLOURS[i], "line": LINES[i % 4]})
        for i in range(n)
    )  # fmt: skip
    ids = [arm.id for arm in arms]
    dealt = pd.Categorical([ids[i % n] for i in range(len(data.patients))], categories=ids, ordered=True)
    tables = {**data.tables, "patients": data.patients.assign(arm=dealt)}
    study = data.study.model_copy(update={"arms": arms})
    return dataclasses.replace(data, study=study, arms=arms, reference=ids[0], tables=tables)


SHIPPED = load("efficacy")
STUDIES = {
    "shipped": SHIPPED,
    "one arm": load("efficacy", arms=["B"]),
    "two arms": load("efficacy", arms=["A", "C"]),
    "six arms": with_arms(SHIPPED, 6),
    "early cut-off": load("efficacy", cutoff="2018-08-30"),
}
COURSES = {name: efficacy_course.analyse_course(data, VISITS) for name, data in STUDIES.items()}


@pytest.fixture(params=STUDIES)
def study(request):
    return STUDIES[request.param], COURSES[request.param]


@pytest.fixture
def draw(monkeypatch):
    """Draw a picture and give back matplotlib's figure, as it was when it became SVG."""
    kept = []

    def draw(plot, *arguments):
        module = sys.modules[plot.__module__]
        real = module.write_figure
        monkeypatch.setattr(module, "write_figure", lambda figure, *rest: kept.append(figure) or real(figure, *rest))
        shown = plot(*arguments)
        monkeypatch.setattr(module, "write_figure", real)
        return kept[-1], shown

    return draw


def with_gid(figure, kind):
    """Artists of the picture that stand for a patient."""
    return {a.get_gid(): a for axes in figure.axes for a in getattr(axes, kind) if a.get_gid()}


def level_lines(axes):
    return {
        line.get_ydata()[0] for line in axes.lines if len(set(line.get_ydata())) == 1 and len(line.get_ydata()) == 2
    }


def test_the_waterfall_draws_everybody_or_says_why_not(study, draw):
    data, course = study
    figure, shown = draw(plot_course.plot_waterfall, course)
    bars, missing = with_gid(figure, "patches"), efficacy_course.undrawn(course)
    assert len(bars) + len(missing) == len(data.patients)
    assert set(bars) | set(missing["patient_id"]) == set(data.patients["patient_id"])
    best = course["course"].set_index("patient_id")["best_change"]
    assert_allclose([bar.get_height() for bar in bars.values()], best[list(bars)])
    said = say_course.sentence_undrawn(course)
    assert all(patient in said for patient in missing["patient_id"][:12])
    assert "nan" not in shown.svg.lower().replace("nano", "")
    assert "nan" not in shown.alt


def test_the_thresholds_are_those_of_the_diameter_rule(study, draw):
    data, course = study
    rule = data.study.response
    figure, _ = draw(plot_course.plot_waterfall, course)
    for axes in figure.axes:
        assert_allclose(
            sorted(level_lines(axes)), [100 * (rule.partial_ratio - 1), 0, 100 * (rule.progression_ratio - 1)]
        )


def test_a_picture_of_volume_has_no_threshold(draw):
    volume = markers.analyse_volume(SHIPPED, VISITS)
    figure, _ = draw(plot_markers.plot_trajectories, volume)
    assert all(level_lines(axes) == {0} for axes in figure.axes)


def test_waterfall_falls_from_left_to_right_in_each_arm(study, draw):
    figure, _ = draw(plot_course.plot_waterfall, study[1])
    for axes in figure.axes:
        bars = sorted((a for a in axes.patches if a.get_gid()), key=lambda bar: bar.get_x())
        assert (np.diff([bar.get_height() for bar in bars]) <= 0).all()


def test_the_spider_stands_on_real_days(draw):
    figure, _ = draw(plot_course.plot_spider, COURSES["shipped"])
    lines = with_gid(figure, "lines")
    assert len(lines) == len(SHIPPED.patients)
    lesions, scans = (
        SHIPPED.tables["lesions"],
        SHIPPED.tables["measurements"].drop(columns="patient_id", errors="ignore"),
    )
    days = scans.merge(lesions[["lesion_id", "patient_id"]], on="lesion_id").merge(
        SHIPPED.patients[["patient_id", "time_zero"]]
    )
    days["day"] = (days["assessment_date"] - days["time_zero"]).dt.days
    for patient, line in lines.items():
        real = sorted(days.loc[days["patient_id"] == patient, "day"].unique())
        assert_allclose(line.get_xdata() * 30.4375, real)
        assert line.get_ydata()[0] == 0


def test_the_swimmer_shows_every_patient_and_every_event(study, draw):
    data, course = study
    figure, shown = draw(plot_course.plot_swimmer, course)
    axes, patients = figure.axes[0], course["course"].set_index("patient_id")
    bars = with_gid(figure, "patches")
    assert set(bars) == set(data.patients["patient_id"])
    assert_allclose([bar.get_width() for bar in bars.values()], patients.loc[list(bars), "follow_up"])
    signs = [line.get_marker() for line in axes.lines]
    treatments = course["treatments"]
    assert signs.count("s") == patients["died"].sum()
    assert signs.count(">") == (~patients["died"]).sum()
    assert signs.count("X") == patients["progression_time"].notna().sum()
    assert signs.count("o") == patients["responder"].sum()
    assert signs.count("|") == (treatments["line"] > 1).sum()
    assert f"{len(patients)} patient" in shown.alt
    height = figure.get_size_inches()[1]
    assert height < 10


def test_no_bar_of_the_swimmer_ends_after_follow_up():
    course = COURSES["shipped"]
    patients = course["course"]
    for column in ("response_time", "progression_time", "last_assessment"):
        assert (patients[column].fillna(0) <= patients["follow_up"]).all()
    ends = course["treatments"].merge(patients[["patient_id", "follow_up"]], on="patient_id")
    assert (ends["start"] <= ends["follow_up"]).all()


@pytest.mark.parametrize("name", ["shipped", "one arm", "two arms"])
def test_ratios_are_drawn_with_their_intervals(name, draw):
    data = STUDIES[name]
    model = marker_models.analyse_model(data, data.study.marker("tg"))
    figure, _ = draw(plot_markers.plot_ratios, model)
    drawn = {to_hex(c.lines[0].get_color()).upper(): c for c in figure.axes[0].containers}
    for arm in data.arms:
        own = where(model["tg_model_ratio"], group=arm.id)
        line, _, (bars,) = drawn[arm.colour.upper()].lines
        assert_allclose(np.asarray(line.get_ydata(), dtype=float), [1, *own["ratio"]])
        ends = np.array([segment[:, 1] for segment in bars.get_segments()], dtype=float)
        assert_allclose(ends[1:], own[["ci_low", "ci_high"]].to_numpy())
    counts = {text.get_gid(): text.get_text() for text in figure.axes[1].texts if text.get_gid()}
    assert counts == {f"{row.group}-n-{x}": str(row.n) for x, (_, own) in enumerate(model["tg_model_count"].groupby("time")) for row in own.itertuples()}


@pytest.mark.parametrize("name", STUDIES)
def test_curves_step_at_the_events_and_the_numbers_at_risk_are_the_table_s(name, draw):
    data = STUDIES[name]
    analysis = survival.analyse(data, data.study.endpoints[0])
    figure, _ = draw(plot_survival.plot_survival, analysis)
    top, bottom = figure.axes
    written = [(text.get_position()[0], text.get_text()) for text in bottom.texts if text.get_text().isdigit()]
    expected = [
        (row.time, f"{int(getattr(row, count))}")
        for arm in data.arms
        for count in ("n_risk", "n_censored", "n_events")
        for row in where(analysis["at_risk"], group=arm.id).itertuples()
    ]
    assert written == expected
    for arm in data.arms:
        lines = [line for line in top.lines if line.get_color() == arm.colour and line.get_drawstyle() == "steps-post"]
        drops = sum(int((np.diff(line.get_ydata()) < 0).sum()) for line in lines)
        curve = where(analysis["curve"], group=arm.id)
        assert drops == (np.diff(curve["survival"]) < 0).sum()
        censored = [line for line in top.lines if line.get_color() == arm.colour and line.get_marker() == "|"]
        assert sum(len(line.get_xdata()) for line in censored) == (curve["n_censored"] > 0).sum()


def test_arms_differ_in_more_than_colour():
    lines = {(arm.line, marker) for arm, marker in plot_style.shown_arms(STUDIES["six arms"])}
    assert len(lines) == 6


def test_tables_and_sentences_hold_no_gap(study):
    data, course = study
    marker = data.study.marker("tg")
    model, presence = marker_models.analyse_model(data, marker), marker_models.analyse_presence(data, marker)
    shown = [make(course) for make in (
        table_course.table_best_response, table_course.table_response_change, table_course.table_paired_response,
        table_course.table_duration, table_course.table_agreement, table_course.table_disagreements,
    )]  # fmt: skip
    shown += [table_markers.table_ratios(model), table_markers.table_sensitivity(model)]
    shown += [table_markers.table_presence(presence)]
    said = [make(course) for make in (
        say_course.sentence_best_response, say_course.sentence_undrawn, say_course.sentence_duration,
        say_course.sentence_paired_response, say_course.sentence_agreement,
    )]  # fmt: skip
    said += [say_markers.sentence_model(model), say_markers.sentence_presence(presence)]
    text = "\n".join([*(table.to_text() for table in shown if hasattr(table, "to_text")), *said])
    assert all(said)
    assert not re.search(r"\b(nan|NaN|None(?! of \d)|inf)\b|superior|no difference", text)
    best = shown[0].to_text()
    assert re.search(rf"All patients .*\b{len(data.patients)}\b", best)


def test_progression_is_told_without_colour(draw):
    """Lighter than stable disease or darker: in grey it is its hatching that tells."""
    data = STUDIES["shipped"]
    figure, _ = draw(plot_response.plot_response, response.analyse(data, data.response_visits))
    hatched = {patch.get_hatch() for axes in figure.axes for patch in axes.patches if (patch.get_gid() or "").endswith("-PD")}
    others = {patch.get_hatch() for axes in figure.axes for patch in axes.patches if not (patch.get_gid() or "").endswith("-PD")}
    assert hatched == {"////"}
    assert others == {None}
