"""Whether groups differ, in words that patients use: each verdict, by the same limits as the full report."""

from math import nan
from types import SimpleNamespace

import pytest

from lib.show.sentences.plain import Compared, PlainPair, say_plainly

LESS, MORE, UNKNOWN = -0.5, 0.5, nan
CHANCE = "Chance decided who got what. So this may well be due to the treatment."
PEOPLE = "But this may come from the people in the groups, and not from the treatment."
CANNOT_TELL = "So we cannot tell which treatment is better."


def told(p_values, *pairs, allocation="randomised", masked=False, nobody=False, in_numbers=()):
    arm = SimpleNamespace
    study = SimpleNamespace(arm=lambda name: arm(said=f"drug {name}"), by_design=SimpleNamespace(allocation=allocation, by_chance=allocation == "randomised"))
    found = Compared(p_values, [PlainPair(*pair) for pair in pairs], masked, nobody, in_numbers=in_numbers)
    return " ".join(say_plainly(SimpleNamespace(study=study), found))


DIFFER = "The groups differ by more than chance would often bring."


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (told([0.01], ("B vs A", 0.01, LESS)), f"{DIFFER} It happened less often with drug B than with drug A. {CHANCE}"),
        (told([0.01], ("B vs A", 0.01, MORE)), f"{DIFFER} It happened more often with drug B than with drug A. {CHANCE}"),
        (told([0.01], ("B vs A", 0.01, UNKNOWN)), f"{DIFFER} It happened not equally often with drug B than with drug A. {CHANCE}"),
        (told([0.01], ("B vs A", 0.01, LESS), allocation="not_randomised"), f"{DIFFER} It happened less often with drug B than with drug A. {PEOPLE}"),
        (told([0.01], ("B vs A", 0.01, LESS), allocation=""), f"{DIFFER} It happened less often with drug B than with drug A. {PEOPLE}"),
        (told([0.01], ("B vs A", 0.01, LESS), in_numbers=["12 fewer."]), f"{DIFFER} It happened less often with drug B than with drug A. 12 fewer. {CHANCE}"),
        (told([0.05], ("B vs A", 0.05, LESS)), f"The groups do not differ by more than chance could bring. {CANNOT_TELL} That does not mean that they work equally well."),
        (told([0.01, 0.2], ("B vs A", 0.01, LESS)), f"There is more than one way to compare the groups, and they do not agree. {CANNOT_TELL}"),
        (told([0.01, nan], ("B vs A", 0.01, LESS)), f"{DIFFER} It happened less often with drug B than with drug A. {CHANCE}"),
        (told([nan], ("B vs A", nan, UNKNOWN)), f"It happened to too few people to compare the groups. {CANNOT_TELL}"),
        (told([nan], nobody=True), "It did not happen to anybody while they were followed. So the groups cannot be compared."),
        (told([nan], masked=True), "If the groups differ is not shown here, so that nobody can be known by it."),
        (told([0.04], ("B vs A", 0.06, LESS), ("C vs A", 0.07, LESS), ("C vs B", 0.9, LESS)), f"{DIFFER} But we cannot tell which of them. {CHANCE}"),
        (
            told([0.01], ("B vs A", 0.8, LESS), ("C vs A", 0.02, LESS), ("C vs B", 0.03, LESS)),
            f"{DIFFER} It happened less often with drug C than with drug A and than with drug B. Between drug B and drug A we cannot tell. {CHANCE}",
        ),
        (
            told([0.01], ("B vs A", 0.02, MORE), ("C vs A", 0.2, LESS), ("C vs B", 0.3, LESS)),
            f"{DIFFER} It happened more often with drug B than with drug A. For any other two groups we cannot tell. {CHANCE}",
        ),
        (
            told([0.01], ("B vs A", 0.02, MORE), ("C vs A", 0.02, LESS), ("C vs B", 0.03, LESS)),
            f"{DIFFER} It happened more often with drug B than with drug A. It happened less often with drug C than with drug A and than with drug B. {CHANCE}",
        ),
    ],
)
def test_every_verdict_reads_right(found, said):
    assert found == said
