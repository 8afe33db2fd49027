"""The rule by which a marker has progressed, on samples made for each of its clauses; and as event of an endpoint."""

import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path

import marker_study
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from marker_study import load_samples
from numpy.testing import assert_allclose

from lib.analyses.efficacy import kinetics
from lib.dataset.derived import time_to_event_frame
from lib.dataset.markers import rise_frame
from lib.study.clinic.markers import Rise
from lib.study.endpoints import Endpoint
from lib.study.yaml_file import ProblemsFound

KEYS = "progression: {{ratio: 1.25, over: {over}, at_least: {least}, confirmed: {confirmed}}}"


def day_of(folder, values, *, over="nadir", least=0, confirmed=False):
    """Day of progression of a patient with these values, one every hundred days; None without."""
    rows = [("p", "A", day, value) for day, value in zip(range(0, 100 * len(values), 100), values, strict=True)]
    rows += [("q", "B", 0, 1), ("q", "B", 100, 1)]
    data = load_samples(folder, rows, KEYS.format(over=over, least=least, confirmed=str(confirmed).lower()))
    found = rise_frame(data, data.study.marker("m")).set_index("patient_id").loc["p"]
    return found["why"] or (None if pd.isna(found["date"]) else (found["date"] - pd.Timestamp("2015-01-01")).days)


@pytest.mark.parametrize(("values", "options", "expected"), [
    ((4, 2, 2.4, 2.5), {}, 300),  # just at the ratio
    ((4, 2, 2.4, 2.49), {}, None),
    ((4, 2, 2.5, 9), {"over": "baseline"}, 300),
    ((4, 2, 2.5), {"over": "baseline"}, None),
    ((0.1, 0.125), {}, 100),  # 1.25 times 0.1, which no binary number is
    ((0.1, 0.125, 0.2), {"least": 0.1}, 200),
    ((1, 1.3, 1.7, 2.2), {"least": 1}, 300),
    ((4, 2, 2.5, 2.4, 2.6, 2.7), {"confirmed": True}, 400),
    ((4, 2, 2.6), {"confirmed": True}, None),  # the last sample has none after it
    ((4, 2, 2.6, 2.5), {"confirmed": True}, 200),
    ((4, "<1", 1.2, 1.25), {}, 300),  # from the limit, not from what stands for it
    (("<1", "<1", "<3", 2.9), {"over": "baseline"}, 300),
    (("<1", "<9"), {}, None),  # another limit is no rise
    ((4, 5, ">4", 4), {}, 100),
    ((4, ">5"), {}, 100),
    ((4, ">4.5"), {}, None),  # it may be 5, or not
    ((">100", 50, 55, 63), {}, 300),
    ((">100", 50, 200), {"over": "baseline"}, "baseline above the limit of the assay"),
    ((">100", ">200", ">900"), {}, None),
    ((5,), {}, None),
])  # fmt: skip
def test_the_day_on_which_a_marker_has_progressed(tmp_path, values, options, expected):
    assert day_of(tmp_path, values, **options) == expected


@given(st.lists(st.sampled_from([1, 2, 3, 4, 5, 6, 8, 10, 13]), min_size=1, max_size=7), st.sampled_from(["nadir", "baseline"]), st.booleans(), st.sampled_from([0, 2]))
def test_the_rule_is_that_of_its_words(values, over, confirmed, least):
    """Sample by sample, as a reader of the rule would apply it."""
    expected = None
    for i in range(1, len(values)):
        start = min(values[:i]) if over == "nadir" else values[0]
        meets = [v >= 1.25 * start and v >= start + least for v in (values[i], *values[i + 1 : i + 2])]
        if all(meets) and len(meets) == 2 if confirmed else meets[0]:
            expected = 100 * i
            break
    assert _day(values, over, confirmed, least) == expected


def _day(values, over, confirmed, least):
    """As `day_of`, from a data set that is changed in place of being read anew."""
    data = _template()
    samples = data.tables["markers"].iloc[[0] * len(values)].reset_index(drop=True)
    samples = samples.assign(
        value=np.array(values, float), visit=np.arange(len(values), dtype=float), sample_date=pd.Timestamp("2015-01-01") + pd.to_timedelta(np.arange(len(values)) * 100, unit="D")
    )
    data = replace(data, tables=data.tables | {"markers": samples})
    marker = data.study.marker("m").model_copy(update={"progression": Rise(ratio=1.25, over=over, at_least=least, confirmed=confirmed)})
    found = rise_frame(data, marker).set_index("patient_id").loc["p", "date"]
    return None if pd.isna(found) else (found - pd.Timestamp("2015-01-01")).days


@cache
def _template():
    with tempfile.TemporaryDirectory() as folder:
        return load_samples(Path(folder), [("p", "A", 0, 1), ("q", "B", 0, 1)], KEYS.format(over="nadir", least=0, confirmed="false"))


ROWS = [
    ("a", "A", 0, 4), ("a", "A", 100, 1), ("a", "A", 200, 2), ("b", "B", 0, 4), ("b", "B", 300, 3), ("c", "B", 0, ">9"), ("c", "B", 100, 4),
    ("d", "A", 0, 4), ("d", "A", 90, 3), ("d", "A", 0, 99, "anti"), ("e", "A", 0, 1), ("e", "A", 150, 1),
]  # fmt: skip
ENDPOINT = Endpoint(
    id="bio", label="Biochemical progression", short="BP", role="secondary", definition="", events=("marker.m",), competing=("death_date",), censor="marker.m"
)


def test_progression_of_a_marker_is_an_event_of_an_endpoint(tmp_path):
    """The same times and causes as in the analysis of the marker; of whom nothing can be known is left out of both."""
    keys = KEYS.format(over="baseline", least=0, confirmed="false")
    data = load_samples(tmp_path, ROWS, f"{keys}, interference: {{marker: anti, above: 40}}")
    frame = time_to_event_frame(data, ENDPOINT).set_index("patient_id")
    known = kinetics.analyse_rises(data, data.study.marker("m"))["competing"].set_index("patient_id")
    assert set(frame.index) == set(known.index) == {"a", "b", "e"}
    assert_allclose(frame["time"], known["time"].loc[frame.index])
    assert (frame["cause"] == known["cause"].loc[frame.index]).all()
    assert rise_frame(data, data.study.marker("m")).set_index("patient_id")["why"].to_dict() == {
        "a": "", "b": "", "e": "", "c": "baseline above the limit of the assay", "d": "every sample left out",
    }  # fmt: skip


def test_observation_can_end_on_a_date_instead(tmp_path):
    data = load_samples(tmp_path, ROWS, KEYS.format(over="nadir", least=0, confirmed="false"))
    ends = time_to_event_frame(data, ENDPOINT.model_copy(update={"censor": "last_contact_date"})).set_index("patient_id")
    assert ends.loc["a", "event"] and ends.loc["a", "decided_by"] == "marker.m"
    assert ends.loc["a", "time"] == pytest.approx(200 / 365.25)
    assert ends.loc["b", "time"] == pytest.approx((pd.Timestamp("2019-12-31") - pd.Timestamp("2015-01-01")).days / 365.25)


@pytest.mark.parametrize(("keys", "message"), [
    ("scale: linear, kinetics: {since: baseline}", "kinetics needs scale: log"),
    ("scale: linear, progression: {ratio: 2, over: nadir, confirmed: true}", "progression needs scale: log"),
    ("role: quality, kinetics: {since: baseline}", "belongs to a marker whose role is endpoint"),
    ("kinetics: {since: yesterday}", "'baseline' or 'nadir'"),
    ("kinetics: {}", "Field required"),
    ("kinetics: {since: nadir, min_values: 2}", "greater than or equal to 3"),
    ("kinetics: {since: nadir, doubling_below: 0}", "greater than 0"),
    ("progression: {ratio: 1, over: nadir, confirmed: true}", "greater than 1"),
    ("progression: {ratio: 1.5, over: nadir}", "Field required"),
    ("progression: {ratio: 1.5, confirmed: false}", "Field required"),
    ("interference: {marker: anti, above: 40, surrogate: {fell: 1, rose: 2}}", "less than 1"),
    ("interference: {marker: anti, above: 40, surrogate: true}", "surrogate"),
])  # fmt: skip
def test_what_a_marker_cannot_declare_is_refused(tmp_path, keys, message):
    with pytest.raises(ProblemsFound, match=message):
        load_samples(tmp_path, ROWS, keys)


@pytest.mark.parametrize(("event", "message"), [
    ("marker.other", "other does not exist"), ("marker.anti", "anti does not exist"), ("marker.", "or marker. and the id"), ("markers.m", "or marker. and the id"),
])  # fmt: skip
def test_an_event_of_no_marker_is_refused(tmp_path, monkeypatch, event, message):
    monkeypatch.setattr(marker_study, "STUDY", marker_study.STUDY.replace("events: [death_date]", f"events: [{event}]"))
    with pytest.raises(ProblemsFound, match=message):
        load_samples(tmp_path, ROWS, KEYS.format(over="nadir", least=0, confirmed="false"))
