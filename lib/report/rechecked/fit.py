"""The second computation of whether a model fits: its columns from the patients, each model fitted by the other engine."""

from __future__ import annotations

__all__ = ["recompute_fit"]

from collections.abc import Iterator

import numpy as np
import pandas as pd

from lib.analyses.models.fit import ModelFit
from lib.analyses.models.terms import STRATUM
from lib.analyses.result import Analysis
from lib.dataset.dataset import Dataset
from lib.report.rechecked.parts import Number, numbers
from lib.statistics.second_engine import nested
from lib.statistics.second_engine.cox import FORMULA
from lib.study.parts import own

Columns = dict[str, np.ndarray]
# Events times patients: beyond, sums over every event take too long.
MOST = 2_000_000
LATE = "later: "
# Risks up to EQUAL apart are those of equal patients; of others closer than TOLD_APART rounding decides whose is higher.
EQUAL, TOLD_APART = 1e-12, 1e-8


class _Model:
    """The patients of the model, and its columns by name: arms by their id, numbers, levels of categories."""

    def __init__(self, data: Dataset, analysis: Analysis):
        rows = analysis["fit_rows"]
        self.rows, self.level, self.name = rows, data.parameters.level, analysis.variable
        self.time, self.event = rows["time"].to_numpy(float).round(9), rows["event"].to_numpy(bool)
        self.strata = pd.factorize(rows[STRATUM])[0] if STRATUM in rows else None
        self.arms = [arm.id for arm in data.arms if arm.id != data.reference]
        self.pairs = {f"{arm} vs {data.reference}": arm for arm in self.arms}
        columns = {arm: (rows["arm"].astype(str) == arm).to_numpy(float) for arm in self.arms}
        self.parts: dict[str, list[str]] = {}
        for column in (c for c in rows if c.startswith(own(""))):
            values, name = rows[column], column.removeprefix(own(""))
            levels = [] if pd.api.types.is_numeric_dtype(values) else list(values.cat.remove_unused_categories().cat.categories)[1:]
            made = {f"{column}={level}": (values == level).to_numpy(float) for level in levels} if levels else {column: values.to_numpy(float)} if pd.api.types.is_numeric_dtype(values) else {}
            columns |= made
            self.parts[name] = list(made)
        self.columns = nested.independent(columns)
        self.events = nested.Events(self.time, self.event, strata=self.strata)


def _side_by_side(columns: Columns) -> np.ndarray:
    return np.column_stack(list(columns.values()))


def _weights(columns: Columns, **parts: float) -> np.ndarray:
    return np.array([parts.get(name, 0.0) for name in columns])


def recompute_fit(data: Dataset, analysis: Analysis) -> Iterator[Number]:
    """Tests and ratios of a `ModelFit`, and the concordance as fitted; not what is resampled."""
    if not isinstance(analysis, ModelFit) or "fit_rows" not in analysis:
        return
    if len(analysis["fit_rows"]) * int(analysis["fit_rows"]["event"].sum()) > MOST:
        return
    model = _Model(data, analysis)
    base = model.events.fit(_side_by_side(model.columns))
    if base is None:
        return
    yield from _linearity(model, base, analysis)
    yield from _proportional(model, base)
    yield from _periods(model, analysis)
    yield from _interactions(model, analysis)
    risk = _side_by_side(model.columns) @ base.coef
    gaps = np.diff(np.sort(risk))
    if not ((gaps > EQUAL) & (gaps < TOLD_APART)).any():
        values = {"concordance": nested.concordance(model.time, model.event, risk, model.strata)}
        yield from numbers("model_concordance", (model.name, None), "overall", values, FORMULA)


def _linearity(model: _Model, base: nested.Fitted, analysis: Analysis) -> Iterator[Number]:
    """A spline in the place of each number."""
    knots = analysis["knots"] if "knots" in analysis else pd.DataFrame(columns=["variable", "knot"])
    for name, at in knots.groupby("variable", sort=False)["knot"]:
        variable, column = f"{model.name}: {name}", own(str(name))
        values, basis = model.columns[column], nested.natural_spline(model.columns[column], at.to_numpy())
        bent = {key: value for key, value in model.columns.items() if key != column} | {f"{column} {i}": b for i, b in enumerate(basis.T)}
        fitted = model.events.fit(_side_by_side(bent))
        if fitted is None:
            continue
        yield from numbers("model_linearity", (variable, None), "overall", nested.likelihood_ratio(base, fitted), FORMULA)
        q1, q3 = np.quantile(values, [0.25, 0.75])
        apart = np.diff(nested.natural_spline(np.array([q1, q3]), at.to_numpy()), axis=0)[0]
        line = nested.ratio(base, _weights(model.columns, **{column: q3 - q1}), model.level)
        curve = nested.ratio(fitted, _weights(bent, **{f"{column} {i}": b for i, b in enumerate(apart)}), model.level)
        for kind, found in (("line", line), ("spline", curve)):
            yield from numbers("model_quartiles", (f"{variable}: {kind}", None), "overall", found, FORMULA)


def _proportional(model: _Model, base: nested.Fitted) -> Iterator[Number]:
    """Score tests of arms, covariates and all terms."""
    score, variance = model.events.change_with_time(_side_by_side(model.columns), base.coef)
    place = {name: i for i, name in enumerate(model.columns)}

    def tested(names: list[str]) -> dict[str, float]:
        chosen = [place[name] for name in names if name in place]
        return nested.score_test(score[chosen], variance[np.ix_(chosen, chosen)])

    for group, arm in model.pairs.items():
        yield from numbers("model_proportional_arm", (model.name, None), group, tested([arm]), FORMULA)
    yield from numbers("model_proportional_arm", (model.name, None), "overall", tested(model.arms), FORMULA)
    for name, columns in model.parts.items():
        yield from numbers("model_proportional", (f"{model.name}: {name}", None), "overall", tested(columns), FORMULA)
    yield from numbers("model_proportional_all", (model.name, None), "overall", tested(list(model.columns)), FORMULA)


def _periods(model: _Model, analysis: Analysis) -> Iterator[Number]:
    """Two rows of whoever is followed beyond the time, the second entering then."""
    if "model_period" not in analysis:
        return
    at = float(analysis["model_period_test"]["time"].iat[0])
    late = model.time > round(at, 9)
    rows = np.concatenate([np.arange(len(late)), np.flatnonzero(late)])
    second = np.arange(len(rows)) >= len(late)
    time = np.where(second, model.time[rows], np.minimum(model.time[rows], at))
    event, entry = model.event[rows] & (second | ~late[rows]), np.where(second, at, -1.0)  # an event on day 0 is at risk, too
    same = {name: column[rows] for name, column in model.columns.items()}
    changing = same | {LATE + arm: same[arm] * second for arm in model.arms}
    strata = None if model.strata is None else model.strata[rows]
    events = nested.Events(time, event, entry=entry, strata=strata)
    fits = [events.fit(_side_by_side(c)) for c in (same, changing)]
    if fits[0] is None or fits[1] is None:
        return
    shown = analysis["model_period"].set_index(["variable", "group"])["hr"]
    for group, arm in model.pairs.items():
        for period, more in (("before", {}), ("after", {LATE + arm: 1.0})):
            variable = f"{model.name}: {period}"
            if pd.notna(shown[variable, group]):
                found = nested.ratio(fits[1], _weights(changing, **{arm: 1.0} | more), model.level)
                yield from numbers("model_period", (variable, at), group, found, FORMULA)
    if pd.notna(analysis["model_period_test"]["p_value"].iat[0]):
        yield from numbers("model_period_test", (model.name, at), "overall", nested.likelihood_ratio(fits[0], fits[1]), FORMULA)


def _interactions(model: _Model, analysis: Analysis) -> Iterator[Number]:
    """Each level an indicator, and each but the first times each arm."""
    made = analysis["model_interaction"] if "model_interaction" in analysis else pd.DataFrame(columns=["variable", "p_value"])
    for variable in made.loc[made["p_value"].notna(), "variable"]:
        subgroup = variable.split(": ")[1]
        levels = {key.split(": ", 1)[1]: mask.to_numpy(bool) for key, mask in analysis["fit_levels"].items() if key.startswith(f"{subgroup}: ")}
        known = np.logical_or.reduce(list(levels.values()))
        others = list(levels)[1:]
        alone = {name: column[known] for name, column in (model.columns | {f"level {name}": levels[name].astype(float) for name in others}).items()}
        crossed = alone | {f"{name} x {arm}": levels[name][known] * model.columns[arm][known] for name in others for arm in model.arms}
        strata = None if model.strata is None else model.strata[known]
        columns = [nested.independent(c) for c in (alone, crossed)]
        events = nested.Events(model.time[known], model.event[known], strata=strata)
        fits = [events.fit(_side_by_side(c)) for c in columns]
        if fits[0] is None or fits[1] is None:
            continue
        yield from numbers("model_interaction", (variable, None), "overall", nested.likelihood_ratio(fits[0], fits[1]), FORMULA)
        shown = analysis["model_subgroup"].set_index("variable")["group"]
        for name in levels:
            group = shown[f"{variable}: {name}"]
            parts = {model.pairs[group]: 1.0} | ({f"{name} x {model.pairs[group]}": 1.0} if name in others else {})
            found = nested.ratio(fits[1], _weights(columns[1], **parts), model.level)
            yield from numbers("model_subgroup", (f"{variable}: {name}", None), group, found, FORMULA)
