"""How often 95 % credible intervals hold the truth, where the prior is right and where it is not: rows for docs/trust.md.

    PYTHONPATH=. .venv/bin/python tests/reference/simulate_priors.py

Three arms of exponential times (14/25/13 with the partial likelihood itself, 100 each with the normal likelihood), the
third compared with the first; responders of one arm of 14 and of 100, with 45 of 76 believed before. Seeded.
"""

from collections.abc import Iterator
from math import comb

import numpy as np
import pandas as pd

from lib.statistics.bayes import grid, normal, profile, shares
from lib.statistics.models.cox import estimate_cox

SEED, RUNS, WORTH = 20250228, 400, np.log(0.67)
PRIORS = {"without a prior": normal.FLAT, "sceptical": normal.doubt(WORTH, 0.05), "enthusiastic": normal.hope(WORTH, 0.05)}
RATIOS, SIZES = (1.0, 0.67, 0.4), {"14/25/13": (14, 25, 13), "100/100/100": (100, 100, 100)}
HAZARD, FOLLOW_UP = 0.05, (18.0, 36.0)


def draw(rng: np.random.Generator, sizes: tuple[int, ...], ratio: float) -> pd.DataFrame:
    """One study; the hazard of the last arm is `ratio` times that of the others."""
    arm = np.repeat(np.arange(3), sizes)
    time, seen = rng.exponential(1 / (HAZARD * np.where(arm == 2, ratio, 1.0))), rng.uniform(*FOLLOW_UP, len(arm))
    frame = pd.DataFrame({"time": np.minimum(time, seen), "event": time <= seen})
    return frame.assign(arm=pd.Categorical.from_codes(arm, list("ABC"), ordered=True), patient_id=[f"P{i}" for i in arm])


def posteriors(tte: pd.DataFrame) -> dict[str, object]:
    """Each prior with the likelihood of a small or a large study."""
    if len(tte) < 100:
        likelihood = profile.profile_partial_likelihood(tte, "C", "A", (-4.0, 4.0))
        return {name: grid.combine(prior, likelihood) for name, prior in PRIORS.items()}
    row = estimate_cox(tte, "A").terms.iloc[1]
    return {name: normal.update(prior, row["coef"], row["std_err"]) for name, prior in PRIORS.items()}


def ratios() -> Iterator[str]:
    for label, sizes in SIZES.items():
        for ratio in RATIOS:
            rng, held, wide = np.random.default_rng(SEED), {name: [] for name in PRIORS}, {name: [] for name in PRIORS}
            for _ in range(RUNS):
                for name, known in posteriors(draw(rng, sizes, ratio)).items():
                    if known is not None:
                        low, high = (known.quantile(p) for p in (0.025, 0.975))
                        held[name].append(low <= np.log(ratio) <= high)
                        wide[name].append(known.quantile(0.5) - np.log(ratio))
            cells = [f"{100 * np.mean(held[name]):.0f}% ({np.mean(wide[name]):+.2f})" for name in PRIORS]
            yield f"| hazard ratio {ratio:g}, {label} | {' | '.join(cells)} |"


def responses() -> Iterator[str]:
    priors = {"without a prior": shares.JEFFREYS, "45/76, weight 50%": shares.make_robust([(45, 76)], [0.5])}
    for n in (14, 100):
        for truth in (0.59, 0.3, 0.1):
            chance = np.array([comb(n, k) * truth**k * (1 - truth) ** (n - k) for k in range(n + 1)])
            cells = []
            for prior in priors.values():
                known = [shares.update(prior, k, n) for k in range(n + 1)]
                held = np.array([one.quantile(0.025) <= truth <= one.quantile(0.975) for one in known])
                cells.append(f"{100 * chance @ held:.0f}% ({chance @ [one.mean - truth for one in known]:+.2f})")
            yield f"| response {truth:g}, {n} patients | {' | '.join(cells)} |"


if __name__ == "__main__":
    for line in (*responses(), *ratios()):
        print(line, flush=True)
