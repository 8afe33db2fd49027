"""Which numbers of a report are computed a second time, by whom, and which are not.

Takes from each analysis what the second engines need (statistics/second_engine), and holds their numbers against the
recorded ones. Computes nothing itself.
"""

from __future__ import annotations

__all__ = ["KINDS", "Checked", "check", "recompute"]

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from math import exp, isnan

import numpy as np
import pandas as pd

from lib.analyses.efficacy import survival
from lib.analyses.result import Analysis, where
from lib.analyses.safety.events_in_time import PER
from lib.dataset.dataset import Dataset
from lib.kept.results import kept
from lib.report.rechecked.fit import recompute_fit
from lib.report.rechecked.imputed import recompute_imputed
from lib.report.rechecked.lesions import recompute_lesions
from lib.report.rechecked.parts import PYTHON, Number, Place, Rows, adjusted, exact_numbers, numbers, places
from lib.report.rechecked.regressions import recompute_regressions
from lib.report.rechecked.shares import recompute_paired, recompute_shares
from lib.report.results import to_rows
from lib.statistics.second_engine import ancova, competing, mixed, ranks, shares
from lib.statistics.second_engine.cox import FORMULA
from lib.statistics.second_engine.survival import KEYS, verify
from lib.study.limits import LARGE
from lib.study.study import present

# Of the numbers that nothing computes a second time, by statistic.
COUNTS = {"n", "n_events", "n_censored", "n_risk", "n_missing", "n_zero", "n_patients", "n_gained", "n_lost", "count", "n_tests", "n_below"}
DESCRIPTIONS = {"median", "q1", "q3", "mean", "sd", "min", "max", "proportion", "person_time", "person_time_potential"}
COUNTED, DESCRIBED, OTHER = "counts", "quantiles, means and shares", "other estimates and tests"


@dataclass(frozen=True)
class Checked:
    """What became of the numbers of a report.

    Attributes
    ----------
    compared : DataFrame, one row per number that was computed a second time
        The keys of results.csv, `kind` (of KINDS), `engine`, `difference`.
    left : Series
        What was not computed a second time (COUNTED, DESCRIBED, OTHER), and how many numbers of it there are.
    sampled : bool
        Whether times to an event were compared on a sample of the patients.
    """

    compared: pd.DataFrame
    left: pd.Series
    sampled: bool


def check(data: Dataset, recorded: list[tuple[Analysis, pd.DataFrame]]) -> Checked:
    """Compute a second time what can be, and compare.

    Parameters
    ----------
    data : Dataset
    recorded : list of (Analysis, DataFrame)
        Each analysis of a report, unmasked, and its rows of results.csv.

    Raises
    ------
    lib.statistics.second_engine.survival.DisagreementError
        With the number and both values.
    """
    if not recorded:
        return _nothing(pd.DataFrame(columns=[*KEYS, "value"]))
    shown = pd.concat([rows for _, rows in recorded], ignore_index=True)
    samples = [survival.sampled(data, analysis) for analysis, _ in recorded]
    used = [(analysis, rows) if sample is None else (sample, to_rows("", sample)) for (analysis, rows), sample in zip(recorded, samples, strict=True)]
    again = recompute(data, [analysis for analysis, _ in used])
    if again.empty:
        return _nothing(shown)
    compared = verify(pd.concat([rows for _, rows in used], ignore_index=True), again)
    known = shown.merge(compared[KEYS], on=KEYS, how="left", indicator=True)
    return Checked(compared, _left(known[known["_merge"] == "left_only"]), any(sample is not None for sample in samples))


def recompute(data: Dataset, analyses: list[Analysis]) -> pd.DataFrame:
    """Every number of `analyses` that a second engine can give: the keys of results.csv, `value`, `engine`, `kind`."""
    numbers = [number for analysis in analyses for number in kept(recompute_one)(data, analysis)]
    return pd.DataFrame(numbers, columns=[*KEYS, "value", "engine", "kind"]).astype({"time": float, "value": float})


def recompute_one(data: Dataset, analysis: Analysis) -> list[tuple[object, ...]]:
    """Those of one analysis, each with its kind; only these are kept, what they are compared with never is."""
    return [(*number, kind) for kind, again in KINDS.items() for number in again(data, analysis)]


def _nothing(shown: pd.DataFrame) -> Checked:
    return Checked(pd.DataFrame(columns=[*KEYS, "engine", "kind", "difference"]), _left(shown), False)


def _left(rows: pd.DataFrame) -> pd.Series:
    """Numbers by what is said of them; those that do not exist are none."""
    statistic = rows.loc[rows["value"].notna(), "statistic"]
    kind = np.where(statistic.isin(COUNTS), COUNTED, np.where(statistic.isin(DESCRIPTIONS), DESCRIBED, OTHER))
    return pd.Series(kind, dtype=object).value_counts().reindex([COUNTED, DESCRIBED, OTHER], fill_value=0)


def _times(data: Dataset, analysis: Analysis) -> Iterator[Number]:
    if "tte" in analysis:
        yield from survival.recompute(data, analysis).itertuples(index=False)


def _rates(data: Dataset, analysis: Analysis) -> Iterator[Number]:
    level = data.parameters.level
    for output in (name for name, frame in analysis.frames.items() if {"count", "person_time", "rate"} <= set(frame)):
        ratios = places(analysis, f"{output}_ratio")
        for place, rows in places(analysis, output).items():
            events = {group: (int(row["count"]), float(row["person_time"])) for group, row in rows.items()}
            for group, counted in events.items():
                yield from numbers(output, place, group, shares.rate(counted[0], counted[1] / PER, level), shares.STATSMODELS)
            p_values = {}
            for group in ratios.get(place, {}):
                x, y = group.split(" vs ")
                values = shares.rate_ratio(*events[x], *events[y], level)
                p_values[group] = values["p_value"]
                limits = {name: value for name, value in values.items() if name != "p_value"}
                yield from numbers(f"{output}_ratio", place, group, limits, FORMULA)
            yield from adjusted(f"{output}_ratio", place, p_values, FORMULA)


def _changes(data: Dataset, analysis: Analysis) -> Iterator[Number]:
    """Rank tests of the changes of `tested`, one row per patient and visit."""
    if "tested" not in analysis or len(data.patients) > LARGE:
        return
    tested, name, level = analysis["tested"], analysis.variable, data.parameters.level
    ratios = f"{name}_change_ratio" in analysis  # what was tested as a logarithm is read as a ratio
    for visit, at in tested.dropna(subset="tested").groupby("visit"):
        place, samples = (name, float(visit)), {a.id: at.loc[at["arm"] == a.id, "tested"].to_numpy(float) for a in data.arms}
        for arm, x in samples.items():
            moved = ranks.walsh_shift(x, level)
            moved |= {key: exp(moved[key]) for key in ("estimate", "ci_low", "ci_high")} if ratios else {}
            yield from numbers(f"{name}_within", place, arm, ranks.signed_rank(x) | moved, FORMULA)
        yield from _rank_tests(analysis, name, place, samples, level, ratios=ratios)


def _slopes(data: Dataset, analysis: Analysis) -> Iterator[Number]:
    """Rank tests of the slopes of a marker, one row per patient; they are of logarithms."""
    if "slopes" not in analysis or len(data.patients) > LARGE:
        return
    slopes, name = analysis["slopes"], f"{analysis.variable}_slope"
    samples = {a.id: slopes.loc[slopes["arm"] == a.id, "slope"].to_numpy(float) for a in data.arms}
    yield from _rank_tests(analysis, name, (analysis.variable, None), samples, data.parameters.level, ratios=True)


def _rank_tests(
    analysis: Analysis, name: str, place: Place, samples: dict[str, np.ndarray], level: float, *, ratios: bool
) -> Iterator[Number]:
    """Tests of all arms and of pairs, and the shift between two; of logarithms it is read as a ratio."""
    if f"{name}_between" not in analysis:
        return
    yield from numbers(f"{name}_between", place, "overall", ranks.kruskal(list(samples.values())), FORMULA)
    dunn, sums = {}, {}
    for group in places(analysis, f"{name}_pairwise").get(place, {}):
        x, y = group.split(" vs ")
        z = ranks.dunn_z(samples, x, y)
        dunn[group], sums[group] = ranks.two_sided(z), ranks.rank_sum_p(samples[x], samples[y])
        yield from numbers(f"{name}_pairwise", place, group, {"statistic": z}, FORMULA)
        apart = ranks.shift(samples[x], samples[y], level)
        apart = {"ratio" if key == "difference" else key: exp(value) for key, value in apart.items()} if ratios else apart
        yield from numbers(f"{name}_shift", place, group, apart, FORMULA)
    yield from adjusted(f"{name}_pairwise", place, dunn, FORMULA)
    yield from adjusted(f"{name}_shift", place, sums, FORMULA)


def _adjusted(data: Dataset, analysis: Analysis) -> Iterator[Number]:
    """Changes adjusted for the baseline, of the arms that were modelled at each visit."""
    if "adjusted" not in analysis:
        return
    name, level = analysis.variable, data.parameters.level
    output = f"{name}_adjusted_"
    for place, means in places(analysis, f"{output}mean").items():
        arms = [arm for arm, row in means.items() if not isnan(row["std_err"])]
        if not arms:
            continue
        model = ancova.fit(where(analysis["adjusted"], visit=place[1]).dropna(), arms)
        for end in ("mean", "difference"):
            for group, row in places(analysis, f"{output}{end}").get(place, {}).items():
                if not isnan(row["std_err"]):
                    yield from numbers(f"{output}{end}", place, group, _as_shown(model.contrast(group, level), row), ancova.ENGINE)
        if len(data.arms) > 1:
            yield from numbers(f"{output}test", place, "overall", model.overall(), ancova.ENGINE)


def _as_shown(values: dict[str, float], row: Mapping[str, float]) -> dict[str, float]:
    """An estimate and its interval by the name that they are shown by; logarithms as ratios."""
    name = next(name for name in ("ratio", "difference", "estimate") if name in row)
    back = {key: exp(values[key]) if name == "ratio" else values[key] for key in ("estimate", "ci_low", "ci_high")}
    found = values | back | {name: back["estimate"]}
    return {key: value for key, value in found.items() if key in row}


def _baseline(data: Dataset, analysis: Analysis) -> Iterator[Number]:
    """Numbers of Table 1, and its tests."""
    if "baseline_number" not in analysis:
        return
    patients = analysis["patients"]
    samples = {v.id: {arm.id: patients.loc[patients["arm"] == arm.id, v.column] for arm in data.arms} for v in data.study.baseline}
    for place, rows in places(analysis, "baseline_number").items():
        known = {arm: values.dropna().tolist() for arm, values in samples[place[0]].items()}
        for group in rows:
            values = known[group] if group in known else [value for own in known.values() for value in own]
            yield from numbers("baseline_number", place, group, ranks.describe(values), PYTHON)
    for place, rows in places(analysis, "baseline_test").items():
        yield from _baseline_test(place, samples[place[0]], rows)


def _baseline_test(place: Place, samples: dict[str, pd.Series], rows: Rows) -> Iterator[Number]:
    arms = [values.dropna() for values in samples.values()]
    if not isinstance(arms[0].dtype, pd.CategoricalDtype):
        yield from numbers("baseline_test", place, "overall", ranks.kruskal([x.to_numpy(float) for x in arms]), FORMULA)
        return
    table = tuple(tuple(int((values == level).sum()) for level in values.cat.categories) for values in arms)
    if "chi-square" in rows["overall"]["method"]:
        yield from numbers("baseline_test", place, "overall", shares.chi_square(table), FORMULA)
    else:
        yield from exact_numbers("baseline_test", place, table, rows)


def _incidence(data: Dataset, analysis: Analysis) -> Iterator[Number]:
    """Cumulative incidence of each cause and Gray's test, where one row per patient is there."""
    rise = f"{analysis.variable}_rise"
    for output, (source, cause, test) in (*INCIDENCES.items(), (f"{rise}_incidence", ("competing", 1, f"{rise}_test"))):
        if output not in analysis or source not in analysis or len(analysis[source]) > LARGE:
            continue
        tte = analysis[source].assign(time=lambda f: f["time"].astype(float).round(9))
        tte["cause"] = tte["cause"].map({0: 0, cause: 1, 3 - cause: 2})
        for place, rows in places(analysis, output).items():
            for group in rows:
                own = tte[tte["arm"] == group]
                values = competing.incidence(own["time"].to_numpy(), own["cause"].to_numpy(), present(place[1]), data.parameters.level)
                yield from numbers(output, place, group, values, FORMULA)
        # Where the covariance is singular R gives no test, and says so; greenwood gives one.
        for place, rows in places(analysis, test).items():
            found = None if isnan(rows["overall"]["chisq"]) else competing.gray(tte)
            if found is not None:
                yield from numbers(test, place, "overall", found[1], found[0])


def _models(data: Dataset, analysis: Analysis) -> Iterator[Number]:
    """Mixed models of each choice of samples: variances, and whatever follows from means and their covariance."""
    if "samples" not in analysis or len(data.patients) > LARGE:
        return
    samples, name = analysis["samples"], analysis.variable
    within = "lesion_id" if "lesion_id" in samples else None
    for choice, chosen in samples.groupby("choice", sort=False):
        fit = mixed.fit(chosen, "visit", within)
        if fit is None:
            continue
        if choice == samples["choice"].iat[0]:
            total = sum(fit.variances.values())
            shown = fit.variances | {"correlation": fit.variances["var_between"] / total, "loglik": fit.loglik}
            shown |= {"correlation_lesions": fit.variances["var_lesions"] / total} if within else {}
            yield from numbers(f"{name}_model_variance", (name, None), "overall", shown, mixed.ENGINE)
            for output in (f"{name}_model_ratio", f"{name}_model_comparison"):
                yield from _ratios(output, places(analysis, output), fit, data.parameters.level)
        same = {place: rows for place, rows in places(analysis, f"{name}_sensitivity").items() if place[0] == f"{name}: {choice}"}
        yield from _ratios(f"{name}_sensitivity", same, fit, data.parameters.level)


def _ratios(output: str, places: dict[Place, Rows], fit: mixed.Fitted, level: float) -> Iterator[Number]:
    """Ratios to the first visit, of one arm or of two; intervals and tests with the degrees of freedom that are shown."""
    first = min(visit for _, visit in fit.cells)
    for place, rows in places.items():
        for group, row in rows.items():
            weights: dict[tuple[str, float | None], float] = {}
            for arm, sign in zip(group.split(" vs "), (1.0, -1.0), strict=False):
                weights |= {(arm, place[1]): sign, (arm, first): -sign}
            if not set(weights) <= set(fit.cells):
                continue
            coef, error = fit.contrast(weights)
            values = {"ratio": exp(coef)}
            if "df" in row:
                t, df = coef / error, row["df"]
                reach = mixed.half_width(error, df, level)
                values |= {"coef": coef, "std_err": error, "statistic": t, "p_value": mixed.two_sided(t, df)}
                values |= {} if isnan(row["ci_low"]) else {"ci_low": exp(coef - reach), "ci_high": exp(coef + reach)}
            yield from numbers(output, place, group, values, mixed.ENGINE)


# Output -> data with one row per patient, which cause it is about, and the test beside it.
INCIDENCES = {
    "cumulative_incidence": ("tte", 1, "gray"),
    "incidence": ("competing", 1, ""),
    "incidence_other": ("competing", 2, ""),
    "response_incidence": ("competing", 1, "response_incidence_test"),
    "ae_first": ("competing", 1, "ae_first_gray"),
}
# What a reader is told was computed a second time -> how.
KINDS = {
    "times to an event": _times,
    "shares with their intervals and exact tests": recompute_shares,
    "changes within patients": recompute_paired,
    "rates": _rates,
    "baseline characteristics": _baseline,
    "rank tests": lambda data, analysis: chain(_changes(data, analysis), _slopes(data, analysis)),
    "changes adjusted for the baseline": _adjusted,
    "cumulative incidences": _incidence,
    "treated lesions": recompute_lesions,
    "whether models fit": recompute_fit,
    "mixed models": _models,
    "regressions": recompute_regressions,
    "models of imputed covariates": recompute_imputed,
}
