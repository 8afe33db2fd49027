"""Labels as studies have them: drawn as they stand, whatever they hold, and cut where they would leave no room."""

import json
import re
import warnings
from html import unescape

import pandas as pd
import pytest
from notebook_cells import NOTEBOOKS, run_notebook
from random_study import Design, write_random

from lib.dataset.dataset import load
from lib.show.formats import unstyled
from lib.show.labels import needed_to_treat, trend_note
from lib.show.plots.style import LABEL_LENGTHS, picture, write_figure
from lib.statistics.comparisons import add_number_needed
from lib.study.study import read_study
from lib.study.yaml_file import ProblemsFound

# To matplotlib a formula that it cannot read, and one that it can.
SIGNS = r"CD4$x_{1$ 5% \alpha$^2$"


def labelled(folder, label):
    """A study that calls everything so."""
    write_random(folder, Design((6, 5)))
    study = json.loads((folder / "study.yml").read_text(encoding="utf-8"))
    study["time"]["zero_label"] = label
    parts = [*study["arms"], *study["baseline"], *study["endpoints"], *study["sites"], *study["markers"], *study["treatments"]["components"]]
    parts += [level for variable in study["baseline"] for level in variable.get("levels", [])]
    for part in parts:
        called = f"{label} {part.get('id', part.get('value'))}"
        part.update({name: called for name in ("label", "short") if name in part})
    events = study["adverse_events"]
    events["systems"] = {f"{s} {label}": [f"{t} {label}"[:150] for t in terms] for s, terms in events["systems"].items()}
    (folder / "study.yml").write_text(json.dumps(study), encoding="utf-8")
    table = pd.read_csv(folder / "adverse_events.csv", dtype=str)
    table.assign(term=(table["term"] + f" {label}").str[:150]).to_csv(folder / "adverse_events.csv", index=False)
    return folder


@pytest.mark.thorough
def test_signs_of_a_formula_are_drawn_as_they_stand(tmp_path, monkeypatch):
    drawn = 0
    for name in NOTEBOOKS:
        shown = run_notebook(name, monkeypatch, study=str(labelled(tmp_path, SIGNS)))
        figures = [data["image/svg+xml"] for data, _ in shown.outputs if "image/svg+xml" in data]
        texts = [unescape(text) for svg in figures for text in re.findall(r"<text[^>]*>([^<]*)</text>", svg)]
        assert not [text for text in texts if "mathdefault" in text]
        drawn += sum("x_{1$" in text for text in texts)
    assert drawn > 40


@pytest.mark.parametrize("length", [5, 70, 400])
def test_a_long_label_leaves_room_for_the_picture(length):
    label = "W" * length
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with picture(2, 1, 2) as (figure, (left, right)):
            for axes in (left, right):
                axes.barh([0, 1], [3, 4], label=label)
                axes.set_yticks([0, 1], [label, f"{label}\nsecond line"])
                axes.legend()
            written = write_figure(figure, "bars", "Bars", "Bars.")
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", written.svg)
    longest = max(len(text) for text in texts if text.startswith("W"))
    assert longest == length if length == 5 else longest in LABEL_LENGTHS
    assert "second line" in texts
    assert all(width >= 36 for _, _, width, *_ in written.panels)


@pytest.mark.parametrize(("label", "says"), [("_x", "must not begin with _"), ("", "must not be empty"), ("  ", "must not be empty")])
def test_a_label_that_no_legend_shows_is_refused(label, says, tmp_path):
    write_random(tmp_path, Design((3, 3)))
    study = json.loads((tmp_path / "study.yml").read_text(encoding="utf-8"))
    study["arms"][1]["label"] = study["markers"][0]["label"] = label
    (tmp_path / "study.yml").write_text(json.dumps(study), encoding="utf-8")
    with pytest.raises(ProblemsFound) as found:
        read_study(tmp_path)
    assert [p.column for p in found.value.problems] == ["arms.1.label", "markers.0.label"]
    assert says in found.value.problems[0].message


NEEDED = {
    "benefit": ((0.2, 0.1, 0.3), "NNTB 5 (4 to 10)"),
    "harm": ((-0.2, -0.3, -0.1), "NNTH 5 (4 to 10)"),
    "through infinity": ((0.1, -0.05, 0.25), "NNTB 10 (NNTB 4 to ∞ to NNTH 20)"),
    "through infinity, to harm": ((-0.1, -0.25, 0.05), "NNTH 10 (NNTH 4 to ∞ to NNTB 20)"),
    "up to infinity": ((0.1, 0.0, 0.2), "NNTB 10 (5 to ∞)"),
    "rounded up": ((0.3, 0.21, 0.39), "NNTB 4 (3 to 5)"),
    "everybody": ((1.0, 0.7, 1.0), "NNTB 1 (1 to 2)"),
    "thousands": ((0.0005, -0.0005, 0.0015), "NNTB 2 000 (NNTB 667 to ∞ to NNTH 2 000)"),
    "no difference": ((0.0, -0.1, 0.1), "none: the difference is 0"),
    "not estimated": ((float("nan"), float("nan"), float("nan")), "–"),
    "no interval": ((0.25, float("nan"), float("nan")), "NNTB 4 (–)"),
    "a limit that no difference reaches": ((0.9, 0.6, 1.2), "NNTB 2 (–)"),
}


@pytest.mark.parametrize("case", NEEDED)
def test_a_number_needed_to_treat_reads_as_altman_writes_it(case):
    """BMJ 1998;317:1309: an interval that holds no difference runs through infinity, never through 0."""
    limits, words = NEEDED[case]
    row = add_number_needed(pd.DataFrame([dict(zip(("difference", "ci_low", "ci_high"), limits, strict=True))])).iloc[0]
    assert unstyled(needed_to_treat(row)) == unstyled(words.replace(" 000", "\N{NARROW NO-BREAK SPACE}000"))
    turned = words.replace("NNTB", "x").replace("NNTH", "NNTB").replace("x", "NNTH")
    assert unstyled(needed_to_treat(row, good=False)) == unstyled(turned.replace(" 000", "\N{NARROW NO-BREAK SPACE}000"))


def test_a_trend_says_the_order_and_where_it_goes():
    data = load("efficacy", study="data/rair_dtc")
    order = f"in the order {data.arms[0].label}, {data.arms[1].label} then {data.arms[2].label}"
    assert order in trend_note(data, {"statistic": 1.0}, "responses")
    assert trend_note(data, {"statistic": -1.0}, "events").endswith("fewer events along it.")
    assert trend_note(data, {"statistic": float("nan")}, "events") == ""
