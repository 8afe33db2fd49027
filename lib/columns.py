"""The data model: columns, types, ranges and codes of each table, built from a study.

What a cell must be stands here; that it is so is checked in lib/schemas.py.
"""

from __future__ import annotations

__all__ = ["FLAGS_OF_DATES", "OUTCOMES", "Column", "columns_of"]

from dataclasses import dataclass, replace
from typing import Literal

from lib.recist import DIAMETERS, RESPONSES, STATUSES
from lib.study import Study
from lib.study_clinic import FATAL_GRADE
from lib.study_parts import DATE_COLUMNS, DAYS, FIRST_DAY, LAST_DAY, ReadyTime, Variable

# Nothing that is measured in a patient is larger: a diameter of half a metre is a slip of the unit.
MAX_DIAMETER_MM = 500
# Plausible limits of seed implantation (data/README.md): outside them a unit is wrong (cGy for Gy).
SEED_LIMITS = {"seed_activity_mci": (0.2, 1.0), "prescription_gy": (60, 160), "d90_gy": (40, 300)}
MAX_SEEDS = 400
# What became of an adverse event (E2B, SDTM's OUT in our spelling).
OUTCOMES = ("recovered", "recovering", "not recovered", "sequelae", "fatal", "unknown")
MOST_YEARS = 200
EXAMINED = "last_tumour_assessment"
FLAGS_OF_DATES = {"death_date": "death", "local_progression_date": "local_progression"}

Kind = Literal["id", "code", "rank", "text", "whole", "number", "date", "flag"]


@dataclass(frozen=True)
class Column:
    """One column of the data model.

    Attributes
    ----------
    name : str
    kind : str
    code : str
        Of a value that is out of range or not among those allowed.
    required, filled : bool
        Whether the column must be there, and whether every row must hold a value.
    low, high : float, optional
        Smallest and largest value.
    allowed : dict of str to str, optional
        Code in the file -> value in the typed frame, in order; of a `rank`, to its place from 1 on.
    unit : str
    mistyped : str
        Error code of a value of another type.
    ordered : bool
        Whether the typed column is an ordered Categorical, not plain text.
    always : bool
        Whether the typed frame has the column even if the file lacks it.
    """

    name: str
    kind: Kind
    code: str = "E016"
    required: bool = True
    filled: bool = True
    low: float | None = None
    high: float | None = None
    allowed: dict[str, str] | dict[str, int] | None = None
    unit: str = ""
    mistyped: str = ""
    ordered: bool = False
    always: bool = False

    @property
    def type_code(self) -> str:
        """Error code of a value of another type, or of none where there must be one."""
        return self.mistyped or {"id": "E011", "whole": "E015", "number": "E046", "date": "E020"}.get(
            self.kind, self.code
        )

    @property
    def rule(self) -> str:
        """What would be right, in plain words."""
        if self.kind in ("whole", "number"):
            limits = "" if self.low is None else f" of at least {self.low:g}"
            if self.low is not None and self.high is not None:
                limits = f" from {self.low:g} to {self.high:g}"
            return f"a {'whole ' if self.kind == 'whole' else ''}number{limits}{' ' + self.unit if self.unit else ''}"
        if self.kind in ("code", "rank") and self.allowed:
            known = list(self.allowed)
            return f"one of {', '.join(known)}" if len(known) <= 12 else f"one of the {len(known)} in study.yml"
        return {
            "id": "an id of letters, digits and . _ / -, at most 40, without a space",
            "date": f"an ISO date such as 2023-02-28, from {FIRST_DAY.year} to {LAST_DAY.year}",
            "flag": "0 or 1",
        }.get(self.kind, "a text")


def optional(*columns: Column, always: bool = False) -> tuple[Column, ...]:
    """The same columns, which a file may lack and a row leave empty."""
    return tuple(replace(column, required=False, filled=False, always=always) for column in columns)


def columns_of(study: Study) -> dict[str, tuple[Column, ...]]:
    """Columns of every table of the data model, for this study."""
    patient, lesion, furthest = Column("patient_id", "id"), Column("lesion_id", "id"), study.furthest_visit
    visit = Column("visit", "number", low=-furthest, high=furthest, unit=study.time.unit)
    assessment = Column("assessment_date", "date")
    return {
        "patients": _patients(study),
        "lesions": (
            lesion,
            patient,
            Column("site", "code", allowed=_same(s.value for s in study.sites)),
            Column("target", "flag"),
            *optional(Column("treated", "flag"), always=True),
        ),
        "measurements": (
            lesion,
            assessment,
            visit,
            *(
                Column(axis, "number", "E044", filled=False, low=0, high=MAX_DIAMETER_MM, unit="mm")
                for axis in DIAMETERS
            ),
            *optional(Column("too_small", "flag"), Column("status", "code", allowed=_same(STATUSES)), always=True),
            *optional(Column("modality", "text"), patient),
        ),
        "assessments": (
            patient,
            assessment,
            visit,
            *optional(Column("new_lesion", "flag"), Column("reader_response", "code", allowed=_same(RESPONSES))),
        ),
        "markers": (
            patient,
            Column("sample_date", "date"),
            visit,
            Column("marker", "code", allowed=_same(m.id for m in study.markers)),
            Column("value", "number", filled=False),
            Column("unit", "text", "E064"),
            *optional(Column("below_limit", "flag"), Column("limit", "number", "E060", low=0), always=True),
            *optional(
                Column("reference_low", "number", "E065", low=0), Column("reference_high", "number", "E065", low=0)
            ),
            *optional(Column("state", "code", allowed=_same(["suppressed", "stimulated"])), Column("positive", "flag")),
        ),
        "treatments": _treatments(patient, lesion),
        "adverse_events": _adverse_events(study, patient),
    }


def _patients(study: Study) -> tuple[Column, ...]:
    arms = {arm.code: arm.id for arm in study.arms}
    columns = [Column("patient_id", "id"), Column("arm", "code", "E012", allowed=arms, ordered=True)]
    columns += [_baseline(variable) for variable in study.baseline if variable.source is None]
    zero, dates = study.time.zero, {}
    for endpoint in study.endpoints:
        if endpoint.derived:
            used = [*endpoint.events, *endpoint.competing]
            dates |= {date: Column(date, "date", filled=False) for date in used if date not in dates}
            # Everybody was last seen on some day; not everybody need have been examined.
            dates |= {date: Column(date, "date", filled=date != EXAMINED) for date in (zero, endpoint.censor)}
            columns += [Column(FLAGS_OF_DATES[date], "flag") for date in used if date in FLAGS_OF_DATES]
        else:
            codes = (endpoint.event.event, endpoint.event.censored, endpoint.event.competing)
            columns += [
                _time(endpoint.time),
                Column(endpoint.event.column, "code", "E102", filled=False, allowed=_same(c for c in codes if c is not None)),
            ]
    if study.holds("measurements"):  # how soon a tumour responds, and for how long
        dates.setdefault(zero, Column(zero, "date"))
    columns += dates.values()
    columns += optional(*(Column(date, "date") for date in (zero, *DATE_COLUMNS)))
    columns += optional(*(Column(flag, "flag") for flag in FLAGS_OF_DATES.values()), Column("excluded", "text"))
    return tuple({column.name: column for column in reversed(columns)}.values())[::-1]


def _time(time: ReadyTime) -> Column:
    """A ready-made time; nobody is followed for two lifetimes."""
    longest = round(MOST_YEARS * DAYS["years"] / DAYS[time.unit])
    return Column(time.column, "number", "E103", filled=False, low=0, high=longest, unit=time.unit, mistyped="E103")


def _baseline(variable: Variable) -> Column:
    if variable.type == "category":
        values = [level.value for level in variable.levels]
        numeric = all(value.lstrip("-").isdigit() for value in values)
        return Column(
            variable.id, "code", "E017" if numeric else "E016", filled=False, allowed=_same(values), ordered=True
        )
    kind = "whole" if variable.type == "integer" else "number"
    limits = {"low": variable.min, "high": variable.max, "unit": variable.unit}
    return Column(variable.id, kind, "E014", filled=False, **limits)


def _treatments(patient: Column, lesion: Column) -> tuple[Column, ...]:
    return (
        patient,
        Column("component", "text"),
        Column("start_date", "date"),
        *optional(
            Column("end_date", "date"),
            Column("start_dose", "number", "E082", low=0),
            Column("lowest_dose", "number", "E082", low=0),
            lesion,
            Column("n_seeds", "whole", "E083", low=1, high=MAX_SEEDS, mistyped="E083"),
            *(Column(name, "number", "E083", low=low, high=high) for name, (low, high) in SEED_LIMITS.items()),
            Column("line", "whole", "E016", low=1, high=20),
            always=True,
        ),
    )


def _adverse_events(study: Study, patient: Column) -> tuple[Column, ...]:
    settings = study.adverse_events
    terms = settings.terms if settings else {}
    return (
        patient,
        Column("term", "code", "E074", allowed=_same(terms)),
        _severity(study),
        Column("onset_date", "date"),
        *optional(Column("end_date", "date"), Column("serious", "flag"), always=True),
        *optional(
            Column("system", "code", "E074", allowed=_same(dict.fromkeys(terms.values()))),
            Column("related", "code", allowed=_same(["drug", "procedure", "both", "no"])),
            Column("action", "code", allowed=_same(["none", "reduced", "interrupted", "stopped"])),
            Column("outcome", "code", allowed=_same(OUTCOMES)),
        ),
    )


def _severity(study: Study) -> Column:
    settings = study.adverse_events
    if settings and settings.levels:
        ranks = {level.value: rank for rank, level in enumerate(settings.levels, start=1)}
        return Column("grade", "rank", "E070", allowed=ranks)
    highest = settings.max_grade if settings else FATAL_GRADE
    return Column("grade", "whole", "E070", low=1, high=highest, mistyped="E070")


def _same(values) -> dict[str, str]:
    return {value: value for value in values}
