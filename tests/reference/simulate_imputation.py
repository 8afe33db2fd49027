"""Bias and coverage of imputed and of complete cases, at 14/25/13 and at 300 patients, into docs/trust.md.

Run from anywhere: ``python tests/reference/simulate_imputation.py`` (five minutes). Three arms whose patients differ in a
number that also decides how they fare, so that the crude comparison is wrong; the number is missing in about a quarter and
a category in a tenth. Missing by chance: whoever it is. Missing at random: more often after an event, and in the third arm.
"""

import re
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit

from lib.statistics.models.cox import estimate_cox
from lib.statistics.multivariable.imputation import impute_covariates
from lib.statistics.multivariable.rubin import estimate_imputed_cox

TRUST = Path(__file__).parents[2] / "docs" / "trust.md"
HEADING, BEGIN = "## Simulated", "<!-- simulate_imputation.py -->"
SIZES = {"14/25/13": (14, 25, 13), "100/100/100": (100, 100, 100)}
ARMS, TRUTH = ("A", "B", "C"), {"arm=B": -0.2, "arm=C": -0.6, "x": 0.5, "g=1": 0.3}
REPEATS, IMPUTATIONS, SEED = 750, 20, 20250228
COVARIATES = ["x", "g"]


def draw(sizes: tuple[int, ...], rng: np.random.Generator) -> pd.DataFrame:
    """One study, everything known."""
    arm = np.repeat(np.arange(3), sizes)
    x, g = 0.4 * arm + rng.normal(size=len(arm)), rng.random(len(arm)) < 0.4
    hazard = 0.05 * np.exp(np.choose(arm, [0.0, TRUTH["arm=B"], TRUTH["arm=C"]]) + TRUTH["x"] * x + TRUTH["g=1"] * g)
    time, end = rng.exponential(1 / hazard), rng.uniform(12, 48, len(arm))
    category = pd.Categorical(np.where(g, "1", "0"), categories=["0", "1"])
    return pd.DataFrame({"arm": pd.Categorical.from_codes(arm, ARMS, ordered=True), "time": np.minimum(time, end), "event": time <= end, "x": x, "g": category})


def lose(tte: pd.DataFrame, at_random: bool, rng: np.random.Generator) -> pd.DataFrame:
    """The same study with values missing."""
    chance = expit(-2.2 + 1.5 * tte["event"] + 0.8 * (tte["arm"] == "C")) if at_random else 0.27
    left = tte.copy()
    left.loc[rng.random(len(tte)) < chance, "x"] = np.nan
    left.loc[rng.random(len(tte)) < 0.1, "g"] = np.nan
    return left


def fit(tte: pd.DataFrame, imputed: bool, seed: int) -> pd.DataFrame | None:
    """Terms by name; None where there is no fit without a penalty."""
    if imputed:
        terms = estimate_imputed_cox(impute_covariates(tte, COVARIATES, IMPUTATIONS, seed), "A", COVARIATES).terms
    else:
        terms = estimate_cox(tte, "A", COVARIATES).terms
    fine = len(terms) and terms["coef"].notna().all() and not terms["note"].str.contains("Firth").any()
    return terms.set_index("term") if fine else None


def summarise(found: list[pd.DataFrame | None]) -> list[str]:
    """Bias of the log hazard ratio and coverage of 95% intervals, of the third arm and of the number; how many were not fitted."""
    fitted, cells = [terms for terms in found if terms is not None], []
    for term in ("arm=C", "x"):
        rows = pd.DataFrame([terms.loc[term, ["coef", "ci_low", "ci_high"]] for terms in fitted]).astype(float)
        inside = rows["ci_low"].lt(np.exp(TRUTH[term])) & rows["ci_high"].gt(np.exp(TRUTH[term]))
        cells += [f"{round(rows['coef'].mean() - TRUTH[term], 2) + 0.0:+.2f}".replace("-", "−"), f"{rows['coef'].std():.2f}", f"{100 * inside.mean():.0f}%"]
    return [*cells, str(len(found) - len(fitted))]


def simulate() -> list[list[str]]:
    rows = []
    for name, sizes in SIZES.items():
        for mechanism in ("by chance", "at random"):
            rng = np.random.default_rng(SEED)
            found: dict[str, list[pd.DataFrame | None]] = {"all known": [], "complete cases": [], "imputed": []}
            for repeat in range(REPEATS):
                whole = draw(sizes, rng)
                left = lose(whole, mechanism == "at random", rng)
                for method, terms in zip(found, (fit(whole, False, 0), fit(left, False, 0), fit(left, True, repeat)), strict=True):
                    found[method].append(terms)
            rows += [[name, mechanism, method, *summarise(terms)] for method, terms in found.items()]
    return rows


def write(rows: list[list[str]]) -> None:
    """Put the table where the one before stood, else at the end."""
    columns = ["patients", "missing", "method", "bias, arm", "spread", "coverage", "bias, covariate", "spread", "coverage", "not fitted"]
    lines = [f"| {' | '.join(cells)} |" for cells in (columns, ["---"] * len(columns), *rows)]
    said = (
        f"Missing covariates ({REPEATS} studies each, `tests/reference/simulate_imputation.py`): log hazard ratios of a third arm and of a number that differs between arms, "
        f"the number missing in about a quarter. Bias and spread are those of the estimate, coverage that of 95% intervals (its own error: 0.8 points)."
    )
    text = TRUST.read_text(encoding="utf-8")
    text = re.sub(rf"\n*{re.escape(BEGIN)}.*?{re.escape(BEGIN)}\n", "\n", text, flags=re.DOTALL)
    if HEADING not in text:
        text = f"{text.rstrip()}\n\n{HEADING}\n"
    head, _, rest = text.partition(f"{HEADING}\n")
    block = f"\n{BEGIN}\n{said}\n\n" + "\n".join(lines) + f"\n{BEGIN}\n"
    TRUST.write_text(f"{head}{HEADING}\n{block}{rest}", encoding="utf-8")


if __name__ == "__main__":
    write(simulate())
