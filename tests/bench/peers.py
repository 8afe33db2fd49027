"""One survival engine at one size: Kaplan-Meier, log-rank and Cox with the arm alone, timed in a process of its own.

    python tests/bench/peers.py ENGINE FILE REPEATS

prints seconds (median of each task, reading and the first, warming run left out) and the largest memory as JSON.
FILE holds `time` (whole days), `event`, `arm` (0, 1, 2) as numpy arrays.
"""

import json
import re
import resource
import statistics
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd


def ours(d: pd.DataFrame) -> tuple:
    from lib.statistics.models import cox
    from lib.statistics.survival import kaplan_meier, logrank

    tte = d.assign(arm=pd.Categorical(d["arm"].astype(str), ordered=True), event=d["event"].astype(bool))
    return (
        lambda: kaplan_meier.estimate_curve(tte),
        lambda: logrank.compare_logrank(tte),
        lambda: cox.estimate_cox(tte, "0"),
    )


def lifelines(d: pd.DataFrame) -> tuple:
    from lifelines import CoxPHFitter, KaplanMeierFitter
    from lifelines.statistics import multivariate_logrank_test

    dummies = d.assign(b=d["arm"] == 1, c=d["arm"] == 2).drop(columns="arm").astype(float)
    return (
        lambda: [KaplanMeierFitter().fit(p["time"], p["event"]) for _, p in d.groupby("arm")],
        lambda: multivariate_logrank_test(d["time"], d["arm"], d["event"]),
        lambda: CoxPHFitter().fit(dummies, "time", "event"),
    )


def scikit_survival(d: pd.DataFrame) -> tuple:
    from sksurv.compare import compare_survival
    from sksurv.linear_model import CoxPHSurvivalAnalysis
    from sksurv.nonparametric import kaplan_meier_estimator
    from sksurv.util import Surv

    x, y = np.column_stack([d["arm"] == 1, d["arm"] == 2]).astype(float), Surv.from_arrays(d["event"] == 1, d["time"])
    own = [(p["event"].to_numpy() == 1, p["time"].to_numpy()) for _, p in d.groupby("arm")]
    return (
        lambda: [kaplan_meier_estimator(*p, conf_type="log-log") for p in own],
        lambda: compare_survival(y, d["arm"].to_numpy()),
        lambda: CoxPHSurvivalAnalysis(ties="efron").fit(x, y),
    )


def greenwood(d: pd.DataFrame) -> tuple:
    import greenwood as g

    arm, y = d["arm"].to_numpy(), g.Surv(d["time"].to_numpy(), event=d["event"].to_numpy())
    x = np.column_stack([arm == 1, arm == 2]).astype(float)
    return (
        lambda: g.KaplanMeier(conf_type="log-log").fit(y, by=arm),
        lambda: g.logrank_test(y, arm),
        lambda: g.CoxPH().fit(y, x),
    )


def rust_survival(d: pd.DataFrame) -> tuple:
    import survival as s

    columns = {"time": d["time"].to_numpy(float), "status": d["event"].to_numpy(), "arm": d["arm"].to_numpy()}
    return (
        lambda: s.survfit("Surv(time, status) ~ arm", columns),
        lambda: s.survdiff("Surv(time, status) ~ arm", columns),
        lambda: s.coxph("Surv(time, status) ~ factor(arm)", columns),
    )


def main(engine: str, file: str, repeats: str) -> None:
    with np.load(file) as held:
        tasks = globals()[engine](pd.DataFrame(dict(held)))
    seconds = []
    for task in tasks:
        taken = []
        for _ in range(int(repeats) + 1):
            start = time.perf_counter()
            task()
            taken.append(time.perf_counter() - start)
        seconds.append(statistics.median(taken[1:]))
    print(json.dumps({"seconds": seconds, "mb": peak()}))


def peak() -> float:
    """Largest memory of this process in MB (getrusage would count the parent's before the start)."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1]) / 1024


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(*sys.argv[1:])
