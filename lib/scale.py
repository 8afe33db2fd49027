"""The declared size from which on simulations and loops over patients give way, and how that is said.

Below it nothing changes. What takes their place stands beside them, in large_sample and selfcheck.
"""

from __future__ import annotations

__all__ = ["LARGE", "because_large"]

# Patients. Up to here every test, simulation and second engine takes at most a few seconds.
LARGE = 3_000


def because_large(what: str) -> str:
    """Say that `what` was done because of the size: for notes, methods and sentences alike."""
    return f"{what}, because there are more than {LARGE:,} patients"
