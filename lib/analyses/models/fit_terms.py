"""Do the terms of a model fit? What its events carry, straight lines against curves, proportional hazards term by term."""

from __future__ import annotations

__all__ = ["Held", "assess_lines", "assess_proportional", "said_few"]

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from lib.analyses.verdicts import FITTED, REFUSED, WEAK, Verdict
from lib.dataset.dataset import Dataset
from lib.statistics.comparisons import ALPHA, name_pair
from lib.statistics.multivariable import proportional, splines
from lib.statistics.multivariable.carried import ENOUGH
from lib.statistics.multivariable.nested import Model
from lib.statistics.survival.event_table import OVERALL
from lib.study.inference.models import ModelCovariate
from lib.study.parts import OWN, own

LINEARITY = "likelihood-ratio test, restricted cubic spline against the straight line (Cox regression, Efron ties)"
QUARTILES = "third against first quartile (type 7), Cox regression (Efron ties), Wald interval"
ALL_TERMS = "all terms"


class Held(NamedTuple):
    """A model that is fitted, and what it is made of.

    `tte` : patients with every covariate known, covariates in their step; `everybody` : all with a known time, with the
    study's own columns as they are; `columns` : of the covariates; `strata` : column of the strata, or None.
    """

    data: Dataset
    name: str
    everybody: pd.DataFrame
    tte: pd.DataFrame
    covariates: tuple[ModelCovariate, ...]
    columns: list[str]
    strata: str | None
    model: Model

    @property
    def events(self) -> int:
        """Events of the patients in the model."""
        return int(self.tte["event"].sum())

    @property
    def others(self) -> list[str]:
        """Arms that are compared with the reference arm."""
        return [arm.id for arm in self.data.arms if arm.id != self.data.reference]

    def each(self, coefficients: int) -> float:
        """Events per coefficient of a model with so many."""
        return self.events / coefficients

    @property
    def weak(self) -> bool:
        """Whether the model itself has few events per coefficient."""
        return self.each(self.model.df) < ENOUGH


def said_few(least: int) -> str:
    """Why something is not asked or weak."""
    return f"fewer than {least} events per coefficient"


def _own_scale(covariate: ModelCovariate, values: np.ndarray) -> np.ndarray:
    """Values of a covariate's column in the variable's own unit."""
    return covariate.per**values if covariate.log else values * covariate.per


def assess_lines(held: Held) -> tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame], Verdict]:
    """Test each covariate that asks for it against the straight line: frames, data (`curve`, `knots`) and a verdict."""
    asked = [covariate for covariate in held.covariates if covariate.spline]
    tests, quartiles, curves, knots = [], [], [], []
    for covariate in asked:
        variable = f"{held.name}: {covariate.variable}"
        at, why = _knots(held, own(covariate.variable))
        bend = None if why else splines.Bend.estimate(
            held.tte, held.data.reference, held.columns, own(covariate.variable), at,
            level=held.data.parameters.level, strata=held.strata, straight=held.model,
        )  # fmt: skip
        if bend is None:
            tests.append(_not_tested(held, variable, LINEARITY, why or "the curve cannot be fitted"))
            continue
        each = held.each(held.model.df + len(at) - 2)
        tests.append({"variable": variable, "group": OVERALL, **bend.test, "events_per_variable": each, "method": f"{LINEARITY}, {len(at)} knots", "note": ""})
        apart = bend.quartiles.assign(variable=[f"{variable}: {kind}" for kind in bend.quartiles.index], group=OVERALL, method=QUARTILES, note="")
        quartiles.append(apart.assign(**{q: _own_scale(covariate, apart[q].to_numpy()) for q in ("q1", "q3")}))
        curves.append(bend.curve.assign(variable=covariate.variable, value=_own_scale(covariate, bend.curve["value"].to_numpy())))
        knots.append(pd.DataFrame({"variable": covariate.variable, "knot": at}))
    frames = {"model_linearity": pd.DataFrame(tests)} if tests else {}
    frames |= {"model_quartiles": pd.concat(quartiles, ignore_index=True)} if quartiles else {}
    data = {"curve": pd.concat(curves, ignore_index=True), "knots": pd.concat(knots, ignore_index=True)} if curves else {}
    return frames, data, _verdict_on_lines(asked, pd.DataFrame(tests, columns=["p_value", "note"]))


def _knots(held: Held, column: str) -> tuple[np.ndarray, str]:
    """As many knots as the events ask for and carry, or why there are none."""
    values, why = held.tte[column].to_numpy(dtype=float), ""
    for k in range(splines.number_of_knots(held.events), 2, -1):
        at = splines.place_knots(values, k)
        if min(len(at), len(np.unique(values))) < max(len(at), 3):
            why = "too many patients have the same value for a curve"
        elif held.each(held.model.df + len(at) - 2) >= ENOUGH:
            return at, ""
        else:
            why = said_few(ENOUGH)
    return np.empty(0), why


def _not_tested(held: Held, variable: str, method: str, why: str, **more: float) -> dict[str, object]:
    nothing = dict.fromkeys(("chisq", "df", "p_value", "events_per_variable"), np.nan)
    return {"variable": variable, "group": OVERALL, **nothing, **more, "method": method, "note": f"not tested: {why}"}


def _verdict_on_lines(asked: Sequence[ModelCovariate], tests: pd.DataFrame) -> Verdict:
    model = "Numbers as straight lines"
    if not asked:
        return Verdict(model, REFUSED, "No covariate asks for it (spline under models.covariates in study.yml).", "A straight line is assumed for every number, and not tested.")
    made = tests["p_value"].notna()
    if not made.any():
        return Verdict(model, REFUSED, f"{_reasons(tests)}.", "A straight line is assumed for every number, and not tested.")
    some = "" if made.all() else f"Not for every covariate: {_reasons(tests[~made])}."
    if (tests["p_value"] < ALPHA).any():
        why = " ".join(filter(None, ["The events speak against a straight line.", some]))
        return Verdict(model, WEAK, why, "The ratio per step of that covariate is an average over a curve; read the curve.")
    return Verdict(model, FITTED if made.all() else WEAK, some, "Nothing speaks against straight lines, which does not show that they are straight.")


def _reasons(tests: pd.DataFrame) -> str:
    """The reasons of tests that were not made, each once, as a sentence without its end."""
    said = "; ".join(dict.fromkeys(note.removeprefix("not tested: ") for note in tests["note"] if note))
    return f"{said[:1].upper()}{said[1:]}"


def assess_proportional(held: Held) -> tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame], Verdict]:
    """Test proportional hazards term by term: frames, data (`residuals` of the arms) and a verdict."""
    model, terms = held.model, held.model.design.terms
    arms = {name_pair(arm, held.data.reference): [model.place(f"arm={arm}")] for arm in held.others}
    parts = {column: [j for j, term in enumerate(terms) if term.split("=")[0] == column] for column in held.columns}
    every = {OVERALL: sorted(j for places in arms.values() for j in places), ALL_TERMS: range(len(terms))}
    found = proportional.check_terms(model, arms | every | parts).set_index("part")
    found = found.assign(method=proportional.METHOD, note=np.where(found["chisq"].isna(), "not tested: no event tells", ""))
    of_arms = found.loc[[*arms, OVERALL]].reset_index(names="group").assign(variable=held.name)
    others = found.loc[held.columns].reset_index(names="variable").assign(group=OVERALL)
    frames = {
        "model_proportional_arm": of_arms,
        "model_proportional": others.assign(variable=f"{held.name}: " + others["variable"].str.removeprefix(OWN)),
        "model_proportional_all": found.loc[[ALL_TERMS]].assign(variable=held.name, group=OVERALL),
    }
    residuals = proportional.scaled_residuals(held.tte, model, every[OVERALL])
    drawn = [
        proportional.trends(model, residuals, places[0], held.data.parameters.level).assign(
            group=group, time=residuals["time"], value=residuals[places[0]], estimate=model.coef[places[0]])
        for group, places in arms.items()
    ]  # fmt: skip
    return frames, {"residuals": pd.concat(drawn, ignore_index=True)}, _verdict_on_hazards(held, found)


def _verdict_on_hazards(held: Held, found: pd.DataFrame) -> Verdict:
    model, arms = "Proportional hazards", found.at[OVERALL, "p_value"]
    few = [f"{said_few(ENOUGH).capitalize()}."] if held.weak else []
    if arms < ALPHA:
        why, conclude = "The hazard ratios of the arms change over time.", "The adjusted hazard ratio is an average over the follow-up, and depends on how long that was."
    elif found.at[ALL_TERMS, "p_value"] < ALPHA:
        why, conclude = "The hazard ratio of a covariate changes over time, those of the arms not recognisably.", "Covariates are held alike on average over the follow-up only; a stratum for such a covariate would not assume more."
    else:
        why, conclude = "", "No change over time was recognised, which does not show that hazards are proportional: the fewer the events, the larger a change that is missed."
    said = " ".join(filter(None, [why, *few]))
    return Verdict(model, WEAK if said else FITTED, said, conclude)
