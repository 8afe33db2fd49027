"""Legends for a manuscript: each figure has one, says how many, and spells out the abbreviations that it uses and no others."""

import re

import pytest
from matplotlib.figure import Figure as Drawing
from notebook_cells import NOTEBOOKS, shipped

from lib.dataset.dataset import load
from lib.show.plots.legends import ABBREVIATIONS, LEGENDS, legend
from lib.study.study import ROOT

pytestmark = pytest.mark.thorough

SPELLED = re.compile(r"(?:(?<=\. )|(?<=; ))([^.;:]+): ([^;.]+)(?=;|\.$)")
WORDS = {"pale": "", "response": " and with an objective response", "severe": "grade 3 or higher", "scale": "grade", "endpoint": "overall survival", "pair": "B vs A", "quantity": "Volume",
         "p_value": "p-value", "limit": "0.05", "ticks": "", "below": "", "differences": "", "what": "control", "when": "6 months", "zone": ""}  # fmt: skip
WORDS |= {"aim": "80%", "kinds": "Medians", "pooled": "", "none": "", "who": "19 patients", "label": "add B within a month"}


def drawing(*words: str) -> Drawing:
    figure = Drawing()
    for word in words:
        figure.text(0, 0, word)
    return figure


def test_every_legend_is_that_of_a_figure_and_every_figure_has_one():
    rooms = (ROOT / "lib" / "show" / "plots").rglob("*.py")
    asked = [kind for file in rooms for kind in re.findall(r'legend\(figure, data, "(\w+)"', file.read_text())]
    assert sorted(asked) == sorted(LEGENDS)


@pytest.mark.parametrize("kind", LEGENDS)
@pytest.mark.parametrize(("arms", "n"), [([], "52 patients: 14 with Anlotinib, 25 with Iodine-125 seeds and 13 with Anlotinib + seeds"), (["A"], "14 patients")])
def test_a_legend_is_whole_sentences_and_says_how_many(kind, arms, n):
    said = legend(drawing(), load("efficacy", arms=arms), kind, **WORDS)
    assert said[0].isupper()
    assert said.endswith(".")
    assert "{" not in said
    assert "  " not in said
    assert (f"({n}" in said) == (kind != "profile")


@pytest.mark.parametrize(
    ("words", "spelled"),
    [
        ([], {}),
        (["CR", "PD 3"], {"CR": "complete response", "PD": "progressive disease"}),
        (["LPFS, months"], {"LPFS": "local progression-free survival"}),
        (["Medians (NR)", "12.1 to NR"], {"NR": "not reached"}),
        (["SDX", "aPR", "nr", "CRs"], {}),
        (["{CR}", "$PR$"], {"CR": "complete response", "PR": "partial response"}),
    ],
)
def test_abbreviations_are_spelled_out_where_they_are_used(words, spelled):
    said = legend(drawing(*words), load("efficacy"), "spider")
    assert dict(SPELLED.findall(said)) == spelled


@pytest.mark.notebook
@pytest.mark.parametrize("study", ["data/rair_dtc", "data/colon"])
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_figure_of_the_shipped_studies_has_its_legend(study, name):
    shown = shipped(name, study=study)
    for (data, metadata), record in ((o, o[1].get("cohort_report", {})) for o in shown.outputs):
        if record.get("kind") != "figure":
            continue
        drawn = " ".join(re.findall(r"<text[^>]*>([^<]*)</text>", data["image/svg+xml"]))
        spelled = dict(SPELLED.findall(record["legend"]))
        assert record["legend"], record["id"]
        sentences = record["legend"].split(f" {next(iter(spelled))}: ")[0] if spelled else record["legend"]
        for short in ABBREVIATIONS:
            used = re.search(rf"(?<!\w){short}(?!\w)", f"{drawn} {sentences}")
            assert bool(used) == (short in spelled), (record["id"], short)
        assert metadata["cohort_report"]["legend"] not in record["alt"]
