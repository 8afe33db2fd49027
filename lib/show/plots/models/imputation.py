"""Picture of which covariates are missing together. Computes nothing."""

from __future__ import annotations

__all__ = ["plot_missing"]


from matplotlib.patches import Rectangle

from lib.analyses.models.covariates import declared_covariates
from lib.analyses.models.imputation import COMPLETE, OTHERS, Imputed
from lib.analyses.result import where
from lib.fonts import fill
from lib.languages.notes import worded
from lib.languages.speech import _
from lib.show.display import Figure, empty_if_absent
from lib.show.formats import format_whole
from lib.show.labels import everybody, inside
from lib.show.phrases import plural
from lib.show.plots.legends import legend
from lib.show.plots.style import GREY, INK, PALE, picture, write_figure

# Characters of a line of a covariate's label, and its slope in degrees.
LABEL, SLOPE = 24, 35


@empty_if_absent
def plot_missing(imputed: Imputed) -> Figure:
    """A row per pattern, a column per covariate: grey where it is known, a cross on white where it is missing."""
    data = imputed.dataset
    found = where(imputed["missing_pattern"], group=everybody(data))
    ids = [c.variable for c in declared_covariates(data)]
    labels = [fill(data.study.variable(i).label, LABEL, max_lines=2, placeholder=" …") for i in ids]
    with picture(1.6 + 0.26 * len(found)) as (figure, axes):
        for y, row in enumerate(found.itertuples()):
            _pattern(axes, -y, row.variable, ids)
        axes.set_xlim(-0.5, len(ids) - 0.5)
        axes.set_ylim(0.5 - len(found), 0.5)
        axes.xaxis.tick_top()
        axes.set_xticks(range(len(ids)), labels, fontsize=7.5, rotation=SLOPE, ha="left", rotation_mode="anchor")
        axes.set_yticks([-y for y in range(len(found))], [_counted(row) for __, row in found.iterrows()], fontsize=8)
        axes.yaxis.tick_right()
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.annotate(_("Grey: known; cross: missing"), (0, 0), (0, -4), xycoords="axes fraction", textcoords="offset points", va="top", fontsize=7.5)
        endpoint = data.study.endpoint(imputed.variable)
        told = _("; ").join(_("{label}: {counted}", label=_named(imputed, row["variable"]), counted=_counted(row)) for __, row in found.iterrows())
        return write_figure(
            figure, f"{endpoint.id}_missing_plot", _("{endpoint}: which covariates are missing together", endpoint=endpoint.short), _("A row for each pattern. {told}.", told=told),
            legend(figure, data, "missing", endpoint=inside(endpoint.label), n=plural(found["n"].iat[0], "patient")),
        )  # fmt: skip


def _pattern(axes, y: float, pattern: str, ids: list[str]) -> None:
    """One row of squares; of patterns that are counted together none is drawn."""
    if pattern == OTHERS:
        axes.text((len(ids) - 1) / 2, y, worded(OTHERS), ha="center", va="center", fontsize=8, color=GREY)
        return
    lacking = set() if pattern == COMPLETE else set(pattern.split(" + "))
    for x, variable in enumerate(ids):
        missing = variable in lacking
        axes.add_patch(Rectangle((x - 0.45, y - 0.4), 0.9, 0.8, facecolor="white" if missing else PALE, edgecolor=INK if missing else PALE, linewidth=0.8))
        if missing:
            axes.plot(x, y, "x", color=INK, markersize=5, markeredgewidth=1.4)


def _counted(row) -> str:
    return _("{count}, {n_events} with event", count=plural(row['count'], 'patient'), n_events=format_whole(row['n_events']))


def _named(imputed: Imputed, pattern: str) -> str:
    if pattern in (COMPLETE, OTHERS):
        return worded(pattern)
    return _("missing {listed}", listed=_(" and ").join(imputed.dataset.study.variable(i).label for i in pattern.split(" + ")))
