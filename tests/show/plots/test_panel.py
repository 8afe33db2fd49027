"""The legend of a panel lies where nothing runs: steps, sloped lines, bars of intervals, on either scale."""

import numpy as np
import pytest

from lib.show.plots.panel import write_legend
from lib.show.plots.style import picture

CORNERS = ("upper right", "lower left")


def corner_of(axes):
    """The corner in which the legend lies, by the middle of its box; "" where it is above the panel."""
    legend = axes.get_legend()
    if legend is None:
        return ""
    axes.figure.canvas.draw()
    box = legend.get_window_extent().transformed(axes.transAxes.inverted())
    return f"{'upper' if (box.y0 + box.y1) > 1 else 'lower'} {'right' if (box.x0 + box.x1) > 1 else 'left'}"


@pytest.mark.parametrize(
    ("x", "y", "scale", "corner"),
    [
        ([0, 10], [1, 0], "linear", "upper right"),
        ([0, 10], [0, 1], "linear", ""),  # from corner to corner: through both
        ([0, 4, 10], [0.9, 1, 0.9], "linear", "lower left"),  # no end of a piece lies in the corner, its middle does
        ([0, 5, 10], [0.012, 0.013, 0.9], "log", ""),
        ([0, 5, 10], [0.03, 0.04, 0.9], "log", "lower left"),  # on a linear scale it would lie there
        ([0, 5, 10], [0.9, 0.9, 0.9], "log", "lower left"),
        ([0, 5, 10], [0.05, 0.05, 0.05], "log", "upper right"),
    ],
)
def test_a_line_is_not_covered(x, y, scale, corner):
    with picture(3.0) as (figure, axes):
        axes.set(yscale=scale, ylim=(0.01, 1.05), xlim=(0, 10))
        axes.plot(x, y, label="An arm with a label")
        axes.axhline(1)
        write_legend(figure, axes, *CORNERS)
        assert corner_of(axes) == corner
        assert bool(figure.legends) == (corner == "")


def test_intervals_and_single_signs_are_not_covered():
    with picture(3.0) as (figure, axes):
        axes.set(ylim=(0, 1), xlim=(0, 10))
        axes.vlines([9.0], 0.5, 1.0)
        axes.plot([1.0], [0.05], "o", label="An arm")
        write_legend(figure, axes, *CORNERS, "upper left")
        assert corner_of(axes) == "upper left"


def test_many_arms_stand_above():
    with picture(3.0) as (figure, axes):
        for i in range(4):
            axes.plot(np.arange(3), np.full(3, 0.5), label=f"Arm {i}")
        write_legend(figure, axes, *CORNERS)
        assert axes.get_legend() is None
        assert len(figure.legends) == 1
