"""What a page gives to the page for patients (`plain.html`): the same numbers and verdicts in words that they use.

Plain dicts of sentences and counts of people, which lib.publish.plain lays out. The rules stand in data/README.md, "The page
for patients". `verdict` decides whether arms differ, here as everywhere.
"""

from __future__ import annotations

__all__ = ["about", "efficacy", "safety"]

from math import isnan
from typing import Any

import pandas as pd

from lib.analyses.efficacy.response import ResponseRates
from lib.analyses.efficacy.survival import Survival
from lib.analyses.result import Absent, where
from lib.analyses.robustness.confounding import Weights
from lib.analyses.safety.events import Harms
from lib.dataset.dataset import Dataset, part_label
from lib.show.display import Column, Row, Table, template
from lib.show.formats import capitalised, format_duration, is_masked, out_of, per_hundred, plural
from lib.show.labels import everybody
from lib.show.sentences.plain import (
    Compared,
    PlainPair,
    by_chance,
    say_plainly,
    sentences_of_answer,
    sentences_of_number,
)
from lib.study.limits import SMALL_ARM

# An interval so wide is called very unsure: NCHS holds such a share back (data/README.md).
WIDE = 0.30
# Of groups that are counted, more than so many people are told and not drawn.
MOST_DRAWN = 100
# So many terms of adverse events are named, the most common ones.
COMMON = 5
HIDDEN = "not shown here, so that nobody can be known by it"
NOT_SHOWN = "not shown"
NOT_FOLLOWED = "Nobody was followed that long."
HARMS = {
    "serious": "Counted as serious, such as a stay in hospital",
    "severe": "Severe",
    "stopped": "Had to stop a treatment because of it",
    "fatal": "Led to death",
}
CHOSEN = {
    True: "Chance decided who got what, like drawing lots. So the groups should be much alike from the start.",
    False: "Chance did not decide who got what. It was chosen for each person, for instance by their doctors. So the groups may have been unlike from the start.",
    None: "We do not know how it was decided who got what. So the groups may have been unlike from the start.",
}


def about(data: Dataset) -> dict[str, Any]:
    """What was asked, of whom, and what the design and the size leave open; `groups` are names with their numbers of people."""
    study, several = data.study.study, len(data.arms) > 1
    people, population = plural(len(data.patients), "person", "people"), study.plain.population or study.population
    who = [f"{people} took part{f': {population}' if population else ''}."]
    part = part_label(data.study, data.parameters)
    who += [f"This page tells of some of them only: {part}."] if part else []
    left_out = len(study_arms := data.study.arms) > len(data.arms)
    who += [f"They were in {len(data.arms)} groups.", CHOSEN[by_chance(data)]] if several else [f"All of them got the same treatment: {data.arms[0].said}."]
    who += [f"The study had {len(study_arms)} groups; the others are left out here."] if left_out else []
    open_ = [] if several else ["This page compares this group with no other. So it cannot tell if another treatment would be better."]
    small = any(data.n[arm.id] < SMALL_ARM for arm in data.arms)
    open_ += [f"This was a small study, with {people}. In a small study chance plays a big part. A few people more or less could change the answer."] if small else []
    open_ += ["The groups may have been unlike from the start. Then a difference need not come from the treatment."] if several and not by_chance(data) else []
    groups = [{"name": capitalised(arm.said), "people": plural(data.n[arm.id], "person", "people")} for arm in data.arms]
    return {"question": study.plain.question or study.question, "who": who, "groups": groups, "open": open_}


def efficacy(survival: Survival | Absent, weights: Weights | Absent, response: ResponseRates | Absent, others: list[Survival | Absent]) -> list[dict[str, Any]]:
    """How many people it happened to, and whether the groups differ: of endpoints in time, then of the response to treatment."""
    known = [one for one in (survival, *others) if isinstance(one, Survival)]
    told = [_in_time(one, weights if one is survival else None) for one in known]
    if isinstance(response, ResponseRates) and response.dataset.response_visits:
        told.append(_shrank(response, response.dataset.response_visits[0]))
    return told


def safety(harms: Harms) -> dict[str, Any]:
    """How many people had which harm, as a table, and what that tells."""
    data, counted = harms.dataset, _is_counted(harms.dataset)
    overview, terms = harms["ae_overview"], harms["ae_term"]
    anybody = where(overview, variable="any", group=everybody(data)).iloc[0]
    rows = [Row((label, *_cells(where(overview, variable=kind), data, counted))) for kind, label in _kinds(data, overview).items()]
    common = where(terms, group=everybody(data)).sort_values("count", ascending=False, kind="stable").head(COMMON)
    plain = data.study.adverse_events.plain
    named = [(plain.get(name, name), *_cells(where(terms, variable=name), data, counted)) for name in common.loc[common["count"] > 0, "variable"]]
    shown = [Row(cells, "sub") for cells in named if set(cells[1:]) != {NOT_SHOWN}]
    rows += [Row(("The most common ones",), "group"), *shown] if shown else []
    columns = (Column("People who had it"), *[Column(capitalised(arm.said), "" if counted else "of 100 people") for arm in data.arms])
    said = ["These are health problems that came up during or after treatment. Not all of them were caused by it."]
    said += ["No such problem was noted."] if anybody["count"] == 0 else []
    said += ["The groups are small. So a difference in these numbers can be chance."] if counted and len(data.arms) > 1 else []
    return {"said": said, "table": template("table.html").render(table=Table("plain_harms", "Health problems", columns, tuple(rows), dash="not known"))}


def _kinds(data: Dataset, overview: pd.DataFrame) -> dict[str, str]:
    kinds = {"any": "Any problem"} | HARMS
    return {kind: label for kind, label in kinds.items() if (overview["variable"] == kind).any()}


def _cells(rows: pd.DataFrame, data: Dataset, counted: bool) -> list[str]:
    found = rows.set_index("group")
    return [_share(found.loc[arm.id], counted) if arm.id in found.index else "–" for arm in data.arms]


def _share(row: pd.Series, counted: bool) -> str:
    """Such as "3 of 13", or "23" of 100."""
    if is_masked(row) or isnan(row["count"]):
        return NOT_SHOWN
    return out_of(row["count"], row["n"]) if counted or not row["n"] else _about(row["proportion"], row["count"] == 0)


def _about(share: float, none: bool, rest: bool = False) -> str:
    """People of 100; nobody is none, and a few of very many are fewer than 1."""
    of_them = per_hundred(share, rest)
    return "none" if none else "fewer than 1" if of_them == 0 else f"{of_them}"


def _is_counted(data: Dataset) -> bool:
    """Whether people are counted as they are, and not of 100: a share of a small group would look surer than it is."""
    return any(data.n[arm.id] < SMALL_ARM for arm in data.arms)


# ---------------------------------------------------------------- how many


def _in_time(survival: Survival, weights: Weights | Absent | None) -> dict[str, Any]:
    data = survival.dataset
    endpoint, unit = data.study.endpoint(survival.variable), data.study.time.unit
    time = None if _is_counted(data) else _carried(survival)
    rows = [_of_hundred(survival, arm.id, time) for arm in data.arms] if time else _as_counted(survival, time := _followed(survival))
    after = f"After {format_duration(time, unit)}" if time else "By the end"
    title = endpoint.plain or endpoint.label
    counted = f"We counted how often this happened: {endpoint.plain}." if endpoint.plain else f"We counted how often an event happened. The full report calls this “{endpoint.label}”."
    in_numbers = sentences_of_number(survival, time) if rows[0]["of"] == "hundred" else []
    open_ = [f"This page does not tell what happens after more than {format_duration(time, unit)}."] if time else []
    missing = survival.row("events", everybody(data))["n_missing"]
    open_ += [f"For {plural(missing, 'person', 'people')} it is not known if it happened. They are left out."] if missing > 0 else []
    open_ += ["For some people something else came first. Then this could no longer happen to them."] if endpoint.has_competing else []
    told = {"title": capitalised(title), "counted": counted, "answer": sentences_of_answer(survival, weights, in_numbers), "open": open_}
    return told | _table(f"{after} it had happened to:", rows)


def _table(when: str, rows: list[dict]) -> dict[str, Any]:
    """The lines of the groups; where all are hidden, one sentence."""
    hidden = all(row["words"] == HIDDEN for row in rows)
    return {"when": f"How often it happened is {HIDDEN}.", "rows": []} if hidden else {"when": when, "rows": rows}


def _row(data: Dataset, arm: str, words: str, more: str = "", of: str = "people", **drawn: Any) -> dict[str, Any]:
    """A group's line: its words, and how many figures are drawn, filled and dashed."""
    return {"name": capitalised(data.study.arm(arm).said), "words": words, "more": more, "of": of, "drawn": 0, "filled": 0, "dashed": 0} | drawn


def _likely(low: float, high: float, rest: bool = False) -> str:
    """Such as "likely between 33 and 44" of 100; "" without an interval."""
    if isnan(low) or isnan(high):
        return ""
    ends = [per_hundred(end, rest) for end in ((high, low) if rest else (low, high))]
    return f"likely between {ends[0]} and {ends[1]}{', so this is very unsure' if high >= low + WIDE else ''}"


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
        return _row(data, arm, HIDDEN if is_masked(row) else NOT_FOLLOWED, of="hundred")
    none = row["estimate"] == (1 if free else 0)
    likely = "" if none else _likely(row["ci_low"], row["ci_high"], free)
    words = f"{'none' if none else f'about {_about(row.estimate, none, free)}'} of 100 people"
    return _row(data, arm, words, likely, "hundred", drawn=100, filled=0 if none else per_hundred(row["estimate"], free))


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
        return _row(data, arm, HIDDEN)
    lost = row["n_censored"] if time else 0
    left = "not followed for all of this time" + (", or something else came first" if "cumulative_incidence" in survival else "")
    more = f"{lost:.0f} {left}" if lost else ""
    drawn: dict[str, Any] = {"drawn": int(whole["n"]), "filled": int(row["n_events"]), "dashed": int(lost)} if max(data.n[a.id] for a in data.arms) <= MOST_DRAWN else {}
    return _row(data, arm, f"{out_of(row['n_events'], whole['n'])} people", more, **drawn)


def _shrank(response: ResponseRates, visit: float) -> dict[str, Any]:
    data, counted = response.dataset, _is_counted(response.dataset)
    rows = where(response["objective_response_treated"], time=visit).set_index("group")
    told = [_response(data, arm.id, rows.loc[arm.id], counted) for arm in data.arms]
    happened = "the tumours shrank by a good part, or were gone"
    shown = _table(f"After {format_duration(visit, data.study.time.unit)} it had happened to:", told)
    shown |= {"title": capitalised(happened), "counted": f"We counted how often this happened: {happened}.", "open": []}
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
        return _row(data, arm, HIDDEN)
    if not counted and row["n"]:
        words = f"{'none' if row['count'] == 0 else f'about {_about(row.proportion, False)}'} of 100 people"
        return _row(data, arm, words, _likely(row["ci_low"], row["ci_high"]), "hundred", drawn=100, filled=per_hundred(row["proportion"]))
    drawn: dict[str, Any] = {"drawn": int(row["n"]), "filled": int(row["count"])} if row["n"] <= MOST_DRAWN else {}
    return _row(data, arm, f"{out_of(row['count'], row['n'])} people", **drawn)
