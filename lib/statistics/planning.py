"""How large the next trial has to be: events of a log-rank test, patients behind them, two shares, and assurance.

Every test is two-sided. A `share` is that of the patients who get the arm named first. What is given back is not rounded.
"""

from __future__ import annotations

__all__ = [
    "estimate_assurance",
    "estimate_event_share",
    "estimate_power",
    "events_by_freedman",
    "events_by_schoenfeld",
    "events_of_several",
    "halfway",
    "patients_by_fleiss",
    "patients_for_events",
]

from collections.abc import Sequence
from math import exp, expm1, inf, log, sqrt

import numpy as np
from scipy import optimize, stats

from lib.statistics.comparisons import ALPHA


def _reach(power: float, alpha: float) -> float:
    """Standard errors between no effect and one that is found with this power."""
    return float(stats.norm.isf(alpha / 2) + stats.norm.ppf(power))


def events_by_schoenfeld(hr: float, power: float, share: float = 0.5, alpha: float = ALPHA) -> float:
    """Events in both arms together with which a log-rank test finds a hazard ratio.

    Parameters
    ----------
    hr : float
        Above 0; infinitely many events find a ratio of 1.
    power, share, alpha : float

    Returns
    -------
    float

    References
    ----------
    Schoenfeld D. Biometrika 1981;68:316-319.
        R: ``(qnorm(1 - alpha / 2) + qnorm(power))^2 / (share * (1 - share) * log(hr)^2)``
    """
    return inf if hr == 1 else _reach(power, alpha) ** 2 / (share * (1 - share) * log(hr) ** 2)


def events_by_freedman(hr: float, power: float, share: float = 0.5, alpha: float = ALPHA) -> float:
    """As `events_by_schoenfeld`, from the share of the events, and not of the patients, that the arms have.

    References
    ----------
    Freedman LS. Stat Med 1982;1:121-129.
        R: ``k <- share / (1 - share); (qnorm(1 - alpha / 2) + qnorm(power))^2 * (1 + k * hr)^2 / (k * (1 - hr)^2)``
    """
    ratio = share / (1 - share)
    return inf if hr == 1 else _reach(power, alpha) ** 2 * (1 + ratio * hr) ** 2 / (ratio * (1 - hr) ** 2)


def estimate_power(events, hr: float, share: float = 0.5, alpha: float = ALPHA):
    """Chance that the log-rank test finds a hazard ratio below 1, in that direction; shape as `events`.

    R: ``pnorm(-log(hr) * sqrt(events * share * (1 - share)) - qnorm(1 - alpha / 2))`` (Schoenfeld 1981)
    """
    return estimate_assurance(events, log(hr), 0.0, share, alpha)


def estimate_assurance(events, coef: float, std_err: float, share: float = 0.5, alpha: float = ALPHA):
    """Chance that a trial of so many events finds the arm named first to have fewer, the effect itself being uncertain.

    Its power, averaged over a normal distribution of the log hazard ratio: what is known after a study when nothing was
    known before. It never comes nearer to 1 than the probability of a benefit, ``pnorm(-coef / std_err)``.

    Parameters
    ----------
    events : float or array
    coef, std_err : float
        Of the log hazard ratio.
    share, alpha : float

    Returns
    -------
    float or array
        Shape as `events`.

    References
    ----------
    O'Hagan A, Stevens JW, Campbell MJ. Pharm Stat 2005;4:187-201.
        R: ``integrate(function(b) pnorm(-b / s - qnorm(1 - alpha / 2)) * dnorm(b, coef, std_err), -Inf, Inf)``
        with ``s <- 1 / sqrt(events * share * (1 - share))``
    """
    spread = 1 / np.sqrt(np.asarray(events, dtype=float) * share * (1 - share))
    found = stats.norm.cdf((-coef - stats.norm.isf(alpha / 2) * spread) / np.sqrt(spread**2 + std_err**2))
    return float(found) if np.ndim(events) == 0 else found


def estimate_event_share(hazard: float, follow_up: float, accrual: float = 0.0, loss: float = 0.0) -> float:
    """Share of the patients of an arm in whom the event is seen, with constant hazards.

    Parameters
    ----------
    hazard, loss : float
        Of the event, and of leaving without it, per unit of time.
    follow_up : float
        From the last patient's first day to the end of the trial.
    accrual : float
        Time over which patients enter evenly; 0: all at once.

    References
    ----------
    Lachin JM, Foulkes MA. Biometrics 1986;42:507-519.
        R: ``integrate(function(u) h / (h + l) * (1 - exp(-(h + l) * u)) / accrual, follow_up, follow_up + accrual)``
    """
    every = hazard + loss
    if every == 0:
        return 0.0
    left = exp(-every * follow_up)
    left *= -expm1(-every * accrual) / (every * accrual) if accrual > 0 else 1.0
    return hazard / every * (1 - left)


def patients_for_events(
    events: float, hazards: Sequence[float], shares: Sequence[float], *, follow_up: float, rate: float = inf, loss: float = 0.0
) -> tuple[float, float]:
    """Patients of whom so many have the event, and the time that it takes to find them.

    Parameters
    ----------
    events : float
    hazards, shares : sequence of float
        Of each arm: hazard of the event; share of the patients. The shares add up to 1.
    follow_up, loss : float
        As in `estimate_event_share`.
    rate : float
        Patients who enter per unit of time; infinite: all at once.

    Returns
    -------
    (float, float)
        Infinite patients where no number of them has so many events.
    """

    def seen(n: float) -> float:
        return n * sum(s * estimate_event_share(h, follow_up, n / rate, loss) for h, s in zip(hazards, shares, strict=True))

    if not seen(1e12) > events:
        return inf, inf
    n = float(optimize.brentq(lambda n: seen(n) - events, events, 1e12, xtol=1e-9, rtol=1e-14)) if seen(events) < events else events
    return n, n / rate


def events_of_several(coefs: Sequence[float], power: float, shares: Sequence[float] | None = None, alpha: float = ALPHA) -> float:
    """Events with which one log-rank test of several arms finds that their hazards differ.

    Parameters
    ----------
    coefs : sequence of float
        Log hazard of each arm against any one hazard.
    power, alpha : float
    shares : sequence of float, optional
        Of the patients; alike if left out.

    Returns
    -------
    float
        Infinite where all hazards are alike.

    References
    ----------
    Ahnn S, Anderson SJ. Stat Med 1995;14:2273-2282 and 1998;17:2525-2534; Makuch RW, Simon RM. J Chronic Dis 1982;35:861-867.
        R: ``uniroot(function(l) pchisq(qchisq(1 - alpha, k - 1), k - 1, l, lower = FALSE) - power, c(0, 1e3))$root``
        over ``sum(p * b^2) - sum(p * b)^2``
    """
    b, k = np.asarray(coefs, dtype=float), len(coefs)
    p = np.full(k, 1 / k) if shares is None else np.asarray(shares, dtype=float)
    spread = float(p @ (b - p @ b) ** 2)
    limit = stats.chi2.isf(alpha, k - 1)
    centre = optimize.brentq(lambda x: stats.ncx2.sf(limit, k - 1, x) - power, 1e-9, 1e3, xtol=1e-12)
    return centre / spread if spread > 0 else inf


def halfway(hr: float, arms: int) -> list[float]:
    """Log hazards of arms of which two differ by a ratio and the others lie between them: where a test finds least (Makuch and Simon 1982)."""
    return [0.0, log(hr), *[log(hr) / 2] * (arms - 2)]


def patients_by_fleiss(first: float, second: float, power: float, alpha: float = ALPHA, *, corrected: bool = False) -> float:
    """Patients of each of two arms of one size with which a chi-square test finds two shares to differ.

    Parameters
    ----------
    first, second : float
        Shares from 0 to 1.
    power, alpha : float
    corrected : bool
        For a test with continuity correction, whose numbers those of Fisher's exact test come close to.

    References
    ----------
    Fleiss JL, Tytun A, Ury HK. Biometrics 1980;36:343-346.
        R: ``power.prop.test(p1 = first, p2 = second, power = power, sig.level = alpha, tol = 1e-12)$n``; corrected:
        ``n / 4 * (1 + sqrt(1 + 4 / (n * abs(first - second))))^2``
    """
    if first == second:
        return inf
    mean, apart = (first + second) / 2, abs(first - second)
    within = first * (1 - first) + second * (1 - second)
    n = (stats.norm.isf(alpha / 2) * sqrt(2 * mean * (1 - mean)) + stats.norm.ppf(power) * sqrt(within)) ** 2 / apart**2
    return float(n / 4 * (1 + sqrt(1 + 4 / (n * apart))) ** 2 if corrected else n)
