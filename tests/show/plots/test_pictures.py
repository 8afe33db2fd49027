"""The style of every picture against the one that was looked at, pixel by pixel: `make pictures` draws the baselines anew.

A digit is fewer pixels than processors may differ in: what is drawn (words, coordinates, colours) is compared exactly by
the golden texts (tests/whole/test_golden.py) and by test_drawn.py.

matplotlib and the font that it brings are pinned, so the same picture gives the same pixels; an edge may differ by
rounding between processors. A picture that is meant to change is drawn anew, looked at, and committed.
"""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from notebook_cells import NOTEBOOKS, PLOTTERS, run_notebook, without_drawing
from PIL import Image

from lib.analyses.efficacy import survival
from lib.dataset.dataset import load
from lib.show.plots import style as plot_style
from lib.show.plots import survival as plot_survival

pytestmark = pytest.mark.notebook

BASELINE = Path(__file__).parent / "baseline"
DPI = 60
# Share of pixels that may differ visibly (by more than a sixteenth of the range).
TOLERANCE = 1e-3
# Also where the page itself is not drawn.
SAVE = Figure.savefig


@pytest.fixture
def pixels(monkeypatch):
    """Picture id -> its pixels, of everything that is drawn during the test."""
    kept = {}

    def keep(figure, figure_id, title, alt, *rest):
        kept.setdefault(figure_id, raster(figure))
        return write(figure, figure_id, title, alt, *rest)

    write = plot_style.write_figure
    for module in PLOTTERS:
        monkeypatch.setattr(f"{module}.write_figure", keep)
    return kept


def raster(figure) -> np.ndarray:
    """A figure as grey values and colours, shape = (height, width, 3)."""
    buffer = io.BytesIO()
    with plot_style.mpl.rc_context(plot_style.STYLE):
        SAVE(figure, buffer, format="png", dpi=DPI)
    return np.asarray(Image.open(buffer).convert("RGB"))


def differing(found: np.ndarray, expected: np.ndarray) -> float:
    """Share of pixels that differ visibly; 1 where the sizes differ."""
    if found.shape != expected.shape:
        return 1.0
    return float((np.abs(found.astype(int) - expected).max(axis=2) > 16).mean())


def compare(found: np.ndarray, name: str) -> None:
    path = BASELINE / f"{name}.png"
    if os.environ.get("REFRESH_PICTURES"):
        Image.fromarray(found).save(path, optimize=True)
    assert path.exists(), f"no baseline {path.name}: make pictures"
    share = differing(found, np.asarray(Image.open(path).convert("RGB")))
    assert share <= TOLERANCE, f"{name}: {share:.2%} of the pixels differ from {path.name}; if it is meant to, make pictures"


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_picture_of_a_notebook_is_the_one_that_was_looked_at(name, pixels, monkeypatch):
    without_drawing(monkeypatch)
    run_notebook(name, monkeypatch, study="data/rair_dtc")
    # One profile stands for all.
    profiles = sorted(figure_id for figure_id in pixels if figure_id.startswith("profile_"))
    chosen = [figure_id for figure_id in pixels if figure_id not in profiles[1:]]
    assert chosen
    for figure_id in chosen:
        compare(pixels[figure_id], f"{name}_{figure_id}")


def test_six_arms_fit_into_the_survival_picture(pixels, tmp_path):
    from random_study import Design, write_random  # noqa: PLC0415

    data = load("efficacy", study=str(write_random(tmp_path, Design((5, 4, 4, 5, 4, 4), seed=106))))
    plot_survival.plot_survival(survival.analyse(data, data.study.primary))
    compare(pixels["km_pfs"], "six_arms_km_pfs")


def test_a_curve_that_moved_is_noticed(pixels):
    """An arm's curve a tenth lower is more than the tolerance; one step or one digit is not: see the head of this file."""
    data = load("efficacy")
    analysis = survival.analyse(data, data.study.endpoint("os"))
    plot_survival.plot_survival(analysis)
    true = pixels.pop("km_os")
    curve = analysis["curve"]
    curve.loc[curve["group"] == "B", "survival"] -= 0.1
    plot_survival.plot_survival(analysis)
    assert differing(true, true) == 0
    assert differing(true, pixels["km_os"]) > TOLERANCE


def test_no_baseline_is_left_over():
    """Pictures that nobody draws any more are taken out."""
    names = {path.stem for path in BASELINE.glob("*.png")}
    assert names
    assert all(name.split("_")[0] in {*NOTEBOOKS, "six"} for name in names)
