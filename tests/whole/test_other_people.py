"""Other people's data, from the table to the pages: each study of `other_people`, held against R.

R's values are made by reference/other_people.R from the same two files, study.yml and patients.csv:
`survfit(conf.type = "log-log")`, `survdiff`, `coxph(ties = "efron")`, and `cuminc` where an event competes.
"""

import io
import itertools
import json
import re
from pathlib import Path

import lifelines.datasets
import numpy as np
import pandas as pd
import pytest
from notebook_cells import NOTEBOOKS, each_week, run_notebook, words_alone
from other_people import tables

from lib.dataset.dataset import load
from lib.report.results import KEY
from lib.study.yaml_file import ProblemsFound

pytestmark = pytest.mark.notebook

EXPECTED = json.loads((Path(__file__).parents[1] / "reference" / "expected" / "other_people.json").read_text("utf-8"))
# Of these the pictures are drawn as well.
DRAWN = set(tables.NAMES[::6])
# Beside efficacy, which R computed too, each study has one other page, in turn.
PAGES = dict(zip(tables.NAMES, itertools.cycle(("cohort", "robustness", "models", "safety")), strict=False))
# Data sets of lifelines that hold no time to an event: concentrations below a limit of detection.
NO_TIMES = {"lcd", "nh4"}
# What is wrong with each table that is refused: several rows per patient, an interval without end, no event.
REFUSALS = {
    "c_botulinum": "E003 patients.csv, row 1, grown: missing column grown",
    "dfcv": "E010 patients.csv, row 7, id, 5: rows 6 and 7 have the same patient_id",
    "holly_molly_polly": "E010 patients.csv, row 3, ID, M: rows 2 and 3 have the same patient_id",
    "mice_without_end": "E103 patients.csv, row 29, u, 28: must be a number from 0 to 73050 days",
    "panel_test": "E010 patients.csv, row 3, id, 1: rows 2 and 3 and 4 and 5 have the same patient_id",
    "recur": "E010 patients.csv, row 3, ID, 1: rows 2 and 3 and 4 and 5 have the same patient_id",
    "stanford_heart": "E010 patients.csv, row 5, id, 3: rows 4 and 5 have the same patient_id",
}


def equals_r(found: float, expected: float | None) -> bool:
    """Whether a number of the page is R's, null = not reached."""
    return np.isclose(found, np.nan if expected is None else expected, rtol=1e-6, atol=0, equal_nan=True)


def expected_numbers(endpoint: dict):
    """(output, group, time, statistic) of results.csv, and R's value."""
    for arm, values in endpoint["arms"].items():
        for ours, theirs in (("n", "n"), ("n_events", "events"), ("median", "median"), ("ci_low", "low"), ("ci_high", "high")):
            yield ("median", arm, "", ours), values[theirs]
    for output, values in (("logrank", endpoint.get("logrank")), ("gray", endpoint.get("competing", {}).get("gray"))):
        for ours, theirs in (("chisq", "chisq"), ("p_value", "p")) if values else ():
            yield (output, "overall", "", ours), values[theirs]
    for pair, values in endpoint.get("cox", {}).items():
        for ours, theirs in (("hr", "hr"), ("ci_low", "low"), ("ci_high", "high"), ("p_value", "p")):
            yield ("cox", pair, "", ours), values[theirs]
    for arm, values in endpoint.get("competing", {}).get("incidence", {}).items():
        for time, value in zip(endpoint["competing"]["landmarks"], values, strict=True):
            yield ("cumulative_incidence", arm, float(time), "estimate"), value


@pytest.fixture(scope="module", params=tables.NAMES)
def pages(request, tmp_path_factory):
    """Notebooks of one study, run."""
    folder = tables.write_study(request.param, tmp_path_factory.mktemp(request.param))
    with pytest.MonkeyPatch.context() as monkeypatch:
        if request.param not in DRAWN:
            words_alone(monkeypatch)
        return request.param, {name: run_notebook(name, monkeypatch, study=str(folder)) for name in each_week(NOTEBOOKS, ("efficacy", PAGES[request.param]))}


def results_of(page) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(page.records("results")[0]["csv"]), keep_default_na=False)


def test_every_page_says_all_it_has_to_say(pages):
    name, shown = pages
    n = sum(arm["n"] for arm in next(iter(EXPECTED[name].values()))["arms"].values())
    for page in shown.values():
        results = results_of(page)
        assert not results.duplicated(KEY).any()
        assert sum(arm["n"] for arm in page.records("header")[0]["arms"]) == n
        assert not re.search(r"\b(nan|NaN|None(?! of \d)|inf)\b", page.text)
    assert "cohort" not in shown or "flow" in {record["id"] for record in shown["cohort"].records("figure")}
    assert {f"km_{endpoint}" for endpoint in EXPECTED[name]} <= {r["id"] for r in shown["efficacy"].records("figure")}


def test_the_page_shows_what_r_says(pages):
    name, shown = pages
    results = results_of(shown["efficacy"])
    results["time"] = [float(time) if time else "" for time in results["time"].astype(str)]
    value = pd.to_numeric(results["value"]).set_axis(pd.MultiIndex.from_frame(results[["variable", "output", "group", "time", "statistic"]]))
    for endpoint, expected in EXPECTED[name].items():
        wrong, pairs = [], set(results.loc[results["output"].eq("cox") & results["variable"].eq(endpoint), "group"])
        for key, r in expected_numbers(expected):
            if key[0] == "cox" and key[1] not in pairs:
                continue  # R has each pair both ways, the page one
            found = value[(endpoint, *key)]
            wrong += [] if equals_r(found, r) else [(key, found, r)]
        assert not wrong
        arms = len(expected["arms"])
        assert len(pairs) == arms * (arms - 1) / 2


@pytest.mark.parametrize("name", tables.REFUSED)
def test_a_table_of_another_shape_is_refused_by_name(name, tmp_path):
    with pytest.raises(ProblemsFound, match=re.escape(REFUSALS[Path(name).name])):
        load("efficacy", study=str(tables.write_study(name, tmp_path)))


def test_every_data_set_of_lifelines_is_here():
    text = Path(tables.__file__).read_text("utf-8")
    stems = [name.removeprefix("load_") for name in dir(lifelines.datasets) if name.startswith("load_")]
    assert {stem for stem in stems if not re.search(rf"\b(load_)?{stem}\b", text)} == NO_TIMES
    assert set(EXPECTED) == set(tables.NAMES)


def test_the_same_patients_from_dates_and_from_columns():
    """lymph_node and lymph_node_dates hold the same days, once as columns and once as dates."""
    columns, dates = (EXPECTED[name]["os"]["logrank"] for name in ("lymph_node", "lymph_node_dates"))
    assert columns["chisq"] == pytest.approx(dates["chisq"], rel=1e-9)
