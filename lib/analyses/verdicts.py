"""One verdict per model: what was fitted, what was refused and why, and what may be concluded."""

from __future__ import annotations

__all__ = ["FITTED", "REFUSED", "WEAK", "Verdict", "Verdicts", "as_sentence", "collect_verdicts", "said_formed", "verdict_frame"]

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import pandas as pd

from lib.analyses.result import Absent, Analysis
from lib.dataset.dataset import Dataset

# Fitted as asked; fitted, but not to be relied on alone (few events per variable, an assumption that fails); not fitted.
FITTED, WEAK, REFUSED = "fitted", "weak", "refused"


class Verdict(NamedTuple):
    """What became of one model.

    `model`: a noun phrase; `state`: FITTED, WEAK or REFUSED; `why`: a sentence (of what weakens or forbids it; empty
    where nothing does); `conclude`: what a reader may conclude, a sentence; empty where nothing.
    """

    model: str
    state: str
    why: str = ""
    conclude: str = ""


def as_sentence(reason: str) -> str:
    """A reason as a sentence of its own; "" stays empty."""
    plain = reason.removeprefix("not estimable: ").removeprefix("not compared: ").rstrip(".")
    return f"{plain[:1].upper()}{plain[1:]}." if plain else ""


def said_formed(data: Dataset) -> str:
    """Why arms may differ by more than chance, in a clause; for studies that may be confounded."""
    return "the arms were not formed by chance" if data.study.by_design.allocation else "nothing says that the arms were formed by chance"


def verdict_frame(verdicts: Iterable[Verdict]) -> pd.DataFrame:
    """Verdicts as an analysis carries them in its `data`, under "verdicts"."""
    return pd.DataFrame(list(verdicts), columns=list(Verdict._fields))


class Verdicts(Analysis):
    """The verdicts of a page, in its order."""


def collect_verdicts(data: Dataset, analyses: Sequence[Analysis | Absent]) -> Verdicts | Absent:
    """Collect what the analyses of a page carry as verdicts.

    Returns
    -------
    Verdicts
        `model_verdicts`: how many models were fitted, are weak, were refused (`variable`). Data: `verdicts`, a row each
        (columns of `Verdict`). What is absent says why in its own place; `Absent` where all are.
    """
    found = [analysis["verdicts"] for analysis in analyses if isinstance(analysis, Analysis) and "verdicts" in analysis]
    verdicts = pd.concat([verdict_frame(()), *found], ignore_index=True)
    if verdicts.empty:
        return Absent("No model stands on this page.")
    counts = [{"variable": state, "group": "overall", "count": int((verdicts["state"] == state).sum())} for state in (FITTED, WEAK, REFUSED)]
    return Verdicts(data, "", {"model_verdicts": pd.DataFrame(counts).assign(unit="models", method="count of models", note="")}, {"verdicts": verdicts})
