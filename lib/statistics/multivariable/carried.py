"""How many coefficients a number of events carries: the thresholds of every regression, and where they come from."""

from __future__ import annotations

__all__ = ["ENOUGH", "FEW", "LEAST", "PENALISED", "PLAIN", "TOO_FEW", "UNSTABLE", "judge_events"]

# Events per coefficient. From ten on a regression was unbiased and its intervals held: Peduzzi et al., J Clin Epidemiol
# 1995;48:1503-1510. From five to nine most were no worse, some were: Vittinghoff and McCulloch, Am J Epidemiol
# 2007;165:710-718, who simulated two to sixteen. With fewer than five, bias and intervals that are too narrow were common,
# and a penalty takes most of the bias away: Heinze and Schemper, Biometrics 2001;57:114-119. Below two nobody has looked.
ENOUGH, FEW, LEAST = 10, 5, 2
# What follows: fitted as it is; fitted, but unstable; with Firth's penalty; not at all.
PLAIN, UNSTABLE, PENALISED, TOO_FEW = "plain", "unstable", "penalised", "too few"


def judge_events(n_events: float, n_terms: int) -> str:
    """Say what so many events (of a yes or no: the rarer answer) carry of so many coefficients: PLAIN to TOO_FEW.

    Examples
    --------
    >>> [judge_events(events, 4) for events in (40, 39, 19, 7)]
    ['plain', 'unstable', 'penalised', 'too few']
    """
    per_term = n_events / n_terms if n_terms else float("inf")
    for least, verdict in ((ENOUGH, PLAIN), (FEW, UNSTABLE), (LEAST, PENALISED)):
        if per_term >= least:
            return verdict
    return TOO_FEW
