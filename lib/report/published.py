"""The claims of a publication (claims), each held against the report's own results."""

from __future__ import annotations

__all__ = ["ABSENT", "MATCHES", "compare_published", "find_ranges"]

import pandas as pd

from lib.languages.speech import N_, _
from lib.show.formats import TO, format_number, rounded_as_shown
from lib.study.claims import Check, Claim

# Verdicts on a claim; shown in the language in force.
MATCHES, DIFFERS, ABSENT = N_("matches"), N_("differs"), N_("not available")


def compare_published(claims: tuple[Claim, ...], results: pd.DataFrame) -> pd.DataFrame:
    """Hold each claim against the results.

    Parameters
    ----------
    claims : tuple of Claim
    results : DataFrame
        Rows of results.csv.

    Returns
    -------
    DataFrame, one row per claim
        id, claim, printed, reproduced (text), verdict: "matches" to the printed precision, "differs", or
        "not available" when the results lack a row.
    """
    rows = []
    for claim in claims:
        checked = [_check(check, results) for check in claim.checks]
        holds = [held for held, __ in checked]
        verdict = ABSENT if None in holds else MATCHES if all(holds) else DIFFERS
        rows.append((claim.id, claim.claim, claim.printed, "; ".join(text for __, text in checked), verdict))
    return pd.DataFrame(rows, columns=["id", "claim", "printed", "reproduced", "verdict"])


def find_ranges(claims: tuple[Claim, ...], results: pd.DataFrame) -> pd.DataFrame:
    """Range over the groups of each check `narrower`, at its time and at the one before it.

    Returns
    -------
    DataFrame, one row per claim and time: `variable` (id of the claim), `group` (overall), `time`, `difference`,
    `method`, `note`
    """
    rows = [
        (claim.id, "overall", time, _range(values) / check.scale)
        for claim in claims
        for check in claim.checks
        if check.rule == "narrower"
        for time in (check.than_time, check.time)
        if (values := _select(check, results, time)) is not None
    ]
    frame = pd.DataFrame(rows, columns=["variable", "group", "time", "difference"]).drop_duplicates(["variable", "time"])
    return frame.assign(method="range over the groups", note="")


def _range(values: list[float]) -> float:
    return max(values) - min(values)


def _select(check: Check, results: pd.DataFrame, time: float | None) -> list[float] | None:
    """Values of the selected groups, in the order named; None if one is missing."""
    rows = results[
        (results["output"] == check.output)
        & (results["variable"] == check.variable)
        & (results["statistic"] == check.statistic)
        & (results["time"].isna() if time is None else results["time"] == time)
    ].set_index("group")["value"]
    if not set(check.group) <= set(rows.index) or rows[list(check.group)].isna().any():
        return None
    return [float(rows[group]) * check.scale for group in check.group]


def _shown(value: float, decimals: int) -> str:
    """A number with its decimals; a p-value that these would make 0 is below them, not nothing."""
    shown = format_number(value, decimals)
    return f"<{format_number(10.0**-decimals, decimals)}" if value > 0 and rounded_as_shown(value, decimals) == 0 else shown


def _check(check: Check, results: pd.DataFrame) -> tuple[bool | None, str]:
    """Whether the check holds (None: a row is missing), and the values as text."""
    values = _select(check, results, check.time)
    before = _select(check, results, check.than_time) if check.than_time is not None else []
    if values is None or before is None:
        return None, "–"
    rounded = [rounded_as_shown(value, check.decimals) for value in values]
    text = " / ".join(_shown(value, check.decimals) for value in values)
    match check.rule:
        case "equals":
            held = rounded == list(check.value)
        case "span":
            low, high = min(rounded), max(rounded)
            held, text = [low, high] == list(check.value), _(TO).join(format_number(end, check.decimals) for end in (low, high))
        case "below":
            held = all(value < check.value[0] for value in values)
        case "at_least":
            held = all(value >= check.value[0] for value in values)
        case "lowest":
            held = check.group[values.index(min(values))] == check.which
        case "narrower":
            spread = _range(values), _range(before)
            held = spread[0] < spread[1]
            now, earlier = (format_number(v, check.decimals) for v in spread)
            text = _("range over the arms {now}, before {before}", now=now, before=earlier)
    return held, text
