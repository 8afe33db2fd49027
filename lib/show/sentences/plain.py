"""Whether groups differ, in words that patients use. `verdict` decides, here as everywhere; the rules stand in data/README.md."""

from __future__ import annotations

__all__ = ["Compared", "PlainPair", "by_chance", "say_plainly", "sentences_of_answer", "sentences_of_number"]

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan

from lib.analyses.efficacy.survival import Survival
from lib.analyses.result import Absent, where
from lib.analyses.robustness.confounding import Weights
from lib.dataset.dataset import Dataset
from lib.languages.speech import N_, _, listed
from lib.show.formats import MINUS, format_points, is_masked
from lib.show.labels import everybody
from lib.show.sentences.survival import crude_of, tests_of, weighted_of
from lib.show.verdict import below, is_apart

MEANS = {
    True: N_("Chance decided who got what. So this may well be due to the treatment."),
    False: N_("But this may come from the people in the groups, and not from the treatment."),
    None: N_("But this may come from the people in the groups, and not from the treatment."),
}
DIFFER = N_("The groups differ by more than chance would often bring.")
CANNOT_TELL = N_("So we cannot tell which treatment is better.")
NOT_THE_SAME = N_("That does not mean that they work equally well.")
# Which way a group differs from others -> the sentence; of an endpoint in time, who is spared for longer counts too.
LESS, MORE, NOT_EQUALLY = "less", "more", "not equally"
COMPARES = {
    LESS: N_("It happened less often with {group} {than}."),
    MORE: N_("It happened more often with {group} {than}."),
    NOT_EQUALLY: N_("It happened not equally often with {group} {than}."),
}
COMPARES_IN_TIME = COMPARES | {
    LESS: N_("It happened less often or later with {group} {than}."),
    MORE: N_("It happened more often or sooner with {group} {than}."),
}


def by_chance(data: Dataset) -> bool | None:
    """Whether chance formed the groups; None where nobody says."""
    design = data.study.by_design
    return design.by_chance if design.allocation else None


@dataclass(frozen=True)
class PlainPair:
    """Two arms, the test of these two after adjustment, and which way they differ: above 0, it happened more often with the first."""

    group: str
    p_adjusted: float
    towards: float


@dataclass(frozen=True)
class Compared:
    """What was tested of how often something happened.

    Attributes
    ----------
    p_values : sequence of float
        Of the tests of all arms.
    pairs : sequence of PlainPair
    masked, nobody : bool
        Whether a shared report hides the tests; whether it happened to nobody at all.
    in_time : bool
        Whether "later" is less and "sooner" is more.
    in_numbers : sequence of str
        Sentences with the differences in numbers of people.
    """

    p_values: Sequence[float]
    pairs: Sequence[PlainPair]
    masked: bool
    nobody: bool
    in_time: bool = False
    in_numbers: Sequence[str] = ()


def sentences_of_answer(survival: Survival, weights: Weights | Absent | None, in_numbers: Sequence[str] = ()) -> list[str]:
    """Whether the groups differ in an endpoint in time; nothing where there is one group."""
    data = survival.dataset
    if "logrank" not in survival:
        return []
    p_values = [test.p_value for test in tests_of(survival)]
    ratios = survival["cox"].set_index("group")["hr"]
    pairs = [PlainPair(r.group, r.p_adjusted, ratios.get(r.group, float("nan")) - 1) for r in survival["logrank_pairwise"].itertuples()]
    masked, nobody = is_masked(survival["logrank"].iloc[0]), survival.row("events", everybody(data))["n_events"] == 0
    said = say_plainly(data, Compared(p_values, pairs, masked, bool(nobody), True, in_numbers))
    return said + (_evened_out(survival, weights) if is_apart(p_values) else [])


def say_plainly(data: Dataset, found: Compared) -> list[str]:
    """Whether the groups differ, by the same limits as the full report, and what the design makes of it."""
    if not is_apart(found.p_values):
        return _cannot_tell(found)
    apart = [pair for pair in found.pairs if below(pair.p_adjusted)]
    if not apart:
        return [_(DIFFER), _("But we cannot tell which of them."), _(MEANS[by_chance(data)])]
    rest = [pair for pair in found.pairs if pair not in apart]
    return [_(DIFFER), *_differ(data, apart, found), *found.in_numbers, *_untold(data, rest), _(MEANS[by_chance(data)])]


def _cannot_tell(found: Compared) -> list[str]:
    if found.nobody:
        return [_("It did not happen to anybody while they were followed. So the groups cannot be compared.")]
    if found.masked:
        return [_("If the groups differ is not shown here, so that nobody can be known by it.")]
    if all(map(isnan, found.p_values)):
        return [_("It happened to too few people to compare the groups."), _(CANNOT_TELL)]
    if any(map(below, found.p_values)):
        return [_("There is more than one way to compare the groups, and they do not agree."), _(CANNOT_TELL)]
    return [_("The groups do not differ by more than chance could bring."), _(CANNOT_TELL), _(NOT_THE_SAME)]


def _arms(data: Dataset, group: str) -> list[str]:
    return [data.study.arm(arm).said for arm in group.split(" vs ")]


def _differ(data: Dataset, apart: Sequence[PlainPair], found: Compared) -> list[str]:
    """A sentence for each arm and direction: "It happened less often with both than with A and than with B."""
    others: dict[tuple[str, str], list[str]] = {}
    for pair in apart:
        first, second = _arms(data, pair.group)
        how = NOT_EQUALLY if isnan(pair.towards) else MORE if pair.towards > 0 else LESS
        others.setdefault((how, first), []).append(_("than with {group}", group=second))
    sentences = COMPARES_IN_TIME if found.in_time else COMPARES
    return [_(sentences[how], group=first, than=listed(seconds)) for (how, first), seconds in others.items()]


def _untold(data: Dataset, pairs: Sequence[PlainPair]) -> list[str]:
    if len(pairs) == 1:
        first, second = _arms(data, pairs[0].group)
        return [_("Between {first} and {second} we cannot tell.", first=first, second=second)]
    return [_("For any other two groups we cannot tell.")] if pairs else []


def _evened_out(survival: Survival, weights: Weights | Absent | None) -> list[str]:
    """What is left of a difference when the groups are made alike in what was declared."""
    data = survival.dataset
    found, crude = weighted_of(data, weights), crude_of(data, survival)
    changes = [_("The difference was not the same at all times.")] if below(crude.p_constant) else []
    if found is None or by_chance(data) or not below(crude.p_adjusted):
        return changes
    how = _("We also compared the groups as if they had been alike from the start in some of what we know of them.")
    if isnan(found.p_value) or not found.enough:
        return [*changes, how, _("There were too few people for that to tell us more.")]
    if not below(found.p_value):
        return [*changes, how, _("Then the difference was no longer clear.")]
    stayed = (crude.hr < 1) == (found.hr < 1)
    return [*changes, how, _("Then the difference stayed.") if stayed else _("Then the difference turned round. So we cannot tell which is better.")]


def sentences_of_number(survival: Survival, time: float) -> list[str]:
    """Differences in people of 100 at that time, of pairs that are told apart, where the interval leaves out none."""
    if "cumulative_incidence" in survival or "logrank_pairwise" not in survival:
        return []
    data, apart = survival.dataset, survival["logrank_pairwise"].set_index("group")["p_adjusted"]
    said = []
    for row in where(survival["landmark_difference"], time=time).to_dict("records"):
        if not below(apart.get(row["group"], float("nan"))) or row["note"] or not (row["ci_low"] > 0 or row["ci_high"] < 0):
            continue
        first, second = _arms(data, row["group"])
        ends = [format_points(row[end]).removeprefix(MINUS) for end in ("ci_low", "ci_high")]
        low, high = ends if row["ci_low"] > 0 else reversed(ends)
        words = {"n": format_points(row["difference"]).removeprefix(MINUS), "first": first, "second": second, "low": low, "high": high}
        if row["difference"] > 0:
            said.append(_("Of 100 people, that is about {n} fewer with {first} than with {second} (likely between {low} and {high}).", **words))
        else:
            said.append(_("Of 100 people, that is about {n} more with {first} than with {second} (likely between {low} and {high}).", **words))
    return said
