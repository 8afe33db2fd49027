"""The table of patients -> arms and baseline variables of a proposed study; endpoints stand in proposal_endpoints."""

from __future__ import annotations

__all__ = ["MAX_LEVELS", "propose_arms", "propose_baseline"]

import re
from collections.abc import Callable

import pandas as pd

from lib.intake.new_study.recognition import (
    NUMBER,
    Known,
    Proposal,
    Recognised,
    Words,
    as_id,
    as_label,
    is_date,
    is_numeric,
    values_of,
)
from lib.intake.new_study.words import CALLED, SCREEN_FAILURE, known_name

# Okabe and Ito, safe for the colour-blind; yellow and black are left out, which print badly as bands.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
LINES = ("solid", "dashed", "dashdot", "dotted")
MAX_ARMS = 6
MAX_LEVELS = 10
# Of the words of a column's name that may tell the arms apart, or something else: a risk group, an earlier treatment.
NEARLY = re.compile(r"(^|_)arm(_|$)|group|treat|therap|regimen|gruppe|组|治疗|群")
ONE_ARM, LEAVE_OUT, OWN_ARM, NOT_STATED = "none", "leave out", "own arm", "not stated"
# Arms that no table names.
ALL = "all"
OUR_ARMS = {ALL: "All patients", NOT_STATED: "Not stated"}
FREE_TEXT = "free text"  # may hold anything, names too
MAX_CODES = 4  # more different numbers than these are counts or measurements, not codes
WITH_UNIT = re.compile(r"(.*\S)\s*[(\[]([^()\[\]\s]{1,12})[)\]]\s*\Z")  # "Age (years)", "Weight at baseline [kg]"
CONTROL = re.compile(r"对照|安慰剂|空白组|常规|対照|プラセボ|control|placebo|^pbo|observ|standard|no treatment|untreated|^obs$|^soc$|kontroll", re.IGNORECASE)


def propose_arms(proposal: Proposal, patients: Recognised) -> None:
    """Propose arms and the reference arm.

    Parameters
    ----------
    proposal : Proposal
        Gets `arms` and `reference_arm`.
    patients : Recognised
        Its cells and columns may be added to.
    """
    column = _arm_column(proposal, patients)
    if column is None:
        column = as_id("arm", "arm", patients.frame)
        patients.frame[column] = ALL
    _without_failures(proposal, patients, column)
    _without_arm(proposal, patients, column)
    patients.columns["arm"] = column
    counts = patients.analysed[column].value_counts()
    values = values_of(patients.analysed[column])
    control = next((value for value in values if CONTROL.search(value)), values[0] if values else "")
    values = sorted(values, key=lambda value: value != control)
    proposal.study["arms"] = [
        {
            "id": _arm_id(value, number),
            "value": value,
            "label": proposal.own(OUR_ARMS[value]) if value in OUR_ARMS else as_label(value),
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


def _arm_column(proposal: Proposal, patients: Recognised) -> str | None:
    """The column that tells the arms apart: its name says it, or it is asked; None is one arm of all patients."""
    frame, questions = patients.frame, proposal.questions
    named = questions.volunteered("arm")
    if named in frame and 1 <= frame[named].nunique() <= MAX_ARMS:
        proposal.say("arms", f"{named} tells the arms apart, as answered.")
        return named
    free = [name for name in frame if name not in patients.columns.values() or name == patients.columns.get("arm")]
    called = {known_name(name): name for name in reversed(free)}
    called = list(dict.fromkeys(called[name] for name in CALLED["arm"].split() if name in called))
    plain = [name for name in called if 1 <= frame[name].nunique() <= MAX_ARMS and not _measured(frame[name])]
    near = [name for name in free if name not in plain and NEARLY.search(known_name(name)) and 2 <= frame[name].nunique() <= MAX_ARMS]
    plain = [name for number, name in enumerate(plain) if not any(_same_groups(frame, name, other) for other in plain[:number])]
    if len(plain) == 1 and named is None:
        return plain[0]
    if not plain and not near and not called and named is None:
        groups = [name for name in free if 2 <= frame[name].nunique() <= MAX_ARMS]
        proposal.missing.append("no column tells the arms apart: every patient is put into one arm, All patients")
        if groups:
            proposal.missing.append(f"to compare the patients of {', '.join(groups[:6])}, answer arm in answers.yml with the column")
        return None
    analysed = patients.analysed
    options = {name: ", ".join(f"{v} ({n})" for v, n in analysed[name].value_counts().items()) for name in [*plain, *near]}
    options[ONE_ARM] = f"all {len(analysed)} patients in one arm, nothing is compared"
    large = [f"{name} holds {frame[name].nunique()} values, six arms at most." for name in called if name not in plain]
    answer = questions.ask("arm", " ".join(["Which column tells the arms apart?", *large]), options)
    return None if answer in (None, ONE_ARM) else answer


def _measured(cells: pd.Series) -> bool:
    """Whether the values are numbers that no code would be: with decimals, or above 20."""
    numbers = pd.to_numeric(cells.dropna(), errors="coerce")
    return bool(numbers.notna().all() and ((numbers > 20).any() or (numbers % 1 != 0).any()))


def _same_groups(frame: pd.DataFrame, one: str, other: str) -> bool:
    pairs = frame[[one, other]].drop_duplicates()
    return len(pairs) == frame[one].nunique(dropna=False) == frame[other].nunique(dropna=False)


def _without_failures(proposal: Proposal, patients: Recognised, column: str) -> None:
    """Patients whose arm says that they were never in one: they are excluded, and no arm."""
    frame, reason = patients.frame, patients.columns.get("excluded", "excluded")
    failed = frame[column].astype("string").str.fullmatch(SCREEN_FAILURE, case=False).fillna(False).astype(bool)
    if not failed.any() or failed.all():
        return
    said = frame[reason] if "excluded" in patients.columns else pd.Series(None, frame.index, dtype=object)
    patients.columns["excluded"] = reason
    frame[reason] = said.where(~failed | said.notna(), "Screen failure")
    frame.loc[failed, column] = None
    proposal.say("arms", f"{failed.sum()} patients are excluded: {column} says screen failure. It is no arm.")


def _without_arm(proposal: Proposal, patients: Recognised, column: str) -> None:
    """Patients of whom no arm is known: what becomes of them is asked."""
    frame, empty = patients.frame, patients.frame[column].isna()
    if "excluded" in patients.columns:  # nobody asks for the arm of a patient who is not analysed
        empty &= frame[patients.columns["excluded"]].isna()
    if not empty.any():
        return
    text = f"{empty.sum()} of {len(frame)} patients have no {column}. What becomes of them?"
    follows = {LEAVE_OUT: f"{(~empty).sum()} patients are analysed", OWN_ARM: f"the {empty.sum()} are an arm of their own, {NOT_STATED}"}
    if frame[column].nunique() >= MAX_ARMS:
        follows.pop(OWN_ARM)
    answer = proposal.questions.ask(f"patients without {column}", text, follows, first=True)
    if answer == OWN_ARM:
        frame.loc[empty, column] = NOT_STATED
    elif answer == LEAVE_OUT:
        frame.drop(index=frame.index[empty], inplace=True)
        proposal.say("arms", f"{empty.sum()} patients without {column} are left out, as answered.")


def propose_baseline(proposal: Proposal, patients: Recognised, used: set[str]) -> None:
    """Propose every other column that is a number or a category of few values as a baseline variable.

    Parameters
    ----------
    proposal : Proposal
        Gets `baseline`, and the reasons for columns that are no variables.
    patients : Recognised
        Loses columns of free text; other columns stay in the table, though study.yml does not name them yet.
    used : set of str
        Columns of endpoints.
    """
    taken, variables, reasons = set(patients.columns.values()) | used, [], {}
    for column in [name for name in patients.frame if name not in taken]:
        cells = patients.frame[column].dropna()
        reason = proposal.known.aside.get(column) or _no_variable(cells)
        if reason:
            reasons[column] = reason
            continue
        ours = as_id(column, "variable", patients.columns)
        patients.columns[ours] = column
        label, unit = _label_and_unit(proposal.known, column)
        kind = _type(cells, proposal.own)
        of_number = {"unit": unit} if unit and "levels" not in kind else {}
        variables.append({"id": ours, "label": label} | of_number | kind)
    proposal.study["baseline"] = variables
    proposal.say(
        "baseline", "Variables of Table 1: write label and unit; a coded category needs a label for each code."
    )
    free = {c: why for c, why in reasons.items() if why.startswith(FREE_TEXT)}
    proposal.kept_aside(patients, {c: why for c, why in reasons.items() if c not in free})
    proposal.leave_out(patients, free)


def _label_and_unit(known: Known, column: str) -> tuple[str, str]:
    """What the file says that a variable is, without the unit that stands behind it in brackets; else its name."""
    label = known.labels.get(column, "")
    match = WITH_UNIT.match(label)
    unit = known.units.get(column) or (match[2] if match else "")
    return as_label(match[1] if match else label or column), unit


def _no_variable(cells: pd.Series) -> str:
    if cells.empty:
        return "it is empty"
    if cells.nunique() == 1:
        return "it is the same for everybody"
    if is_date(cells):
        return "a date that no rule uses"
    if not is_numeric(cells) and cells.nunique() > MAX_LEVELS:
        return f"{FREE_TEXT}, {cells.nunique()} different values"
    return ""


def _type(cells: pd.Series, own: Callable[[str], Words]) -> dict:
    values = values_of(cells)
    coded = len(values) <= 2 or (len(values) <= MAX_CODES and len(values) < len(cells) / 4)
    if is_numeric(cells) and not coded:
        decimals = max((len(value.partition(".")[2]) for value in values if NUMBER.match(value)), default=0)
        return {"type": "number", "decimals": min(decimals, 4)} if decimals else {"type": "integer"}
    usual = {"0": own("No"), "1": own("Yes")} if values == ["0", "1"] else {}
    return {"type": "category", "levels": [{"value": v, "label": usual.get(v) or as_label(v)} for v in values]}
