"""Type-I error of the tests and coverage of the intervals at the size of the shipped cohort: `make bench-statistics`.

Times are exponential; a patient is censored when his own potential follow-up (time zero to data cut-off) ends, as in
the cohort. Under the null all arms have the pooled median; for coverage each arm has its own. The table goes into
data/README.md between its two marks.
"""

import math
import sys
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pandas as pd

from lib.dataset import dataset
from lib.statistics.models import cox, firth
from lib.statistics.survival import kaplan_meier, logrank, rmst
from lib.study.study import ROOT

REPEATS, SEED, ALPHA = 2000, 20250228, 0.05
MEDIANS = {"A": 18.6, "B": 18.7, "C": 42.2}
POOLED, TAU, LANDMARK, REFERENCE = 21.0, 36.0, 24.0, "A"
BEGIN, END = "<!-- bench-statistics -->", "<!-- end -->"


def potential_follow_up() -> pd.DataFrame:
    """Arm and months from time zero to the data cut-off, one row per patient of the shipped cohort."""
    data = dataset.load("efficacy", study="data/rair_dtc")
    days = (pd.Timestamp(data.cutoff) - data.patients["time_zero"]).dt.days
    return pd.DataFrame({"arm": data.patients["arm"], "limit": days / data.study.time.days_per_unit})


def simulate(patients: pd.DataFrame, medians: dict[str, float], rng) -> pd.DataFrame:
    """One cohort of the same size, arms and potential follow-up."""
    scale = patients["arm"].astype(str).map(medians).to_numpy(float) / math.log(2)
    time = rng.exponential(scale)
    return pd.DataFrame({
        "patient_id": range(len(patients)), "arm": patients["arm"].array, "time": np.minimum(time, patients["limit"]),
        "event": time <= patients["limit"].to_numpy(),
    })  # fmt: skip


def rejections(tte: pd.DataFrame, seed: int) -> dict[str, float]:
    """Whether each test rejects at 5 %; NaN where it cannot be made."""
    model, means = cox.estimate_cox(tte, REFERENCE), rmst.compare_rmst(tte, REFERENCE, TAU)
    overall = model.overall.set_index("test")["p_value"]
    difference = means[(means["contrast"] == "difference") & (means["group"] == "C vs A")]["p_value"].item()
    penalised = firth.estimate_firth(tte, REFERENCE).set_index("group")
    p = {
        "log-rank, three arms": logrank.compare_logrank(tte)["p_value"].item(),
        "Peto-Peto, three arms": logrank.compare_logrank(tte, rho=1)["p_value"].item(),
        "permutation log-rank, three arms": logrank.compare_permutation(tte, 999, seed)["p_value"].item(),
        "Cox likelihood ratio, three arms": overall["likelihood ratio"],
        "Cox Wald, three arms": overall["Wald"],
        "Cox score, three arms": overall["score"],
        "Firth penalised likelihood, C vs A": penalised.loc["C vs A", "p_value"],
        "restricted mean difference, C vs A": difference,
    }
    any_pair = logrank.compare_pairwise(tte)["p_adjusted"].min()
    return {
        name: np.nan if np.isnan(value) else value < ALPHA for name, value in (p | {"any pair, Holm": any_pair}).items()
    }


def coverages(tte: pd.DataFrame) -> dict[str, float]:
    """Whether each 95 % interval holds the true value; a limit that is not reached is infinite."""
    truth = math.log(MEDIANS["A"] / MEDIANS["C"])
    hazard = {arm: math.log(2) / median for arm, median in MEDIANS.items()}
    mean = {arm: (1 - math.exp(-h * TAU)) / h for arm, h in hazard.items()}
    means = rmst.compare_rmst(tte, REFERENCE, TAU)
    means = means[means["contrast"] == "difference"].set_index("group")
    landmark = kaplan_meier.estimate_landmark(tte, [LANDMARK]).set_index("group")
    found = {"hazard ratio, Cox Wald, C vs A": inside(cox.estimate_cox(tte, REFERENCE).terms.set_index("group").loc["C vs A"], math.exp(truth)),
             "hazard ratio, Firth profile, C vs A": inside(firth.estimate_firth(tte, REFERENCE).set_index("group").loc["C vs A"], math.exp(truth)),
             "restricted mean difference, C vs A": inside(means.loc["C vs A"], mean["C"] - mean["A"])}  # fmt: skip
    medians = kaplan_meier.estimate_median(tte).set_index("group")
    for arm, median in MEDIANS.items():
        found[f"median, log-log, {arm}"] = inside(medians.loc[arm], median)
        found[f"event-free at 24 months, log-log, {arm}"] = inside(landmark.loc[arm], math.exp(-hazard[arm] * LANDMARK))
    return found


def inside(row: pd.Series, truth: float) -> float:
    """1 if the interval holds the truth; NaN if there is no interval at all."""
    low, high = row["ci_low"], row["ci_high"]
    if np.isnan(low) and np.isnan(high):
        return np.nan
    return float((np.isnan(low) or low <= truth) and (np.isnan(high) or truth <= high))


def run(part: tuple[int, int]) -> tuple[list[dict], list[dict]]:
    """Simulate one share of the repeats."""
    start, count = part
    patients, rng = potential_follow_up(), np.random.default_rng([SEED, start])
    null = dict.fromkeys(MEDIANS, POOLED)
    return (
        [rejections(simulate(patients, null, rng), start + i) for i in range(count)],
        [coverages(simulate(patients, MEDIANS, rng)) for _ in range(count)],
    )


def summarise(rows: list[dict], heading: str) -> list[str]:
    """Rows of the table: share, Monte Carlo error, how often there was no result."""
    frame = pd.DataFrame(rows).astype(float)
    lines = [f"| {heading} | % | Monte Carlo error | none in % |", "| --- | ---: | ---: | ---: |"]
    for name in frame:
        share, n = frame[name].mean(), frame[name].count()
        error = math.sqrt(share * (1 - share) / n)
        lines.append(f"| {name} | {100 * share:.1f} | {100 * error:.1f} | {100 * frame[name].isna().mean():.1f} |")
    return [*lines, ""]


def main(repeats: int) -> None:
    """Simulate on two processes and write the table."""
    size = 250
    parts = [(start, min(size, repeats - start)) for start in range(0, repeats, size)]
    with ProcessPoolExecutor(2) as pool:
        results = list(pool.map(run, parts))
    null, coverage = ([row for result in results for row in result[side]] for side in (0, 1))
    table = [
        f"{repeats} simulated cohorts of 14, 25 and 13 patients (seed {SEED}); exponential times, censoring as in the cohort.",
        "", *summarise(null, "Type-I error of the test (5 is right)"), *summarise(coverage, "Coverage of the 95 % interval (95 is right)"),
    ]  # fmt: skip
    path = ROOT / "data" / "README.md"
    text = path.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    path.write_text(before + BEGIN + "\n" + "\n".join(table) + END + rest.split(END)[1], encoding="utf-8", newline="\n")
    print("\n".join(table))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else REPEATS)
