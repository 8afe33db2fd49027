"""What a page gives to the page for patients (`plain.html`): the same numbers and verdicts in words that they use.

Plain dicts of sentences and counts of people in each language of the page, which lib.publish.plain lays out. The rules stand in
data/README.md, "The page for patients". `verdict` decides whether arms differ, here as everywhere.
"""

from __future__ import annotations

__all__ = ["about", "efficacy", "safety"]

from collections.abc import Callable
from math import isnan
from typing import Any, TypeVar

import pandas as pd

from lib.analyses.efficacy.response import ResponseRates
from lib.analyses.efficacy.survival import Survival
from lib.analyses.result import Absent, where
from lib.analyses.robustness.confounding import Weights
from lib.analyses.safety.events import Harms
from lib.dataset.dataset import Dataset, part_label
from lib.languages.speech import ENGLISH, N_, _, in_language, ngettext, said_here
from lib.show.display import Column, Row, Table, template
from lib.show.formats import capitalised, format_whole, is_masked, per_hundred
from lib.show.labels import everybody
from lib.show.phrases import format_duration
from lib.show.sentences.plain import (
    Compared,
    PlainPair,
    by_chance,
    say_plainly,
    sentences_of_answer,
    sentences_of_number,
)
from lib.study.limits import SMALL_ARM
from lib.study.study import Study

# An interval so wide is called very unsure: NCHS holds such a share back (data/README.md).
WIDE = 0.30
# Of groups that are counted, more than so many people are told and not drawn.
MOST_DRAWN = 100
# So many terms of adverse events are named, the most common ones.
COMMON = 5
HIDDEN = N_("not shown here, so that nobody can be known by it")
NOT_SHOWN = N_("not shown")
NOT_FOLLOWED = N_("Nobody was followed that long.")
HARMS = {
    "any": N_("Any problem"),
    "serious": N_("Counted as serious, such as a stay in hospital"),
    "severe": N_("Severe"),
    "stopped": N_("Had to stop a treatment because of it"),
    "fatal": N_("Led to death"),
}
CHOSEN = {
    True: N_("Chance decided who got what, like drawing lots. So the groups should be much alike from the start."),
    False: N_("Chance did not decide who got what. It was chosen for each person, for instance by their doctors. So the groups may have been unlike from the start."),
    None: N_("We do not know how it was decided who got what. So the groups may have been unlike from the start."),
}
R = TypeVar("R")


def _in_each_language(study: Study, make: Callable[[], R]) -> dict[str, R]:
    """What is made in each language of the page, by its code."""
    said = {}
    for code in (ENGLISH, *study.study.plain.languages):
        with in_language(code):
            said[code] = make()
    return said


def about(data: Dataset) -> dict[str, dict[str, Any]]:
    """What was asked, of whom, and what the design and the size leave open, by language; `groups` are names with their numbers of people."""
    return _in_each_language(data.study, lambda: _asked(data))


def efficacy(survival: Survival | Absent, weights: Weights | Absent, response: ResponseRates | Absent, others: list[Survival | Absent]) -> dict[str, list[dict[str, Any]]]:
    """How many people it happened to, and whether the groups differ: of endpoints in time, then of the response to treatment; by language, {} without any."""
    known = [one for one in (survival, *others) if isinstance(one, Survival)]
    shrank = [response] if isinstance(response, ResponseRates) and response.dataset.response_visits else []

    def told() -> list[dict[str, Any]]:
        in_time = [_in_time(one, weights if one is survival else None) for one in known]
        return in_time + [_shrank(one, one.dataset.response_visits[0]) for one in shrank]

    return _in_each_language([*known, *shrank][0].dataset.study, told) if known or shrank else {}


def safety(harms: Harms) -> dict[str, dict[str, Any]]:
    """How many people had which harm, as a table, and what that tells; by language."""
    return _in_each_language(harms.dataset.study, lambda: _harmed(harms))


def _asked(data: Dataset) -> dict[str, Any]:
    study, several = data.study.study, len(data.arms) > 1
    people, population = _people(len(data.patients)), said_here(study.plain.population, study.population)
    who = [_("{people} took part: {population}.", people=people, population=population) if population else _("{people} took part.", people=people)]
    part = part_label(data.study, data.parameters)
    who += [_("This page tells of some of them only: {part}.", part=part)] if part else []
    left_out = len(study_arms := data.study.arms) > len(data.arms)
    if several:
        who += [ngettext("They were in {n} group.", "They were in {n} groups.", len(data.arms), n=len(data.arms)), _(CHOSEN[by_chance(data)])]
    else:
        who += [_("All of them got the same treatment: {arm}.", arm=data.arms[0].said)]
    n = len(study_arms)
    who += [ngettext("The study had {n} group; the others are left out here.", "The study had {n} groups; the others are left out here.", n, n=n)] if left_out else []
    open_ = [] if several else [_("This page compares this group with no other. So it cannot tell if another treatment would be better.")]
    small = any(data.n[arm.id] < SMALL_ARM for arm in data.arms)
    open_ += [_("This was a small study, with {people}. In a small study chance plays a big part. A few people more or less could change the answer.", people=people)] if small else []
    open_ += [_("The groups may have been unlike from the start. Then a difference need not come from the treatment.")] if several and not by_chance(data) else []
    groups = [{"name": capitalised(arm.said), "people": _people(data.n[arm.id])} for arm in data.arms]
    return {"question": said_here(study.plain.question, study.question), "who": who, "groups": groups, "open": open_}


def _people(n: float) -> str:
    """Such as "1 person", "12 people"."""
    return _("some people") if isnan(n) else ngettext("{n} person", "{n} people", n, n=format_whole(n))


def _harmed(harms: Harms) -> dict[str, Any]:
    data, counted = harms.dataset, _is_counted(harms.dataset)
    overview, terms = harms["ae_overview"], harms["ae_term"]
    anybody = where(overview, variable="any", group=everybody(data)).iloc[0]
    rows = [Row((label, *_cells(where(overview, variable=kind), data, counted))) for kind, label in _kinds(data, overview).items()]
    common = where(terms, group=everybody(data)).sort_values("count", ascending=False, kind="stable").head(COMMON)
    plain = data.study.adverse_events.plain
    named = [(said_here(plain.get(name, {}), name), *_cells(where(terms, variable=name), data, counted)) for name in common.loc[common["count"] > 0, "variable"]]
    shown = [Row(cells, "sub") for cells in named if set(cells[1:]) != {_(NOT_SHOWN)}]
    rows += [Row((_("The most common ones"),), "group"), *shown] if shown else []
    columns = (Column(_("People who had it")), *[Column(capitalised(arm.said), "" if counted else _("of 100 people")) for arm in data.arms])
    said = [_("These are health problems that came up during or after treatment. Not all of them were caused by it.")]
    said += [_("No such problem was noted.")] if anybody["count"] == 0 else []
    said += [_("The groups are small. So a difference in these numbers can be chance.")] if counted and len(data.arms) > 1 else []
    return {"said": said, "table": template("table.html").render(table=Table("plain_harms", _("Health problems"), columns, tuple(rows), dash=_("not known")))}


def _kinds(data: Dataset, overview: pd.DataFrame) -> dict[str, str]:
    return {kind: _(label) for kind, label in HARMS.items() if (overview["variable"] == kind).any()}


def _cells(rows: pd.DataFrame, data: Dataset, counted: bool) -> list[str]:
    found = rows.set_index("group")
    return [_share(found.loc[arm.id], counted) if arm.id in found.index else "–" for arm in data.arms]


def _share(row: pd.Series, counted: bool) -> str:
    """Such as "3 of 13", or "23" of 100."""
    if is_masked(row) or isnan(row["count"]):
        return _(NOT_SHOWN)
    return _out_of(row["count"], row["n"]) if counted or not row["n"] else _about(row["proportion"], row["count"] == 0)


def _about(share: float, none: bool) -> str:
    """People of 100; nobody is none, and a few of very many are fewer than 1."""
    of_them = per_hundred(share)
    return _("none") if none else _("fewer than 1") if of_them == 0 else f"{of_them}"


def _out_of(count: float, n: float) -> str:
    """(3, 11) -> "3 of 11", people of a group; a sentence has no digit for nobody."""
    if count == n and n > 1:
        return _("both") if n == 2 else _("all {n}", n=format_whole(n))
    return _("none of {n}", n=format_whole(n)) if count == 0 else _("{count} of {n}", count=format_whole(count), n=format_whole(n))


def _people_of(count: float, n: float) -> str:
    """(3, 11) -> "3 of 11 people"."""
    if count == n and n > 1:
        return _("both people") if n == 2 else _("all {n} people", n=format_whole(n))
    return _("none of {n} people", n=format_whole(n)) if count == 0 else _("{count} of {n} people", count=format_whole(count), n=format_whole(n))


def _of_a_hundred(share: float, none: bool, rest: bool = False) -> str:
    """0.236 -> "about 24 of 100 people"."""
    if none:
        return _("none of 100 people")
    of_them = per_hundred(share, rest)
    return _("about {n} of 100 people", n=of_them) if of_them else _("about fewer than 1 of 100 people")


def _is_counted(data: Dataset) -> bool:
    """Whether people are counted as they are, and not of 100: a share of a small group would look surer than it is."""
    return any(data.n[arm.id] < SMALL_ARM for arm in data.arms)


# ---------------------------------------------------------------- how many


def _in_time(survival: Survival, weights: Weights | Absent | None) -> dict[str, Any]:
    data = survival.dataset
    endpoint, unit = data.study.endpoint(survival.variable), data.study.time.unit
    time = None if _is_counted(data) else _carried(survival)
    rows = [_of_hundred(survival, arm.id, time) for arm in data.arms] if time else _as_counted(survival, time := _followed(survival))
    when = _("After {time} it had happened to:", time=format_duration(time, unit)) if time else _("By the end it had happened to:")
    happened = said_here(endpoint.plain, "")
    title = happened or endpoint.label
    if happened:
        counted = _("We counted how often this happened: {event}.", event=happened)
    else:
        counted = _("We counted how often an event happened. The full report calls this “{endpoint}”.", endpoint=endpoint.label)
    in_numbers = sentences_of_number(survival, time) if rows[0]["of"] == "hundred" else []
    open_ = [_("This page does not tell what happens after more than {time}.", time=format_duration(time, unit))] if time else []
    missing = survival.row("events", everybody(data))["n_missing"]
    open_ += [_("For {people} it is not known if it happened. They are left out.", people=_people(missing))] if missing > 0 else []
    open_ += [_("For some people something else came first. Then this could no longer happen to them.")] if endpoint.has_competing else []
    told = {"title": capitalised(title), "counted": counted, "answer": sentences_of_answer(survival, weights, in_numbers), "open": open_}
    return told | _table(when, rows)


def _table(when: str, rows: list[dict]) -> dict[str, Any]:
    """The lines of the groups; where all are hidden, one sentence."""
    hidden = all(row["words"] == _(HIDDEN) for row in rows)
    return {"when": _("How often it happened is not shown here, so that nobody can be known by it."), "rows": []} if hidden else {"when": when, "rows": rows}


def _row(data: Dataset, arm: str, words: str, more: str = "", of: str = "people", **drawn: Any) -> dict[str, Any]:
    """A group's line: its words, and how many figures are drawn, filled and dashed."""
    return {"name": capitalised(data.study.arm(arm).said), "words": words, "more": more, "of": of, "drawn": 0, "filled": 0, "dashed": 0} | drawn


def _likely(low: float, high: float, rest: bool = False) -> str:
    """Such as "likely between 33 and 44" of 100; "" without an interval."""
    if isnan(low) or isnan(high):
        return ""
    ends = [per_hundred(end, rest) for end in ((high, low) if rest else (low, high))]
    if high >= low + WIDE:
        return _("likely between {low} and {high}, so this is very unsure", low=ends[0], high=ends[1])
    return _("likely between {low} and {high}", low=ends[0], high=ends[1])


def _carried(survival: Survival) -> float | None:
    """The last landmark at which the curves of all groups carry, or of most; None where none is known anywhere."""
    frame, least = _read_off(survival), survival.dataset.study.policy.min_at_risk
    known = frame["estimate"].notna()
    carries = known & ((frame["n_risk"] >= least) | ("cumulative_incidence" in survival))
    groups = pd.DataFrame({"carries": carries, "known": known}).groupby(frame["time"]).sum()
    most = groups[groups["known"] > 0].reset_index().sort_values(["carries", "known", "time"])
    return float(most["time"].iloc[-1]) if len(most) else None


def _read_off(survival: Survival) -> pd.DataFrame:
    """Where a competing event takes people away, a curve would count too many: their cumulative incidence."""
    return survival["cumulative_incidence" if "cumulative_incidence" in survival else "landmark"]


def _of_hundred(survival: Survival, arm: str, time: float) -> dict[str, Any]:
    data, free = survival.dataset, "cumulative_incidence" not in survival
    row = where(_read_off(survival), group=arm, time=time).iloc[0]
    if isnan(row["estimate"]):
        return _row(data, arm, _(HIDDEN) if is_masked(row) else _(NOT_FOLLOWED), of="hundred")
    none = row["estimate"] == (1 if free else 0)
    likely = "" if none else _likely(row["ci_low"], row["ci_high"], free)
    filled = 0 if none else per_hundred(row["estimate"], free)
    return _row(data, arm, _of_a_hundred(row["estimate"], none, free), likely, "hundred", drawn=100, filled=filled)


def _followed(survival: Survival) -> float | None:
    """The last tick at which in no group more people have left than are still followed; None where counts are masked."""
    frame = survival["at_risk"]
    frame = frame[frame["time"] > 0]
    seen = (frame["n_censored"] <= frame["n_risk"]).groupby(frame["time"]).all()
    return float(max(seen[seen].index)) if seen.any() else None


def _as_counted(survival: Survival, time: float | None) -> list[dict[str, Any]]:
    return [_of_people(survival, arm.id, time) for arm in survival.dataset.arms]


def _of_people(survival: Survival, arm: str, time: float | None) -> dict[str, Any]:
    """People of a group as counted, up to a time or the end; who was not followed that long is told apart."""
    data = survival.dataset
    whole = survival.row("events", arm)
    row = where(survival["at_risk"], group=arm, time=time).iloc[0] if time else whole
    if isnan(row["n_events"]) or isnan(whole["n"]):
        return _row(data, arm, _(HIDDEN))
    lost, more = row["n_censored"] if time else 0, ""
    if lost and "cumulative_incidence" in survival:
        more = _("{n} not followed for all of this time, or something else came first", n=f"{lost:.0f}")
    elif lost:
        more = _("{n} not followed for all of this time", n=f"{lost:.0f}")
    drawn: dict[str, Any] = {"drawn": int(whole["n"]), "filled": int(row["n_events"]), "dashed": int(lost)} if max(data.n[a.id] for a in data.arms) <= MOST_DRAWN else {}
    return _row(data, arm, _people_of(row["n_events"], whole["n"]), more, **drawn)


def _shrank(response: ResponseRates, visit: float) -> dict[str, Any]:
    data, counted = response.dataset, _is_counted(response.dataset)
    rows = where(response["objective_response_treated"], time=visit).set_index("group")
    told = [_response(data, arm.id, rows.loc[arm.id], counted) for arm in data.arms]
    happened = _("the tumours shrank by a good part, or were gone")
    shown = _table(_("After {time} it had happened to:", time=format_duration(visit, data.study.time.unit)), told)
    shown |= {"title": capitalised(happened), "counted": _("We counted how often this happened: {event}.", event=happened), "open": []}
    if len(data.arms) == 1:
        return shown | {"answer": []}
    test = where(response["objective_response_treated_test"], time=visit).iloc[0]
    by_pair = where(response["objective_response_treated_difference"], time=visit).set_index("group")["difference"]
    frame = where(response["objective_response_treated_pairwise"], time=visit)
    pairs = [PlainPair(r.group, r.p_adjusted, by_pair.get(r.group, float("nan"))) for r in frame.itertuples()]
    nobody = bool((rows["count"] == 0).all())
    return shown | {"answer": say_plainly(data, Compared([test["p_value"]], pairs, is_masked(test), nobody))}


def _response(data: Dataset, arm: str, row: pd.Series, counted: bool) -> dict[str, Any]:
    if is_masked(row) or isnan(row["count"]):
        return _row(data, arm, _(HIDDEN))
    if not counted and row["n"]:
        words = _of_a_hundred(row["proportion"], row["count"] == 0)
        return _row(data, arm, words, _likely(row["ci_low"], row["ci_high"]), "hundred", drawn=100, filled=per_hundred(row["proportion"]))
    drawn: dict[str, Any] = {"drawn": int(row["n"]), "filled": int(row["count"])} if row["n"] <= MOST_DRAWN else {}
    return _row(data, arm, _people_of(row["count"], row["n"]), **drawn)
