"""What if every covariate were known? Who lacks one, and the Cox model by multiple imputation beside complete cases.

Nobody is left out in silence: who lacks what is counted, and where imputation is refused the reason takes its place.
"""

from __future__ import annotations

__all__ = ["COMPLETE", "OTHERS", "Imputed", "analyse_imputed"]

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lib.analyses.cohort.baseline import typed_baseline
from lib.analyses.efficacy.survival import Survival
from lib.analyses.models.covariates import NONE_DECLARED, declared_covariates, model_frame
from lib.analyses.models.terms import UNSTRATIFIED
from lib.analyses.policy import too_few, withhold
from lib.analyses.result import Absent, Analysis, absent_if_absent
from lib.analyses.verdicts import FITTED, REFUSED, WEAK, Verdict, as_sentence, verdict_frame
from lib.dataset.dataset import Dataset
from lib.dataset.derived import baseline_frame
from lib.statistics.models import cox
from lib.statistics.multivariable import imputation, rubin
from lib.statistics.multivariable.carried import ENOUGH, FEW
from lib.statistics.survival.event_table import OVERALL
from lib.study.inference.models import ModelCovariate, Models
from lib.study.limits import LARGE, because_large
from lib.study.parts import OWN, own

SEED = 20250228
# Of the patients who may lack a covariate: with more, a result is for raising hypotheses only (Jakobsen et al., BMC Med
# Res Methodol 2017;17:162, section "When not to use multiple imputation").
MOST_MISSING = 0.4
# Complete cases per predictor of an imputation model (Hardt et al., BMC Med Res Methodol 2012;12:184).
CASES_PER_PREDICTOR = 3
# Imputations of a large study: so many are the least that Rubin (1987) uses.
FEWEST = 5
# Patterns that are told apart; the rest is counted together. No id holds a space, so these names are nobody's.
MOST_PATTERNS = 20
COMPLETE, OTHERS = "nothing missing", "other patterns"
Frames = dict[str, pd.DataFrame]
CONCLUDE = "The comparison of complete cases with nobody left out, if what is missing can be told from what is known; it mends nothing that is missing by design or because of the outcome."
CONCLUDE_WEAKLY = "A direction beside complete cases, not a size."


class Imputed(Analysis):
    """An endpoint's Cox model with what is missing of its covariates imputed."""


@absent_if_absent
def analyse_imputed(data: Dataset, analysis: Survival) -> Imputed | Absent:
    """Who lacks a covariate of the model, and the model with what is missing drawn, beside that of complete cases.

    Parameters
    ----------
    data : Dataset
    analysis : Survival

    Returns
    -------
    Imputed
        `missing_covariate` (patients who lack it, by arm and overall), `missing_events` (events among those who lack it
        and those who do not; `variable` is "id: missing"), `missing_pattern` (patients and events of each pattern;
        `variable` names the covariates that are missing), `missing_logarithm` (patients whose value is known and has no
        logarithm: they are in neither model, and in no other count), and where the model can be fitted `imputed_cox` and
        `complete_cox` (`variable` is the endpoint, or "endpoint: id" and "endpoint: id: level").
        Data: `verdicts`, `completed` and `fits` (each imputed data set and its coefficients), `kept` (patients before anything was drawn),
        `first` (the level that the others of a category are compared with).
        `Absent` without covariates, and where nothing is missing.
    """
    covariates = declared_covariates(data)
    if not covariates:
        return Absent(f"Nothing can be missing where nothing is held alike: {NONE_DECLARED}.")
    names = [own(c.variable) for c in covariates]
    frame = model_frame(data, analysis["tte"][["arm", "time", "event"]], covariates)
    undefined = _without_logarithm(data, frame, covariates)
    kept = frame[~undefined.any(axis=1)]
    if not kept[names].isna().any(axis=None):
        also = ", but for a value that has no logarithm" if undefined.any(axis=None) else ""
        return Absent(f"Nothing is missing: every covariate of the model is known of every patient{also}, so nothing is imputed.")
    frames = {
        "missing_covariate": _by_covariate(data, kept, names),
        "missing_events": _by_outcome(data, kept, names),
        "missing_pattern": _patterns(data, kept, names),
    }
    if undefined.any(axis=None):
        frames["missing_logarithm"] = _undefined(data, frame, undefined)
    more: Frames = {}
    # what is the same in everybody (the sex, in a subgroup of women) is held alike already
    found = _fit(data, analysis.variable, kept, [name for name in names if kept[name].isna().any() or kept[name].nunique() > 1])
    if isinstance(found, Verdict):
        verdict = found
    else:
        models, shown, verdict = found
        frames, more = frames | models, more | shown
    return Imputed(data, analysis.variable, frames, more | {"verdicts": verdict_frame([verdict])})


def _without_logarithm(data: Dataset, frame: pd.DataFrame, covariates: Sequence[ModelCovariate]) -> pd.DataFrame:
    """Whose value is known but has no logarithm, a column per covariate: to draw it would overwrite what is known."""
    patients = typed_baseline(data, baseline_frame(data)).reindex(frame.index)
    return pd.DataFrame({c.variable: patients[own(c.variable)].notna() & frame[own(c.variable)].isna() for c in covariates}, index=frame.index)


def _groups(data: Dataset, kept: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Arms in force that hold anybody, and all of them together where they are several."""
    arms = [(arm.id, kept[kept["arm"] == arm.id]) for arm in data.arms]
    arms = [(name, own_) for name, own_ in arms if len(own_)]
    return arms + ([(OVERALL, kept)] if len(data.arms) > 1 else [])


def _rows(rows: list[dict[str, Any]], method: str) -> pd.DataFrame:
    return pd.DataFrame(rows).assign(method=method, note="")


def _undefined(data: Dataset, frame: pd.DataFrame, undefined: pd.DataFrame) -> pd.DataFrame:
    found = undefined.sum()
    everybody = _groups(data, frame)[-1][0]
    rows = [{"variable": name, "group": everybody, "count": int(count), "n": len(frame)} for name, count in found.items() if count]
    return _rows(rows, "count of patients whose value has no logarithm")


def _by_covariate(data: Dataset, kept: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    rows = [
        {"variable": name.removeprefix(OWN), "group": group, "count": int(part[name].isna().sum()), "n": len(part), "proportion": float(part[name].isna().mean())}
        for name in names
        for group, part in _groups(data, kept)
    ]
    return _rows(rows, "count of patients who lack the covariate")


def _by_outcome(data: Dataset, kept: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    everybody, rows = _groups(data, kept)[-1][0], []
    for name in (name for name in names if kept[name].isna().any()):
        for word, part in (("missing", kept[kept[name].isna()]), ("known", kept[kept[name].notna()])):
            share = float(part["event"].mean()) if len(part) else np.nan
            rows.append({"variable": f"{name.removeprefix(OWN)}: {word}", "group": everybody, "count": int(part["event"].sum()), "n": len(part), "proportion": share})
    return _rows(rows, "count of patients with the event")


def _patterns(data: Dataset, kept: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Patients of each set of missing covariates: the complete first, then from the largest down."""
    lacking = kept[names].isna().to_numpy()
    ids = [name.removeprefix(OWN) for name in names]
    named = pd.Series([" + ".join(i for i, absent in zip(ids, row, strict=True) if absent) or COMPLETE for row in lacking], kept.index)
    sizes = named[named != COMPLETE].value_counts().sort_index().sort_values(ascending=False, kind="stable")
    told = [COMPLETE, *sizes.index[:MOST_PATTERNS]]
    named = named.where(named.isin(told), OTHERS)
    rows = []
    for pattern in [*told, *([OTHERS] if len(sizes) > MOST_PATTERNS else [])]:
        for group, part in _groups(data, kept):
            of = part[named[part.index] == pattern]
            rows.append({"variable": pattern, "group": group, "count": len(of), "n": len(part), "n_events": int(of["event"].sum())})
    return _rows(rows, "count of patients by what they lack")


def _fit(data: Dataset, endpoint: str, kept: pd.DataFrame, names: list[str]) -> Verdict | tuple[Frames, Frames, Verdict]:
    """The two models with their verdict, or the verdict that refuses them."""
    level, model = data.parameters.level, f"{data.study.endpoint(endpoint).short}: Cox model with missing covariates imputed"
    if why := _why_not(data, kept, names):
        return Verdict(model, REFUSED, as_sentence(why))
    m, note = data.study.models.imputations if data.study.models else Models.model_fields["imputations"].default, ""
    if len(kept) > LARGE:
        m, note = FEWEST, because_large(f"drawn {FEWEST} times only")
    completed = imputation.impute_covariates(kept, names, m, SEED)
    imputed = rubin.estimate_imputed_cox(completed, data.reference, names, level)
    if imputed.reason:
        return Verdict(model, REFUSED, f"Rubin's rules put estimates with a spread together, and here one has none: {_in_words(data, imputed.reason, imputed.of)}.")
    complete = _same_contrasts(kept, completed[0], names, cox.estimate_cox(kept, data.reference, names, level).terms)
    frames = {"imputed_cox": withhold(data, kept, imputed.terms.assign(note=note)), "complete_cox": withhold(data, kept.dropna(subset=names), complete.assign(n_missing=len(kept) - complete["n"]))}
    of_pool = ["missing_information", "efficiency"]
    frames["imputed_cox"][of_pool] = frames["imputed_cox"][of_pool].where(frames["imputed_cox"]["coef"].notna())
    frames = {name: _placed(endpoint, found) for name, found in frames.items()}
    every = pd.concat(completed, keys=range(m), names=["imputation", "patient_id"]).reset_index()
    per_term = int(kept["event"].sum()) / len(imputed.terms)
    weak = [f"There are fewer than {ENOUGH} events per coefficient."] if per_term < ENOUGH else []
    weak += [UNSTRATIFIED] if data.study.models and data.study.models.strata else []
    verdict = Verdict(model, WEAK if weak else FITTED, " ".join(weak), CONCLUDE_WEAKLY if per_term < ENOUGH else CONCLUDE)
    return frames, {"completed": every, "fits": imputed.fits, "kept": kept, "first": _first_levels(completed[0], names)}, verdict


def _why_not(data: Dataset, kept: pd.DataFrame, names: list[str]) -> str:
    """What forbids to impute, before anything is drawn; "" where nothing does."""
    return next(_reasons(data, kept, names), "")


def _reasons(data: Dataset, kept: pd.DataFrame, names: list[str]) -> Iterator[str]:
    """Every reason not to impute, the plainest first; later ones may rest on what earlier ones rule out."""
    label = {name: data.study.variable(name.removeprefix(OWN)).label for name in names}
    share, distinct = kept[names].isna().mean(), kept[names].nunique()
    if len(data.arms) < 2:
        yield "with one arm there is nothing to compare"
    if empty := [arm.label for arm in data.arms if not (kept["arm"] == arm.id).any()]:
        yield f"nobody with {' or '.join(empty)} has a known time"
    if few := too_few(data, kept):
        yield f"there are {few}"
    if nobody := [label[name] for name in names if not distinct[name]]:
        yield f"nothing is known of {_listed(nobody)}, so there is nothing to draw from"
    if constant := [label[name] for name in names if distinct[name] == 1]:
        yield f"all known values of {_listed(constant)} are the same, so nobody is told apart by them"
    if many := [label[name] for name in names if share[name] > MOST_MISSING]:
        yield f"{_listed(many)} {'is' if len(many) == 1 else 'are'} missing in more than {MOST_MISSING:.0%} of the patients, and what is drawn for so many can at most raise a hypothesis (Jakobsen and others, 2017)"
    terms = len(data.arms) - 1 + sum(1 if pd.api.types.is_numeric_dtype(kept[name]) else distinct[name] - 1 for name in names)
    if kept["event"].sum() < FEW * terms:
        yield f"there are fewer than {FEW} events for each of the model's {terms} coefficients"
    predictors = imputation.predictors_of(kept, names)
    if kept[names].notna().all(axis=1).sum() < CASES_PER_PREDICTOR * predictors:
        yield f"there are fewer than {CASES_PER_PREDICTOR} complete cases for each of the {predictors} predictors of what is missing (Hardt and others, 2012)"


def _listed(labels: list[str]) -> str:
    return labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} and {labels[-1]}"


def _in_words(data: Dataset, reason: str, terms: tuple[str, ...]) -> str:
    """Why a model could not be fitted, with the labels of what it is about instead of terms."""
    found = []
    for term in terms:
        name, _, level = term.partition("=")
        found.append(data.study.arm(level).label if name == "arm" else data.study.variable(name.removeprefix(OWN)).label)
    return f"{reason} {_listed(list(dict.fromkeys(found)))}" if found else reason


def _first_levels(frame: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """The level that the others of each category are compared with."""
    categories = [name for name in names if isinstance(frame[name].dtype, pd.CategoricalDtype)]
    found = [(name.removeprefix(OWN), frame[name].cat.remove_unused_categories().cat.categories[0]) for name in categories]
    return pd.DataFrame(found, columns=["variable", "level"])


def _same_contrasts(kept: pd.DataFrame, whole: pd.DataFrame, names: list[str], terms: pd.DataFrame) -> pd.DataFrame:
    """Complete cases may lack the level that all others are compared with: what they say is then another contrast."""
    with_all, of_complete = _first_levels(whole, names), _first_levels(kept.dropna(subset=names), names)
    moved = set(with_all.loc[with_all["level"] != of_complete["level"], "variable"])
    other = terms["term"].str.removeprefix(OWN).str.partition("=")[0].isin(moved)
    numbers = [c for c in ("coef", "std_err", "hr", "ci_low", "ci_high", "statistic", "p_value") if c in terms]
    changed = terms.copy()
    changed.loc[other, numbers] = np.nan
    changed.loc[other, "note"] = "no complete case has the level that the others are compared with"
    return changed


def _placed(endpoint: str, terms: pd.DataFrame) -> pd.DataFrame:
    """Terms by where results.csv keeps them: the endpoint for arms, "endpoint: id" and "endpoint: id: level" for covariates."""
    parts = terms["term"].str.partition("=")
    of_covariates = parts[0].str.removeprefix(OWN)
    named = [
        endpoint if name == "arm" else f"{endpoint}: {of}{f': {level}' if level else ''}"
        for name, of, level in zip(parts[0], of_covariates, parts[2], strict=True)
    ]
    return terms.drop(columns="term").assign(variable=named)
