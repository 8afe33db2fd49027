"""published.yml -> the claims of a publication; a claim names rows of results.csv and one of a few fixed rules.

It holds no expression. Claims are held against results in published.
"""

from __future__ import annotations

__all__ = ["Check", "Claim", "read_claims"]

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from lib.study.parts import Frozen, Id, Text, Told
from lib.study.yaml_file import read_yaml

RULES = Literal["equals", "span", "below", "at_least", "lowest", "narrower"]


class Check(Frozen):
    """Rows of results.csv and what must hold for their values, rounded as printed."""

    rule: RULES
    output: Id
    variable: Text
    group: tuple[Text, ...] = Field(min_length=1)
    statistic: Id
    time: float | None = None
    scale: float = 1
    decimals: int = Field(0, ge=0, le=8)
    value: tuple[float, ...] = ()
    which: Text = ""
    than_time: float | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        needs = {"equals": len(self.group), "span": 2, "below": 1, "at_least": 1}.get(self.rule, 0)
        if len(self.value) != needs:
            raise ValueError(f"the rule {self.rule} needs {needs} in value, but found {len(self.value)}")
        if (self.rule == "lowest") != bool(self.which) or (self.rule == "narrower") != (self.than_time is not None):
            raise ValueError("which belongs to the rule lowest, than_time to the rule narrower")
        return self


class Claim(Frozen):
    """One published claim, as printed, and the checks that must all hold."""

    id: Id
    claim: Told
    printed: Told
    checks: tuple[Check, ...] = Field(min_length=1)


class Published(Frozen):
    """The claims of one publication."""

    claims: tuple[Claim, ...]


def read_claims(folder: Path) -> tuple[Claim, ...]:
    """Read published.yml of a study; an empty tuple if it has none.

    Raises
    ------
    lib.study.yaml_file.ProblemsFound
    """
    path = Path(folder) / "published.yml"
    # A link that leads nowhere is not the same as no claims.
    return read_yaml(path, Published).claims if path.exists() or path.is_symlink() else ()
