"""What is said where an analysis has nothing to show."""

from __future__ import annotations

__all__ = ["reason_if_absent"]

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast, overload

from lib.analyses.result import Absent, absent_among
from lib.languages.notes import worded
from lib.show.display import Lacking

A_contra = TypeVar("A_contra", contravariant=True)
P = ParamSpec("P")


class Said(Protocol[A_contra, P]):
    """A sentence on an analysis; on several, one sentence each."""

    @overload
    def __call__(self, analysis: A_contra | Absent, /, *arguments: P.args, **options: P.kwargs) -> str: ...
    @overload
    def __call__(self, analysis: Sequence[A_contra | Absent], /, *arguments: P.args, **options: P.kwargs) -> list[str]: ...


def reason_if_absent(say: Callable[Concatenate[A_contra, P], str]) -> Said[A_contra, P]:
    """Let a sentence say why there is no analysis, of several analyses one sentence each, and refuse a wrong kind."""
    absent = absent_among(say)

    @wraps(say)
    def checked(analysis: Any, /, *arguments: P.args, **options: P.kwargs) -> Any:
        if isinstance(analysis, list | tuple):
            return [checked(one, *arguments, **options) for one in analysis]
        missing = absent(analysis, *arguments, **options)
        return Lacking(worded(missing.reason)) if missing else say(analysis, *arguments, **options)

    return cast("Said[A_contra, P]", checked)
