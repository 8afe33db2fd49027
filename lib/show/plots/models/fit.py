"""Pictures of whether the model of an endpoint fits: curves of covariates, hazard ratios of arms over time. Computes nothing."""

from __future__ import annotations

__all__ = ["plot_linearity", "plot_proportional"]

import numpy as np
import pandas as pd
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from lib.analyses.models.fit import ModelFit
from lib.analyses.result import where
from lib.dataset.dataset import Dataset
from lib.fonts import fill
from lib.languages.speech import _
from lib.show.display import EMPTY, Block, Figure, empty_if_absent, internal_only
from lib.show.formats import format_given, format_p
from lib.show.labels import inside, pair_label
from lib.show.phrases import joined, unit_name
from lib.show.plots.legends import legend
from lib.show.plots.style import GREY, INK, PALE, picture, write_figure

# Panels beside each other, and inches of a row of them.
BESIDE, HIGH = 3, 2.5
# Hazard ratios that an axis shows at most; a band goes on beyond it.
SPAN = (0.1, 10.0)
RATIOS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100]


def _panels(n: int):
    """A grid for so many panels, and the figure of it; places that are left over stay empty."""
    rows = -(-n // BESIDE)
    return picture(HIGH * rows + 0.3, rows, min(n, BESIDE), sharey=True, squeeze=False)


def _ratio_axis(axes, low: float, high: float) -> None:
    """Hazard ratios on a vertical scale of logarithms, from `low` to `high`, with 1 as a line."""
    axes.set_yscale("log")
    axes.set_ylim(low, high)
    axes.yaxis.set_major_locator(FixedLocator([ratio for ratio in RATIOS if low <= ratio <= high]))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, __: format_given(value)))
    axes.axhline(1, color=GREY, linewidth=0.8, zorder=0)


def _limits(ratios: np.ndarray) -> tuple[float, float]:
    """Limits that hold the ratios and 0.5 to 2, within `SPAN`."""
    known = [0.5, 2.0, *ratios[np.isfinite(ratios) & (ratios > 0)]]
    return max(min(known) / 1.1, SPAN[0]), min(max(known) * 1.1, SPAN[1])


@empty_if_absent
def plot_linearity(fit: ModelFit) -> Figure | Block:
    """Hazard ratio against the median of each number that was bent: curve with band, and the straight line."""
    if "curve" not in fit:
        return EMPTY
    data, curves = fit.dataset, fit["curve"]
    names = list(dict.fromkeys(curves["variable"]))
    logs = {c.variable for c in data.study.models.covariates if c.log} if data.study.models else set()
    low, high = _limits(curves[["hr", "line"]].to_numpy().ravel())
    with _panels(len(names)) as (figure, axes):
        for place in axes.ravel()[len(names) :]:
            place.axis("off")
        for place, name in zip(axes.ravel(), names, strict=False):
            own = where(curves, variable=name)
            place.fill_between(own["value"], own["ci_low"].clip(SPAN[0] / 10), own["ci_high"].clip(upper=SPAN[1] * 10), color=PALE, linewidth=0, zorder=0)
            place.plot(own["value"], own["line"], color=GREY, linewidth=1.1, linestyle=(0, (4, 3)), label=_("Straight line"))
            place.plot(own["value"], own["hr"], color=INK, linewidth=1.8, label=_("Curve"))
            _ratio_axis(place, low, high)
            if name in logs:
                _log_axis(place, own["value"])
            place.set_xlabel(fill(_with_unit(data, name), 30))
        for place in axes[:, 0]:
            place.set_ylabel(_("Hazard ratio\nagainst the median"))
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=2, fontsize=8)
        endpoint = data.study.endpoint(fit.variable)
        tests = fit["model_linearity"].set_index("variable")
        told = [_("{variable} ({p} for the bend)", variable=inside(data.study.variable(name).label), p=format_p(tests.at[f'{fit.variable}: {name}', 'p_value'], symbol=True)) for name in names]
        return write_figure(
            figure, f"{endpoint.id}_curves", _("{endpoint}: hazard ratio along each number", endpoint=endpoint.short),
            _("Curves of the hazard ratio against the median, with the straight line of the model: {listed}.", listed=joined(told)),
            legend(figure, data, "curves", endpoint=inside(endpoint.label)),
        )  # fmt: skip


def _with_unit(data: Dataset, name: str) -> str:
    variable = data.study.variable(name)
    return f"{variable.label}, {variable.unit}" if variable.unit else variable.label


def _log_axis(axes, values: pd.Series) -> None:
    """A horizontal axis on which equal factors are equally long, with plain numbers."""
    axes.set_xscale("log")
    low, high = values.min(), values.max()
    powers = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    ticks = [m * 10.0**p for p in powers for m in (1, 2, 5) if low * 0.99 <= m * 10.0**p <= high * 1.01]
    if len(ticks) > 6:
        ticks = [tick for tick in ticks if format_given(tick).lstrip("0.").startswith("1")]
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, __: format_given(float(f"{value:.12g}"))))


@internal_only("single patients", "scaled Schoenfeld residuals, one mark per event")
@empty_if_absent
def plot_proportional(fit: ModelFit) -> Figure | Block:
    """Scaled Schoenfeld residuals of each arm over time: what the hazard ratio would be at each event, line and smooth."""
    if "residuals" not in fit:
        return EMPTY
    data, drawn = fit.dataset, fit["residuals"]
    groups = list(dict.fromkeys(drawn["group"]))
    reach = float(np.quantile(np.abs(drawn["value"]), 0.98)) * 1.1
    with _panels(len(groups)) as (figure, axes):
        for place in axes.ravel()[len(groups) :]:
            place.axis("off")
        for place, group in zip(axes.ravel(), groups, strict=False):
            own = where(drawn, group=group).sort_values(["time", "value"], kind="stable")
            arm = data.study.arm(group.split(" vs ")[0])
            place.fill_between(own["time"], own["low"], own["high"], color=PALE, linewidth=0, zorder=0)
            place.plot(own["time"], own["value"], "o", color=arm.colour, markersize=2.5, alpha=0.45, markeredgewidth=0)
            place.plot(own["time"], own["line"], color=GREY, linewidth=1.1, linestyle=(0, (4, 3)), label=_("Trend that is tested"))
            place.plot(own["time"], own["smooth"], color=arm.colour, linewidth=1.8, label=_("Smooth"))
            place.axhline(own["estimate"].iat[0], color=INK, linewidth=0.9, label=_("One ratio for all of it"))
            place.axhline(0, color=GREY, linewidth=0.8, zorder=0)
            place.set_ylim(-reach, reach)
            place.set_title(fill(pair_label(data, group), 34), fontsize=9, loc="left", color=INK)
            place.set_xlabel(_("{unit} since {zero_label}", unit=unit_name(data.study.time.unit).capitalize(), zero_label=data.study.time.zero_label))
        for place in axes[:, 0]:
            place.set_ylabel(_("Log hazard ratio"))
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8)
        endpoint, tests = data.study.endpoint(fit.variable), fit["model_proportional_arm"].set_index("group")["p_value"]
        told = joined([_("{name} ({p})", name=pair_label(data, group), p=format_p(tests[group], symbol=True) if pd.notna(tests[group]) else _("not tested")) for group in groups])
        return write_figure(
            figure, f"{endpoint.id}_residuals", _("{endpoint}: does the hazard ratio change over time?", endpoint=endpoint.short),
            _("One mark per event, with a trend and a smooth curve over time, and the one ratio of the model: {told}.", told=told),
            legend(figure, data, "residuals", endpoint=inside(endpoint.label)),
        )  # fmt: skip
