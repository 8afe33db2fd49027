"""results.csv: names fixed in one place, each row once."""

import io
import re
from importlib.metadata import version

import numpy as np
import pandas as pd
import pytest
from markupsafe import escape
from notebook_cells import shipped

from lib.analyses.outputs import OUTPUTS
from lib.analyses.result import Analysis
from lib.report.references import SOURCES, cite, paragraph
from lib.report.results import COLUMNS, KEY, STATISTICS, to_rows
from lib.show.labels import counted, unit_label
from lib.study.study import ROOT


def _analysis(**columns) -> Analysis:
    return Analysis(None, "os", {"median": pd.DataFrame({"group": ["A", "B"], "method": "Kaplan-Meier"} | columns)})


def test_rows_are_long_unrounded_and_unique():
    rows = to_rows("efficacy", _analysis(median=[1 / 3, np.nan], n=[14, 25]))
    assert list(rows) == COLUMNS
    assert len(rows) == 4
    assert not rows.duplicated(KEY).any()
    assert rows.query("group == 'A' and statistic == 'median'")["value"].item() == 1 / 3


def test_a_statistic_without_a_name_is_refused():
    with pytest.raises(ValueError, match="no such statistic as fancy"):
        to_rows("efficacy", _analysis(fancy=[1, 2]))


def test_the_same_row_twice_is_refused():
    frame = pd.DataFrame({"group": ["A", "A"], "n": [1, 2], "method": ""})
    with pytest.raises(ValueError, match="same statistic twice"):
        to_rows("efficacy", Analysis(None, "os", {"median": frame}))


def test_the_data_dictionary_lists_every_statistic():
    text = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| `(\w+)` \| (.+?) \|$", text.split("## Statistics in results.csv")[1], re.MULTILINE))
    assert listed == STATISTICS


def test_the_methods_section_names_what_was_run():
    """Every method of results.csv stands there, with tau, engines and sources."""
    shown = shipped("efficacy", "data/colon")
    page = "".join(d["text/html"] for d, _ in shown.outputs if 'class="methods"' in d.get("text/html", ""))
    results = pd.read_csv(io.StringIO(shown.records("results")[0]["csv"]))
    for method in results["method"].dropna().unique():
        assert str(escape(method)) in page
    assert "Recurrence 5 years; OS 5 years" in page
    assert f"statsmodels {version('statsmodels')}" in page
    assert "Mantel N. Cancer Chemother Rep 1966;50:163" in page
    assert cite("no such method") == []
    told = page.split("To paste into a paper:")[1].split("</p>")[0]
    assert "Patients were analysed as randomised. " in told
    assert "Curves were compared by the log-rank test (Mantel N. Cancer Chemother Rep 1966;50:163; Peto R, Peto J. J R Stat Soc A 1972;135:185)." in told
    assert "Newcombe" not in told  # colon has no responses
    assert told.endswith("Confidence intervals are at 95%; tests are two-sided.")


@pytest.mark.parametrize(
    ("method", "authors"),
    [
        ("log-rank test, chi-square approximation", ["Mantel N.", "Peto R"]),
        ("weighted log-rank test, rho = 1, gamma = 0, chi-square approximation", ["Peto R", "Harrington DP"]),
        ("permutation log-rank test, 10000 random allocations, seed 1", ["Heinze G, Gnant M"]),
        ("log-rank test, stratified by year, chi-square approximation", ["Mantel N, Haenszel W"]),
        ("landmark analysis at 6, log-rank test, chi-square approximation", ["Anderson JR", "Mantel N.", "Peto R"]),
        ("score test of hazard ratios that change with 1 - Kaplan-Meier", ["Grambsch PM"]),
        ("Cox regression (Efron ties), Wald 95% interval", ["Cox DR", "Efron B"]),
        ("Cox regression with Firth's penalty (Breslow ties), profile-likelihood 95% interval", ["Cox DR", "Breslow N", "Heinze G, Schemper M"]),
        ("weighted Cox regression (Efron ties), robust Wald 95% interval", ["Cox DR", "Efron B", "Lin DY"]),
        ("permutation test of interval-censored times, 100 random allocations", ["Finkelstein DM"]),
        ("Turnbull's curve of interval-censored times", ["Turnbull BW"]),
        ("Fisher's exact test, Holm over the pairs", ["Fisher RA", "Holm S"]),
        ("count of patients", []),
    ],
)
def test_each_test_has_the_citation_of_its_own(method, authors):
    found = cite(method)
    assert len(found) == len(authors)
    for source, author in zip(found, authors, strict=True):
        assert source.startswith(author)


def test_a_paragraph_says_each_thing_once_and_with_its_source():
    methods = {"log-rank test, chi-square approximation": [], "log-rank test, chi-square approximation, holm adjustment": [], "exact McNemar test": ["A. B 1;2:3"]}
    assert paragraph(methods) == [
        "Curves were compared by the log-rank test (Mantel N. Cancer Chemother Rep 1966;50:163; Peto R, Peto J. J R Stat Soc A 1972;135:185).",
        "Changes of response within patients were tested by the exact McNemar test (A. B 1;2:3).",
        "The p-values of pairs of arms were adjusted by Holm's method (Holm S. Scand J Stat 1979;6:65).",
    ]
    assert paragraph({"count of patients": []}) == []


def test_every_source_names_year_volume_and_pages_and_stands_short_within_a_sentence():
    own = {output.source for output in OUTPUTS if output.source}
    sources = {source for phrase in [*SOURCES.values(), *own] for source in phrase.split("; ")}
    books = {source for source in sources if re.search(r", \d{4}(, paper \d+)?$|\d{4}, paper \d+$", source)}
    for source in sources - books:
        assert re.search(r"^[A-Z][^.]+\. .+ (1[89]|20)\d\d;\d+:\d+(-\d+)?(\. doi:10\.\d{4,}/\S+)?$", source), source
        first, _, last = re.search(r":(\d+)(-?)(\d*)", source).groups()
        assert not last or int(last) >= int(first), source
    assert books == {"Yang D, Dalton JE. SAS Global Forum 2012, paper 335", "Kish L. Survey Sampling, 1965", "Efron B, Tibshirani RJ. An Introduction to the Bootstrap, 1993"}
    shown = " ".join(paragraph(dict.fromkeys(SOURCES, ())))
    assert "doi" not in shown
    assert not re.search(r";\d+:\d+-", shown)


def test_what_a_row_counts_travels_with_the_number():
    """Patients unless the frame says otherwise; a number that is no count counts nothing."""
    frame = pd.DataFrame({"group": ["A", "B"], "n": [14, 29], "median": [1.5, 2.5], "unit": ["patients", "lesions"], "method": ""})
    rows = to_rows("efficacy", Analysis(None, "", {"exposure_number": frame})).set_index(["statistic", "group"])["unit"]
    assert rows["n"].tolist() == ["patients", "lesions"]
    assert rows["median"].tolist() == ["", ""]
    assert to_rows("efficacy", _analysis(n=[14, 25]))["unit"].tolist() == ["patients", "patients"]
    assert counted(frame.iloc[1]) == "29 lesions"
    assert counted({"n": 1, "unit": "lesions"}) == "1 lesion"
    assert unit_label(frame) == "patients and lesions"
    assert unit_label(frame.iloc[:0]) == "patients"


@pytest.mark.parametrize(
    ("report", "output", "unit"),
    [
        ("efficacy", "lesion_volume_model_count", "lesions"),
        ("efficacy", "lesion_volume_model_variance", "measurements of lesions"),
        ("efficacy", "lesion_volume_several", "patients"),
        ("efficacy", "tg_model_count", "patients"),
        ("efficacy", "tg_model_variance", "samples"),
        ("efficacy", "tg_below_limit", "samples"),
        ("robustness", "scan_interval", "intervals"),
        ("efficacy", "median", "patients"),
        ("cohort", "scan_longest", "patients"),
        ("cohort", "scan_delay", "scans"),
        ("safety", "ae_overview", "patients"),
        ("safety", "ae_events_mild", "events"),
        ("safety", "ae_attribution_events", "events"),
        ("safety", "ae_onset", "events"),
        ("safety", "ae_rate", "events"),
        ("safety", "ae_first_rate", "patients"),
    ],
)
def test_units_of_the_shipped_study(report, output, unit):
    results = pd.read_csv(io.StringIO(shipped(report, "data/rair_dtc").records("results")[0]["csv"]))
    own = results[(results["output"] == output) & results["statistic"].isin(["n", "count"])]
    assert set(own["unit"]) == {unit}


def test_a_picture_of_lesions_counts_lesions():
    """Under each visit of the mixed model stand the values behind it, and what they are."""
    shown = shipped("efficacy", "data/rair_dtc")
    figures = {m["cohort_report"]["id"]: d["image/svg+xml"] for d, m in shown.outputs if "image/svg+xml" in d}
    results = pd.read_csv(io.StringIO(shown.records("results")[0]["csv"]))
    for name, unit in (("lesion_volume", "lesions"), ("tg", "patients")):
        behind = results[(results["output"] == f"{name}_model_count") & (results["time"] == 0)]["value"]
        assert f">{unit.capitalize()} with a value<" in figures[f"{name}_ratios"]
        assert {f"{n:.0f}" for n in behind} <= set(re.findall(r">(\d+)</text>", figures[f"{name}_ratios"]))
