"""The index of a batch: batch.csv and batch.html, which needs nothing but itself. Rounds, and computes nothing."""

from __future__ import annotations

__all__ = ["read_seconds", "refuse_others", "write_index", "write_table"]

import csv
import io
import math
from collections import Counter
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from lib.batch.places import is_remote, read_file, write_file
from lib.batch.workers import AGREES, DIFFERS, FAILED, KEPT, MADE, UNCHECKED, Outcome
from lib.dataset.dataset import part_label
from lib.languages.speech import ENGLISH, N_, _, in_language
from lib.publish.pages import BATCH, batch_page
from lib.show.formats import DASH, format_interval, format_median, format_number, format_p
from lib.show.phrases import joined, unit_name
from lib.study.parameters import NOTEBOOKS, Parameters
from lib.study.study import Study
from lib.study.written import guarded, refuse_other

TABLE, PAGE = "batch.csv", "batch.html"
STATUSES = {MADE: N_("made"), KEPT: N_("kept"), FAILED: N_("failed")}
CHECKED = {AGREES: N_("agrees"), DIFFERS: N_("differs"), UNCHECKED: N_("nothing checked")}
# Of all notebooks: name -> default.
DEFAULTS = {name: field.default for model in NOTEBOOKS.values() for name, field in model.model_fields.items()}
COLUMNS = tuple(name for name in Outcome.__dataclass_fields__ if name != "given")
# Pixels of the strip that holds an estimate, and the hazard ratios at which it may end.
WIDTH, EDGE, WIDEST = 220, 14, (0.05, 20.0)
TICKS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20)


class Strip(NamedTuple):
    """A run in the picture; positions in pixels from the left, None: beyond the strip or unknown."""

    label: str
    link: str
    low: float | None
    at: float | None
    high: float | None
    text: str


class Panel(NamedTuple):
    """Runs of one study and endpoint: what is estimated, its ticks as (position, label), where "no effect" stands."""

    title: str
    about: str
    ticks: list[tuple[float, str]]
    null: float | None
    strips: list[Strip]


def refuse_others(output: str) -> None:
    """Refuse a place where files lie that have the names of an index and are none.

    Raises
    ------
    FileExistsError
    """
    if not is_remote(output):
        refuse_other(Path(output) / TABLE, ",".join(COLUMNS[:2]))
        refuse_other(Path(output) / PAGE, BATCH)


def write_table(outcomes: list[Outcome], output: str) -> None:
    """Write batch.csv: one row per run, its parameters in columns of their own."""
    given = [name for name in DEFAULTS if any(name in outcome.given for outcome in outcomes)]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*COLUMNS[:2], *(f"parameter_{name}" for name in given), *COLUMNS[2:], "link"])
    for outcome in outcomes:
        values = asdict(outcome)
        asked = [_said(outcome.given.get(name, "")) for name in given]
        row = [*(values[c] for c in COLUMNS[:2]), *asked, *(values[c] for c in COLUMNS[2:]), _link(outcome)]
        writer.writerow(["" if value is None else guarded(value) if isinstance(value, str) else repr(value) for value in row])
    write_file(output, TABLE, out.getvalue())


def read_seconds(output: str) -> dict[str, float]:
    """Return run -> how long it took, as an earlier batch.csv tells."""
    rows = csv.DictReader(io.StringIO(read_file(output, TABLE) or ""))
    return {row["run"]: float(row["seconds"]) for row in rows if row.get("seconds") and row.get("status") != FAILED}


def write_index(title: str, outcomes: list[Outcome], studies: dict[str, Study], output: str) -> None:
    """Write batch.html, in the language of the studies; in English where they have several.

    Parameters
    ----------
    title : str
        Of the plan.
    outcomes : list of Outcome
        In the order of the plan; while the batch runs, those that are finished.
    studies : dict of Study
        Run -> its study.
    output : str
        Place of the batch.
    """
    languages = {study.language for study in studies.values()}
    with in_language(languages.pop() if len(languages) == 1 else ENGLISH):
        write_file(output, PAGE, _page(title, outcomes, studies))


def _page(title: str, outcomes: list[Outcome], studies: dict[str, Study]) -> str:
    counts = {status: sum(outcome.status == status for outcome in outcomes) for status in STATUSES}
    synthetic = {run.split("/")[0] for run, study in studies.items() if study.study.synthetic}
    return batch_page(
        header={"short_title": title},
        synthetic=sorted(synthetic),
        pages=[(PAGE, _("Overview"))],
        counts=counts | {"waiting": len(studies) - len(outcomes)},
        checks=Counter(outcome.self_check for outcome in outcomes),
        panels=_panels(outcomes, studies),
        strip=WIDTH,
        rows=[_row(outcome, studies[outcome.run]) for outcome in outcomes],
        statuses={status: _(said) for status, said in STATUSES.items()},
        checked={check: _(said) for check, said in CHECKED.items()},
    )


def _link(outcome: Outcome) -> str:
    return "" if outcome.status == FAILED else f"{outcome.run}/index.html"


def _asked(outcome: Outcome, study: Study, without: tuple[str, ...] = ()) -> str:
    """What a run was asked for, as a reader says it; what is everybody's default goes without saying."""
    given = {name: value for name, value in outcome.given.items() if name not in without and value != DEFAULTS[name]}
    part = Parameters(**{name: given.pop(name) for name in ("population", "subgroup", "subgroup_values") if name in given})
    words = {
        "endpoint": lambda value: study.endpoint(value).label,
        "reference": lambda value: _("against {arm}", arm=study.arm(value).label),
        "arms": lambda value: joined([study.arm(arm).label for arm in value]),
        "cutoff": lambda value: _("cut-off {date}", date=value),
        "level": lambda value: _("{percent}\N{NO-BREAK SPACE}% intervals", percent=f"{100 * value:g}"),
        "audience": lambda value: _("to {audience}", audience=value),
    }
    others = [
        words[name](value) if name in words else f"{name.replace('_', ' ')} {_said(value)}"
        for name, value in given.items()
    ]
    return _(", ").join(filter(None, [part_label(study, part), *others])) or _("as the study has it")


def _said(value) -> str:
    return "+".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _row(outcome: Outcome, study: Study) -> tuple:
    """A row of the table: the outcome, its link, what was asked for, endpoint and comparison, the numbers."""
    about = ", ".join(filter(None, [study.endpoint(outcome.endpoint).short if outcome.endpoint else "", outcome.group]))
    return outcome, _link(outcome), _asked(outcome, study, ("endpoint",)), about, _cells(outcome)


def _cells(outcome: Outcome) -> list[tuple[str, object]]:
    """The numbers of a row as (text, key to sort by)."""
    nan = float("nan")
    n, events, p = (nan if v is None else v for v in (outcome.n, outcome.n_events, outcome.p_value))
    seconds = nan if outcome.seconds is None else outcome.seconds
    return [
        (format_number(n, 0), n),
        (format_number(events, 0), events),
        (_estimate(outcome), nan if outcome.estimate is None else outcome.estimate),
        (format_p(p), p),
        (format_number(seconds, 1), seconds),
    ]


def _estimate(outcome: Outcome) -> str:
    if not outcome.statistic:
        return DASH
    at, low, high = (float("nan") if v is None else v for v in (outcome.estimate, outcome.ci_low, outcome.ci_high))
    if outcome.statistic == "median":
        return format_median({"n": outcome.n, "median": at, "ci_low": low, "ci_high": high})
    return DASH if math.isnan(at) else f"{format_number(at, 2)} ({format_interval(low, high, 2)})"


def _panels(outcomes: list[Outcome], studies: dict[str, Study]) -> list[Panel]:
    """One panel per study, endpoint and comparison; all hazard ratios on one scale."""
    shown = [outcome for outcome in outcomes if outcome.statistic]

    def key(outcome: Outcome) -> tuple:
        return outcome.study, outcome.endpoint, outcome.statistic, outcome.group

    first = {k: i for i, k in reversed(list(enumerate(map(key, shown))))}
    return [
        _panel(list(group), shown, studies)
        for __, group in groupby(sorted(shown, key=lambda outcome: first[key(outcome)]), key=key)
    ]


def _panel(group: list[Outcome], shown: list[Outcome], studies: dict[str, Study]) -> Panel:
    one = group[0]
    study = studies[one.run]
    arms = _pair([study.arm(arm).label for arm in one.group.split(" vs ")])
    ratio = one.statistic == "hr"
    scale = _scale([o for o in (shown if ratio else group) if o.statistic == one.statistic], ratio)
    known = [(scale(tick), f"{tick:g}") for tick in TICKS] if ratio else [(scale(0), "0")]
    ticks = [(x, label) for x, label in known if x is not None]
    strips = [_strip(outcome, study, scale) for outcome in group]
    about = _("Hazard ratio, {arms}", arms=arms) if ratio else _("Median time, {unit}, {arms}", unit=unit_name(study.time.unit), arms=arms)
    title = _("{study}: {endpoint}", study=study.study.short_title, endpoint=study.endpoint(one.endpoint).label)
    return Panel(title, about, ticks, scale(1) if ratio else None, strips)


def _pair(arms: list[str]) -> str:
    return _("{first} against {second}", first=arms[0], second=arms[1]) if len(arms) == 2 else joined(arms)


def _strip(outcome: Outcome, study: Study, scale) -> Strip:
    low, at, high = (None if v is None else scale(v) for v in (outcome.ci_low, outcome.estimate, outcome.ci_high))
    if at is not None:
        # A limit beyond the strip ends at its edge.
        low = low if low is not None else 0 if outcome.ci_low is not None else at
        high = high if high is not None else WIDTH
    # Endpoint and reference stand above the panel.
    asked = _asked(outcome, study, ("endpoint", "reference") if outcome.statistic == "hr" else ("endpoint",))
    return Strip(asked, _link(outcome), low, at, high, _estimate(outcome))


def _scale(outcomes: list[Outcome], ratio: bool):
    """Value -> pixels from the left, None outside: ratios on the logarithm, times from 0."""
    values = [v for o in outcomes for v in (o.ci_low, o.estimate, o.ci_high) if v is not None and math.isfinite(v)]
    if ratio:
        inside = [min(max(v, WIDEST[0]), WIDEST[1]) for v in [*values, 0.5, 2]]
        start, end = math.log(min(inside)), math.log(max(inside))
    else:
        start, end = 0.0, max([*values, 1.0])

    def scale(value: float) -> float | None:
        if not math.isfinite(value) or (ratio and value <= 0):
            return None
        x = EDGE + (WIDTH - 2 * EDGE) * ((math.log(value) if ratio else value) - start) / (end - start)
        return round(x, 1) if -1e-9 <= x - EDGE <= WIDTH - 2 * EDGE + 1e-9 else None

    return scale
