"""The table of patients -> endpoints: from dates where there are dates, and from pairs of a time and an event.

What decides a curve is certain or asked: which value is the event, which unit a time has. An endpoint with an open
question is left out until it is answered.
"""

from __future__ import annotations

__all__ = ["propose_endpoints"]

import re

import pandas as pd

from lib.intake.new_study.outcomes.event_codes import CENSORED_CODE, COMPETING, EVENT, Codes, codes_of
from lib.intake.new_study.outcomes.event_dates import event_dates
from lib.intake.new_study.outcomes.outcome_dates import find_dates, in_words
from lib.intake.new_study.outcomes.outcome_names import Pair, outcome_columns, paired, read_name, unit_of
from lib.intake.new_study.recognition import Proposal, Recognised, Words, as_id, as_label, plain_name
from lib.intake.new_study.words import DEATH, ENDPOINTS
from lib.study.parts import DAYS, FLAGS_OF_DATES

# Codes of an event and of censoring that no patient has: that of 0 and 1 which the other has not.
ABSENT = {EVENT: ("1", "0", "yes"), CENSORED_CODE: ("0", "1", "no")}
IN_BRACKETS = re.compile(r"\s*[(\[（【][^()\[\]（）【】]*[)\]）】]\s*\Z")
UNKNOWN = "unknown"
LONGEST_YEARS = 80  # nobody is followed for longer, so a unit that would make it so is not the unit
ZERO = "time zero (say what it is: randomisation, start of treatment ...)"


def propose_endpoints(proposal: Proposal, patients: Recognised) -> set[str]:
    """Propose endpoints.

    Parameters
    ----------
    proposal : Proposal
        Gets `time` and `endpoints`, and the questions about them.
    patients : Recognised
        Its cells and columns may be added to.

    Returns
    -------
    set of str
        Columns of the file that are times and events: an outcome is no baseline variable.
    """
    find_dates(proposal, patients)
    outcomes = {outcome.time: outcome for outcome in proposal.known.outcomes}
    endpoints, used = _derived(proposal, patients), set()
    taken = set(patients.columns.values())
    if proposal.questions.first:
        proposal.say("endpoints", "Times and events are asked about once it is known which rows are patients.")
        proposal.study |= {"time": {"unit": "months", "days_per_unit": DAYS["months"], "zero_label": proposal.own(ZERO)}, "endpoints": endpoints}
        return _outcomes_alone(patients, set())
    defined = [Pair(outcome.time, outcome.event) for outcome in outcomes.values()]
    taken |= {column for pair in defined for column in (pair.time, pair.event)} | set(proposal.known.aside)
    free = patients.frame.drop(columns=[name for name in patients.frame if name in taken])
    kinds = {endpoint["id"] for endpoint in endpoints}
    pairs = defined or paired(free, proposal.questions, needed=not endpoints)
    used |= {column for pair in pairs for column in (pair.time, pair.event) if column}
    pairs = [pair for pair in pairs if pair.event and not (read_name(pair.time).kinds & kinds)]
    units = _units(proposal, patients.frame, pairs)
    for pair in pairs:
        codes = _codes(proposal, patients.frame, pair, adam=pair.time in outcomes)
        if codes and pair.time in units:
            endpoint = _ready(proposal, patients, (pair, codes, units[pair.time]), {e["id"] for e in endpoints})
            named = outcomes.get(pair.time)
            endpoint |= {"label": as_label(named.label), "short": named.short} if named else {}
            endpoints.append(endpoint | _told_apart(endpoint, endpoints, pair))
        elif pair.time in units or proposal.questions.open:
            proposal.say("endpoints", f"{pair.time} with {pair.event}: its endpoint is left out until the question about it is answered.")
    if not endpoints and not proposal.questions.open:
        proposal.missing.append(
            "no endpoint: neither time_zero, last_contact_date and death_date, nor a column of times beside one of "
            "event and censoring (such as os_months and os_status)"
        )
    unit = proposal.known.unit or _shown_unit(patients, endpoints)
    proposal.study["time"] = {"unit": unit, "days_per_unit": DAYS[unit], "zero_label": proposal.own(ZERO)}
    proposal.say("time", "The unit in which results are shown. A month is 365.25 / 12 days.")
    proposal.study["endpoints"] = endpoints
    return used | _outcomes_alone(patients, used)


def _codes(proposal: Proposal, frame: pd.DataFrame, pair: Pair, *, adam: bool) -> Codes | None:
    """What the event's cells mean, of patients with a time; where all that are filled say one thing, what an empty one says is asked."""
    cells = frame.loc[frame[pair.time].notna(), pair.event]
    filled, empty = cells.dropna(), cells.index[cells.isna()]
    if filled.nunique() != 1 or empty.empty:
        return codes_of(filled, pair.event, proposal.questions, adam=adam)
    value, n = filled.iloc[0], len(empty)
    text = f"{n} of {len(cells)} patients have a time and nothing in {pair.event}, the others {value}. What does nothing mean?"
    options = {CENSORED_CODE: f"{len(filled)} patients have the event, {n} are censored", UNKNOWN: f"it is not known what became of these {n} patients"}
    answer = proposal.questions.ask(f"nothing in {pair.event}", text, options)
    if answer == CENSORED_CODE:
        code = next(code for code in ABSENT[CENSORED_CODE] if code != value)
        frame.loc[empty, pair.event] = code
        return Codes({value: EVENT, code: CENSORED_CODE}, "as answered")
    return answer and codes_of(filled, pair.event, proposal.questions, adam=adam)


def _outcomes_alone(patients: Recognised, used: set[str]) -> set[str]:
    """Outcomes by name that no endpoint uses: a kind of outcome, or plainly a time or a status, and nothing else."""
    taken = used | set(patients.columns.values())
    times, events = outcome_columns(patients.frame)
    alone = set()
    for column in [c for c in (*times, *events) if c not in taken]:
        name = read_name(column)
        if not name.others and (name.kinds or name.event or (name.status and column in events) or (name.time and name.kinds)):
            alone.add(column)
    return alone


def _derived(proposal: Proposal, patients: Recognised) -> list[dict]:
    """Endpoints from dates; a flag of an event serves those alone, else it is the event of a ready-made time."""
    has = event_dates(proposal, patients)
    for date, flag in FLAGS_OF_DATES.items():
        if date not in has:
            patients.columns.pop(flag, None)
        elif flag not in patients.columns:
            dated = patients.frame[patients.columns[date]].notna()
            patients.frame[flag], patients.columns[flag] = dated.map({True: "1", False: "0"}), flag
            proposal.say(
                "endpoints", f"{flag} is 1 where {patients.columns[date]} holds a date: the file has no such column."
            )
    if proposal.known.outcomes:  # what a standard counts goes before what dates could give again
        return []
    endpoints = []
    scan = "last_tumour_assessment" if "last_tumour_assessment" in has else "last_contact_date"
    if "local_progression_date" in has:
        events = [date for date in ("local_progression_date", "death_date") if date in has]
        endpoints.append(
            {
                "id": "pfs", "label": proposal.own("Progression-free survival"), "short": "PFS", "role": "primary",
                "events": events, "censor": scan,
                "definition": proposal.own("from time zero to progression or death from any cause; otherwise censored at the last assessment"),
            }
        )  # fmt: skip
    if "death_date" in has:
        endpoints.append(
            {
                "id": "os", "label": proposal.own("Overall survival"), "short": "OS",
                "role": "secondary" if endpoints else "primary",
                "events": ["death_date"], "censor": "last_contact_date",
                "definition": proposal.own("from time zero to death from any cause; otherwise censored at the last contact"),
            }
        )  # fmt: skip
    if endpoints:
        proposal.say("endpoints", f"Derived from the dates in the table: {', '.join(e['short'] for e in endpoints)}.")
    return endpoints


def _units(proposal: Proposal, frame: pd.DataFrame, pairs: list[Pair]) -> dict[str, str]:
    """Time -> its unit: as its name, its label or a standard says, else as answered once for all times of which none does."""
    known = proposal.known
    said = {time: known.units.get(time) or unit_of(time) or unit_of(known.labels.get(time, "")) for time in (pair.time for pair in pairs)}
    units = {time: unit for time, unit in said.items() if unit}
    unsaid = list(dict.fromkeys(pair.time for pair in pairs if pair.time not in units))
    if not unsaid:
        return units
    times = pd.concat([pd.to_numeric(frame[time], errors="coerce") for time in unsaid]).dropna()
    median, longest, options = times.median(), times.max(), {}
    for unit, days in DAYS.items():
        years = longest * days / DAYS["years"]
        if years <= LONGEST_YEARS:
            options[unit] = f"the median time is {median:g} {unit} ({in_words(median * days)}), the longest {in_words(longest * days)}"
    named = ", ".join(unsaid)
    if not options:
        proposal.say("endpoints", f"{named}: in whatever unit, the longest time would be above {LONGEST_YEARS} years, so it is no time that somebody was followed.")
        return units
    if len(options) == 1:
        (unit,) = options
        proposal.say("endpoints", f"{named} in {unit}: no name says it, but in any other unit the longest would be above {LONGEST_YEARS} years.")
        return units | dict.fromkeys(unsaid, unit)
    unit = proposal.questions.ask("unit of time", f"In which unit are the times in {named}? No name says it.", options)
    return units | dict.fromkeys(unsaid, unit) if unit else units


def _ready(proposal: Proposal, patients: Recognised, known: tuple[Pair, Codes, str], ids: set[str]) -> dict:
    """A ready-made endpoint, all of it certain or answered: its columns, what its codes mean, its unit."""
    pair, codes, unit = known
    event = _coded(patients, pair, codes)
    columns = {}
    for what, theirs in (("time", pair.time), ("status", event)):
        ours = as_id(theirs, what, {name for name, column in patients.columns.items() if column != theirs})
        patients.columns[ours] = theirs
        columns[what] = ours
    kind = _kind(pair, codes)
    label, short = (proposal.own(ENDPOINTS[kind][1]), ENDPOINTS[kind][2]) if kind else [_named(proposal, pair)] * 2
    if not kind and (said := proposal.known.labels.get(pair.time)):
        label = as_label(IN_BRACKETS.sub("", said))
    roles = {role: code for code, role in _roles(patients.frame[event], pair, event, codes).items()}
    counts = patients.analysed.loc[patients.analysed[pair.time].notna(), event].value_counts()
    said = ", ".join(_meaning(role, code, counts.get(code, 0)) for role, code in roles.items())
    proposal.say(
        "endpoints",
        f"{pair.time} with {event}, in {unit}: {said}, {codes.because}. Write what the event is, and from when to when.",
    )
    taken = as_id(kind or as_id(_short(pair), "endpoint"), "endpoint", ids)
    return {
        "id": taken, "label": label, "short": short, "role": "secondary" if ids else "primary",
        "time": {"column": columns["time"], "unit": unit},
        "event": {"column": columns["status"], **roles},
        "definition": proposal.own(f"time in {pair.time}, event in {pair.event} (say from when to when, and who is censored)"),
    }  # fmt: skip


def _told_apart(endpoint: dict, others: list[dict], pair: Pair) -> dict[str, Words]:
    """What of label and short name another endpoint has already, with the name of its time behind it."""
    taken = {said for other in others for what in ("label", "short") for said in _said(other[what])}
    return {what: _behind(endpoint[what], pair.time) for what in ("label", "short") if _said(endpoint[what]) & taken}


def _said(words: Words) -> set[str]:
    return {said.casefold() for said in (words.values() if isinstance(words, dict) else [words])}


def _behind(words: Words, name: str) -> Words:
    return {code: f"{said} ({name})" for code, said in words.items()} if isinstance(words, dict) else f"{words} ({name})"


def _kind(pair: Pair, codes: Codes) -> str:
    """What kind of outcome it is: as the time's name says, else the event's, else its words; empty if none does."""
    for name in (read_name(pair.time), read_name(pair.event)):
        if len(name.kinds) == 1:
            return next(iter(name.kinds))
    events = [value for value, role in codes.roles.items() if role == EVENT]
    return "os" if all(DEATH.fullmatch(value) for value in events) else ""


def _meaning(role: str, code: str, n: int) -> str:
    return {
        EVENT: f"{code} is the event ({n} patients)",
        CENSORED_CODE: f"{code} is censored ({n} patients)",
        COMPETING: f"{code} is a competing event ({n} patients)",
    }[role]


def _coded(patients: Recognised, pair: Pair, codes: Codes) -> str:
    """The column of events; one of our own where several values have one meaning."""
    if len(set(codes.roles.values())) == len(codes.roles):
        return pair.event
    column = as_id(f"{pair.event} meaning", "status", patients.frame)
    patients.frame[column] = patients.frame[pair.event].map(codes.roles)
    return column


def _roles(cells: pd.Series, pair: Pair, event: str, codes: Codes) -> dict[str, str]:
    """Code in the table -> what it means, with codes for event and censoring even where nobody has them."""
    roles = dict(codes.roles) if event == pair.event else {role: role for role in codes.roles.values()}
    for role, usual in ABSENT.items():
        if role not in roles.values():
            roles[next(code for code in usual if code not in roles)] = role
    order = (EVENT, CENSORED_CODE, COMPETING)
    return dict(sorted(roles.items(), key=lambda item: order.index(item[1])))


def _short(pair: Pair) -> str:
    others = [word for word in (*read_name(pair.event).others, *read_name(pair.time).others)]
    stem = " ".join(dict.fromkeys(others)) or plain_name(pair.time) or IN_BRACKETS.sub("", pair.time) or "time"
    return stem.upper() if len(stem) <= 4 else as_label(stem)


def _named(proposal: Proposal, pair: Pair) -> Words:
    short = _short(pair)
    return proposal.own(f"Endpoint {short}") if short.isdigit() else short


def _shown_unit(patients: Recognised, endpoints: list[dict]) -> str:
    ready = [endpoint["time"] for endpoint in endpoints if "time" in endpoint]
    if not ready:
        return "months"
    column = patients.frame[patients.columns[ready[0]["column"]]]
    longest = pd.to_numeric(column, errors="coerce").max() * DAYS[ready[0]["unit"]]
    if ready[0]["unit"] != "days":
        return ready[0]["unit"]
    return "years" if longest > 5 * 365 else "months"
