"""What a report says of a comparison: the one place that decides whether arms differ, and in which words.

The rules stand in data/README.md, "When a report says that arms differ". Results in, words out; computes nothing.
"""

from __future__ import annotations

__all__ = [
    "GRAY",
    "STATES",
    "Estimate",
    "OverallTest",
    "Pair",
    "Weighted",
    "below",
    "by_chance",
    "exact_test",
    "is_apart",
    "plain_note",
    "say_arms",
    "say_effect",
    "say_interactions",
    "say_many",
    "say_pairs",
    "say_tests",
    "say_verdict",
    "say_weighted",
]

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan, nan

import pandas as pd

from lib.analyses.verdicts import FITTED, REFUSED, WEAK
from lib.dataset.dataset import Dataset
from lib.languages.notes import worded
from lib.languages.speech import N_, _, in_a_row
from lib.show.formats import (
    MASKED,
    capitalised,
    format_ci,
    format_error,
    format_interval,
    format_level,
    format_limit,
    format_number,
    format_p,
    is_masked,
    said_p,
)
from lib.show.labels import caveat, pair_label
from lib.show.phrases import joined, plural
from lib.statistics.comparisons import ALPHA
from lib.study.study import Study

GRAY = N_("Gray's test")
# What became of a model.
STATES = {FITTED: N_("Fitted"), WEAK: N_("Weak"), REFUSED: N_("Refused")}
UNADJUSTED = N_(", not adjusted for the number of pairs")


@dataclass(frozen=True)
class OverallTest:
    """A test of all arms together.

    Attributes
    ----------
    name : str
        As it stands before p: "log-rank".
    p_value : float
        NaN: there is none.
    note : str
        Why there is none.
    more : str
        What stands after p: "42 events".
    """

    name: str
    p_value: float
    note: str = ""
    more: str = ""

    @property
    def shown(self) -> str:
        """Such as "p = 0.023, 42 events"."""
        p = format_p(self.p_value, symbol=True)
        return _("{label}, {detail}", label=p, detail=self.more) if self.more else p


@dataclass(frozen=True)
class Pair:
    """A test of two of several arms: its p-value after Holm's adjustment over the pairs (NaN: none)."""

    label: str
    p_adjusted: float


@dataclass(frozen=True)
class Estimate:
    """A hazard ratio of two arms with its interval, and the test that decides about these two.

    Attributes
    ----------
    label : str
        "Drug vs placebo".
    hr, ci_low, ci_high : float
        NaN: not estimable.
    level : float
        Of the interval.
    p_value, p_adjusted : float
        Of the test of these two arms, before and after Holm's adjustment (the same where there is one pair).
    several : bool
        Whether there are several pairs, for whose number the interval is not adjusted.
    name, how : str
        What it is called, and what was done to get it: "with Firth's correction".
    p_constant : float
        Of the test that the ratio stays the same over time.
    note : str
        Why there is none.
    """

    label: str
    hr: float
    ci_low: float
    ci_high: float
    level: float = 1 - ALPHA
    p_value: float = nan
    p_adjusted: float = nan
    several: bool = False
    name: str = N_("hazard ratio")
    how: str = ""
    p_constant: float = nan
    note: str = ""


@dataclass(frozen=True)
class Weighted:
    """The same ratio after weighting: for which covariates, and whether enough patients were left for a conclusion."""

    covariates: Sequence[str]
    hr: float
    ci_low: float
    ci_high: float
    p_value: float
    enough: bool = True
    note: str = ""


def exact_test(row: Mapping) -> OverallTest:
    """An exact test as its row has it (`p_value`, `mc_error`, `note`): with its Monte Carlo error where tables were drawn."""
    drawn = row["mc_error"] > 0
    more = format_error(row["mc_error"]) if drawn else ""
    return OverallTest(_("simulated") if drawn else _("exact"), row["p_value"], row["note"], more)


def below(p_value: float) -> bool:
    """Whether a p-value turns a verdict; one that does not exist never does."""
    return bool(p_value < ALPHA)


def is_apart(p_values: Iterable[float]) -> bool:
    """Whether tests of one question tell arms apart: there is one at least, and all that exist agree."""
    known = [p for p in p_values if not isnan(p)]
    return bool(known) and all(map(below, known))


def by_chance(n_tests: int) -> str:
    """How many of so many tests lie below the limit by chance alone: "about 3"."""
    expected = ALPHA * n_tests
    return _("fewer than one") if expected < 1 else _("about {expected}", expected=format_number(expected, 0))


def plain_note(note: str) -> str:
    """Why there is no number, without the word that says so: "not estimable: no event" -> "no event"."""
    if note.startswith(MASKED):
        return _("left out of a shared report, as it would tell small counts")
    return worded(re.sub(r"^(?:no|not) [a-z]+: ", "", note)) or _("not estimable")


def say_tests(subject: str, *tests: OverallTest, disagree: str = "") -> str:
    """What the tests of all arms say.

    Parameters
    ----------
    subject : str
        What differs or not, in the plural: "the curves".
    *tests : OverallTest
        Of one question; those without a p-value take no part, and it is said why.
    disagree : str
        What it means when they disagree.

    Returns
    -------
    str
        A sentence, or several.
    """
    known = [test for test in tests if not isnan(test.p_value)]
    if not known:
        return _("No test compares {subject}: {plain_note}.", subject=subject, plain_note=plain_note(tests[0].note))
    lost = "".join(_(" {t} could not be made: {plain_note}.", t=capitalised(t.name), plain_note=plain_note(t.note)) for t in tests if t not in known)
    apart, alike = ([test for test in known if below(test.p_value) is side] for side in (True, False))
    shown = _("; ").join(f"{test.name} {test.shown}" for test in known)
    if not alike:
        return _("{subject} differ ({shown}).{lost}", subject=capitalised(subject), shown=shown, lost=lost)
    if not apart:
        if len(known) == 1:
            return _("The test does not tell {subject} apart ({shown}), which is no evidence that they are alike.{lost}", subject=subject, shown=shown, lost=lost)
        return _("No test tells {subject} apart ({shown}), which is no evidence that they are alike.{lost}", subject=subject, shown=shown, lost=lost)
    by, not_by = (joined([_("{label} ({note})", label=test.name, note=test.shown) for test in side]) for side in (apart, alike))
    depends = _("Whether {subject} differ depends on the test: by {by} they do, by {not_by} they are not told apart.", subject=subject, by=by, not_by=not_by)
    return in_a_row([depends, disagree]) + lost


def say_arms(data: Dataset, test: OverallTest, pairs: pd.DataFrame | None = None, subject: str = N_("the arms")) -> str:
    """The verdict of one test of all arms, and of the pairs after Holm's adjustment where they were tested.

    Parameters
    ----------
    data : Dataset
    test : OverallTest
    pairs : DataFrame, optional
        `group` ("x vs y"), `p_adjusted`, `note`.
    subject : str
        As in `say_tests`.
    """
    rows = [] if pairs is None else pairs.to_dict("records")
    if any(map(is_masked, rows)):
        told = _("Which pairs are told apart is left out of a shared report.")
    else:
        told = say_pairs([Pair(pair_label(data, row["group"]), row["p_adjusted"]) for row in rows], [test.p_value])
    return in_a_row([say_tests(_(subject), test), told])


def say_pairs(pairs: Sequence[Pair], p_values: Sequence[float]) -> str:
    """Which of several pairs of arms are told apart after Holm's adjustment, and whether the tests of all arms carry that.

    Parameters
    ----------
    pairs : sequence of Pair
        Fewer than two: there is nothing to add to the test of all arms.
    p_values : sequence of float
        Of the tests of all arms.
    """
    if len(pairs) < 2:
        return ""
    known = [pair for pair in pairs if not isnan(pair.p_adjusted)]
    apart = [_("{label} ({note})", label=p.label, note=format_p(p.p_adjusted, symbol=True)) for p in known if below(p.p_adjusted)]
    over = _("After Holm's adjustment over {n}", n=plural(len(known), 'pair'))
    if apart and is_apart(p_values):
        said = _("{over}, {listed} {en} told apart.", over=over, listed=joined(apart), en='is' if len(apart) == 1 else 'are')
    elif apart:
        said = _("{over}, {p} is below {limit} for {listed}; the tests of all arms do not carry this, so it is exploratory.", over=over, p=said_p(), limit=format_limit(), listed=joined(apart))
    elif known and any(map(below, p_values)):
        said = _("{over}, no pair is told apart: which arms differ stays open.", over=over)
    else:
        return "" if known or not any(map(below, p_values)) else _("No pair could be tested: which arms differ stays open.")
    lost = len(pairs) - len(known)
    return said + (_(" {lost} could not be tested.", lost=capitalised(plural(lost, 'pair'))) if lost else "")


def say_effect(found: Estimate) -> str:
    """A hazard ratio with its interval, what the interval is not adjusted for, and where it seems to contradict p."""
    if isnan(found.hr):
        return _("There is no {found} of {found2}: {plain_note}.", found=found.name, found2=found.label, plain_note=plain_note(found.note))
    said = _("The {found} of {found2}{part} is {hr}", found=found.name, found2=found.label, part=_(" {how}", how=found.how) if found.how else '', hr=format_number(found.hr, 2))
    constant = format_p(found.p_constant, symbol=True)
    changes = _(" The ratio changes over time ({constant}), so it is an average.", constant=constant) if below(found.p_constant) else ""
    if isnan(found.ci_low) and isnan(found.ci_high):
        return _("{said}, without an interval.{changes}", said=said, changes=changes)
    interval = format_ci(found.level, found.ci_low, found.ci_high, 2)
    return _("{said} ({interval}{part}).{against_interval}{changes}", said=said, interval=interval, part=_(UNADJUSTED) if found.several else '', against_interval=_against_interval(found), changes=changes)


def _against_interval(found: Estimate) -> str:
    """Why an interval and the test of the same two arms seem to contradict each other; "" where they do not."""
    outside = found.ci_low > 1 or found.ci_high < 1
    if isnan(found.p_adjusted) or outside == below(found.p_adjusted):
        return ""
    if abs(found.level - (1 - ALPHA)) > 1e-9:
        why = _("it is one of {level}, while {limit} is the limit of {p} at every level", level=format_level(found.level), limit=format_limit(), p=said_p())
    elif found.several and outside == below(found.p_value):
        why = _("the interval is not adjusted")
    else:
        why = _("interval and test are different approximations")
    if outside:
        return _(" The interval leaves out 1, but the test does not tell these two apart: {why}.", why=why)
    return _(" The interval holds 1, but the test tells these two apart: {why}.", why=why)


def say_weighted(crude: Estimate, found: Weighted) -> str:
    """What weighting makes of a hazard ratio."""
    start = _("Weighted for {listed}, the ratio", listed=joined(found.covariates))
    if isnan(found.hr):
        return _("Weighted for {listed}, there is none: {plain_note}.", listed=joined(found.covariates), plain_note=plain_note(found.note))
    interval = format_interval(found.ci_low, found.ci_high, 2, missing=_("no interval"))
    if isnan(found.p_value):
        return _("{start} is {hr} ({interval}), which is not tested.", start=start, hr=format_number(found.hr, 2), interval=interval)
    p = f"{format_p(found.p_value, symbol=True)}{_(UNADJUSTED) if crude.several else ''}"
    said = _("{start} is {hr} ({interval}; {p})", start=start, hr=format_number(found.hr, 2), interval=interval, p=p)
    if not found.enough:
        return _("{said}, from too few effective patients for a conclusion.", said=said)
    was, now = below(crude.p_adjusted), below(found.p_value)
    if was and now:
        turned = (crude.hr - 1) * (found.hr - 1) < 0
        told = N_("{said}: told apart the other way round, so the answer depends on the weighting.") if turned else N_("{said}: told apart as well.")
    elif was:
        told = N_("{said}: no longer told apart, so these covariates may explain the difference.")
    else:
        told = N_("{said}: told apart only so, and the answer depends on the weighting.") if now else N_("{said}: not told apart either.")
    return _(told, said=said)


def say_verdict(study: Study, *parts: str, differ: bool) -> str:
    """The parts of a verdict in their order (all arms, pairs, estimate, weighted), and what the design takes from it if arms `differ`."""
    return in_a_row([*parts, caveat(study) if differ else ""])


def say_many(p_values: Sequence[float], what: str, test: str, hidden: int = 0) -> str:
    """How many of many tests lie below the limit, beside how many would by chance; never a verdict on one of them.

    Parameters
    ----------
    p_values : sequence of float
        That exist.
    what, test : str
        What is tested, in the singular, and how: "term", "exact".
    hidden : int
        Further tests that a shared report leaves out.
    """
    n, low = len(p_values), sum(map(below, p_values))
    left_out = _("{hidden} left out of a shared report. ", hidden=capitalised(plural(hidden, f'test of a {what} is', f'tests of {what}s are'))) if hidden else ""
    return left_out + _("{value} of {n} {en} {p} below {limit} ({test}); by chance alone {by_chance} would (descriptive, not adjusted for their number).", value=low or _("None"), n=plural(n, f'{what} tested', f'{what}s tested'), en='has' if low < 2 else 'have', p=said_p(), limit=format_limit(), test=test, by_chance=by_chance(n))


def say_interactions(tests: Sequence[Pair]) -> str:
    """What tests of interaction say; never that an effect is confined to a subgroup, or the same in all."""
    shown = joined([_("{label} ({note})", label=test.label, note=format_p(test.p_adjusted, symbol=True)) for test in tests])
    low = [test.label for test in tests if below(test.p_adjusted)]
    if low:
        unadjusted = _("not adjusted for {n}, ", n=plural(len(tests), 'test')) if len(tests) > 1 else ""
        verdict = _("{p} is below {limit} for {listed}: {unadjusted}a question for another study and no finding.", p=said_p(), limit=format_limit(), listed=joined(low), unadjusted=unadjusted)
    else:
        verdict = _("No test tells subgroups apart, which is no evidence that the comparison is the same in all: such tests find only large differences.")
    return _("Tests of interaction with the arm: {shown}. {verdict}", shown=shown, verdict=verdict)
