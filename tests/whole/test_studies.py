"""Studies of one, two and six arms, made for the purpose, through all notebooks: nothing breaks, all is said.

Among them: an arm without an adverse event, one in which nobody progresses or dies, ties, missed visits, one patient.
"""

import io
import re
from functools import cache
from itertools import product

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from notebook_cells import NOTEBOOKS, each_week, run_notebook, without_drawing
from random_study import COLOURS, LINES, Design, random_design, write_random

from lib.dataset.dataset import load
from lib.report.results import KEY
from lib.show.plots.style import line_style, shown_arms

pytestmark = pytest.mark.notebook

STUDIES = {
    "one arm": Design((9,), seed=101, missed=0.2),
    "two arms": Design((7, 9), seed=102, without_harm=("B",), hazard=0.05),
    "six arms": Design((5, 4, 4, 5, 4, 4), seed=106, without_harm=("C",), without_events=("E",), hazard=0.04),
    "one patient": Design((1, 4), seed=104, missed=0.4),
    "nothing happens": Design((4, 5), seed=105, without_harm=("A",), without_events=("A", "B")),
}
# Pictures of each notebook; those of single patients come on top.
PICTURES = {
    "cohort": {"flow", "enrolment", "attendance", "timing"},
    "efficacy": {"km_pfs", "km_os", "km_ttp", "response", "waterfall", "spider", "swimmer", "volume_trajectories",
                 "volume_summary", "crp_trajectories", "crp_summary", "pain_trajectories", "pain_summary"},
    "models": set(),
    "robustness": set(),
    "safety": set(),
}  # fmt: skip


# Each study and each page with two others at least; every page of every study with `make siege`.
TODAY = [
    ("one arm", "efficacy"), ("one arm", "safety"), ("two arms", "robustness"), ("two arms", "models"), ("six arms", "cohort"), ("six arms", "efficacy"),
    ("one patient", "efficacy"), ("one patient", "robustness"), ("nothing happens", "models"), ("nothing happens", "safety"), ("nothing happens", "cohort"),
]  # fmt: skip


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Design and folder of a study by its name, written once."""
    return cache(lambda name: (STUDIES[name], write_random(tmp_path_factory.mktemp("study"), STUDIES[name])))


def check(shown, design):
    """What holds on every page: finite numbers or reasons, no gap in a sentence, every patient counted."""
    results = pd.read_csv(io.StringIO(shown.records("results")[0]["csv"]))
    assert not results.duplicated(KEY).any()
    assert np.isfinite(results["value"].dropna()).all()
    assert results["method"].notna().all()
    text = shown.text + "".join(record["csv"] for record in shown.records("table"))
    assert not re.search(r"\b(nan|NaN|None(?! of \d)|inf)\b", text)
    assert not re.search(r"superior|no difference|equally (safe|effective) as", text)
    assert [arm["n"] for arm in shown.records("header")[0]["arms"]] == list(design.sizes)
    return results, {record["id"] for record in shown.records("figure")}


@pytest.mark.parametrize(("which", "name"), each_week(product(STUDIES, NOTEBOOKS), TODAY))
def test_every_notebook_runs_and_draws_every_picture(study, which, name, monkeypatch):
    design, folder = study(which)
    shown = run_notebook(name, monkeypatch, study=str(folder))
    results, pictures = check(shown, design)
    assert pictures >= PICTURES[name]
    harm = set(design.without_harm) != set(design.arms)
    if name == "safety":
        assert ("ae_terms" in pictures) == harm
        any_event = results[(results["output"] == "ae_overview") & (results["variable"] == "any")]
        for arm in design.without_harm:
            own = any_event[any_event["group"] == arm].set_index("statistic")["value"]
            assert own["count"] == 0
            assert own["ci_low"] == 0
            assert 0 < own["ci_high"] < 1
    if name == "efficacy":
        for arm in design.without_events:
            own = results[(results["output"] == "median") & (results["variable"] == "pfs") & (results["group"] == arm)]
            own = own.set_index("statistic")["value"]
            assert own["n_events"] == 0
            assert np.isnan(own["median"])


def test_what_cannot_be_estimated_is_said(tmp_path, monkeypatch):
    folder = write_random(tmp_path, STUDIES["nothing happens"])
    without_drawing(monkeypatch)
    text = run_notebook("efficacy", monkeypatch, study=str(folder)).text
    assert "not reached" in text
    assert re.search(r"fewer than \d+ events|no event", text)


@pytest.mark.parametrize("seed", each_week([11, 23], [11]))
def test_a_study_drawn_at_random_gives_a_report(seed, tmp_path, monkeypatch):
    design = random_design(seed)
    check(run_notebook("efficacy", monkeypatch, study=str(write_random(tmp_path, design))), design)


def test_the_same_design_is_the_same_study(tmp_path):
    one, two = (write_random(tmp_path / name, STUDIES["two arms"]) for name in ("one", "two"))
    assert [p.read_bytes() for p in sorted(one.iterdir())] == [p.read_bytes() for p in sorted(two.iterdir())]


# Machado, Oliveira and Fernandes, IEEE Trans Vis Comput Graph 2009;15:1291: deuteranopia, severity 1, linear RGB.
DEUTERANOPIA = np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]])
GREY = np.array([[0.2126, 0.7152, 0.0722]])


def test_six_arms_can_be_told_apart_by_eye():
    """Colours of each two arms differ for the colour-blind; in grey, where they may not, the lines do."""
    linear = np.array([[c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)] for colour in COLOURS])
    seen = np.clip(linear @ DEUTERANOPIA.T, 0, 1)
    for i in range(6):
        for j in range(i):
            assert np.abs(seen[i] - seen[j]).max() > 0.08, (COLOURS[i], COLOURS[j])
            assert np.abs((linear[i] - linear[j]) @ GREY.T) > 0.1 or LINES[i] != LINES[j]


def test_six_arms_have_six_lines_and_markers(tmp_path):
    data = load("efficacy", study=str(write_random(tmp_path, STUDIES["six arms"])))
    looks = [(str(line_style(arm)), marker) for arm, marker in shown_arms(data)]
    assert [len(set(part)) for part in zip(*looks, strict=True)] == [6, 6]
