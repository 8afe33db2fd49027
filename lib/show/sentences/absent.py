"""What is said where an analysis has nothing to show."""

from __future__ import annotations

__all__ = ["reason_if_absent"]

from collections.abc import Callable
from functools import wraps

from lib.analyses.result import Absent


def reason_if_absent(say: Callable) -> Callable:
    """Let a sentence say why there is no analysis, and of several analyses one sentence each."""

    @wraps(say)
    def checked(analysis, *arguments):
        if isinstance(analysis, list):
            return [checked(one, *arguments) for one in analysis]
        return analysis.reason if isinstance(analysis, Absent) else say(analysis, *arguments)

    return checked
