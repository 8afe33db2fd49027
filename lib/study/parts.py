"""The parts of a study: arms, endpoints, variables, policy. Each a frozen model that refuses unknown keys.

What was measured and given stands in clinic; how the parts belong together, and the reader of study.yml, in study.
"""

from __future__ import annotations

__all__ = [
    "DAYS",
    "FIRST_DAY",
    "FLAGS_OF_DATES",
    "LAST_DAY",
    "MOST_DAYS",
    "MOST_WINDOW_DAYS",
    "OWN",
    "TABLES",
    "About",
    "Arm",
    "Code",
    "Confounding",
    "Covariate",
    "Day",
    "Days",
    "Frozen",
    "Id",
    "Label",
    "LegendLabel",
    "Level",
    "Policy",
    "Sensitivity",
    "Subgroup",
    "Table",
    "TableName",
    "Text",
    "Time",
    "Told",
    "Variable",
    "check_plain_words",
    "find",
    "own",
    "unique",
]

import datetime as dt
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, Self, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from lib.languages.speech import ENGLISH, said_here
from lib.study.words import Label, Language, LegendLabel, Spoken, Text, Told, plain, unique

TableName = Literal["patients", "lesions", "measurements", "assessments", "markers", "treatments", "adverse_events"]
TABLES: tuple[TableName, ...] = get_args(TableName)
# Days in each unit that a ready-made time may have; a month is 365.25 / 12.
DAYS = {"days": 1.0, "weeks": 7.0, "months": 30.4375, "years": 365.25}
# pandas counts nanoseconds in 64 bits: from 1677 to 2262, and no more than 292 years between two days. Within these any
# two days can be subtracted, and so many days and the window of a visit be added. (De-identified data lie after 2100.)
FIRST_DAY, LAST_DAY = dt.date(1920, 1, 1), dt.date(2199, 12, 31)
MOST_DAYS, MOST_WINDOW_DAYS = 18_263, 3_653  # fifty years, ten years
FLAGS_OF_DATES = {"death_date": "death", "local_progression_date": "local_progression"}


# No id holds a full stop, so a column of the study's own is never one of ours, whatever the study calls it.
OWN = "own."


def own(name: str) -> str:
    """Name of a column that the study itself names, in any frame that holds columns of ours too."""
    return f"{OWN}{name}"


def _calendar(value: Any) -> Any:
    """Take a date alone: a number would be read as seconds since 1970."""
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return dt.date.fromisoformat(value)
    if not isinstance(value, dt.date):
        raise ValueError("a date of the calendar, such as 2025-02-28")
    return value


Day = Annotated[dt.date, Field(ge=FIRST_DAY, le=LAST_DAY), BeforeValidator(_calendar)]
Days = Annotated[int, Field(ge=0, le=MOST_DAYS)]
# An id becomes part of file names and of results.csv.
Id = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,39}$")]
# A code as the table holds it: read as text, so 0 and "0" are the same code.
Code = Annotated[
    str, BeforeValidator(lambda v: v if isinstance(v, str) else str(v) if type(v) is int else v), AfterValidator(plain)
]


def _inside(name: str) -> str:
    if Path(name).name != name or name in ("", ".", ".."):
        raise ValueError("a file name in the study's own folder, without a path")
    return name


FileName = Annotated[str, AfterValidator(plain), AfterValidator(_inside)]


class Frozen(BaseModel):
    """Base of every part: no unknown key, nothing changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Named(Protocol):
    """A part that has an id."""

    @property
    def id(self) -> str: ...


Part = TypeVar("Part", bound=Named)


def find(what: str, parts: Iterable[Part], wanted: str) -> Part:
    """Return the part with this id."""
    for part in parts:
        if part.id == wanted:
            return part
    raise ValueError(f"no {what} {wanted!r}; there are {', '.join(p.id for p in parts) or 'none'}")


class InPlainWords(Frozen):
    """Question and population in words that patients use, for their page; the languages, beside English, in which it is written."""

    languages: tuple[Language, ...] = ()
    question: Spoken = Field({})
    population: Spoken = Field({})


class About(Frozen):
    """What the study is, for titles, banner and citation."""

    id: Id
    title: Told
    short_title: Told
    synthetic: bool
    cutoff: Day | None = None
    question: Told = ""
    plain: InPlainWords = InPlainWords()
    design: Told = ""  # older spelling of design.description
    allocation: Literal["randomised", "not randomised"] | None = None  # older spelling of design.allocation
    population: Told = ""
    setting: Told = ""
    sample_size: Told = ""
    registration: Told = ""
    protocol: Told = ""
    ethics: Told = ""
    funding: Told = ""
    data_access: Told = ""
    citation: Told = ""
    doi: Text = ""
    licence: Text = ""
    note: Told = ""


class Time(Frozen):
    """The unit in which time-to-event results are shown."""

    unit: Literal["days", "weeks", "months", "years"]
    days_per_unit: float = Field(gt=0, le=366)
    zero: Id = "time_zero"
    zero_label: Label


class Arm(Frozen):
    """One arm. `value` is its code in the tables (default: its id)."""

    id: Id
    label: LegendLabel
    value: Code = ""
    colour: str = Field(pattern=r"^#[0-9A-Fa-f]{6}$")
    line: Literal["solid", "dashed", "dashdot", "dotted", "longdash", "dashdotdot"] = "solid"
    plain: Spoken = Field({})

    @property
    def said(self) -> str:
        """What the page for patients calls it, in the language in force."""
        return said_here(self.plain, self.label)

    @property
    def code(self) -> str:
        """What the arm column of a table holds."""
        return self.value or self.id


class _Told(Protocol):
    @property
    def id(self) -> str: ...

    @property
    def plain(self) -> dict[str, str]: ...


def check_plain_words(about: About, arms: Iterable[_Told], endpoints: Iterable[_Told], terms: dict[str, dict[str, str]]) -> None:
    """Raise ValueError where a page for patients would have to speak two languages at once: what it calls things is not given in one of its own."""
    words = {"study.plain.question": about.plain.question}
    words |= {"study.plain.population": about.plain.population} if about.plain.population or about.population else {}
    words |= {f"arms: {arm.id}: plain": arm.plain for arm in arms}
    words |= {f"endpoints: {endpoint.id}: plain": endpoint.plain for endpoint in endpoints}
    words |= {f"adverse_events.plain: {term}": spoken for term, spoken in terms.items()}
    for code in about.plain.languages:
        if lacking := [name for name, spoken in words.items() if code not in spoken]:
            raise ValueError(f"study.plain.languages: {code} is asked for, and there are no words in it for {'; '.join(lacking)} (write {{{ENGLISH}: ..., {code}: ...}})")


class Table(Frozen):
    """Where a table lies; `columns` maps our name to the file's."""

    file: FileName
    sheet: Text = ""
    columns: dict[Id, Text] = {}


class Level(Frozen):
    """One value of a categorical column."""

    value: Annotated[Code, Field(min_length=1)]
    label: Label


class Source(Frozen):
    """A baseline variable that is derived from another table."""

    kind: Literal["marker", "volume", "targets", "diameter_sum"]
    marker: Id | None = None


class Variable(Frozen):
    """A baseline variable."""

    id: Id
    label: Label
    unit: Told = ""
    type: Literal["integer", "number", "category"]
    decimals: int = Field(0, ge=0, le=4)
    min: float | None = None
    max: float | None = None
    levels: tuple[Level, ...] = ()
    source: Source | None = None
    positive_iff: Id | None = None
    summary: Literal["median", "mean"] = "median"

    @property
    def column(self) -> str:
        """Its column in the frames of patients."""
        return own(self.id)

    @model_validator(mode="after")
    def _levels_belong_to_categories(self) -> Self:
        if (self.type == "category") != bool(self.levels):
            raise ValueError("a category has levels, and only a category has them")
        if self.type == "category" and "summary" in self.model_fields_set:
            raise ValueError("summary belongs to numbers; a category is shown as n (%)")
        unique("level", [level.value for level in self.levels])
        return self


class Subgroup(Frozen):
    """Patients grouped by a baseline variable, or below and from a cut."""

    id: Id
    variable: Id
    label: Told = ""
    cut: float | None = None


class Sensitivity(Frozen):
    """Choices of the sensitivity analyses: landmarks, in the study's time unit, from which the arms are compared again; strata."""

    landmarks: tuple[Annotated[float, Field(gt=0)], ...] = ()
    # Categories of `baseline` (the site, say) within which the arms are compared again, all of them crossed.
    strata: tuple[Id, ...] = ()


class Covariate(Frozen):
    """A baseline variable of the propensity model; `log` takes its logarithm (then every value is above 0)."""

    variable: Id
    log: bool = False


class Confounding(Frozen):
    """The variables that may explain why patients got one treatment rather than another."""

    # With arms of a dozen patients a fourth covariate would describe single patients.
    covariates: tuple[Covariate, ...] = Field(min_length=1, max_length=3)


class Policy(Frozen):
    """Small-sample and sharing policy."""

    min_at_risk: int = Field(5, ge=1)
    min_events: int = Field(5, ge=1)
    small_cell: int = Field(5, ge=1)
    lost_after_days: Annotated[Days, Field(ge=1)] = 180
