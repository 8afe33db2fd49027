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
from lib.show.formats import MINUS, format_points, is_masked, joined
from lib.show.labels import everybody
from lib.show.sentences.survival import crude_of, tests_of, weighted_of
from lib.show.verdict import below, is_apart

MEANS = {
    True: "Chance decided who got what. So this may well be due to the treatment.",
    False: "But this may come from the people in the groups, and not from the treatment.",
    None: "But this may come from the people in the groups, and not from the treatment.",
}
DIFFER = "The groups differ by more than chance would often bring."
CANNOT_TELL = "So we cannot tell which treatment is better."
NOT_THE_SAME = "That does not mean that they work equally well."


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
    fewer, more : str
        What "less often" and "more often" mean here.
    in_numbers : sequence of str
        Sentences with the differences in numbers of people.
    """

    p_values: Sequence[float]
    pairs: Sequence[PlainPair]
    masked: bool
    nobody: bool
    fewer: str = "less often"
    more: str = "more often"
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
    said = say_plainly(data, Compared(p_values, pairs, masked, bool(nobody), "less often or later", "more often or sooner", in_numbers))
    return said + (_evened_out(survival, weights) if is_apart(p_values) else [])


def say_plainly(data: Dataset, found: Compared) -> list[str]:
    """Whether the groups differ, by the same limits as the full report, and what the design makes of it."""
    if not is_apart(found.p_values):
        return _cannot_tell(found)
    apart = [pair for pair in found.pairs if below(pair.p_adjusted)]
    if not apart:
        return [DIFFER, "But we cannot tell which of them.", MEANS[by_chance(data)]]
    rest = [pair for pair in found.pairs if pair not in apart]
    return [DIFFER, *_differ(data, apart, found), *found.in_numbers, *_untold(data, rest), MEANS[by_chance(data)]]


def _cannot_tell(found: Compared) -> list[str]:
    if found.nobody:
        return ["It did not happen to anybody while they were followed. So the groups cannot be compared."]
    if found.masked:
        return ["If the groups differ is not shown here, so that nobody can be known by it."]
    if all(map(isnan, found.p_values)):
        return ["It happened to too few people to compare the groups.", CANNOT_TELL]
    if any(map(below, found.p_values)):
        return ["There is more than one way to compare the groups, and they do not agree.", CANNOT_TELL]
    return ["The groups do not differ by more than chance could bring.", CANNOT_TELL, NOT_THE_SAME]


def _arms(data: Dataset, group: str) -> list[str]:
    return [data.study.arm(arm).said for arm in group.split(" vs ")]


def _differ(data: Dataset, apart: Sequence[PlainPair], found: Compared) -> list[str]:
    """A sentence for each arm and direction: "It happened less often with both than with A and than with B."""
    others: dict[tuple[str, str], list[str]] = {}
    for pair in apart:
        first, second = _arms(data, pair.group)
        how = "not equally often" if isnan(pair.towards) else found.more if pair.towards > 0 else found.fewer
        others.setdefault((how, first), []).append(f"than with {second}")
    return [f"It happened {how} with {first} {joined(seconds)}." for (how, first), seconds in others.items()]


def _untold(data: Dataset, pairs: Sequence[PlainPair]) -> list[str]:
    if len(pairs) == 1:
        first, second = _arms(data, pairs[0].group)
        return [f"Between {first} and {second} we cannot tell."]
    return ["For any other two groups we cannot tell."] if pairs else []


def _evened_out(survival: Survival, weights: Weights | Absent | None) -> list[str]:
    """What is left of a difference when the groups are made alike in what was declared."""
    data = survival.dataset
    found, crude = weighted_of(data, weights), crude_of(data, survival)
    changes = ["The difference was not the same at all times."] if below(crude.p_constant) else []
    if found is None or by_chance(data) or not below(crude.p_adjusted):
        return changes
    how = "We also compared the groups as if they had been alike from the start in some of what we know of them."
    if isnan(found.p_value) or not found.enough:
        return [*changes, how, "There were too few people for that to tell us more."]
    turned = below(found.p_value) and (crude.hr < 1) != (found.hr < 1)
    then = "turned round. So we cannot tell which is better" if turned else "stayed" if below(found.p_value) else "was no longer clear"
    return [*changes, how, f"Then the difference {then}."]


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
        number = format_points(row["difference"]).removeprefix(MINUS)
        said.append(f"Of 100 people, that is about {number} {'fewer' if row['difference'] > 0 else 'more'} with {first} than with {second} (likely between {low} and {high}).")
    return said
