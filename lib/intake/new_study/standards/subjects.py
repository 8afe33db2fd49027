"""ADSL, or DM with DS, or the patients of ADTTE -> the table of patients: arms, exclusions, dates, what is known at baseline."""

from __future__ import annotations

__all__ = ["populations", "subjects"]

import pandas as pd

from lib.intake.new_study.recognition import Recognised
from lib.intake.new_study.standards.datasets import ARMS, ID, POPULATIONS, Datasets, matches
from lib.intake.new_study.words import SCREEN_FAILURE
from lib.study.yaml_file import Problem, ProblemsFound, shown

NO_ARM = rf"{SCREEN_FAILURE}|not ?assigned|notassgn|not ?treated|nottrt|unplanned treatment|unplan"
EVERYBODY = "everybody"
ZEROS = ("RANDDT", "TRTSDT", "RFXSTDTC", "RFSTDTC")
LAST_SEEN = ("LSTALVDT", "EOSDT", "RFPENDTC", "RFENDTC", "RFXENDTC", "TRTEDT")
# Data sets of which the first that is there -> days on which a patient was alive.
SEEN = {"DS": "DSSTDTC", "EX": "EXSTDTC EXENDTC", "ADTTE": "ADT", "ADAE AE": "ASTDT|AESTDTC", "ADLB LB": "ADT|LBDTC", "ADRS RS": "ADT|RSDTC"}
NAMED = {
    "ITTFL": "intention to treat", "MITTFL": "modified intention to treat", "FASFL": "full analysis set", "RANDFL": "randomised",
    "SAFFL": "safety population", "EFFFL": "efficacy population", "PPROTFL": "per protocol", "ENRLFL": "enrolled",
}  # fmt: skip


def subjects(found: Datasets) -> Recognised:
    """One row per patient; a patient who is not analysed has the reason in `excluded`."""
    frame, sheet = found.frame("ADSL", "DM"), found.sheet("ADSL", "DM")
    if frame is None:
        frame, sheet = found.frame("ADTTE").drop_duplicates(ID), found.sheet("ADTTE")
        found.said.append("There is no ADSL: patients and their arms are those of ADTTE.")
    twice = frame[frame[ID].duplicated()]
    if len(twice):
        message = f"{len(twice)} patients stand there twice; one row per patient is needed"
        raise ProblemsFound([Problem("E010", message, file=sheet, row=int(twice.index[0]), column=ID, value=shown(twice[ID].iloc[0]))])
    columns = {"patient_id": ID}
    excluded = _with_arms(found, frame)
    excluded = _of_population(found, frame, excluded)
    if excluded.notna().all():
        raise ProblemsFound([Problem("E003", f"none of {len(frame)} patients has an arm and is analysed", file=sheet)])
    if excluded.notna().any():
        frame["excluded"] = excluded
        columns["excluded"] = "excluded"
    _with_dates(found, frame, columns)
    kept = populations(frame[excluded.isna()])
    unread = [c for c in frame if c in ({*POPULATIONS} - {*kept}) or c in (*ZEROS, *LAST_SEEN, "DTHFL", "DTHDT", "DTHDTC", "ARMCD", "ACTARMCD", "ARMNRS", "AGEU")]
    return Recognised("patients", sheet, frame.drop(columns=unread), columns)


def populations(analysed: pd.DataFrame) -> dict[str, str]:
    """Flags that say of every patient who is analysed, yes or no, whether he belongs to a population, and what it is; of some they say no."""
    return {flag: NAMED[flag] for flag in POPULATIONS if flag in analysed and set(analysed[flag]) == {"Y", "N"}}


def _with_arms(found: Datasets, frame: pd.DataFrame) -> pd.Series:
    """Leave the columns of arms that differ, without what is no arm; give why patients without any are excluded."""
    arms = [arm for arm in ARMS if arm in frame and frame[arm].notna().any()]
    failed = pd.Series(False, frame.index)
    for arm in [*arms, *(c for c in ("ARMCD", "ACTARMCD", "ARMNRS") if c in frame)]:
        failed |= matches(frame[arm], SCREEN_FAILURE)
        frame[arm] = frame[arm].astype(object).where(~matches(frame[arm], NO_ARM), None)
    without = frame[arms].isna().all(axis="columns") if arms else pd.Series(False, frame.index)
    excluded = pd.Series(None, frame.index, dtype=object)
    excluded[without] = "No arm assigned"
    excluded[failed & without] = "Screen failure"
    for reason, count in excluded.value_counts().items():
        found.said.append(f"{count} patients are excluded: {reason.lower()}. It is no arm.")
    kept = []
    for arm in arms:
        if any(frame[[arm, other]].drop_duplicates().pipe(len) == frame[arm].nunique(dropna=False) == frame[other].nunique(dropna=False) for other in kept):
            frame.drop(columns=arm, inplace=True)
        else:
            kept.append(arm)
    return excluded


def _of_population(found: Datasets, frame: pd.DataFrame, excluded: pd.Series) -> pd.Series:
    """Ask which population is analysed, where one is not everybody."""
    rest, options = excluded.isna(), {}
    for flag in [flag for flag in POPULATIONS if flag in frame]:
        inside = frame[flag].eq("Y") & rest
        if 0 < inside.sum() < rest.sum():
            options[flag] = f"{inside.sum()} of {rest.sum()} patients are analysed ({found.label('ADSL', flag) or NAMED[flag]})"
    if not options:
        return excluded
    options[EVERYBODY] = f"all {rest.sum()} patients are analysed"
    answer = found.questions.ask("population", "Which population is analysed?", options)
    if answer in (None, EVERYBODY):
        return excluded
    found.said.append(f"The population is that of {answer}, as answered: {(~frame[answer].eq('Y') & rest).sum()} patients are excluded.")
    return excluded.where(~rest | frame[answer].eq("Y"), f"Not in the {NAMED[answer]} ({answer})")


def _with_dates(found: Datasets, frame: pd.DataFrame, columns: dict[str, str]) -> None:
    """Time zero, death and last contact, under our names."""
    own = frame.set_index(ID, drop=False)
    zero = _time_zero(found, own)
    if zero is not None:
        frame["time_zero"] = zero.reindex(frame[ID]).to_numpy()
        columns["time_zero"] = "time_zero"
    named = found.days(own, "DTHDT", "DTHDTC")
    died = (own["DTHFL"].eq("Y") if "DTHFL" in own else pd.Series(False, own.index)) | named.notna()
    dispositions = found.frame("DS")
    if dispositions is not None:
        deaths = dispositions[dispositions["DSDECOD"].eq("DEATH")]
        died |= own.index.isin(deaths[ID])
        named = named.where(named.notna(), found.days(deaths, "DSSTDTC").groupby(deaths[ID]).max().reindex(own.index))
    if named.notna().any():
        frame["death"], frame["death_date"] = died.map({True: "1", False: "0"}).to_numpy(), named.to_numpy()
        columns |= {"death": "death", "death_date": "death_date"}
    lost = int((died & named.isna()).sum())
    if lost:
        found.said.append(f"{lost} patients died on a day that is not known.")
    last = named.where(named.notna(), _last_seen(found, own))
    if last.notna().any():
        frame["last_contact_date"] = last.to_numpy()
        columns["last_contact_date"] = "last_contact_date"


def _last_seen(found: Datasets, own: pd.DataFrame) -> pd.Series:
    """The latest day on which anything says that a patient was alive."""
    seen = {name: found.days(own, name) for name in LAST_SEEN if name in own}
    for datasets, variables in SEEN.items():
        frame = found.frame(*datasets.split())
        if frame is not None:
            if "DSDECOD" in frame:  # the day on which a patient is called lost is none on which anybody saw one
                frame = frame[~frame["DSDECOD"].eq("LOST TO FOLLOW-UP")]
            for either in variables.split():
                days = found.days(frame, *either.split("|")).dropna()
                variable = next((v for v in either.split("|") if v in frame), "")
                seen[f"{variable} of {found.sheet(*datasets.split())}"] = days.groupby(frame[ID]).max().reindex(own.index)
    table = pd.DataFrame(seen, own.index)
    used = [name for name in table if table[name].notna().any()]
    if not used:
        return pd.Series(None, own.index, dtype=object)
    found.said.append(f"The last contact is the day of death, else the latest day in {', '.join(used)}.")
    return table.astype(object).where(table.notna(), "").max(axis="columns").replace("", None)


def _time_zero(found: Datasets, own: pd.DataFrame) -> pd.Series | None:
    """Day 0: what ADTTE counts from, else the one date that there is, else asked."""
    dates = {name: found.days(own, name) for name in ZEROS if name in own and own[name].notna().any()}
    dispositions = found.frame("DS")
    if dispositions is not None and dispositions["DSDECOD"].eq("RANDOMIZED").any():
        randomised = dispositions[dispositions["DSDECOD"].eq("RANDOMIZED")]
        dates["RANDOMIZED"] = found.days(randomised, "DSSTDTC").groupby(randomised[ID]).min().reindex(own.index)
    distinct: dict[str, pd.Series] = {}
    for name, days in dates.items():
        if not any(days.dropna().equals(other.dropna()) for other in distinct.values()):
            distinct[name] = days
    times = found.frame("ADTTE")
    if times is not None and "STARTDT" in times:
        starts = times.dropna(subset="STARTDT").drop_duplicates(ID).set_index(ID)["STARTDT"]
        for name, days in distinct.items():
            if days.reindex(starts.index).eq(starts).all():
                found.said.append(f"Time zero is {name}, from which ADTTE counts.")
                return days
    if len(distinct) < 2:
        return next(iter(distinct.values()), None)
    options = {name: f"the first is {days.min()}, {days.notna().sum()} patients have one" for name, days in ((n, d.dropna()) for n, d in distinct.items())}
    answer = found.questions.ask("time zero", "From which date does time run?", options)
    return distinct.get(answer)
