"""The table of patients -> arms, endpoints and baseline variables of a proposed study."""

from __future__ import annotations

__all__ = ["propose_arms", "propose_baseline", "propose_endpoints"]

import re

import pandas as pd

from lib.intake.new_study.recognition import (
    NUMBER,
    Proposal,
    Recognised,
    as_id,
    as_label,
    is_numeric,
    plain_name,
    values_of,
)
from lib.study.parts import DATE_COLUMNS, FLAGS_OF_DATES

# Okabe and Ito, safe for the colour-blind; yellow and black are left out, which print badly as bands.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
LINES = ("solid", "dashed", "dashdot", "dotted")
MAX_ARMS = 6
MAX_LEVELS = 10
MAX_CODES = 4  # more different numbers than these are counts or measurements, not codes
CONTROL = re.compile(r"control|placebo|observ|standard|no treatment|untreated|^obs$|^soc$|kontroll", re.IGNORECASE)
UNITS = {"days": 1.0, "weeks": 7.0, "months": 30.4375, "years": 365.25}
TIME = re.compile(r"(?:^|_)(time|days?|weeks?|months?|mths|years?|yrs|duration|futime|fu|survival|surv)(?=_|$)")
EVENT = re.compile(r"(?:^|_)(status|event|evt|censor(?:ed)?|cens|cnsr|fustat|stat|flag)(?=_|$)")
HAPPENED = (
    "1", "dead", "died", "deceased", "event", "yes", "y", "true", "progressed", "relapse", "relapsed", "recurrence",
)  # fmt: skip


def propose_arms(proposal: Proposal, patients: Recognised) -> None:
    """Propose arms and the reference arm.

    Parameters
    ----------
    proposal : Proposal
        Gets `arms` and `reference_arm`.
    patients : Recognised
        Its cells and columns may be added to.
    """
    column = patients.columns.get("arm") or _grouping(patients)
    if column is None:
        proposal.missing.append("no column tells the arms apart: every patient is put into one arm, All patients")
        patients.frame["arm"], column = "all", "arm"
    elif "arm" not in patients.columns:
        proposal.say("arms", f"No column is called arm; {column} divides the patients into few groups. Right?")
    patients.columns["arm"] = column
    counts = patients.frame[column].value_counts()
    values = values_of(patients.frame[column])
    if len(values) > MAX_ARMS:
        proposal.say(
            "arms", f"{column} holds {len(values)} values; six arms at most. The largest are kept; check the others."
        )
        values = [value for value in values if value in set(counts.index[:MAX_ARMS])]
    control = next((value for value in values if CONTROL.search(value)), values[0] if values else "")
    values = sorted(values, key=lambda value: value != control)
    proposal.study["arms"] = [
        {
            "id": _arm_id(value, number),
            "value": value,
            "label": "All patients" if value == "all" else as_label(value),
            "colour": COLOURS[number],
            "line": LINES[number % len(LINES)],
        }
        for number, value in enumerate(values)
    ]
    proposal.study["reference_arm"] = _arm_id(control, 0)
    n = ", ".join(f"{value}: {counts[value]}" for value in values)
    proposal.say("arms", f"Values of {column} and their patients: {n}. The order here is the order everywhere.")
    proposal.say(
        "reference_arm", "The arm others are compared with: the one that sounds like a control, else the first."
    )


def _arm_id(value: str, number: int) -> str:
    return value if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,11}", value) else f"arm{number + 1}"


def _grouping(patients: Recognised) -> str | None:
    """A column of two to six texts without a usual name, should it be the only one with such a word in it."""
    named = [name for name in patients.frame if re.search(r"arm|group|treat|therap|regimen", plain_name(name))]
    named = [name for name in named if 2 <= patients.frame[name].nunique() <= MAX_ARMS]
    return named[0] if len(named) == 1 else None


def propose_endpoints(proposal: Proposal, patients: Recognised) -> set[str]:
    """Propose endpoints from dates where there are dates, else from pairs of a time and a status.

    Parameters
    ----------
    proposal : Proposal
        Gets `time` and `endpoints`.
    patients : Recognised
        Its cells and columns may be added to.

    Returns
    -------
    set of str
        Columns of the file that are times and events.
    """
    has = {ours for ours in patients.columns if ours in DATE_COLUMNS or ours == "time_zero"}
    endpoints, used = [], set()
    if {"time_zero", "last_contact_date"} <= has:
        endpoints = _derived(proposal, patients, has)
    if not endpoints:
        for time, event in _pairs(patients.frame):
            endpoints.append(_ready(proposal, patients, time, event, first=not endpoints))
            used |= {time, event}
    zero = "time zero (say what it is: randomisation, start of treatment ...)"
    if not endpoints:
        proposal.missing.append(
            "no endpoint: neither time_zero, last_contact_date and death_date, nor a column of times beside one of "
            "event and censoring (such as os_months and os_status)"
        )
    unit = _shown_unit(patients, endpoints)
    proposal.study["time"] = {"unit": unit, "days_per_unit": UNITS[unit], "zero_label": zero}
    proposal.say("time", "The unit in which results are shown. A month is 365.25 / 12 days.")
    proposal.study["endpoints"] = endpoints
    return used


def _derived(proposal: Proposal, patients: Recognised, has: set[str]) -> list[dict]:
    for date, flag in FLAGS_OF_DATES.items():
        if date in has and flag not in patients.columns:
            dated = patients.frame[patients.columns[date]].notna()
            patients.frame[flag], patients.columns[flag] = dated.map({True: "1", False: "0"}), flag
            proposal.say(
                "endpoints", f"{flag} is 1 where {patients.columns[date]} holds a date: the file has no such column."
            )
    endpoints = []
    scan = "last_tumour_assessment" if "last_tumour_assessment" in has else "last_contact_date"
    if "local_progression_date" in has:
        events = [date for date in ("local_progression_date", "death_date") if date in has]
        endpoints.append(
            {
                "id": "pfs", "label": "Progression-free survival", "short": "PFS", "role": "primary",
                "events": events, "censor": scan,
                "definition": "from time zero to progression or death from any cause; otherwise censored at the last assessment",
            }
        )  # fmt: skip
    if "death_date" in has:
        endpoints.append(
            {
                "id": "os", "label": "Overall survival", "short": "OS",
                "role": "secondary" if endpoints else "primary",
                "events": ["death_date"], "censor": "last_contact_date",
                "definition": "from time zero to death from any cause; otherwise censored at the last contact",
            }
        )  # fmt: skip
    if endpoints:
        proposal.say("endpoints", f"Derived from the dates in the table: {', '.join(e['short'] for e in endpoints)}.")
    return endpoints


def _pairs(frame: pd.DataFrame) -> list[tuple[str, str]]:
    """Columns of times, each with the column of its events: what remains of their names is the same, or is alone."""
    names = {column: plain_name(column) for column in frame}
    times = [c for c, name in names.items() if TIME.search(name) and is_numeric(frame[c]) and frame[c].nunique() > 4]
    events = [c for c, name in names.items() if EVENT.search(name) and 2 <= frame[c].nunique() <= 3]
    pairs = []
    for time in times:
        stem = TIME.sub("", names[time]).strip("_")
        same = [c for c in events if EVENT.sub("", names[c]).strip("_") == stem]
        if not same and stem:
            same = [c for c in frame if names[c] == stem and 2 <= frame[c].nunique() <= 3]
        if same:
            pairs.append((time, same[0]))
    if not pairs and len(times) == len(events) == 1:
        pairs = [(times[0], events[0])]
    return pairs


def _ready(proposal: Proposal, patients: Recognised, time: str, event: str, *, first: bool) -> dict:
    """A ready-made endpoint: the unit from the name or the size of the times, the codes from their usual meaning."""
    stem = plain_name(event) if EVENT.sub("", plain_name(event)) else plain_name(time)
    stem = EVENT.sub("", stem).strip("_") or plain_name(time)
    unit, because = _unit(time, patients.frame[time])
    codes, meaning = _codes(event, values_of(patients.frame[event]))
    columns = {}
    for what, theirs in (("time", time), ("status", event)):
        ours = as_id(theirs, what, {name for name, column in patients.columns.items() if column != theirs})
        patients.columns[ours] = theirs
        columns[what] = ours
    short = stem.replace("_", " ").upper() if len(stem) <= 4 else as_label(stem)
    short = f"Endpoint {short}" if short.isdigit() else short
    proposal.say(
        "endpoints", f"{time} with {event}: {because}; {meaning}. Write what the event is, and from when to when."
    )
    return {
        "id": as_id(stem, "endpoint"), "label": short, "short": short, "role": "primary" if first else "secondary",
        "time": {"column": columns["time"], "unit": unit},
        "event": {"column": columns["status"], **codes},
        "definition": f"time in {time}, event in {event} (say from when to when, and who is censored)",
    }  # fmt: skip


def _unit(time: str, cells: pd.Series) -> tuple[str, str]:
    name = plain_name(time)
    for unit in UNITS:
        if re.search(rf"(^|_)({unit}|{unit[:-1]}|{unit[:2]})(_|$)|{unit}$", name):
            return unit, f"{unit}, as the name says"
    longest = pd.to_numeric(cells, errors="coerce").max()
    unit = "days" if longest > 400 else "months" if longest > 25 else "years"
    return unit, f"taken for {unit}, since the longest is {longest:g}"


def _codes(event: str, values: list[str]) -> tuple[dict[str, str], str]:
    """Which code is the event: an indicator of censoring counts the other way round."""
    censoring = "cens" in plain_name(event) or "cnsr" in plain_name(event)
    if set(values) == {"1", "2"}:
        happened = "2"
    elif censoring:
        happened = "0" if "0" in values else next((v for v in values if v.lower() in ("no", "n", "false")), values[0])
    else:
        happened = next((v for v in values if v.lower() in HAPPENED), values[-1])
    rest = [value for value in values if value != happened]
    usual = ("0", "1", "alive", "censored", "no", "n", "false", "none")
    censored = next((value for value in rest if value.lower() in usual), rest[0])
    codes = {"event": happened, "censored": censored}
    competing = [value for value in rest if value != censored]
    if competing:
        codes["competing"] = competing[0]
    return codes, f"{happened} taken for the event, {censored} for censored" + (
        f", {competing[0]} for a competing event" if competing else ""
    )


def _shown_unit(patients: Recognised, endpoints: list[dict]) -> str:
    ready = [endpoint["time"] for endpoint in endpoints if "time" in endpoint]
    if not ready:
        return "months"
    column = patients.frame[patients.columns[ready[0]["column"]]]
    longest = pd.to_numeric(column, errors="coerce").max() * UNITS[ready[0]["unit"]]
    if ready[0]["unit"] != "days":
        return ready[0]["unit"]
    return "years" if longest > 5 * 365 else "months"


def propose_baseline(proposal: Proposal, patients: Recognised, used: set[str]) -> None:
    """Propose every other column that is a number or a category of few values as a baseline variable.

    Parameters
    ----------
    proposal : Proposal
        Gets `baseline`, and the reasons for columns that are left out.
    patients : Recognised
        Loses the columns that are left out.
    used : set of str
        Columns of endpoints.
    """
    taken, variables, reasons = set(patients.columns.values()) | used, [], {}
    for column in [name for name in patients.frame if name not in taken]:
        cells = patients.frame[column].dropna()
        reason = _no_variable(cells)
        if reason:
            reasons[column] = reason
            continue
        ours = as_id(column, "variable", patients.columns)
        patients.columns[ours] = column
        variables.append({"id": ours, "label": as_label(column)} | _type(cells))
    proposal.study["baseline"] = variables
    proposal.say(
        "baseline", "Variables of Table 1: write label and unit; a coded category needs a label for each code."
    )
    proposal.leave_out(patients, reasons)


def _no_variable(cells: pd.Series) -> str:
    if cells.empty:
        return "it is empty"
    if cells.nunique() == 1:
        return "it is the same for everybody"
    if not is_numeric(cells) and cells.nunique() > MAX_LEVELS:
        dates = cells.map(lambda cell: bool(re.match(r"\d{4}-\d\d-\d\d\Z", cell))).mean() > 0.8
        return "a date that no rule uses" if dates else f"free text, {cells.nunique()} different values"
    return ""


def _type(cells: pd.Series) -> dict:
    values = values_of(cells)
    coded = len(values) <= 2 or (len(values) <= MAX_CODES and len(values) < len(cells) / 4)
    if is_numeric(cells) and not coded:
        decimals = max((len(value.partition(".")[2]) for value in values if NUMBER.match(value)), default=0)
        return {"type": "number", "decimals": min(decimals, 4)} if decimals else {"type": "integer"}
    usual = {"0": "No", "1": "Yes"} if values == ["0", "1"] else {}
    return {"type": "category", "levels": [{"value": v, "label": usual.get(v, as_label(v))} for v in values]}
