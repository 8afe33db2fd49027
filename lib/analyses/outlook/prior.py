"""The hazard ratio of the focus arm for readers of several minds: prior, likelihood and posterior, one reader a prior.

No sampler: normal priors and mixtures of them, with the normal likelihood of the Cox estimate, or with the partial
likelihood itself on a grid where a normal curve would not do.
"""

from __future__ import annotations

__all__ = ["CONFLICT", "CONFOUNDED", "ENTHUSIASTIC", "HISTORICAL", "SCEPTICAL", "USUAL_CHANCE", "VAGUE", "PriorEffect", "analyse_prior_effect", "earlier_results", "reads_alike"]

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from lib.analyses.efficacy.survival import Survival
from lib.analyses.result import Absent, Analysis, absent_if_absent
from lib.analyses.verdicts import FITTED, REFUSED, WEAK, Verdict, verdict_frame
from lib.dataset.dataset import Dataset
from lib.statistics.bayes import grid, normal, profile
from lib.statistics.bayes.knowledge import Knowledge, read_off
from lib.statistics.comparisons import name_pair
from lib.study.inference.evidence import External
from lib.study.limits import LARGE

VAGUE, SCEPTICAL, ENTHUSIASTIC, HISTORICAL = "vague", "sceptical", "enthusiastic", "historical"
# What a sceptic leaves to a benefit beyond the worthwhile, and an enthusiast to harm, unless somebody says otherwise
# (Spiegelhalter, Freedman and Parmar 1994).
USUAL_CHANCE = 0.05
# A prior under which such data are rarer than this is in conflict with them.
CONFLICT = 0.05
# A normal likelihood stands for the exact one as long as both intervals end within so many standard errors.
NEARLY = 0.1
# Probabilities of benefit that lie this close lead to the same decision.
ALIKE = 0.1
# Share of a distribution that a picture leaves out on either side, its points, and the hazard ratios that it ends at.
UNDRAWN, POINTS, WIDEST = 0.005, 241, 20.0
CONFOUNDED = "No prior knows of confounding, and chance did not rule it out here: beliefs that agree can be wrong together."
NORMAL, EXACT = "the normal likelihood of the Cox estimate", "the partial likelihood (Efron ties) on a grid"
SAYS = ("coef", "hr", "ci_low", "ci_high", "probability_benefit", "probability_worthwhile", "probability_harm")


class Likelihood(NamedTuple):
    """What the data say: the estimate as it is shown, the exact curve where it was computed, and which of the two is used."""

    estimate: float
    std_err: float
    exact: grid.LogLikelihood | None
    is_normal: bool


class PriorEffect(Analysis):
    """The log hazard ratio of the focus arm under several priors."""


@absent_if_absent
def analyse_prior_effect(data: Dataset, analysis: Survival) -> PriorEffect | Absent:
    """Posterior of the hazard ratio of the focus arm to the reference arm, for each prior that the study allows.

    Parameters
    ----------
    data : Dataset
        `worthwhile.hazard_ratio` makes the sceptical and the enthusiastic prior, `external` hazard ratios of the same
        arms and endpoint the historical one; the parameter `scepticism` is what the sceptic leaves to a worthwhile effect.
    analysis : Survival

    Returns
    -------
    PriorEffect
        By prior (`variable`: ``<endpoint>: <prior>``): `prior_effect` (as of `SAYS`; `prior_size` in events, `weight` of
        earlier results, `conflict`: Box's prior predictive p-value), `posterior_effect` (as of `SAYS`; `n`, `n_events` of
        the two arms, `weight`), `posterior_effect_other` (by the likelihood that was not used). Data: `verdicts`,
        `curves` (`prior`, `kind`, `hr`, `density` per log hazard ratio), `external` (what the historical prior is made of).
        `Absent` for one arm. R: `tests/reference/bayes.R`.
    """
    if len(data.arms) < 2:
        return Absent("With one arm there is no comparison that prior knowledge could be about.", analysis.variable)
    tte, pair = analysis["tte"], name_pair(*data.contrast)
    row = analysis.row("cox", pair)
    both = tte[tte["arm"].isin(data.contrast)]
    counts = {"n": len(both), "n_events": int(both["event"].sum())}
    earlier = earlier_results(data, analysis.variable)
    priors = make_priors(data, earlier)
    likelihood = None if pd.isna(row["coef"]) else _likelihood(tte, data, row, priors)
    if likelihood is None:
        return _refused(data, analysis.variable, pair, counts, str(row["note"]))
    found = {name: _posterior(prior, likelihood, exact=not likelihood.is_normal) for name, prior in priors.items()}
    frames = {
        "prior_effect": _frame(data, analysis.variable, pair, [_prior_row(data, name, prior, likelihood) for name, prior in priors.items()]),
        "posterior_effect": _frame(data, analysis.variable, pair, [counts | _posterior_row(data, name, known, exact=not likelihood.is_normal) for name, known in found.items()]),
    }
    if likelihood.exact is not None:
        other = {name: _posterior(prior, likelihood, exact=likelihood.is_normal) for name, prior in priors.items()}
        frames["posterior_effect_other"] = _frame(data, analysis.variable, pair, [_posterior_row(data, name, known, exact=likelihood.is_normal) for name, known in other.items()])
    verdict = _verdict(data, frames["prior_effect"], frames["posterior_effect"])
    shown = {"verdicts": verdict_frame([verdict]), "curves": _curves(priors, found, likelihood), "external": pd.DataFrame([e.model_dump() for e in earlier])}
    return PriorEffect(data, analysis.variable, frames, shown)


def earlier_results(data: Dataset, endpoint: str) -> list[External]:
    """Hazard ratios of other studies about the same endpoint and the same two arms, in either direction, that ask the same question."""
    ratios = [e for e in data.study.external if e.number and e.number.kind == "hazard_ratio" and e.endpoint == endpoint and not e.differs]
    return [e for e in ratios if {e.arm, e.against} == set(data.contrast)]


def make_priors(data: Dataset, earlier: list[External]) -> dict[str, normal.NormalMixture]:
    """The priors of the log hazard ratio that the study allows, by name."""
    priors = {VAGUE: normal.FLAT}
    worth = data.study.worthwhile.hazard_ratio if data.study.worthwhile else None
    if worth:
        chance = getattr(data.parameters, "scepticism", USUAL_CHANCE)
        priors |= {SCEPTICAL: normal.doubt(float(np.log(worth)), chance), ENTHUSIASTIC: normal.hope(float(np.log(worth)), USUAL_CHANCE)}
    if earlier:
        priors[HISTORICAL] = normal.make_robust([_as_normal(e, data.contrast[0]) for e in earlier], [e.weight for e in earlier])
    return priors


def _as_normal(external: External, first: str) -> tuple[float, float]:
    """Log hazard ratio of the `first` arm to the other, and its standard error."""
    number = external.number
    estimate, std_err = normal.read_interval(number.estimate, number.ci_low, number.ci_high, number.level)
    return (estimate if external.arm == first else -estimate), std_err


def _likelihood(tte: pd.DataFrame, data: Dataset, row: Mapping, priors: dict[str, normal.NormalMixture]) -> Likelihood | None:
    """The normal likelihood where it lies close to the exact one, or the study is large; else that."""
    estimate, std_err = float(row["coef"]), float(row["std_err"])
    if len(tte) > LARGE:
        return Likelihood(estimate, std_err, None, True)
    ends = np.array([prior.ends for prior in priors.values() if np.isfinite(prior.variance)] or [(0.0, 0.0)])
    exact = profile.profile_partial_likelihood(tte, *data.contrast, (float(ends.min()), float(ends.max())))
    if exact is None:
        return None
    alone, level = grid.combine(normal.FLAT, exact), data.parameters.level
    if alone is None:
        return Likelihood(estimate, std_err, exact, False)
    curve = normal.update(normal.FLAT, estimate, std_err)
    apart = [abs(alone.quantile(p) - curve.quantile(p)) for p in ((1 - level) / 2, (1 + level) / 2)]
    return Likelihood(estimate, std_err, exact, max(apart) < NEARLY * std_err)


def _posterior(prior: normal.NormalMixture, likelihood: Likelihood, *, exact: bool) -> normal.NormalMixture | grid.GridPosterior | None:
    if exact and likelihood.exact is not None:
        return grid.combine(prior, likelihood.exact)
    return normal.update(prior, likelihood.estimate, likelihood.std_err)


def _frame(data: Dataset, endpoint: str, pair: str, rows: list[dict]) -> pd.DataFrame:
    frame = pd.DataFrame(rows)
    frame.insert(0, "variable", [f"{endpoint}: {name}" for name in frame.pop("prior")])
    frame.insert(1, "group", pair)
    return frame


def _says(data: Dataset, known: Knowledge | None) -> dict[str, float]:
    """What a distribution of the log hazard ratio says of the ratio; NaN where there is none."""
    if known is None:
        return dict.fromkeys(SAYS, np.nan)
    at, worth = read_off(known, data.parameters.level), data.study.worthwhile.hazard_ratio if data.study.worthwhile else None
    below = {name: float(known.cdf(np.log(ratio))) if ratio else np.nan for name, ratio in (("benefit", 1.0), ("worthwhile", worth))}
    ratios = {"hr": at["median"], "ci_low": at["ci_low"], "ci_high": at["ci_high"]}
    chances = {"probability_benefit": below["benefit"], "probability_worthwhile": below["worthwhile"], "probability_harm": 1 - below["benefit"]}
    return {"coef": at["mean"]} | {name: float(np.exp(value)) for name, value in ratios.items()} | chances


def _prior_row(data: Dataset, name: str, prior: normal.NormalMixture, likelihood: Likelihood) -> dict:
    """One prior; what it foretold is held against the estimate, of an earlier result without its doubt."""
    flat, parts = name == VAGUE, len(prior.weight) - 1
    row = {"prior": name} | _says(data, None if flat else prior)
    row |= {"prior_size": normal.count_events(prior), "weight": sum(prior.weight[:parts]) if parts else np.nan, "conflict": np.nan}
    method = {VAGUE: "flat prior of the log hazard ratio", HISTORICAL: "robust mixture of normal priors"}.get(name, f"{name} normal prior")
    if flat:
        return row | {"method": method, "note": "every log hazard ratio is as likely as every other"}
    if likelihood.exact is not None and not likelihood.exact.peak:
        return row | {"method": method, "note": "no conflict can be looked for: the data have no estimate without a prior"}
    believed = _believed(prior) if parts else prior
    row["conflict"] = normal.predict(believed, likelihood.estimate, likelihood.std_err)
    return row | {"method": f"{method}, Box's prior predictive p-value", "note": ""}


def _believed(prior: normal.NormalMixture) -> normal.NormalMixture:
    """A robust mixture without the part that doubts."""
    weight = np.array(prior.weight[:-1])
    return normal.NormalMixture(tuple((weight / weight.sum()).tolist()), prior.means[:-1], prior.sds[:-1])


def _posterior_row(data: Dataset, name: str, known: normal.NormalMixture | grid.GridPosterior | None, *, exact: bool) -> dict:
    weight = sum(known.weight[:-1]) if known is not None and name == HISTORICAL else np.nan
    note = "" if known is not None else "not estimable: all events of one arm lie apart from the other arm's patients at risk, so the data alone set no limit on one side"
    return {"prior": name} | _says(data, known) | {"weight": weight, "method": f"posterior of the {name} prior and {EXACT if exact else NORMAL}", "note": note}


def _refused(data: Dataset, endpoint: str, pair: str, counts: dict, why: str) -> PriorEffect:
    nothing = {"prior": VAGUE} | counts | dict.fromkeys(SAYS, np.nan) | {"weight": np.nan, "method": f"posterior of the {VAGUE} prior", "note": why}
    verdict = Verdict(_model(data, endpoint), REFUSED, f"There is no hazard ratio: {why.removeprefix('not compared: ').removeprefix('not estimable: ')}.")
    return PriorEffect(data, endpoint, {"posterior_effect": _frame(data, endpoint, pair, [nothing])}, {"verdicts": verdict_frame([verdict])})


def _model(data: Dataset, endpoint: str) -> str:
    return f"Prior knowledge and the hazard ratio, {data.study.endpoint(endpoint).short}"


def reads_alike(rows: pd.DataFrame, *probabilities: str) -> bool:
    """Whether probabilities (columns of `rows`) are much the same whatever was believed before."""
    known = rows[list(probabilities)].dropna(how="all").dropna(axis=1, how="all")
    return len(known) > 1 and bool((known.max() - known.min() < ALIKE).all())


def _verdict(data: Dataset, priors: pd.DataFrame, rows: pd.DataFrame) -> Verdict:
    """Fitted where the data decide: readers agree, without a prior as well, no prior says more than the events, and chance formed the arms."""
    model, known = _model(data, rows["variable"].iat[0].rpartition(": ")[0]), rows.dropna(subset="hr")
    events = int(rows["n_events"].iat[0])
    if len(rows) < 2:
        missing = "study.yml names no smallest hazard ratio worth having (worthwhile.hazard_ratio) and no earlier one of these arms (external)"
        if known.empty:
            return Verdict(model, REFUSED, f"The data alone set no limit on one side, and {missing}.")
        return Verdict(model, WEAK, f"Without a prior that says anything: {missing}.", "What the data say alone, and no more than the hazard ratio with its interval says.")
    moved = "How far the data move each reader; not which reader is right."
    if len(known) < len(rows):
        return Verdict(model, WEAK, "The data alone set no limit on one side: every limit there comes from a prior.", moved)
    if not reads_alike(known, "probability_benefit"):
        return Verdict(model, WEAK, f"The answer depends on whom one asks ({_counted(events)}).", moved)
    heavy = f"A prior says more than the data ({_counted(events)})." if priors["prior_size"].max() > events else ""
    if why := heavy or (CONFOUNDED if data.study.by_design.may_be_confounded else ""):
        return Verdict(model, WEAK, why, moved)
    worth = "" if reads_alike(known, "probability_benefit", "probability_worthwhile") else "; about one worth having they do not"
    return Verdict(model, FITTED, "", f"Readers who began apart come out close to each other about a benefit{worth}.")


def _counted(events: int) -> str:
    """(2) -> "2 events in the two arms"."""
    return "1 event in the two arms" if events == 1 else f"{events} events in the two arms"


def _curves(priors: dict[str, normal.NormalMixture], found: dict, likelihood: Likelihood) -> pd.DataFrame:
    """Densities per unit of the log hazard ratio, where any of them is more than nothing."""
    proper = [known for known in (*found.values(), *(prior for name, prior in priors.items() if name not in (VAGUE, HISTORICAL))) if known is not None]
    ends = np.array([[known.quantile(p) for p in (UNDRAWN, 1 - UNDRAWN)] for known in proper]) if proper else np.array([[-1.0, 1.0]])
    x = np.linspace(max(float(ends.min()), -np.log(WIDEST)), min(float(ends.max()), np.log(WIDEST)), POINTS)
    return pd.DataFrame(_each_curve(priors, found, _seen(likelihood, x), x))


def _seen(likelihood: Likelihood, x: np.ndarray) -> np.ndarray:
    """The likelihood, so high that it holds an area of 1 where it is drawn."""
    if likelihood.is_normal or likelihood.exact is None:
        return normal.update(normal.FLAT, likelihood.estimate, likelihood.std_err).pdf(x)
    height = np.exp(np.interp(x, likelihood.exact.x, likelihood.exact.value))
    return height / np.trapezoid(height, x)


def _each_curve(priors: dict[str, normal.NormalMixture], found: dict, seen: np.ndarray, x: np.ndarray) -> Iterator[dict]:
    for name, prior in priors.items():
        kinds = {"prior": None if name == VAGUE else prior.pdf(x), "likelihood": seen, "posterior": None if found[name] is None else found[name].pdf(x)}
        for kind, density in kinds.items():
            if density is not None:
                yield from ({"prior": name, "kind": kind, "hr": float(np.exp(at)), "density": float(d)} for at, d in zip(x, density, strict=True))
