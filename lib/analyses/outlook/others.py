"""What other studies found beside what this one did, and the two put together where they ask the same question."""

from __future__ import annotations

__all__ = ["KINDS", "OTHERS", "WITH_OWN", "Evidence", "Question", "analyse_evidence", "is_turned", "question_of"]

from math import exp, isfinite, log, nan
from typing import NamedTuple

import pandas as pd

from lib.analyses.efficacy.survival import Survival
from lib.analyses.outlook.best_response import count_best_responses
from lib.analyses.result import PATIENTS, Absent, Analysis
from lib.analyses.verdicts import FITTED, REFUSED, WEAK, Verdict, as_sentence, said_formed, verdict_frame
from lib.dataset.dataset import Dataset
from lib.statistics import pooling, proportions
from lib.statistics.comparisons import arm_pairs, name_pair
from lib.study.inference.evidence import External
from lib.study.study import present

# Kinds of numbers -> what they are called, in the plural.
KINDS = {"hazard_ratio": "hazard ratios", "median": "medians", "proportion": "best objective responses"}
OTHER_PATIENTS = "patients of another study"
# The estimate of a ratio lies in the middle of its interval, as a logarithm; further off than this share of half its
# width, more than rounding to two digits moves it, something else was printed or typed.
OFF_CENTRE = 0.25
# Fewer studies than this tell their spread badly: an interval of the variance between five reaches over orders of
# magnitude (IntHout, Ioannidis, Borm. BMC Med Res Methodol 2014;14:25).
FEW = 5
# No ratio and no time of a study lies further from 1 (study.yml allows none): an interval that does says nothing.
BEYOND = log(1e6)
OWN = "this study"
WITH_OWN, OTHERS = "with this study", "others alone"


class Question(NamedTuple):
    """What estimates share that may be put together: a kind, an endpoint ("" for responses), an arm or a pair."""

    kind: str
    endpoint: str
    group: str

    @property
    def named(self) -> str:
        """Such as "median os A"."""
        return " ".join(filter(None, self))


class Line(NamedTuple):
    """An estimate of one study; `std_err` on the scale of the logarithm or the logit, NaN where it cannot be pooled for `why`."""

    estimate: float
    ci_low: float = nan
    ci_high: float = nan
    std_err: float = nan
    why: str = ""
    having: float = nan
    n: float = nan


class Evidence(Analysis):
    """Results of other studies beside this one's."""


def question_of(data: Dataset, other: External) -> Question:
    """The question that an entry of `external` answers; without numbers the median of its endpoint, or the best response.

    A ratio is of the pair as this study compares it, the reference arm second.
    """
    kind = other.number.kind if other.number else "median" if other.endpoint else "proportion"
    pair = {other.arm, other.against}
    groups = [name_pair(x, y) for x, y in arm_pairs([arm.id for arm in data.arms], data.reference) if {x, y} == pair]
    return Question(kind, other.endpoint or "", groups[0] if groups else other.arm)


def is_turned(data: Dataset, other: External) -> bool:
    """Whether a published ratio compares its pair the other way round than this study does."""
    return bool(other.against) and question_of(data, other).group != name_pair(other.arm, present(other.against))


def analyse_evidence(data: Dataset, *survivals: Survival | Absent) -> Evidence | Absent:
    """Set the declared results of other studies beside this one's, question by question.

    Parameters
    ----------
    data : Dataset
    *survivals : Survival or Absent
        Of the endpoints of the study.

    Returns
    -------
    Evidence
        `evidence` (this study's estimate and the others' with intervals; `term`: the kind) and `evidence_pooled` (random
        effects; where they are not pooled, `note` says why). Data: `lines` (as `evidence`, with `label` and `question`),
        `verdicts`. `Absent` where no result of another study is about the arms in force.
    """
    arms = {arm.id for arm in data.arms}
    others = [(i, other) for i, other in enumerate(data.study.external, 1) if {other.arm, other.against or other.arm} <= arms]
    if not others:
        return Absent("study.yml names no results of other studies about these arms (external).")
    found = {analysis.variable: analysis for analysis in survivals if isinstance(analysis, Survival)}
    lines, pooled, verdicts = [], [], []
    for question in dict.fromkeys(question_of(data, other) for _, other in others):
        own = _own(data, question, found)
        rest = {f"external {i}": (other, _published(data, other)) for i, other in others if other.number and question_of(data, other) == question}
        lines.append(_as_row(question, OWN, "This study", own, data.parameters.level))
        lines += [_as_row(question, name, other.label, line, other.number.level if other.number else nan) for name, (other, line) in rest.items()]
        if rest:
            rows = _pooled(data, question, own, [(other.label, line) for other, line in rest.values()])
            pooled += rows
            verdicts.append(_verdict(data, question, rows))
    frame = pd.DataFrame(lines)
    recorded = frame.drop(columns=["label", "question", "level"])
    frames = {"evidence": recorded, "evidence_pooled": pd.DataFrame(pooled, columns=list(POOLED))}
    return Evidence(data, "", frames, {"lines": frame, "verdicts": verdict_frame(verdicts)})


def _as_row(question: Question, name: str, label: str, line: Line, level: float) -> dict:
    how, unit = (OWN, PATIENTS) if name == OWN else ("as published", OTHER_PATIENTS)
    return {
        "variable": f"{question.named}: {name}", "group": question.group, "term": question.kind, "estimate": line.estimate, "ci_low": line.ci_low,
        "ci_high": line.ci_high, "count": line.having, "n": line.n, "unit": unit, "method": f"{question.kind.replace('_', ' ')}, {how}",
        "note": line.why, "label": label, "question": question.named, "level": level,
    }  # fmt: skip


def _own(data: Dataset, question: Question, survivals: dict[str, Survival]) -> Line:
    """Estimate of this study."""
    level = data.parameters.level
    if question.kind == "proportion":
        counts = count_best_responses(data)
        row = None if counts is None else counts.set_index("group").loc[question.group]
        return Line(nan, why="this study holds no responses") if row is None or not row["n"] else _share(int(row["count"]), int(row["n"]), level)
    analysis = survivals.get(question.endpoint)
    if analysis is None:
        return Line(nan, why="nobody here has a known time")
    if question.kind == "median":
        row = analysis.row("median", question.group)
        return _ratio(row["median"], row["ci_low"], row["ci_high"], level, "the median is not reached here")
    row = analysis.row("cox", question.group)
    return _ratio(row["hr"], row["ci_low"], row["ci_high"], level, str(row["note"]) or "no hazard ratio can be estimated here")


def _published(data: Dataset, other: External) -> Line:
    """An estimate of another study; a ratio the other way round where this study compares the other way round."""
    number = present(other.number)
    if number.kind == "proportion":
        line = _share(present(number.count), present(number.n), data.parameters.level)
    else:
        estimate, low, high = (nan if x is None else x for x in (number.estimate, number.ci_low, number.ci_high))
        if is_turned(data, other):
            estimate, low, high = 1 / estimate, 1 / high, 1 / low
        line = _ratio(estimate, low, high, number.level)
    return line._replace(why=f"it asks another question: {other.differs}") if other.differs else line


def _ratio(estimate: float, low: float, high: float, level: float, none: str = "") -> Line:
    """An estimate whose logarithm is about normal, and whether its interval says how certain it is; `none`: why there is none."""
    if not isfinite(estimate) or estimate <= 0:
        return Line(nan, why=none)
    line = Line(estimate, low, high)
    if not (isfinite(low) and isfinite(high) and 0 < low < high):
        return line._replace(why="it gives no interval with two limits")
    half = log(high / low) / 2
    if abs(log(estimate) - log(low) - half) > OFF_CENTRE * half:
        return line._replace(why="its estimate does not lie in the middle of its interval on the scale of ratios")
    return line._replace(std_err=pooling.from_limits(low, high, level))


def _share(count: int, n: int, level: float) -> Line:
    """A share with its exact interval, and the standard error of its logit."""
    row = proportions.estimate_proportion(pd.DataFrame({"group": [""], "count": [count], "n": [n]}), level).iloc[0]
    return Line(count / n, row["ci_low"], row["ci_high"], pooling.as_logit(count, n)[1], having=count, n=n)


POOLED = (
    "variable", "group", "term", "step", "n_studies", "estimate", "ci_low", "ci_high", "tau2", "i2", "chisq", "df", "pi_low", "pi_high", "method", "note",
)  # fmt: skip


def _pooled(data: Dataset, question: Question, own: Line, rest: list[tuple[str, Line]]) -> list[dict]:
    """One row with this study, and one without it where the others are enough; or one that says why there is none."""
    usable = [line for _, line in rest if not line.why]
    left = [f"{label} is left out: {line.why}" for label, line in rest if line.why]
    left += [f"this study is left out: {own.why}"] if own.why else []
    every = [] if own.why else [own]
    sets = {WITH_OWN: usable + every} if every else {}
    sets |= {OTHERS: usable} if len(usable) >= pooling.LEAST or not every else {}
    rows = [_pool(data, question, step, lines) for step, lines in sets.items() if len(lines) >= pooling.LEAST]
    note, n = "; ".join(left), len(usable) + len(every)
    if None in rows:
        far = f"{n} estimates that lie too far apart, for their number, to say where the truth of a further study may lie"
        return [_unpooled(question) | {"n_studies": n, "note": "; ".join([far, *left])}]
    if rows:
        return [row | {"note": note} for row in rows]
    few = f"{n or 'no'} estimate{'' if n == 1 else 's'} that can be put together, and how far studies differ cannot be told from fewer than {pooling.LEAST}"
    return [_unpooled(question) | {"n_studies": n, "note": "; ".join([few, *left])}]


def _unpooled(question: Question) -> dict:
    return dict.fromkeys(POOLED, nan) | {
        "variable": question.named, "group": question.group, "term": question.kind, "step": "", "method": "not pooled",
    }  # fmt: skip


def _pool(data: Dataset, question: Question, step: str, lines: list[Line]) -> dict | None:
    """Estimates of one question put together; None where an interval reaches beyond what a ratio can be."""
    share = question.kind == "proportion"
    scaled = [pooling.as_logit(int(line.having), int(line.n))[0] if share else log(line.estimate) for line in lines]
    found = pooling.pool_random(scaled, [line.std_err for line in lines], data.parameters.level)
    if not share and max(map(abs, (found.ci_low, found.ci_high, found.low, found.high))) > BEYOND:
        return None
    back = _expit if share else exp
    return _unpooled(question) | {
        "variable": f"{question.named}: {step}", "step": step, "n_studies": len(lines), "estimate": back(found.estimate),
        "ci_low": back(found.ci_low), "ci_high": back(found.ci_high), "tau2": found.tau2, "i2": found.i2, "chisq": found.chisq, "df": found.df,
        "pi_low": back(found.low), "pi_high": back(found.high),
        "method": f"random effects of {'logits' if share else 'logarithms'} (Paule and Mandel; Hartung and Knapp, at least the usual standard error), prediction interval with k - 2 degrees of freedom",
    }  # fmt: skip


def _expit(x: float) -> float:
    return 1 / (1 + exp(-x)) if x > -700 else 0.0


def _verdict(data: Dataset, question: Question, rows: list[dict]) -> Verdict:
    """What became of pooling the answers to one question."""
    about = data.study.endpoint(question.endpoint).short if question.endpoint else ""
    group = " vs ".join(data.study.arm(arm).label for arm in question.group.split(" vs "))
    kind = KINDS[question.kind]
    name = f"Random effects, {kind} of {about}, {group}" if about else f"Random effects, {kind}, {group}"
    first = rows[0]
    if not first["step"]:
        return Verdict(name, REFUSED, as_sentence(first["note"]), "Each estimate stands for itself.")
    weak = [f"fewer than {FEW} studies tell their spread badly"] if first["n_studies"] < FEW else []
    weak += [f"{said_formed(data)} in this study"] if data.study.by_design.may_be_confounded and question.kind == "hazard_ratio" and first["step"] == WITH_OWN else []
    why = "; ".join(weak)
    conclude = "What holds for a further study is the prediction interval, and not the narrower one of the mean."
    return Verdict(name, WEAK if weak else FITTED, as_sentence(why), conclude)
