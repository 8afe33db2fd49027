"""A component that takes time to be added: whose days before it are immortal, and both strategies from the same day on."""

from __future__ import annotations

__all__ = ["CLONED", "Immortal", "analyse_immortal"]

import numpy as np
import pandas as pd

from lib.analyses.cohort.baseline import as_declared
from lib.analyses.efficacy.survival import Survival
from lib.analyses.models.covariates import NONE_DECLARED, declared_covariates, model_frame
from lib.analyses.models.same_question import answer_otherwise
from lib.analyses.policy import too_few
from lib.analyses.result import Absent, Analysis, absent_if_absent, without
from lib.analyses.robustness.confounding import too_few_effective
from lib.analyses.verdicts import FITTED, REFUSED, WEAK, Verdict, as_sentence, verdict_frame
from lib.dataset import timing
from lib.dataset.dataset import Dataset
from lib.statistics.multivariable.carried import ENOUGH, FEW
from lib.statistics.survival import kaplan_meier
from lib.statistics.weighting import strategies
from lib.statistics.weighting.cloning import ADDED, NOT_ADDED
from lib.statistics.weighting.propensity import design_columns
from lib.statistics.weighting.strategies import Question
from lib.study.inference.strategy import Strategy
from lib.study.parts import own
from lib.study.study import present

CLONED = "cloned"
MODEL = "Both strategies from the same day (clone, censor, weight)"


class Immortal(Analysis):
    """An endpoint under two strategies, of which one takes time to begin."""


@absent_if_absent
def analyse_immortal(data: Dataset, analysis: Survival) -> Immortal | Absent:
    """Follow the patients of the declared strategy from one day on, whatever became of them.

    Parameters
    ----------
    data : Dataset
    analysis : Survival
        Of `time_to_event.analyse`.

    Returns
    -------
    Immortal
        `strategy_patients` (who could be asked; `variable`: eligible, other start, covariate missing, added, added later,
        never added, event within, left within, event of added (ever), event of never added), `immortal_time` (days between time zero and adding, of who added),
        `strategy_hr`, `strategy_risk`, `strategy_mean` (hazard ratio, difference in shares without the event, in
        restricted means; `variable`: the way of asking), and where the weights can be estimated `strategy_leaving`
        (models of leaving), `strategy_weight` (weights of who stayed), `strategy_share` (share without the event by strategy).
        Data: `patients`, `naive_curve`, `strategy_curve` where it can be estimated, `verdicts`. `Absent` without a
        strategy, treatments or dates.
    """
    strategy = data.study.strategy
    if why := _why_not(data, strategy):
        return Absent(why)
    strategy, tte = present(strategy), analysis["tte"]
    began = timing.strategy_frame(data, strategy).drop(columns=["patient_id", "arm"])
    patients = _in_units(data, tte.join(began, how="inner"))
    eligible = patients[patients["began"]]
    within, label = strategy.within_days / data.study.time.days_per_unit, _component(data, strategy)
    early = eligible["added"] <= within
    if early.all() or eligible["added"].isna().all():
        who = f"nobody added {label}" if eligible["added"].isna().all() else f"everybody added {label} within the period"
        return Absent(f"Of those who could begin both strategies {who} (in the first line of treatment, before the event), so there is nothing to compare.")
    asked = _ask(data, analysis.variable, eligible, within)
    why = _refused(data, asked, len(declared_covariates(data)))
    frames = {
        "strategy_patients": _count(data, patients, eligible, asked),
        "immortal_time": _immortal_time(data, eligible),
        **answer_otherwise(data, eligible, asked),
    }
    extra = {"patients": eligible, "naive_curve": kaplan_meier.estimate_curve(_ever(eligible), level=data.parameters.level)}
    if not why:
        try:
            found, extra["strategy_curve"] = _weigh(data, asked)
        except ValueError as error:
            why = f"{error}"
        else:
            frames |= {name: pd.concat([frames[name], found.pop(name)], ignore_index=True) for name in ("strategy_hr", "strategy_risk", "strategy_mean")} | found
    extra["verdicts"] = verdict_frame([_judge(data, analysis.variable, frames, asked, why)])
    return Immortal(data, analysis.variable, frames, extra)


def _why_not(data: Dataset, strategy: Strategy | None) -> str:
    if strategy is None:
        return "This study declares no strategy that takes time to begin (strategy in study.yml), so no days before a treatment are asked about."
    if not data.holds("treatments"):
        return without("treatments")
    if "time_zero" not in data.patients:
        return "This study holds no date of time zero, so that the days before a treatment cannot be counted."
    if missing := set(strategy.arms) - {arm.id for arm in data.arms}:
        labels = " and ".join(data.study.arm(arm).label for arm in strategy.arms if arm in missing)
        return f"The strategy is about arms that are not all shown here: {labels} is left out."
    return ""


def _component(data: Dataset, strategy: Strategy) -> str:
    return next(c.label for c in present(data.study.treatments).components if c.id == strategy.add)


def _in_units(data: Dataset, patients: pd.DataFrame) -> pd.DataFrame:
    """Times and days of adding in the study's unit, made of days alike, so that equal days are equal numbers.

    What was added after the event or the end of follow-up was not added before it.
    """
    unit = data.study.time.days_per_unit
    days = (patients["time"] * unit).round(6)
    added = patients["added"].where(patients["added"] <= days)
    return patients.assign(time=days / unit, added=added / unit, days=days, added_days=added)


def _ever(patients: pd.DataFrame) -> pd.DataFrame:
    """The same patients with `arm`: whether the component was ever added."""
    names = np.where(patients["added"].notna(), ADDED, NOT_ADDED)
    return patients.assign(arm=pd.Categorical(names, categories=[NOT_ADDED, ADDED], ordered=True))


def _ask(data: Dataset, variable: str, eligible: pd.DataFrame, within: float) -> Question:
    """Patients with all covariates known, these as numbers that vary, and when the answer is read off."""
    covariates, endpoint = declared_covariates(data), data.study.endpoint(variable)
    names = [own(c.variable) for c in covariates]
    outcome = eligible[["patient_id", "arm", "time", "event", "added", "days", "added_days"]]
    known = model_frame(data, outcome, covariates).dropna(subset=names) if names else outcome
    design = design_columns(known, names) if names and len(known) else pd.DataFrame(index=known.index)
    tau = endpoint.tau or float(eligible.groupby(eligible["added"] <= within)["time"].max().min())
    times = [t for t in data.landmarks(endpoint) if t > within]
    return Question(known.drop(columns=names).join(design), list(design), within, times, tau)


def _count(data: Dataset, patients: pd.DataFrame, eligible: pd.DataFrame, asked: Question) -> pd.DataFrame:
    """Who is asked about, and what happened within the period."""
    early, ends = eligible["added"] <= asked.within, eligible["time"] <= asked.within
    counts = {
        "eligible": len(eligible), "other start": len(patients) - len(eligible), "covariate missing": len(eligible) - len(asked.patients),
        "added": early.sum(), "added later": (eligible["added"] > asked.within).sum(), "never added": eligible["added"].isna().sum(),
        "event within": (ends & eligible["event"]).sum(), "left within": (ends & ~eligible["event"]).sum(),
        "event of added": eligible.loc[eligible["added"].notna(), "event"].sum(), "event of never added": eligible.loc[eligible["added"].isna(), "event"].sum(),
    }  # fmt: skip
    rows = [{"variable": name, "group": "overall", "count": int(count), "n": len(patients)} for name, count in counts.items()]
    return pd.DataFrame(rows).assign(method="count of patients", note="")


def _immortal_time(data: Dataset, eligible: pd.DataFrame) -> pd.DataFrame:
    """Days between time zero and adding: who added could not have had the event in them."""
    added = eligible[eligible["added"].notna()]
    days, followed = added["added_days"], added["days"]
    spread = {name: days.quantile(q) for name, q in (("min", 0), ("q1", 0.25), ("median", 0.5), ("q3", 0.75), ("max", 1))}
    row = {"group": ADDED, "n": len(added), "person_time": days.sum(), "estimate": days.sum() / followed.sum() if followed.sum() else np.nan}
    return pd.DataFrame([row | spread]).assign(method="days between time zero and adding, and their share of all days of these patients", note="")


def _refused(data: Dataset, asked: Question, declared: int) -> str:
    """Why the weights are not estimated; "" where they may be."""
    if not declared:
        return NONE_DECLARED
    patients = asked.patients
    if why := too_few(data, patients):
        return why
    early, beyond = patients["added"] <= asked.within, patients["time"] > asked.within
    adds, stays = int(early.sum()), int((~early & beyond).sum())
    if not (early & beyond).any():
        return "nobody added the component within the period and was followed beyond it"
    if not stays:
        return "everybody who was followed to the end of the period had added the component, so nobody shows what happens without it"
    if min(adds, stays) < FEW * len(asked.columns):
        return "there are fewer than five patients of the rarer strategy for each coefficient of a model of who adds the component"
    return ""


def _weigh(data: Dataset, asked: Question) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Frames and curve of the strategies after cloning, censoring and weighting."""
    level = data.parameters.level
    leaving = strategies.estimate_leaving(asked, level)
    found = strategies.bootstrap_strategies(asked, level=level, percentiles=(None, strategies.PERCENTILE))
    both = dict(zip((CLONED, f"{CLONED}, truncated"), found, strict=True))
    counted = {"n": len(asked.patients), "n_events": int(asked.patients["event"].sum())}

    def of(name: str) -> pd.DataFrame:
        return pd.concat([one[name].assign(variable=way, **counted) for way, one in both.items()], ignore_index=True)

    sizes = [strategies.describe_weights(asked, cap).assign(variable=way) for cap, way in zip((None, strategies.PERCENTILE), both, strict=True)]
    return {
        "strategy_leaving": as_declared(leaving.assign(variable=leaving["term"])).drop(columns="term"),
        "strategy_weight": pd.concat(sizes, ignore_index=True),
        "strategy_share": of("share").drop(columns=list(counted)),
        "strategy_hr": of("ratio"), "strategy_risk": of("risk"), "strategy_mean": of("mean"),
    }, strategies.estimate_curves(asked)  # fmt: skip


def _judge(data: Dataset, variable: str, frames: dict[str, pd.DataFrame], asked: Question, why: str) -> Verdict:
    counts = frames["strategy_patients"].set_index("variable")["count"]
    nobody = "" if counts["event within"] + counts["left within"] else (
        "Nobody had the event or left within the period, so nobody came to add the component by outliving another: "
        "immortal time within it explains nothing of a difference. "
    )
    if why:
        return Verdict(MODEL, REFUSED, as_sentence(why), f"{nobody}What led to adding the component is not held alike here.".strip())
    weak = _weaknesses(data, variable, frames, asked)
    conclude = f"{nobody}The difference between the strategies holds as far as the covariates say who adds the component."
    return Verdict(MODEL, WEAK if weak else FITTED, as_sentence("; ".join(weak)), conclude)


def _weaknesses(data: Dataset, variable: str, frames: dict[str, pd.DataFrame], asked: Question) -> list[str]:
    """What keeps a fitted answer from being relied on alone."""
    patients, found = asked.patients, []
    early = patients["added"] <= asked.within
    rarer = min(early.sum(), (~early & (patients["time"] > asked.within)).sum())
    if rarer < ENOUGH * len(asked.columns):
        found.append("there are fewer than ten patients of the rarer strategy for each coefficient of the model of who adds the component")
    weights = frames["strategy_weight"]
    if too_few_effective(weights[weights["variable"] == CLONED]).any():
        found.append("the weights leave few effective patients in a strategy")
    if frames["strategy_hr"].loc[frames["strategy_hr"]["variable"] == CLONED, "ci_low"].isna().any():
        found.append("many resamples could not be fitted, so there is no interval")
    if data.study.endpoint(variable).has_competing:
        found.append("a competing event censors, so that the shares are those had nobody had it")
    return found
