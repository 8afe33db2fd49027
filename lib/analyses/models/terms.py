"""What every regression of the page shares: where a term is recorded, what forbids a model, and what its verdict says."""

from __future__ import annotations

__all__ = ["COEFFICIENT", "LEFT_OUT", "STRATUM", "UNSTRATIFIED", "compared", "count_arms", "count_levels", "count_missing", "counted_covariates", "name_terms", "name_tests", "stratum", "weakened", "why_refused"]

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from lib.analyses.models.covariates import NONE_DECLARED
from lib.analyses.policy import too_few, withhold
from lib.analyses.verdicts import FITTED, WEAK
from lib.dataset.dataset import Dataset
from lib.statistics.models.design import Design
from lib.statistics.multivariable.carried import PENALISED, PLAIN, TOO_FEW, UNSTABLE, judge_events
from lib.statistics.multivariable.ratios import describe_columns
from lib.study.inference.models import ModelCovariate
from lib.study.parts import OWN, own

# What the number of events (of a yes or no: of the rarer answer) says of a model, in words.
COEFFICIENT = {
    UNSTABLE: "fewer than ten events per coefficient",
    PENALISED: "fewer than five events per coefficient",
    TOO_FEW: "fewer than two events per coefficient, and no form of regression is known to hold with so few",
}
LEFT_OUT = "Patients with an unknown covariate are left out."
# Of a model that has no baseline of its own for each stratum, where `models` declares strata.
UNSTRATIFIED = "The declared strata are not in this model."
SEPARATED = "An arm or a level is without an event, or the covariates tell apart who had it"
PENALTY = ", so Firth's penalty is used"
STRATUM = "stratum"
# Least share of the variance of a covariate that the others leave.
ROUNDING = 1e-9


def name_terms(terms: pd.DataFrame, about: str) -> pd.DataFrame:
    """Terms of a design by the `variable` that they are recorded under: "os" (arms), "os: age", "os: sex: F"."""
    names = [_name(term, group, about) for term, group in zip(terms["term"], terms["group"], strict=True)]
    return terms.drop(columns="term").assign(variable=names)


def _name(term: str, group: str, about: str) -> str:
    if group != "overall":
        return about
    variable, _, level = term.removeprefix(OWN).partition("=")
    return ": ".join(filter(None, (about, variable, level)))


def name_tests(tests: pd.DataFrame, about: str) -> pd.DataFrame:
    """Tests of variables by the `variable` that they are recorded under."""
    names = [about if name == "arm" else f"{about}: {name.removeprefix(OWN)}" for name in tests["variable"]]
    return tests.assign(variable=names, group="overall")


def compared(data: Dataset, patients: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """What is left of comparisons by the least number of events (`policy.withhold`), asked only where some have too few."""
    few = any(too_few(data, patients, group) for group in found["group"].unique())
    return withhold(data, patients, found) if few else found


def stratum(data: Dataset, tte: pd.DataFrame) -> pd.DataFrame:
    """The declared strata of a regression, all of them crossed, as a column `stratum`; NaN where one is unknown."""
    names = [own(variable) for variable in data.study.models.strata] if data.study.models else []
    if not names:
        return tte
    known = data.patients.loc[tte.index, names].astype("string")
    crossed = known[names[0]].str.cat([known[name] for name in names[1:]], sep="|")
    return tte.assign(**{STRATUM: crossed.astype(object).where(crossed.notna(), np.nan)})


def counted_covariates(data: Dataset, frame: pd.DataFrame, covariates: Sequence[ModelCovariate]) -> tuple[ModelCovariate, ...]:
    """Covariates that can differ: not the variable of the subgroup in force, of which one level is left."""
    chosen = getattr(data.parameters, "subgroup", "")
    fixed = data.study.subgroup(chosen).variable if chosen else ""
    return tuple(c for c in covariates if c.variable != fixed or frame[own(c.variable)].nunique() > 1)


def count_arms(data: Dataset, frame: pd.DataFrame, about: str) -> pd.DataFrame:
    """Patients of each arm, and those of them with the event."""
    inside = [frame.loc[frame["arm"] == arm.id, "event"] for arm in data.arms]
    rows = [(arm.id, len(events), int(events.sum())) for arm, events in zip(data.arms, inside, strict=True)]
    return pd.DataFrame(rows, columns=["group", "n", "n_events"]).assign(variable=about, method="count of patients", note="")


def count_missing(frame: pd.DataFrame, names: Sequence[str], about: str) -> pd.DataFrame:
    """Patients without a known value of each column."""
    rows = [(f"{about}: {name.removeprefix(OWN)}", int(frame[name].isna().sum())) for name in names]
    return pd.DataFrame(rows, columns=["variable", "n_missing"]).assign(group="overall", method="count of patients", note="")


def count_levels(frame: pd.DataFrame, name: str, about: str) -> pd.DataFrame:
    """Patients with a known value of a column, and those of them with the event: by level of a category, else of all."""
    known, variable = frame[frame[name].notna()], f"{about}: {name.removeprefix(OWN)}"
    if isinstance(frame[name].dtype, pd.CategoricalDtype):
        counts = known.groupby(known[name].cat.remove_unused_categories(), observed=False)["event"].agg(["size", "sum"])
        rows = [(f"{variable}: {level}", int(n), int(events)) for level, n, events in counts.itertuples()]
    else:
        rows = [(variable, len(known), int(known["event"].sum()))]
    return pd.DataFrame(rows, columns=["variable", "n", "n_events"]).assign(group="overall", method="count of patients", note="")


def why_refused(data: Dataset, frame: pd.DataFrame, design: Design, names: Sequence[str], n_events: int) -> str:
    """Why a model of arms and covariates is not fitted, within a sentence; "" where it can be.

    Parameters
    ----------
    data : Dataset
    frame : DataFrame, one row per patient
        `arm`, `event`, and the columns `names`.
    design : Design
        Of `frame`.
    names : sequence of str
        Columns of the covariates.
    n_events : int
        Of the patients of the design: those with the event, or the rarer of two answers.
    """
    return next(filter(None, _reasons(data, frame, design, names, n_events)), "")


def _reasons(data: Dataset, frame: pd.DataFrame, design: Design, names: Sequence[str], n_events: int) -> Iterator[str]:
    """What may forbid a model, one after the other; "" where it does not."""
    kept = frame[design.kept]
    yield "" if names else NONE_DECLARED
    empty = [arm.label for arm in data.arms if not (kept["arm"] == arm.id).any()]
    yield f"nobody with {' or '.join(empty)} has a known value of all covariates" if empty else ""
    same = [_label(data, name) for name in names if kept[name].nunique() < 2]
    yield f"{' and '.join(same)} {'is' if len(same) == 1 else 'are'} the same in all patients with known covariates" if same else ""
    lost = [_label(data, name) for name in names if _first_level(frame[name]) != _first_level(kept[name])]
    yield f"nobody with known covariates has the first level of {' and '.join(lost)}" if lost else ""
    explained = _explained(design)
    yield f"{_label(data, explained)} follows from the arms and the covariates named before it" if explained else ""
    yield too_few(data, kept)
    verdict = judge_events(n_events, len(design.terms))
    yield COEFFICIENT[verdict] if verdict == TOO_FEW else ""


def _label(data: Dataset, name: str) -> str:
    return data.study.variable(name.removeprefix(OWN)).label


def _first_level(values: pd.Series) -> object:
    return next(iter(values.cat.remove_unused_categories().cat.categories), None) if isinstance(values.dtype, pd.CategoricalDtype) else None


def _explained(design: Design) -> str:
    """The first covariate whose columns say nothing that those before do not."""
    done: list[int] = []
    products = design.x.T @ design.x / len(design.x)  # columns have mean 0 and standard deviation 1
    for name, columns in describe_columns(design).items():
        done += columns
        if name != "arm" and np.linalg.eigvalsh(products[np.ix_(done, done)]).min() < ROUNDING:
            return name
    return ""


def weakened(n_events: int, n_terms: int, penalised: bool, n_left: int) -> tuple[str, str]:
    """State of a model that was fitted, and in sentences what weakens it."""
    verdict = judge_events(n_events, n_terms)
    said = [f"{COEFFICIENT[verdict].capitalize()}{PENALTY if verdict == PENALISED else ''}."] if verdict != PLAIN else []
    said += [f"{SEPARATED}{PENALTY}."] if penalised and verdict != PENALISED else []
    return (WEAK if said else FITTED), " ".join([*said, *([LEFT_OUT] if n_left else [])])
