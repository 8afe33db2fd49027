"""Declared numbers that decide what is shown: from which size on exact tests, simulations and loops over patients give way.

Below it nothing changes. What takes their place stands beside them, in large_sample and second_engine.
"""

from __future__ import annotations

from lib.study.words import grouped

__all__ = ["DRAWN", "LARGE", "PROFILES", "SMALL_ARM", "because_large"]


# Patients. Up to here every test, simulation and second engine takes at most a few seconds.
LARGE = 3_000
# Patients. Up to here each has a line or a mark in a picture; more would be none on a page, and take minutes.
DRAWN = 1_000
# Patients with a picture of their own: half a second each.
PROFILES = 50
# Below it the normal interval of a restricted mean covers less than it says: table in data/README.md, by simulation.
SMALL_ARM = 30


def because_large(what: str) -> str:
    """Say that `what` was done because of the size: for notes, methods and sentences alike."""
    return f"{what}, because there are more than {grouped(LARGE)} patients"
