"""The parts of a study that tell what was measured and given: tumour response, markers, treatments, adverse events."""

from __future__ import annotations

__all__ = [
    "FATAL_GRADE",
    "REGIONS",
    "AdverseEvents",
    "Component",
    "Interference",
    "Liver",
    "Marker",
    "Reference",
    "Response",
    "RiskWindow",
    "Site",
    "Treatments",
]

from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from lib.study.parts import Code, DateColumn, Days, Frozen, Id, Label, LegendLabel, Level, Text, unique

# Of CTCAE and every scale of five grades: death.
FATAL_GRADE = 5
Region = Literal["local", "regional", "distant"]
REGIONS: tuple[Region, ...] = get_args(Region)


class Site(Level):
    """A site of lesions; `region`: where it lies as seen from the disease that local therapy treats."""

    region: Region | None = None


class Response(Frozen):
    """The response rule: thresholds of a RECIST-like rule on sums of diameters."""

    visits: tuple[float, ...]
    rule: Text = "RECIST 1.1"
    node_sites: tuple[Code, ...] = ()
    node_min_short_mm: float = 15
    node_normal_short_mm: float = 10
    progression_ratio: float = Field(1.2, gt=1)
    progression_mm: float = Field(5, ge=0)
    partial_ratio: float = Field(0.7, gt=0, lt=1)
    too_small_mm: float = Field(5, gt=0)
    # Least days from a response to its confirmation; without it no response is called confirmed.
    confirmation_days: Annotated[Days, Field(ge=1)] | None = None
    # Least days from time zero at which stable disease can be somebody's best response.
    stable_days: Days = 0
    max_targets: int = 5
    max_targets_per_site: int = 2
    progression_column: DateColumn | None = None
    caveat: Text = ""

    @property
    def partial_percent(self) -> float:
        """Change of the sum, in percent, from which on it is a partial response."""
        return 100 * (self.partial_ratio - 1)

    @property
    def progression_percent(self) -> float:
        """Change of the sum, in percent, from which on it is a progression."""
        return 100 * (self.progression_ratio - 1)


class Interference(Frozen):
    """Samples in which another marker, above a limit, makes this one unreliable."""

    marker: Id
    above: float


class Reference(Frozen):
    """Reference limits of a laboratory value, in its unit; grades begin above so many times the upper limit."""

    low: float | None = None
    high: Annotated[float, Field(gt=0)] | None = None
    grades_above: tuple[Annotated[float, Field(ge=1)], ...] = Field((), max_length=4)

    @model_validator(mode="after")
    def _limits_in_order(self) -> Self:
        if self.low is None and self.high is None:
            raise ValueError("reference needs low, high or both")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError(f"low {self.low:g} must be below high {self.high:g}")
        if self.grades_above and self.high is None:
            raise ValueError("grades_above are multiples of high, which is missing")
        if list(self.grades_above) != sorted(set(self.grades_above)):
            raise ValueError("grades_above must rise from grade 1 on")
        return self


class Liver(Frozen):
    """Ids of the markers that are liver tests, for Hy's law; each has an upper reference limit."""

    transaminases: tuple[Id, ...] = Field(min_length=1)
    bilirubin: Id
    alkaline_phosphatase: Id | None = None

    @property
    def markers(self) -> tuple[Id, ...]:
        """Every liver test."""
        return (*self.transaminases, self.bilirubin, *filter(None, [self.alkaline_phosphatase]))


class Marker(Frozen):
    """A laboratory marker followed over time. `units` are those accepted, with the factor to `unit`.

    An `endpoint` is an outcome of efficacy, `safety` is watched for harm, `quality` judges other markers.
    """

    id: Id
    label: LegendLabel
    short: LegendLabel
    unit: Text
    units: dict[Text, float]
    scale: Literal["log", "linear"] = "log"
    role: Literal["endpoint", "quality", "safety"] = "endpoint"
    visits: tuple[float, ...] = ()
    interference: Interference | None = None
    match_state: bool = False
    reference: Reference | None = None

    @model_validator(mode="after")
    def _safety_has_limits(self) -> Self:
        if self.role == "safety" and self.reference is None:
            raise ValueError("role safety needs reference: the limits that say what is normal")
        return self


class Component(Frozen):
    """A treatment component; `arms` are those whose patients receive it."""

    id: Id
    label: Label
    kind: Literal["drug", "local"]
    arms: tuple[Id, ...]
    doses: tuple[float, ...] = ()
    dose_unit: Text = ""


class Treatments(Frozen):
    """The components of treatment."""

    components: tuple[Component, ...]


class RiskWindow(Frozen):
    """An event is treatment-emergent from a component's start to `days` after its anchor."""

    component: Id
    anchor: Literal["start", "end"]
    days: Days


class AdverseEvents(Frozen):
    """How adverse events are coded and counted: by grades, or by a severity scale in the study's own words.

    Within the code a severity is a rank: a grade is its own, the mildest of the `levels` is 1.
    """

    dictionary: Text
    systems: dict[Text, tuple[Text, ...]]
    plain: dict[Text, Label] = Field({})
    severe_grade: int = Field(3, ge=1, le=5)
    max_grade: int = Field(FATAL_GRADE, ge=1, le=5)
    # Instead of grades, mildest first; the mildest one that counts as severe, and the one that is death, if any is.
    levels: tuple[Level, ...] = Field((), max_length=5)
    severe_level: Code = ""
    fatal_level: Code = ""
    risk_windows: tuple[RiskWindow, ...] = ()
    landmarks: tuple[Annotated[float, Field(gt=0)], ...] = ()

    @model_validator(mode="after")
    def _plain_words_are_of_terms(self) -> Self:
        if unknown := sorted(set(self.plain) - set(self.terms)):
            raise ValueError(f"plain: {', '.join(unknown)} is no term of systems")
        return self

    @model_validator(mode="after")
    def _one_scale(self) -> Self:
        codes = [level.value for level in self.levels]
        if not codes:
            if self.severe_level or self.fatal_level:
                raise ValueError("severe_level and fatal_level belong to levels, which are missing")
            if self.severe_grade > self.max_grade:
                raise ValueError(f"severe_grade {self.severe_grade} is above max_grade {self.max_grade}")
            return self
        if {"severe_grade", "max_grade"} & self.model_fields_set:
            raise ValueError("either levels (own words), or severe_grade and max_grade")
        if len(codes) < 2:
            raise ValueError("levels: a scale has at least two, mildest first")
        unique("level", codes)
        if self.severe_level not in codes:
            raise ValueError(f"severe_level: which of {', '.join(codes)} is the mildest that counts as severe?")
        if self.fatal_level not in ("", codes[-1]):
            raise ValueError(f"fatal_level: death is the worst of all, so {codes[-1]} or nothing")
        return self

    @property
    def terms(self) -> dict[str, str]:
        """Term -> system."""
        return {term: system for system, terms in self.systems.items() for term in terms}

    @property
    def ranks(self) -> range:
        """Every severity, mildest first."""
        return range(1, (len(self.levels) or self.max_grade) + 1)

    @property
    def severe(self) -> int:
        """Lowest rank that counts as severe."""
        return [level.value for level in self.levels].index(self.severe_level) + 1 if self.levels else self.severe_grade

    @property
    def fatal(self) -> int | None:
        """Rank that is death; None where the scale has none."""
        if self.levels:
            return len(self.levels) if self.fatal_level else None
        return FATAL_GRADE if self.max_grade == FATAL_GRADE else None

    @property
    def scale(self) -> str:
        """What a severity is called."""
        return "severity" if self.levels else "grade"

    def code(self, rank: int) -> str:
        """A severity as results.csv names it."""
        return f"{self.scale} {self.levels[rank - 1].value if self.levels else rank}"

    def short(self, rank: int) -> str:
        """A severity where its column says what it is: "3", or "Severe"."""
        return self.levels[rank - 1].label if self.levels else f"{rank}"

    def words(self, rank: int) -> str:
        """A severity within a sentence: "grade 3", or "severe"."""
        if not self.levels:
            return f"grade {rank}"
        label = self.levels[rank - 1].label
        return label if label[:2].isupper() else label[:1].lower() + label[1:]

    @property
    def severe_words(self) -> str:
        """What counts as severe: "grade 3 or higher", or "severe or worse"."""
        least = self.words(self.severe)
        return least if self.severe == self.ranks[-1] else f"{least} or {'worse' if self.levels else 'higher'}"
