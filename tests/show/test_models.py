"""Tables and sentences of the page on models: each verdict in its words, and what a table holds is what was recorded."""

import functools

import pandas as pd
import pytest

from lib import analyse
from lib.analyses.verdicts import FITTED, REFUSED, WEAK, Verdict, Verdicts, collect_verdicts, verdict_frame
from lib.dataset.dataset import load
from lib.show import say, table
from lib.show.formats import format_number, format_p
from lib.show.sentences.models.regression import _told

RAIR, COLON = "data/rair_dtc", "data/colon"


@functools.cache
def asked(study: str):
    """Data set, regressions of every endpoint, and whether the first one's model fits."""
    data = load("models", study=study)
    survivals = [analyse.survival(data, endpoint) for endpoint in data.study.endpoints]
    return data, [analyse.regression(data, survival) for survival in survivals], analyse.model_fit(data, survivals[0])


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ((0.01, 0.5), (0.02, 0.6), "told apart as well"),
        ((0.01, 0.5), (0.02, 1.6), "told apart the other way round"),
        ((0.01, 0.5), (0.2, 0.7), "no longer told apart"),
        ((0.3, 0.8), (0.01, 0.5), "told apart only so"),
        ((0.3, 0.8), (0.2, 0.7), "not told apart either"),
    ],
)
def test_what_adjusting_changed_is_said(before, after, words):
    crude, found = (pd.Series({"p_value": p, "hr": hr}) for p, hr in (before, after))
    assert words in _told(crude, found, "hr")


def verdicts_of(*states: str) -> Verdicts:
    data = asked(RAIR)[0]
    carried = analyse.model_fit(data, analyse.survival(data, data.study.primary))
    carried.data["verdicts"] = verdict_frame(Verdict(f"Model {i}", state, "Why.", "What.") for i, state in enumerate(states))
    return collect_verdicts(data, [carried])


@pytest.mark.parametrize(
    ("states", "words"),
    [
        ((FITTED,), "1 model was fitted as asked."),
        ((WEAK, WEAK), "2 models are weak. A weak model gives a direction at most."),
        ((FITTED, REFUSED), "1 model was fitted as asked and 1 model was refused. A model that was refused says nothing, neither for an arm nor against it."),
    ],
)
def test_verdicts_are_counted(states, words):
    found = verdicts_of(*states)
    assert str(say.model_verdicts(found)) == words
    shown = table.model_verdicts(found)
    assert [row.cells[1] for row in shown.rows] == [state.capitalize() for state in states]


def test_a_response_is_said_with_its_odds_ratio():
    data, _, _ = asked(RAIR)
    found = analyse.response_regression(data, data.study.response.visits[:1])
    said = str(say.response_regression(found))
    row = found["response_regression_adjusted"].query("group == 'C vs A'").iloc[0]
    assert format_number(row["odds_ratio"], 2) in said
    assert "Firth's penalty" in said


def test_a_competing_event_has_both_ratios():
    _, regressions, _ = asked(RAIR)
    ttlp = next(r for r in regressions if r.variable == "ttlp")
    said = " ".join(str(say.subdistribution(one)) for one in regressions)
    shown = table.subdistribution(ttlp)
    for output in ("subdistribution_adjusted", "regression_adjusted"):
        row = ttlp[output].query("group == 'C vs A'").iloc[0]
        assert format_number(row["hr"], 2) in said
        assert any(format_number(row["hr"], 2) in cell for line in shown.rows for cell in line.cells)
    assert not getattr(table.subdistribution(regressions[0]), "rows", ())


def test_checks_of_a_large_model_are_all_shown_and_of_a_small_one_refused():
    (_, _, large), (_, _, small) = asked(COLON), asked(RAIR)
    shown = {
        "linearity": table.linearity(large), "proportional": table.proportional(large),
        "periods": table.periods(large), "discrimination": table.discrimination(large),
    }  # fmt: skip
    cells = {name: [cell for row in one.rows for cell in row.cells] for name, one in shown.items()}
    for output, name in (("model_linearity", "linearity"), ("model_proportional", "proportional")):
        assert {format_p(p) for p in large[output]["p_value"]} <= set(cells[name])
    hr = large["model_period"]["hr"].dropna()
    assert all(any(format_number(one, 2) in cell for cell in cells["periods"]) for one in hr)
    assert any(format_number(large["model_concordance"]["concordance"].iat[0], 2) in cell for cell in cells["discrimination"])
    assert small["model_linearity"]["p_value"].isna().all()
    assert small["model_linearity"]["note"].str.contains("fewer than 10 events per coefficient").all()
