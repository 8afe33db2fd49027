"""Do trials of the computed sizes find what they are planned for, and do pooled intervals hold the truth? By simulation.

    python tests/bench/next_trial.py            (two minutes; writes the table in docs/trust.md)

Times are drawn, and tests made, by plain code that shares nothing with lib/statistics/planning.py.
"""

from __future__ import annotations

import re
from math import exp, log, sqrt
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from lib.analyses.efficacy.survival import analyse
from lib.analyses.outlook.next_trial import analyse_next_trial
from lib.analyses.result import where
from lib.dataset.dataset import load
from lib.statistics import planning, pooling

ROOT = Path(__file__).parent.parent.parent
SEED, TRIALS, META = 20250228, 4000, 4000
BEGIN, END = "<!-- next-trial -->", "<!-- end next-trial -->"


def logrank(time: np.ndarray, event: np.ndarray, arm: np.ndarray, k: int) -> np.ndarray:
    """Observed minus expected events of each trial's arms, and their covariance: chi-square and the sign of the last arm.

    `time`, `event`, `arm` have a row per trial; no two times are alike.
    """
    order = np.argsort(time, axis=1)
    event, arm = (np.take_along_axis(x, order, axis=1) for x in (event, arm))
    member = (arm[:, :, None] == np.arange(1, k)).astype(float)
    at_risk = np.cumsum(member[:, ::-1], axis=1)[:, ::-1]
    share = at_risk / np.arange(arm.shape[1], 0, -1)[None, :, None]
    score = ((member - share) * event[:, :, None]).sum(axis=1)
    covariance = -np.einsum("tni,tnj,tn->tij", share, share, event.astype(float))
    diagonal = np.arange(k - 1)
    covariance[:, diagonal, diagonal] += (share * event[:, :, None]).sum(axis=1)
    chisq = np.einsum("ti,tij,tj->t", score, np.linalg.pinv(covariance), score)
    return np.column_stack([chisq, score[:, -1]])


def curve_of(tte: pd.DataFrame, arm: str):
    """Draw times from the Kaplan-Meier curve of an arm, evenly between its steps, beyond the last with a constant hazard."""
    own = tte[tte["arm"] == arm].sort_values("time")
    time, event = own["time"].to_numpy(float), own["event"].to_numpy(bool)
    left = np.cumprod(1 - event / np.arange(len(own), 0, -1))
    # Half a patient is left where the last one had the event: a curve of 0 has no tail.
    left = np.maximum(left, 0.5 / len(own))
    steps, levels = np.concatenate([[0.0], time[event]]), np.concatenate([[1.0], left[event]])
    hazard = event.sum() / time.sum()

    def draw(uniform: np.ndarray, hr: float = 1.0) -> np.ndarray:
        level = uniform ** (1 / hr)
        inside = np.interp(-level, -levels, steps)
        return np.where(level < levels[-1], steps[-1] + np.log(levels[-1] / np.maximum(level, 1e-300)) / hazard, inside)

    return draw


def event_driven(rng, hr: float, events: int, share: float = 0.5) -> float:
    """Share of trials that find a hazard ratio, stopped at the event that was asked for; exponential times, all enter at once."""
    n = max(2 * events, 12)
    first = round(share * n)
    arm = np.tile(np.arange(n) < first, (TRIALS, 1)).astype(int)
    time = rng.exponential(1, (TRIALS, n)) / np.where(arm == 1, hr, 1.0)
    end = np.sort(time, axis=1)[:, events - 1 : events]
    return found(np.minimum(time, end) + 1e-9 * rng.random(time.shape), time <= end, arm)


def found(time, event, arm, k: int = 2) -> float:
    """Share of trials with p < 0.05; of two arms in the direction that was planned for."""
    test = np.concatenate([logrank(*part, k) for part in zip(*(np.array_split(x, 20) for x in (time, event, arm)), strict=True)])
    return float(np.mean((test[:, 0] > stats.chi2.isf(0.05, k - 1)) & ((test[:, 1] < 0) | (k > 2))))


def calendar(rng, draws, sizes, *, follow_up: float, accrual: float = 0.0, loss: float = 0.0) -> tuple[float, float]:
    """Trials whose patients enter evenly, are lost at a rate, and are followed to one day: power, and mean events."""
    arm = np.tile(np.repeat(np.arange(len(sizes)), sizes), (TRIALS, 1))
    time = np.concatenate([draw(rng.random((TRIALS, size))) for draw, size in zip(draws, sizes, strict=True)], axis=1)
    until = np.minimum(follow_up + accrual * rng.random(time.shape), rng.exponential(1, time.shape) / loss if loss else np.inf)
    return found(np.minimum(time, until), time <= until, arm, len(sizes)), float((time <= until).sum(axis=1).mean())


def simulate_plans(rng) -> list[tuple]:
    """Rows: what, size, power asked for, power found."""
    rows = []
    for hr in (0.15, 0.25, 0.33, 0.5, 0.67, 0.75):
        for name, formula in (("Schoenfeld", planning.events_by_schoenfeld), ("Freedman", planning.events_by_freedman)):
            events = int(np.ceil(formula(hr, 0.8)))
            rows.append((f"{name}, hazard ratio {hr:g}, exponential times", f"{events} events", 80, 100 * event_driven(rng, hr, events)))
    for name, formula in (("Schoenfeld", planning.events_by_schoenfeld), ("Freedman", planning.events_by_freedman)):
        events = int(np.ceil(formula(0.5, 0.8, 2 / 3)))
        rows.append((f"{name}, hazard ratio 0.5, two of three with the better arm", f"{events} events", 80, 100 * event_driven(rng, 0.5, events, 2 / 3)))
    return rows


def simulate_cohort(rng) -> list[tuple]:
    """The same for trials like the cohort: its accrual, follow-up, loss and curves; and at its own size."""
    data = load("models", study="data/rair_dtc")
    survival = analyse(data, data.study.primary)
    trial, tte = analyse_next_trial(data, survival), survival["tte"]
    assumed = trial["next_trial_assumed"].set_index("variable")["estimate"]
    hazard, loss, follow_up = assumed["hazard"], assumed["loss"], assumed["follow_up"]
    rows, own = [], {arm: curve_of(tte, arm) for arm in "ABC"}
    for term in ("worthwhile", "seen"):
        row = where(trial["next_trial"], term=term, power=0.8).iloc[0]
        hr, half = row["hr"], int(np.ceil(row["patients_needed"] / 2))
        for name, draws in {
            "exponential": (lambda u: -np.log(u) / hazard, lambda u, hr=hr: -np.log(u) / (hr * hazard)),
            "the cohort's curve of arm A, hazards proportional": (own["A"], lambda u, hr=hr: own["A"](u, hr)),
        }.items():
            power, events = calendar(rng, draws, (half, half), accrual=row["duration"], follow_up=follow_up, loss=loss)
            rows.append((f"Patients for hazard ratio {hr:.2f}: times {name}", f"{2 * half} patients, {row['events_needed']:.0f} events planned, {events:.0f} had", 80, 100 * power))
    power, events = calendar(rng, (own["A"], own["C"]), (half, half), accrual=row["duration"], follow_up=follow_up, loss=loss)
    rows.append(("The same: each arm by its own curve, hazards as they were", f"{2 * half} patients, {events:.0f} events", 80, 100 * power))
    return rows + _at_its_size(rng, survival, own, follow_up)


def _at_its_size(rng, survival, own, follow_up: float) -> list[tuple]:
    """14, 25 and 13 patients: power that the formulas give for the events that are had, beside that of the trials."""
    coefs = [0.0, *(survival.row("cox", f"{arm} vs A")["coef"] for arm in "BC")]
    rows = []
    for name, of in (("exponential times", [lambda u, b=b: -np.log(u) / (0.0423 * exp(b)) for b in coefs]), ("the cohort's curves", [own[a] for a in "ABC"])):
        power, events = calendar(rng, of, (14, 25, 13), follow_up=follow_up)
        shares = np.array([14, 25, 13]) / 52
        centre = events * float(shares @ (np.array(coefs) - shares @ coefs) ** 2)
        rows.append((f"Three arms of 14, 25 and 13, ratios as seen, {name}", f"{events:.0f} events", 100 * stats.ncx2.sf(stats.chi2.isf(0.05, 2), 2, centre), 100 * power))
        power, events = calendar(rng, (of[0], of[2]), (14, 13), follow_up=follow_up)
        rows.append((f"Two arms of 14 and 13, ratio as seen, {name}", f"{events:.0f} events", 100 * planning.estimate_power(events, exp(coefs[2]), 13 / 27), 100 * power))
    return rows


def exact_shares() -> list[tuple]:
    """Power of the test of two shares at Fleiss's sizes, by all tables: nothing is drawn."""
    rows = []
    for low, high in ((0.36, 0.56), (0.36, 0.85), (0.05, 0.25)):
        for corrected, name in ((False, "chi-square test"), (True, "Fisher's exact test")):
            n = int(np.ceil(planning.patients_by_fleiss(high, low, 0.8, corrected=corrected)))
            x, y = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")
            weight = stats.binom.pmf(x, n, high) * stats.binom.pmf(y, n, low)
            if corrected:
                tail = np.array([[_fisher(a, b, n) if a > b else 1.0 for b in range(n + 1)] for a in range(n + 1)])
            else:
                mean = (x + y) / (2 * n)
                with np.errstate(divide="ignore", invalid="ignore"):
                    tail = stats.chi2.sf((x - y) ** 2 / n / (2 * mean * (1 - mean)), 1)
            rows.append((f"Shares {high:g} and {low:g}, {name}", f"{n} an arm", 80, 100 * float(weight[(tail < 0.05) & (x > y)].sum())))
    return rows


def _fisher(a: int, b: int, n: int) -> float:
    chances = stats.hypergeom.pmf(np.arange(max(0, a + b - n), min(n, a + b) + 1), 2 * n, a + b, n)
    return float(chances[chances <= stats.hypergeom.pmf(a, 2 * n, a + b, n) * (1 + 1e-7)].sum())


def simulate_pools(rng) -> list[tuple]:
    """Coverage of the pooled interval and of the prediction interval: rows of what, studies, right, held."""
    rows = []
    for k in (3, 5, 10):
        for tau in (0.0, 0.2, 0.4):
            errors = sqrt(4) / np.sqrt(rng.integers(40, 400, (META, k)))
            true = rng.normal(log(0.7), tau, (META, k + 1))
            drawn = rng.normal(true[:, :k], errors)
            pools = [pooling.pool_random(y, s) for y, s in zip(drawn, errors, strict=True)]
            held = np.mean([p.ci_low <= log(0.7) <= p.ci_high for p in pools])
            ahead = np.mean([p.low <= new <= p.high for p, new in zip(pools, true[:, k], strict=True)])
            rows.append((f"Random effects, spread of the logarithms {tau:g}: interval of the mean / of the next study", f"{k} studies", 95, f"{100 * held:.1f} / {100 * ahead:.1f}"))
    return rows


def write() -> None:
    """Put the table between its marks in docs/trust.md."""
    rng = np.random.default_rng(SEED)
    rows = [*simulate_plans(rng), *simulate_cohort(rng), *exact_shares(), *simulate_pools(rng)]
    shown = [(what, size, f"{asked:.0f}", got if isinstance(got, str) else f"{got:.1f}") for what, size, asked, got in rows]
    table = "\n".join(["| method | size | asked for, % | found, % |", "| --- | --- | ---: | ---: |", *(f"| {' | '.join(row)} |" for row in shown)])
    path = ROOT / "docs" / "trust.md"
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(rf"{BEGIN}.*{END}", lambda _: f"{BEGIN}\n{table}\n{END}", text, flags=re.DOTALL), encoding="utf-8")
    print(table)


if __name__ == "__main__":
    write()
