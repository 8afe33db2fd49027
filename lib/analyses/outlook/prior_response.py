"""The share of responders of each arm under several priors, and what is then known of the difference of two arms."""

from __future__ import annotations

__all__ = ["PriorResponse", "analyse_prior_response", "earlier_shares"]

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from lib.analyses.outlook.prior import ALIKE, CONFOUNDED, HISTORICAL, POINTS, UNDRAWN, VAGUE
from lib.analyses.result import Absent, Analysis, requires
from lib.analyses.verdicts import FITTED, REFUSED, WEAK, Verdict, verdict_frame
from lib.dataset.dataset import Dataset
from lib.dataset.derived import response_frame
from lib.statistics import proportions
from lib.statistics.bayes import shares
from lib.statistics.bayes.knowledge import Knowledge, read_off
from lib.statistics.comparisons import name_pair
from lib.study.inference.evidence import External

JEFFREYS, ROBUST = "Jeffreys' beta prior", "robust mixture of beta priors"


class PriorResponse(Analysis):
    """Response at one visit under several priors."""


@requires("lesions", "measurements")
def analyse_prior_response(data: Dataset, visits: Sequence[float]) -> PriorResponse | Absent:
    """Posterior of the share of responders at the first response visit, for each prior that the study allows.

    Parameters
    ----------
    data : Dataset
        `external` proportions of an arm (without `endpoint`: of responders) make its historical prior.
    visits : sequence of float
        Response visits, in the study's time unit; the earliest is taken.

    Returns
    -------
    PriorResponse
        By prior (`variable`: ``response: <prior>``), of all patients who were due: `prior_share` (`estimate`, interval,
        `prior_size` in patients, `weight` of earlier results, `conflict`), `posterior_share` (`estimate`: the mean,
        `median`, interval, `count`, `n`, `weight`), and of the focus arm minus the reference arm
        `posterior_share_difference` (`difference`: the mean, interval, probabilities). Data: `verdicts`, `curves`
        (`prior`, `group`, `kind`, `share`, `density`). `Absent` without response visits, or where nobody was due.
    """
    if not visits:
        return Absent("This study declares no visit at which response is told.", "response")
    visit = min(visits)
    frame = response_frame(data, visit)
    due = frame[frame["response"] != "not due"]
    counts = {row["group"]: (int(row["count"]), int(row["n"])) for _, row in proportions.count_outcome(due, "responder").iterrows()}
    counts = {arm.id: counts[arm.id] for arm in data.arms if counts.get(arm.id, (0, 0))[1]}
    if not counts:
        return Absent("Nobody was due at the first response visit.", "response")
    earlier = {arm: earlier_shares(data, arm) for arm in counts}
    robust = {arm: shares.make_robust([(e.number.count, e.number.n) for e in found], [e.weight for e in found]) for arm, found in earlier.items() if found}
    priors = {VAGUE: dict.fromkeys(counts, shares.JEFFREYS)} | ({HISTORICAL: robust} if robust else {})
    found = {name: {arm: shares.update(prior, *counts[arm]) for arm, prior in own.items()} for name, own in priors.items()}
    frames = {
        "prior_share": pd.DataFrame(_prior_rows(data, priors, counts)),
        "posterior_share": pd.DataFrame(_posterior_rows(data, found, counts)),
    }
    compared = _differences(data, found)
    if compared:
        frames["posterior_share_difference"] = pd.DataFrame(_difference_rows(data, compared))
    frames = {name: rows.assign(time=visit) for name, rows in frames.items()}
    shown = {"verdicts": verdict_frame([_verdict(data, frames, counts)]), "curves": pd.DataFrame(_curves(priors, found, counts, compared))}
    return PriorResponse(data, "response", frames, shown)


def earlier_shares(data: Dataset, arm: str) -> list[External]:
    """Shares of responders of an arm in other studies that ask the same question."""
    return [e for e in data.study.external if e.number and e.number.kind == "proportion" and e.arm == arm and not e.differs]


def _place(name: str, group: str) -> dict[str, str]:
    return {"variable": f"response: {name}", "group": group}


def _interval(data: Dataset, known: Knowledge) -> dict[str, float]:
    at = read_off(known, data.parameters.level)
    return {"estimate": at["mean"], "median": at["median"], "ci_low": at["ci_low"], "ci_high": at["ci_high"]}


def _prior_rows(data: Dataset, priors: dict[str, dict[str, shares.BetaMixture]], counts: dict[str, tuple[int, int]]) -> Iterator[dict]:
    """Each prior; what an earlier result foretold is held against the count, without the part that doubts it."""
    for name, own in priors.items():
        for arm, prior in own.items():
            robust = len(prior.weight) > 1
            row = _place(name, arm) | _interval(data, prior) | {"prior_size": shares.count_patients(prior)}
            row |= {"weight": sum(prior.weight[:-1]) if robust else np.nan, "conflict": np.nan}
            if robust:
                weight = np.array(prior.weight[:-1])
                believed = shares.BetaMixture(tuple((weight / weight.sum()).tolist()), prior.a[:-1], prior.b[:-1])
                row["conflict"] = shares.predict(believed, *counts[arm])
            yield row | {"method": f"{ROBUST}, Box's prior predictive p-value" if robust else JEFFREYS, "note": ""}


def _posterior_rows(data: Dataset, found: dict[str, dict[str, shares.BetaMixture]], counts: dict[str, tuple[int, int]]) -> Iterator[dict]:
    for name, own in found.items():
        for arm, known in own.items():
            count, n = counts[arm]
            weight = sum(known.weight[:-1]) if len(known.weight) > 1 else np.nan
            row = _place(name, arm) | {"count": count, "n": n} | _interval(data, known) | {"weight": weight}
            yield row | {"method": f"beta-binomial posterior, {ROBUST if name == HISTORICAL else JEFFREYS}", "note": ""}


def _differences(data: Dataset, found: dict[str, dict[str, shares.BetaMixture]]) -> dict[str, shares.Difference]:
    """Focus arm minus reference arm by prior; an arm without an earlier result keeps the vague prior."""
    if len(data.arms) < 2 or not set(data.contrast) <= set(found[VAGUE]):
        return {}
    compared = {}
    for name, own in found.items():
        if set(own) & set(data.contrast):
            first, second = (own.get(arm, found[VAGUE][arm]) for arm in data.contrast)
            compared[name] = shares.Difference(first, second)
    return compared


def _difference_rows(data: Dataset, compared: dict[str, shares.Difference]) -> Iterator[dict]:
    worth = data.study.worthwhile.response_difference if data.study.worthwhile else None
    for name, known in compared.items():
        at = _interval(data, known)
        more, enough = (float(1 - known.cdf(x)) if x is not None else np.nan for x in (0.0, worth))
        row = _place(name, name_pair(*data.contrast)) | {"difference": at["estimate"], "ci_low": at["ci_low"], "ci_high": at["ci_high"]}
        row |= {"probability_benefit": more, "probability_worthwhile": enough, "probability_harm": 1 - more}
        yield row | {"method": "difference of two beta-binomial posteriors, by numeric integral", "note": ""}


def _verdict(data: Dataset, frames: dict[str, pd.DataFrame], counts: dict[str, tuple[int, int]]) -> Verdict:
    model = "Prior knowledge and objective response"
    if "posterior_share_difference" not in frames:
        why = "With one arm there is nothing to compare" if len(data.arms) < 2 else "Nobody was due in one of the two arms"
        return Verdict(model, REFUSED, f"{why}, so shares of responders stand by themselves.")
    chances = frames["posterior_share_difference"]["probability_benefit"]
    if len(chances) < 2:
        return Verdict(model, WEAK, "No earlier share of responders of either arm is declared (external), so no prior says anything.", "What the counts say alone.")
    if chances.max() - chances.min() < ALIKE:
        why = CONFOUNDED if data.study.by_design.may_be_confounded else ""
        return Verdict(model, WEAK if why else FITTED, why, "The earlier result hardly moves the comparison of the two arms.")
    return Verdict(model, WEAK, "The comparison depends on whether the earlier result is believed.", "How far the earlier result moves it; not whether it holds here.")


def _curves(priors: dict, found: dict, counts: dict[str, tuple[int, int]], compared: dict[str, shares.Difference]) -> Iterator[dict]:
    """Densities of the shares over 0 to 1, and of the differences where they are more than nothing."""
    share = (np.arange(POINTS) + 0.5) / POINTS
    for name, own in found.items():
        for arm, known in own.items():
            count, n = counts[arm]
            seen = shares.BetaMixture((1.0,), (count + 1.0,), (n - count + 1.0,))
            for kind, curve in (("prior", priors[name][arm]), ("likelihood", seen), ("posterior", known)):
                yield from _points(name, arm, kind, share, curve.pdf(share))
    if compared:
        ends = [known.quantile(p) for known in compared.values() for p in (UNDRAWN, 1 - UNDRAWN)]
        apart = np.linspace(min(ends), max(ends), POINTS)
        for name, known in compared.items():
            yield from _points(name, "", "posterior", apart, known.pdf(apart))


def _points(name: str, group: str, kind: str, x: np.ndarray, density: np.ndarray) -> Iterator[dict]:
    yield from ({"prior": name, "group": group, "kind": kind, "share": float(at), "density": float(d)} for at, d in zip(x, density, strict=True))
