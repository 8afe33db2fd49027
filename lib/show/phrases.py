"""Numbers within words, in the language in force: counts with what they count, durations, lists."""

from __future__ import annotations

__all__ = ["COUNTED", "NAMES", "SOME", "format_duration", "from_to", "horizon", "in_unit", "joined", "out_of", "p_values", "plural", "report_title", "said_count", "said_share", "unit_name"]

import math
from collections.abc import Iterable

from lib.languages.speech import N_, Nn_, _, ngettext
from lib.show.formats import format_given, format_whole
from lib.show.styles import in_force

# A count that the sharing policy hides, within a sentence.
SOME = N_("a masked number")
# What reports count; what is not here is said in English.
COUNTED = {
    one.removeprefix("{n} "): (one, many)
    for one, many in (
        Nn_("{n} assessment", "{n} assessments"),
        Nn_("{n} data query", "{n} data queries"),
        Nn_("{n} day", "{n} days"),
        Nn_("{n} denominator", "{n} denominators"),
        Nn_("{n} event", "{n} events"),
        Nn_("{n} interval", "{n} intervals"),
        Nn_("{n} lesion", "{n} lesions"),
        Nn_("{n} measurements of lesion", "{n} measurements of lesions"),
        Nn_("{n} model", "{n} models"),
        Nn_("{n} number", "{n} numbers"),
        Nn_("{n} p-value", "{n} p-values"),
        Nn_("{n} P value", "{n} P values"),
        Nn_("{n} p value", "{n} p values"),
        Nn_("{n} page", "{n} pages"),
        Nn_("{n} pair", "{n} pairs"),
        Nn_("{n} patient", "{n} patients"),
        Nn_("{n} published claim", "{n} published claims"),
        Nn_("{n} report", "{n} reports"),
        Nn_("{n} responder", "{n} responders"),
        Nn_("{n} response was", "{n} responses were"),
        Nn_("{n} sample", "{n} samples"),
        Nn_("{n} statistic", "{n} statistics"),
        Nn_("{n} term tested", "{n} terms tested"),
        Nn_("{n} test", "{n} tests"),
        Nn_("{n} test of a term is", "{n} tests of terms are"),
        Nn_("{n} way", "{n} ways"),
    )
}
DURATIONS = {
    "days": Nn_("{n} day", "{n} days"),
    "weeks": Nn_("{n} week", "{n} weeks"),
    "months": Nn_("{n} month", "{n} months"),
    "years": Nn_("{n} year", "{n} years"),
}
# What `unit_name` is asked for.
NAMES = (
    N_("days"), N_("weeks"), N_("months"), N_("years"), N_("events"), N_("examinations"), N_("intervals"), N_("lesions"), N_("measurements of lesions"),
    N_("models"), N_("patients"), N_("treated"), N_("randomised"), N_("as randomised"), N_("as treated"), N_("as the table of patients has it"), N_("samples"), N_("scans"), N_("tests"), N_("responses"), N_("measurements"), N_("assessments"), N_("markers"), N_("treatments"), N_("rates"), N_("day"), N_("week"), N_("month"), N_("year"),
)  # fmt: skip
TITLES = {"cohort": N_("Cohort"), "efficacy": N_("Efficacy"), "robustness": N_("Robustness"), "models": N_("Models"), "safety": N_("Safety")}
LISTS = {"and": N_("{others} and {last}"), "or": N_("{others} or {last}"), "then": N_("{others} then {last}")}


def report_title(notebook: str) -> str:
    """What the report of a notebook is called; one that a study brings by the name of its file."""
    return _(TITLES.get(notebook) or notebook.replace("_", " ").capitalize())


def format_duration(value: float, unit: str) -> str:
    """(6, "months") -> "6 months"; (1, "years") -> "1 year"."""
    return ngettext(*DURATIONS[unit], value, n=format_given(value))


def horizon(tau: float) -> float:
    """How far a restricted mean goes, as it is told: as it was chosen, or to two decimals where the data end it (27.5647 months)."""
    return round(tau, 2)


def in_unit(shown: str, unit: str) -> str:
    """("18.6", "months") -> "18.6 months"."""
    return ngettext(*DURATIONS[unit], 2, n=shown)


def unit_name(unit: str) -> str:
    """A unit of time, or what a row counts, by itself: "months", "lesions"."""
    return _(unit)


def joined(parts: Iterable[object], last: str = "and") -> str:
    """["a", "b", "c"] -> "a, b and c"; `last` is a key of `LISTS`."""
    said = [str(part) for part in parts]
    return _(LISTS[last], others=_(", ").join(said[:-1]), last=said[-1]) if len(said) > 1 else "".join(said)


def plural(count: float, noun: str, nouns: str = "") -> str:
    """(1, "patient") -> "1 patient"; (2, "patient") -> "2 patients"."""
    nouns = nouns or f"{noun}s"
    if math.isnan(count):
        return _("{some} of {nouns}", some=_(SOME), nouns=_(nouns))
    one, many = COUNTED.get(noun, (f"{{n}} {noun}", f"{{n}} {nouns}"))
    return ngettext(one, many, count, n=format_whole(count))


def p_values(count: float) -> str:
    """Such as "1 p-value", "12 P values"."""
    return plural(count, in_force().p_value)


def said_count(count: float) -> str:
    """A count within a sentence: "3", or "a masked number"."""
    return _(SOME) if math.isnan(count) else format_whole(count)


def said_share(count: float, n: float) -> str:
    """A count and its denominator within a sentence: "3/14", or "a masked number of 14"."""
    if math.isnan(count) or math.isnan(n):
        return _("{some} of {n}", some=_(SOME), n=said_count(n))
    return f"{format_whole(count)}/{format_whole(n)}"


def out_of(count: float, n: float) -> str:
    """(3, 11) -> "3 of 11"; (0, 11) -> "none of 11"; (11, 11) -> "all 11": a sentence has no digit for nobody."""
    if count == n and n > 1:
        return _("both") if n == 2 else _("all {total}", total=format_whole(n))
    return _("none of {total}", total=format_whole(n)) if count == 0 else _("{count} of {total}", count=format_whole(count), total=format_whole(n))


def from_to(first: str, last: str, moves: str, stays: str) -> str:
    """("0.55", "0.60", "goes", "stays") -> "goes from 0.55 to 0.60"; with equal ends "stays 0.55"."""
    return _("{en} from {first} to {last}", en=moves, first=first, last=last) if first != last else _("{en} {first}", en=stays, first=first)
