"""What the catalogue of outputs says of one output: the columns of the table in outputs."""

from __future__ import annotations

__all__ = [
    "AGAIN", "ALL", "BEFORE_COLON", "CONFIRMATORY", "COURSE", "EXAMINED", "EXPLORATORY", "NOT_EXAMINED", "OVERLAP",
    "SPREAD", "TERM", "VARIABLE", "Headline", "Output", "Same", "Within",
]  # fmt: skip

from typing import Literal, NamedTuple

EXAMINED, NOT_EXAMINED = True, False
# Families of tests: the one that a study announces, all others, and those that are shown a second time.
CONFIRMATORY, EXPLORATORY, AGAIN = "confirmatory", "exploratory", "again"
# Which rows share a denominator: of one variable; all of an arm; those whose variables begin alike ("sex: F", "sex: M");
# those of one term; or none do, because a patient can stand in several.
VARIABLE, ALL, BEFORE_COLON, TERM, OVERLAP = "variable", "all", "before colon", "term", "overlap"
# Rows by time: what one course is at several times, or each patient counted at one time.
COURSE, SPREAD = "course", "spread"


class Within(NamedTuple):
    """The `count` of rows about `variable` ("" = each) lies within that of `outer` about `around` ("" = the same)."""

    outer: str
    variable: str = ""
    around: str = ""


class Same(NamedTuple):
    """The output's `column` is the `other_column` of another output at the same variable, time and group."""

    column: str
    output: str
    other_column: str


class Headline(NamedTuple):
    """What a committee asks first: which statistic, and how it is shown.

    `counts` names the statistics of (events, patients) beside it; what is shown of a `block` stands together.
    """

    block: str
    title: str
    statistic: str
    kind: Literal["count", "time", "ratio", "percent", "p"]
    counts: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()


class Output(NamedTuple):
    """One output: a name of results.csv, and all that is known of it.

    Attributes
    ----------
    name : str
        A `*` stands for the variable of the analysis.
    counts : str
        What its counts count; with "or" between several; "" where it counts nothing.
    examined : bool
        Whether somebody has examined what its counts give away: only then it is part of a shared report.
    tests : str
        Family of its p-values; "" where it has none.
    counted_in : str
        Output that says how many of these tests were made, and how many lie below 0.05.
    denominator : str
        Which of its rows share one.
    within, same, sums
        How its counts hang together with those of other outputs; `sums`: of the rows of that output over all times.
    made_from : str
        Output from whose counts it is made: hidden where they are.
    time : str
        COURSE or SPREAD; "" where each time stands for itself.
    tells_counts : bool
        Whether it says of categories without a count what the counts were.
    never_shared : tuple of str
        Counts that one patient more or less turns, or that would tell when single patients left.
    least_missed : bool
        Whether its counts are the first to hide where there is a choice.
    step : str
        Output of the participant flow whose `count` its denominators must equal.
    known_only : bool
        Whether `n` leaves out those without a known value, who with it make up the step of the flow.
    source : str
        Where its method was published, if no other output uses it; else the phrase of the method in report/references.
    headline : Headline, optional
    """

    name: str
    counts: str
    examined: bool
    tests: str = ""
    counted_in: str = ""
    denominator: str = VARIABLE
    within: tuple[Within, ...] = ()
    same: tuple[Same, ...] = ()
    sums: str = ""
    made_from: str = ""
    time: str = ""
    tells_counts: bool = False
    never_shared: tuple[str, ...] = ()
    least_missed: bool = False
    step: str = ""
    known_only: bool = False
    source: str = ""
    headline: Headline | None = None
