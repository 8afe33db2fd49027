"""Tables and pictures against the frames that they show; and every function of the three lists is named in a test."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_hex
from notebook_cells import EVERY, read_notebook
from numpy.testing import assert_allclose

from lib import analyse
from lib.analyses.result import Absent, where
from lib.dataset.dataset import load
from lib.report import recheck
from lib.report.results import to_rows
from lib.show import plot, say, table
from lib.show.display import EMPTY
from lib.show.formats import format_interval, format_number, format_p
from lib.show.labels import needed_to_treat, pair_label
from lib.show.plots import cohort as plot_cohort
from lib.show.plots import markers as plot_markers
from lib.show.plots import robustness as plot_robustness
from lib.study.study import ROOT

COHORT, EFFICACY, SAFETY, ROBUST = (load(name) for name in ("cohort", "efficacy", "safety", "robustness"))
ARMS = [arm.id for arm in COHORT.arms]


@pytest.mark.parametrize("facade", [say, plot, table])
def test_every_function_of_the_lists_is_shown_on_a_page_and_named_in_a_test(facade):
    """A page of a report or of explore, or what a page says of itself; a test, under its own name or that of the list."""
    room = facade.__name__.rsplit(".", 1)[1]
    pages = "\n".join(cell.source for name in EVERY for cell in read_notebook(name).cells)
    pages += "\n".join(path.read_text(encoding="utf-8") for part in ("report", "explore") for path in (ROOT / "lib" / part).glob("*.py"))
    tests = "\n".join(path.read_text(encoding="utf-8") for path in Path(ROOT / "tests").rglob("test_*.py"))
    for name in facade.__all__:
        own = getattr(facade, name).__name__
        assert re.search(rf"\b({own}|{room}\.{name})\b", pages), f"{room}.{name} is on no page"
        assert re.search(rf"\b({own}|{room}\.{name})\b", tests), f"{own} is named in no test"


def rows_of(shown) -> dict[tuple[str, str], tuple[str, ...]]:
    """(Heading, label) -> the cells of a row."""
    found, heading = {}, ""
    for row in shown.rows:
        if row.kind == "group":
            heading = row.cells[0]
        else:
            found[heading, row.cells[0]] = row.cells[1:]
    return found


def test_the_end_of_a_restricted_mean_is_no_long_number_where_the_data_set_it(tmp_path):
    shutil.copytree(ROOT / "data" / "colon", tmp_path / "colon")
    study = tmp_path / "colon" / "study.yml"
    study.write_text(re.sub(r"^ +tau: .*\n", "", study.read_text("utf-8"), flags=re.MULTILINE), "utf-8")
    data = load("efficacy", study=str(tmp_path / "colon"))
    analysis = analyse.survival(data, data.study.endpoints[0])
    tau = analysis["rmst"]["tau"].max()
    assert len(f"{tau:.6g}") > 5, "a number of the data"
    (heading,) = [row.cells[0] for row in table.survival(analysis).rows if row.cells[0].startswith("Mean ")]
    assert f"up to {round(tau, 2):g} (" in heading


def test_follow_up_stands_beside_its_endpoint_and_arm():
    analyses = [analyse.follow_up(COHORT, endpoint) for endpoint in COHORT.study.endpoints]
    complete = [analyse.completeness(COHORT, endpoint) for endpoint in COHORT.study.endpoints]
    shown = rows_of(table.follow_up(analyses, complete))
    for found in analyses:
        label, own = COHORT.study.endpoint(found.variable).label, found["follow_up"].set_index("group").loc[ARMS]
        assert list(shown[label, "Median follow-up, months"]) == [format_number(m, missing="NR") for m in own["median"]]
        assert list(shown[label, "Censored / patients"]) == [f"{k:.0f}/{n:.0f}" for k, n in zip(own["n_events"], own["n"], strict=True)]


def test_attendance_counts_those_due():
    found = analyse.attendance(COHORT)
    shown = rows_of(table.attendance(found))
    for row in found["attendance"].itertuples():
        if row.group not in ARMS or row.variable != "scans":
            continue
        label = "Baseline" if row.time == 0 else f"{row.time:g} months"
        if ("Tumour scans", label) in shown:
            cell = shown["Tumour scans", label][ARMS.index(row.group)]
            assert cell.startswith(f"{int(found['attendance'].loc[row.Index, 'count'])}/{row.n:.0f}") or not row.n


def test_timing_is_of_the_arm_above_it():
    found = analyse.timing(COHORT)
    shown = rows_of(table.timing(found))
    for output, label in (("scan_interval", "Days between two scans"), ("scan_longest", "Longest interval of a patient, days"), ("scan_delay", "Days after the scheduled day")):
        own = found[output].set_index("group").loc[ARMS]
        assert [cell.split(" (")[0] for cell in shown["", label][:3]] == [format_number(m, 0) for m in own["median"]]


@pytest.mark.parametrize("marker", ["tg"])
def test_a_marker_by_visit_and_its_tests(marker):
    found = analyse.marker(EFFICACY, EFFICACY.study.marker(marker))
    level, change = rows_of(table.level(found)), table.change(found)
    heading = next(head for head, _ in level if head.startswith("Serum thyroglobulin"))
    for time, label in ((0, "Baseline"), (6, "6 months")):
        own = where(found[f"{marker}_level"], time=time).set_index("group").loc[ARMS]
        assert list(level[heading, label]) == [
            f"{format_number(r.median, 1)} ({format_interval(r.q1, r.q3, 1)}), n = {r.n:.0f}" for r in own.itertuples()
        ]
    tested = rows_of(change)
    within = where(found[f"{marker}_within"], time=6).set_index("group")
    for arm in EFFICACY.arms:
        n, _, p, _ = tested["At 6 months", arm.label]
        assert (n, p) == (f"{within.at[arm.id, 'n']:.0f}", format_p(within.at[arm.id, "p_value"]))
    pairs = where(found[f"{marker}_pairwise"], time=6)
    for row in pairs.itertuples():
        assert tested["At 6 months", pair_label(EFFICACY, row.group)][-2:] == (format_p(row.p_value), format_p(row.p_adjusted))
    excluded = rows_of(table.excluded(found))
    counts = found["marker_excluded"].groupby("variable", sort=False)
    assert [list(map(int, cells)) for cells in excluded.values()] == [part.set_index("group").loc[ARMS, "count"].astype(int).tolist() for _, part in counts]


def test_pairs_of_responses_have_their_own_difference_sign_and_p():
    found = analyse.response(EFFICACY, EFFICACY.response_visits)
    shown = rows_of(table.response_pairs(found))
    for row in found["objective_response_treated_difference"].itertuples():
        counts = where(found["objective_response_treated"], time=row.time).set_index("group")["proportion"]
        first, second = row.group.split(" vs ")
        assert row.difference == pytest.approx(counts[first] - counts[second])
        cells = shown[f"At {row.time:g} months, all treated", pair_label(EFFICACY, row.group)]
        test = where(found["objective_response_treated_pairwise"], time=row.time, group=row.group).iloc[0]
        assert cells[0] == f"{format_number(100 * row.difference, 0)} ({format_interval(row.ci_low, row.ci_high, 0, percent=True)})"
        assert cells[-2:] == (format_p(test["p_value"]), format_p(test["p_adjusted"]))


def test_responses_are_counted_in_the_column_of_their_arm():
    found = analyse.response(EFFICACY, EFFICACY.response_visits)
    shown = [row.cells for row in table.response(found).rows]
    at = {heading: i for i, (heading, *_) in enumerate(shown)}
    for time in EFFICACY.response_visits:
        rows = dict((label, cells) for label, *cells in shown[at[f"At {time:g} months"] + 1 :][::-1])
        for category, label in (("CR", "Complete response"), ("PD", "Progressive disease")):
            own = where(found["response_category"], time=time, variable=category).set_index("group")["count"]
            assert rows[label] == [f"{own[group]:.0f}" for group in [*ARMS, "overall"]]
        for output, label in (("objective_response_treated", "Objective response, all treated"), ("disease_control_evaluable", "Disease control, evaluable")):
            own = where(found[output], time=time).set_index("group")
            assert [cell.split(" ")[0] for cell in rows[label]] == [f"{own.at[group, 'count']:.0f}/{own.at[group, 'n']:.0f}" for group in [*ARMS, "overall"]]


def test_onsets_of_events_add_up():
    found = analyse.adverse_events_in_time(SAFETY)
    shown = rows_of(table.ae_onset(found))
    onset = found["ae_onset"].set_index(["variable", "group"])
    for name, label in (("any window", "In the risk window of a component given"), ("outside", "In no risk window"), ("before time zero", "Before time zero")):
        assert list(shown["", label][:3]) == [f"{onset.at[(name, arm), 'count']:.0f}/{onset.at[(name, arm), 'n']:.0f}" for arm in ARMS]


# ------------------------------------------------------------------ pictures


@pytest.fixture
def figure_of(monkeypatch):
    """Make a picture, not drawn; give back matplotlib's figure."""

    def made(show, *arguments):
        kept = []
        for module in (plot_cohort, plot_markers, plot_robustness):
            monkeypatch.setattr(module, "write_figure", lambda figure, *rest: kept.append(figure))
        show(*arguments)
        return kept[0]

    return made


def test_enrolment_climbs_to_the_patients_of_each_arm(figure_of):
    (axes,) = figure_of(plot.enrolment, analyse.enrolment(COHORT)).axes
    ends = {to_hex(line.get_color()): line.get_ydata()[-1] for line in axes.lines if line.get_drawstyle() == "steps-post"}
    assert ends == {arm.colour.lower(): COHORT.n[arm.id] for arm in COHORT.arms}


def test_a_summary_draws_the_medians_of_each_arm_and_counts_them(figure_of):
    found = analyse.volume(EFFICACY, EFFICACY.response_visits)
    top, bottom = figure_of(plot.summary, found).axes
    changes = found["volume_percent_change"]
    for arm in EFFICACY.arms:
        (line,) = [ln for ln in top.lines if to_hex(ln.get_color()) == arm.colour.lower() and ln.get_linestyle() != "None" and len(ln.get_xdata()) > 1]
        own = where(changes, group=arm.id)
        drawn = np.asarray(line.get_ydata(), float)[1:]
        assert_allclose(drawn, own[own["n"] > 0]["median"].to_numpy()[: len(drawn)])
    assert sum(text.get_text() == str(COHORT.n["B"]) for text in bottom.texts) >= 1


def test_balance_and_weighted_curves_are_those_of_the_weights(figure_of):
    crude = analyse.survival(ROBUST, ROBUST.study.primary)
    weights = analyse.weights(ROBUST, crude)
    (axes,) = figure_of(plot.balance, weights).axes
    for when, sign in (("before", "o"), ("after", "s")):
        smd = where(weights[f"balance_{when}"], group="overall")["smd"]
        assert_allclose([line.get_xdata()[0] for line in axes.lines if line.get_marker() == sign], smd)
    axes = figure_of(plot.weighted_curves, crude, weights).axes[0]
    for arm in ROBUST.arms:
        thin, bold = sorted((ln for ln in axes.lines if to_hex(ln.get_color()) == arm.colour.lower()), key=lambda ln: ln.get_linewidth())
        for line, curves in ((thin, crude["curve"]), (bold, weights["weighted_curve"])):
            assert_allclose(np.asarray(line.get_ydata(), float), where(curves, group=arm.id)["survival"])


def with_ordered_arms(data):
    """The same patients, as if the order of the arms were that of a dose."""
    design = data.study.design.model_copy(update={"ordered_arms": True})
    return replace(data, study=data.study.model_copy(update={"design": design}))


def test_absolute_differences_stand_with_their_number_needed():
    """table.differences: each landmark and response visit, against the reference arm, as the frames have it."""
    survived, response = analyse.survival(EFFICACY, EFFICACY.study.primary), analyse.response(EFFICACY, EFFICACY.response_visits)
    shown, expected = table.differences(survived, response), []
    for frame in (survived["landmark_difference"], response["objective_response_treated_difference"]):
        for _, at in frame.groupby("time"):
            rows = at.set_index("group")
            expected += [(pair_label(EFFICACY, pair), needed_to_treat(rows.loc[pair])) for pair in ("B vs A", "C vs A")]
    assert [(row.cells[0], row.cells[2]) for row in shown.rows if row.kind == "sub"] == expected
    alone = table.differences(survived, Absent("no lesions"))
    assert len(alone.rows) < len(shown.rows)
    assert "response" not in alone.title
    assert table.differences(analyse.survival(load("efficacy", arms=["A"]), EFFICACY.study.primary), response) == EMPTY


def test_harms_count_the_patients_behind_one_more_of_them():
    """table.ae_differences: more events with the arm named first are harm."""
    harms = analyse.adverse_events(SAFETY)
    severe = where(harms["ae_overview_difference"], variable="severe").set_index("group")
    cells = next(row.cells for row in table.ae_differences(harms).rows if row.cells[0].startswith("Grade 3"))
    assert [cells[2], cells[4]] == [needed_to_treat(severe.loc[pair], good=False) for pair in ("B vs A", "C vs A")]


def test_a_trend_is_tested_only_where_the_arms_have_an_order():
    ordered, endpoint, visits = with_ordered_arms(EFFICACY), EFFICACY.study.primary, EFFICACY.response_visits
    assert "logrank_trend" not in analyse.survival(EFFICACY, endpoint)
    survived, response = analyse.survival(ordered, endpoint), analyse.response(ordered, visits)
    assert "logrank_trend" not in analyse.survival(with_ordered_arms(load("efficacy", arms=["A", "C"])), endpoint)
    tables = {table.comparisons(survived): [survived["logrank_trend"]["p_value"].iat[0]], table.response_pairs(response): response["objective_response_treated_trend"]["p_value"]}
    for shown, p_values in tables.items():
        rows = [row for row in shown.rows if row.cells[0].startswith("Trend over the arms")]
        assert [[cell for cell in row.cells[1:] if cell] for row in rows] == [[format_p(p)] for p in p_values]
        assert any(note.startswith("Trend: the arms scored 1, 2, 3 in the order") for note in shown.notes)
    course = analyse.course(ordered, visits)
    assert {"best_objective_response_trend", "best_disease_control_trend"} <= set(course)
    for analysis in (survived, response, course):
        checked = recheck.check(ordered, [(analysis, to_rows("efficacy", analysis))]).compared
        assert checked["output"].str.endswith("_trend").any()


def test_what_it_takes_for_one_more_is_said_or_why_not():
    """say.needed: the comparison that carries the question, at the last time with a difference."""
    survived, response = analyse.survival(EFFICACY, EFFICACY.study.primary), analyse.response(EFFICACY, EFFICACY.response_visits)
    said = say.needed(survived, response)
    for frame, outcome in ((survived["landmark_difference"], "is without the event"), (response["objective_response_treated_difference"], "has an objective response")):
        rows = where(frame, group="C vs A").dropna(subset=["difference"]).sort_values("time")
        if outcome == "is without the event":  # at the last landmark with five at risk in both arms
            at_risk = survived["landmark"][survived["landmark"]["group"].isin(["A", "C"])].groupby("time")["n_risk"].min()
            rows = rows[rows["time"].map(at_risk) >= 5]
        row = rows.iloc[0 if outcome.startswith("has") else -1]
        assert f"{outcome} at {row['time']:g} months: {needed_to_treat(row)}, 95% CI." in said
        assert ("it is open whether" in said) or row["ci_low"] > 0 or row["ci_high"] < 0
    frames = survived.frames | {"landmark_difference": survived["landmark_difference"].assign(difference=0.0, nnt=np.nan)}
    assert "the difference is 0, so there is no number" in say.needed(replace(survived, frames=frames), Absent("none"))
    frames["landmark_difference"] = frames["landmark_difference"].assign(difference=np.nan)
    assert say.needed(replace(survived, frames=frames), Absent("none")).endswith("the difference cannot be estimated or is not shown.")
    assert say.needed(analyse.survival(load("efficacy", arms=["A"]), EFFICACY.study.primary), response) == ""


def test_progression_of_a_marker_is_drawn_and_tabulated_as_it_was_counted():
    marker = next(m for m in EFFICACY.study.markers if m.progression)
    rises = analyse.rises(EFFICACY, marker)
    counts, shares = rises[f"{marker.id}_rise_count"], rises[f"{marker.id}_rise_incidence"]
    shown, figure = table.rises(rises), plot.rises(rises)
    for (_, own), row in zip(counts.groupby("variable", sort=False), shown.rows, strict=False):
        assert list(row.cells[1:]) == [f"{own.set_index('group').at[arm.id, 'count']}" for arm in EFFICACY.arms]
    last = shares[shares["time"] == shares["time"].max()].dropna(subset=["estimate"])
    assert len(last)
    for row in last.itertuples():
        assert f"{EFFICACY.study.arm(row.group).label} {100 * row.estimate:.0f}% ({row.n_events:.0f} patients)" in figure.alt
        assert any(f"{100 * row.estimate:.0f}% (" in cell for cell in shown.rows[-1].cells)
