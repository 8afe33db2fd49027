"""What rests on too few events is not compared, in any output; two arms without an event have no hazard ratio."""

import functools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from notebook_cells import each_week

from lib.analyses.efficacy import response, survival
from lib.analyses.efficacy.survival import Survival
from lib.analyses.policy import COMPARED, too_few, withhold
from lib.analyses.result import Absent, where
from lib.analyses.robustness import confounding, robustness, subgroups
from lib.analyses.safety import events_in_time
from lib.dataset import dataset
from lib.report.results import to_rows
from lib.show.sentences.robustness import AIM, sentence_power, sentence_weights
from lib.show.sentences.survival import sentence_small
from lib.show.tables import design as table_design
from lib.show.tables.confounding import table_weighted
from lib.show.tables.safety import table_ae_first
from lib.show.tables.survival import table_comparisons
from lib.statistics.comparisons import adjust_holm
from lib.statistics.models import cox, firth
from lib.statistics.second_engine import survival as second_engine_survival
from lib.statistics.survival import logrank
from lib.study.parts import Policy, own

pytestmark = pytest.mark.notebook

CASES = Path(__file__).parents[1] / "cases"
# Whatever a p-value follows from, and the p-value.
TELLING = ["coef", "std_err", "hr", "ci_low", "ci_high", "statistic", "chisq", "p_value", "p_adjusted"]
# Of robustness: these tell of data that were changed.
CHANGED = ("composite", "later_component", "landmark", "midpoint", "stratified", "worst", "best")


@functools.cache
def _six_arms():
    return dataset.load("efficacy", study=str(CASES / "six_arms"))


def _data(least, audience="internal", small_cell=5, data=None):
    """The analysis set of six arms, or another, under another policy."""
    data = data or _six_arms()
    policy = Policy(min_events=least, small_cell=small_cell)
    study = data.study.model_copy(update={"policy": policy})
    return replace(data, study=study, parameters=data.parameters.model_copy(update={"audience": audience}))


def _frame(sizes, events):
    """Patients by arm, of which the first so many have the event."""
    rows = [(arm, n - i, i < events[arm]) for arm, n in sizes.items() for i in range(n)]
    tte = pd.DataFrame(rows, columns=["arm", "time", "event"]).astype({"time": float})
    return tte.assign(arm=pd.Categorical(tte["arm"], list(sizes), ordered=True))


@pytest.mark.parametrize(
    ("events", "least", "said"),
    [
        (4, 5, "fewer than 5 events"),
        (5, 5, ""),
        (0, 1, "fewer than 1 event"),
        (1, 1, ""),
        (0, 5, "fewer than 5 events"),
    ],
)
def test_the_reason_in_words(events, least, said):
    assert too_few(_data(least), _frame({"a": 5, "b": 5}, {"a": 0, "b": events})) == said


def test_a_pair_counts_its_own_events_and_all_arms_count_all():
    tte = _frame({"a": 5, "b": 5, "c": 5}, {"a": 3, "b": 2, "c": 1})
    compared = pd.DataFrame({
        "group": ["overall", "b vs a", "c vs a", "c vs b"], "n": 1, "n_events": 1, "p_value": [0.01, 0.02, 0.03, np.nan],
        "p_adjusted": [1.0, 1.0, 1.0, np.nan], "note": ["", "careful", "careful", "not estimable: why"],
    })  # fmt: skip
    found = withhold(_data(5), tte, compared)
    assert found["p_value"].tolist()[:2] == [0.01, 0.02]
    assert found["p_value"].isna().tolist() == [False, False, True, True]
    assert found["note"].tolist() == ["", "careful", "not compared: fewer than 5 events", "not estimable: why"]
    assert found[["n", "n_events"]].eq(1).all(axis=None)
    np.testing.assert_array_equal(found["p_adjusted"], adjust_holm([0.01, 0.02, np.nan, np.nan]))
    assert compared["p_value"].notna().sum() == 3


@given(
    events=st.lists(st.integers(0, 8), min_size=2, max_size=6), least=st.integers(1, 20),
)  # fmt: skip
def test_what_is_left_is_what_has_enough_events(events, least):
    arms = [f"arm_{i}" for i in range(len(events))]
    tte = _frame(dict.fromkeys(arms, 8), dict(zip(arms, events, strict=True)))
    pairs = {f"{x} vs {y}": events[i] + events[j] for i, x in enumerate(arms) for j, y in enumerate(arms) if i > j}
    counts = {"overall": sum(events)} | pairs
    compared = pd.DataFrame({"group": list(counts), "note": ""} | dict.fromkeys(COMPARED, 0.5))
    found = withhold(_data(least), tte, compared).set_index("group")
    for group, count in counts.items():
        assert found.loc[group, list(COMPARED)].isna().all() == (count < least)
        assert found.loc[group, list(COMPARED)].notna().all() == (count >= least)
        assert (found.at[group, "note"] == "") == (count >= least)


@pytest.mark.parametrize("shown", [0, 5, 7, 8, 9])
@pytest.mark.parametrize("least", [1, 4, 7, 9, 10, 12])
def test_whether_arms_are_compared_tells_no_masked_count(shown, least):
    """A count of 1 to 4 is masked; whichever it is, the same pairs are compared, and none that has too few."""
    data, hidden = _data(least, "share"), []
    for count in (1, 2, 3, 4):
        tte = _frame({"a": 10, "b": 10, "c": 10}, {"a": shown, "b": count, "c": count})
        hidden.append([too_few(data, tte, pair) for pair in ("b vs a", "c vs b")])
        for pair, events in (("b vs a", shown + count), ("c vs b", 2 * count)):
            assert events >= least or too_few(data, tte, pair)
    assert all(reasons == hidden[0] for reasons in hidden)


@pytest.mark.parametrize("reference", ["a", "b", "c", "d"])
def test_two_arms_without_an_event_have_no_hazard_ratio(reference):
    """The penalty alone would give 1 with an interval; the other pairs are as they were."""
    tte = _frame({"a": 6, "b": 4, "c": 5, "d": 3}, {"a": 4, "b": 0, "c": 0, "d": 2})
    for found in (cox.estimate_cox(tte, reference).terms, firth.estimate_firth(tte, reference)):
        quiet = found["group"].isin(["b vs c", "c vs b"])
        assert quiet.any() == (reference in "bc")
        assert found.loc[quiet, TELLING[:6]].isna().all(axis=None)
        assert found.loc[quiet, "note"].eq("not estimable: no event in either arm").all()
        assert found.loc[~quiet, ["hr", "p_value"]].notna().all(axis=None)
    weighted = cox.estimate_weighted_cox(tte.assign(weight=0.5), reference)
    assert weighted["hr"].isna().all()
    assert weighted["note"].str.startswith("not estimable").all()


def test_the_overall_tests_do_not_depend_on_a_reference_without_an_event():
    tte = _frame({"a": 6, "b": 4, "c": 5, "d": 3}, {"a": 4, "b": 0, "c": 0, "d": 2})
    tables = [cox.estimate_cox(tte, arm).overall[["chisq", "df", "p_value", "concordance"]] for arm in "abcd"]
    for table in tables[1:]:
        np.testing.assert_allclose(table.astype(float), tables[0].astype(float), rtol=1e-6)


def _write(folder, seed, arms, hazards, least, **more):
    """A ready-made study of so many patients an arm, with events at so many shares."""
    rng, rows = np.random.default_rng(seed), []
    for arm, n in arms.items():
        for _ in range(n):
            status = rng.choice(
                [0, 1, 2], p=[1 - hazards[arm] - more.get("competing", 0), hazards[arm], more.get("competing", 0)]
            )
            rows.append(
                (len(rows), arm, int(rng.integers(1, 30)), status, int(rng.integers(30, 90)), rng.choice(["F", "M"]))
            )
    folder.mkdir()
    pd.DataFrame(rows, columns=["id", "arm", "days", "status", "age", "sex"]).to_csv(
        folder / "patients.csv", index=False
    )
    event = {"column": "status", "event": 1, "censored": 0} | ({"competing": 2} if more.get("competing") else {})
    study = yaml.safe_load((CASES / "six_arms" / "study.yml").read_text()) | {
        "arms": [{"id": a, "label": a.upper(), "colour": f"#{40 * i:02x}72B2"} for i, a in enumerate(arms)],
        "reference_arm": next(iter(arms)), "focus_arm": list(arms)[-1],
        "endpoints": [{"id": "ep", "label": "Event", "short": "EP", "role": "primary", "time": {"column": "days", "unit": "days"},
                       "event": event, "definition": "d", "landmarks": [5, 10], "tau": 10}],
        "policy": {"min_at_risk": 3, "min_events": least, "small_cell": 5},
    }  # fmt: skip
    study["time"] = {"unit": "days", "days_per_unit": 1, "zero_label": "start"}
    (folder / "study.yml").write_text(yaml.safe_dump(study))
    return folder


# Sizes and shares of events by arm, the least number, and whether an event competes.
STUDIES = {
    "two arms, few": ({"a": 9, "b": 8}, {"a": 0.3, "b": 0.2}, 5, {}),
    "two arms, one event asked for": ({"a": 9, "b": 8}, {"a": 0.4, "b": 0.1}, 1, {}),
    "two arms, no event": ({"a": 12, "b": 8}, {"a": 0, "b": 0}, 1, {}),
    "one arm silent": ({"a": 20, "b": 15, "c": 12}, {"a": 0.6, "b": 0.3, "c": 0}, 8, {}),
    "two arms silent": ({"a": 20, "b": 15, "c": 12, "d": 6}, {"a": 0.6, "b": 0, "c": 0, "d": 0.4}, 3, {}),
    "five arms, silent reference": ({"a": 6, "b": 15, "c": 12, "d": 6, "e": 2}, {"a": 0, "b": 0.3, "c": 0.2, "d": 0.4, "e": 0}, 6, {}),
    "six arms, a competing event": (dict.fromkeys("abcdef", 11), dict(zip("abcdef", (0.5, 0.4, 0.3, 0.2, 0.1, 0), strict=True)), 7, {"competing": 0.3}),
    "few of a competing pair": ({"a": 14, "b": 14}, {"a": 0.1, "b": 0.1}, 10, {"competing": 0.5}),
    "enough": ({"a": 40, "b": 40, "c": 40}, {"a": 0.6, "b": 0.5, "c": 0.4}, 10, {}),
    "more asked for than there are": ({"a": 40, "b": 40}, {"a": 0.8, "b": 0.7}, 500, {}),
    "single patients": ({"a": 1, "b": 1, "c": 7}, {"a": 1, "b": 0, "c": 0.5}, 2, {}),
}  # fmt: skip


NAMES = (*STUDIES, "case six_arms", "case weighted")


# These count patients and events or ask what a trial needs: no test follows from them.
COUNTS = ("events", "robustness_tests", "interaction_tests", "comparison_count", "detectable", "propensity")


@functools.cache
def _analyses(folder):
    data = dataset.load("efficacy", study=str(folder))
    whole = survival.analyse(data, data.study.primary)
    survival.recompute(data, whole)
    others = (
        robustness.analyse_robustness(data, whole), subgroups.analyse_subgroups(data, whole),
        confounding.analyse_weights(data, whole), confounding.analyse_e_values(data, whole),
    )  # fmt: skip
    return data, whole, [whole, *(a for a in others if not isinstance(a, Absent))]


def _events(tte, group):
    """Events of the arms that a row compares, counted here; None for a row that compares none."""
    if group != "overall" and " vs " not in group:
        return None
    return sum(
        bool(e)
        for arm, e in zip(tte["arm"], tte["event"], strict=True)
        if group == "overall" or arm in group.split(" vs ")
    )


def _part(data, tte, variable):
    """Patients of "endpoint: subgroup: level"."""
    named = variable.split(": ")
    return tte if len(named) < 3 else tte[tte[own(data.study.subgroup(named[1]).variable)].astype(str) == named[2]]


# What takes longest; six arms are among today's, too.
LONG = ("two arms silent", "five arms, silent reference", "six arms, a competing event", "enough", "more asked for than there are")


@pytest.mark.parametrize("name", each_week(NAMES, [name for name in NAMES if name not in LONG]))
def test_no_output_holds_what_a_withheld_test_follows_from(name, tmp_path):
    folder = (
        CASES / name.removeprefix("case ")
        if name.startswith("case ")
        else _write(tmp_path / "study", len(name), *STUDIES[name][:3], **STUDIES[name][3])
    )
    data, whole, analyses = _analyses(folder)
    least, looked = data.study.policy.min_events, 0
    for analysis in analyses:
        for output, frame in analysis.frames.items():
            if output in COUNTS or output.startswith("balance"):
                continue
            for row in frame.to_dict("records"):
                variable = str(row.get("variable", ""))
                tte = _part(data, whole["tte"], variable)
                events = _events(tte, row["group"])
                if output == "robustness" and variable.split(": ")[1] in CHANGED:
                    events = row["n_events"] if row["group"] == "overall" else None
                if events is None or np.isnan(events):
                    continue
                left = [
                    c for c in (*TELLING, "estimate", "difference", "e_value", "min", "power") if pd.notna(row.get(c, np.nan))
                ]
                looked += 1
                assert events >= least or not left, (output, row)
                assert left or row["note"], (output, row)
    assert looked > 10


def test_six_arms():
    """A pair with one event is not tested; two arms without any have no hazard ratio; all arms have 16 events."""
    _, whole, _ = _analyses(CASES / "six_arms")
    pair = whole.row("logrank_pairwise", "e vs d")
    assert (pair["n_events"], pair["note"]) == (1, "not compared: fewer than 5 events")
    assert pair[["chisq", "df", "p_value", "p_adjusted"]].isna().all()
    assert whole.row("cox", "f vs d")["note"] == "not estimable: no event in either arm"
    assert whole["logrank"]["p_value"].notna().all()
    assert where(whole["logrank_pairwise"], group="c vs a")["p_adjusted"].notna().all()


def test_no_sentence_speaks_of_a_test_that_is_withheld():
    """Power for the difference that was seen rises and falls with p, so it goes too; and no p is spoken of."""
    data = _data(20)
    analysis = survival.analyse(data, data.study.endpoint("ep"))
    robust = robustness.analyse_robustness(data, analysis)
    short = data.study.endpoint("ep").short
    assert sentence_power(robust) == f"No power is computed for {short}: fewer than 20 events."
    assert robust["power"][["power", "mc_error"]].isna().all(axis=None)
    assert sentence_small(analysis).split(". ")[2] == "The arms are not compared: fewer than 20 events"
    text = table_comparisons(analysis).to_text()
    assert "– (–)" not in text
    assert "Proportional hazards" not in text
    assert "too narrow" not in text
    contrast = table_design._contrast(data, analysis)
    assert "hazard ratio not estimated (fewer than 20 events), difference in mean" in contrast
    enough = _data(16)
    robust = robustness.analyse_robustness(enough, survival.analyse(enough, enough.study.endpoint("ep")))
    robust["power"]["power"] = AIM - 0.1
    for p, spoken in ((0.2, True), (0.01, False), (np.nan, False)):
        robust["ways"][["p_value", "p_adjusted"]] = p
        assert ("A p above" in sentence_power(robust)) == spoken
    assert "not compared" not in sentence_small(survival.analyse(enough, enough.study.endpoint("ep")))


@pytest.mark.parametrize(
    ("events", "audience", "said"),
    [((0, 2), "internal", True), ((2, 1), "internal", False), ((4, 0), "internal", False), ((4, 0), "share", True), ((4, 4), "share", False)],
)
def test_a_masked_count_is_said_to_be_too_few_by_the_rule_that_withholds(events, audience, said):
    """In a shared report a small count stands for one event: what is said is what is done."""
    data = _data(3, audience)
    tte = _frame({"a": 9, "b": 9}, dict(zip("ab", events, strict=True)))
    median = pd.DataFrame({"group": [arm.id for arm in data.arms], "n_events": np.nan})
    frames = {"median": median, "logrank": withhold(data, tte, logrank.compare_logrank(tte))}
    assert ("not compared: fewer than 3 events" in sentence_small(Survival(data, "ep", frames))) == said


@pytest.mark.parametrize("reference", each_week("abcdef", "be"))
def test_the_second_engine_leaves_out_the_same_pairs(reference):
    """Whichever arm is the reference: its pairs are named the other way round, and Holm counts those that are tested."""
    data = dataset.load("efficacy", study=str(CASES / "six_arms"), reference=reference)
    analysis = survival.analyse(data, data.study.endpoint("ep"))
    second = survival.recompute(data, analysis)
    second_engine_survival.verify(to_rows("", analysis), second)
    tested = second[second["output"].eq("logrank_pairwise") & second["statistic"].eq("p_adjusted")]
    assert set(tested["group"]) == set(analysis["logrank_pairwise"].dropna(subset="p_adjusted")["group"])
    assert 0 < len(tested) < 15


def test_what_is_said_of_a_weighted_pair_that_is_withheld():
    """The reason once, and no remark about an interval that does not stand there."""
    _, _, analyses = _analyses(CASES / "weighted")
    weights = next(a for a in analyses if "weighted_cox" in a)
    said = sentence_weights(weights)
    assert "There is no weighted hazard ratio to set beside the crude one: fewer than 50 events." in said
    assert "too narrow" not in said
    explained = next(a for a in analyses if "e_value" in a)
    notes = table_weighted(weights, explained).notes
    assert notes.count("Not compared: fewer than 50 events.") == 1


def test_weighted_pair_with_too_few_events():
    _, _, analyses = _analyses(CASES / "weighted")
    weights = next(a for a in analyses if "weighted_cox" in a)
    for output in ("weighted_cox", "unweighted_cox"):
        assert weights[output][TELLING[:6]].isna().all(axis=None)
        assert weights[output]["note"].eq("not compared: fewer than 50 events").all()
        assert weights[output]["n_events"].eq(19).all()
    assert weights["weighted_rmst"][["estimate", "std_err", "ci_low", "ci_high"]].isna().all(axis=None)


def test_responses_and_adverse_events_are_events_too():
    """All 52 patients have fewer than 60 events of any kind."""
    data = _data(60, data=dataset.load("efficacy", study="data/rair_dtc"))
    timed, harms = response.analyse_response_time(data, [6]), events_in_time.analyse(data)
    for frame in (timed["response_incidence_test"], timed["response_landmark"], harms["ae_first_gray"]):
        shown = [column for column in TELLING if column in frame]
        assert frame[shown].isna().all(axis=None)
        assert frame["note"].eq("not compared: fewer than 60 events").all()
    assert harms["ae_rate_ratio"]["p_value"].notna().any()
    said = table_ae_first(harms).to_text()
    assert "Gray's test of all arms: not compared: fewer than 60 events" in said
