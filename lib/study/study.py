"""study.yml -> one frozen object: names, labels, orders, units and thresholds of a study.

The reader of study.yml, and the rules between its parts. It reads no table and computes nothing.
"""

from __future__ import annotations

__all__ = ["ROOT", "Study", "present", "read_study"]

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import Field, PrivateAttr, model_validator

from lib.languages.speech import ENGLISH, LANGUAGES, in_language
from lib.study.clinic.harms import AdverseEvents
from lib.study.clinic.markers import Liver, Marker
from lib.study.clinic.treatment import Disposition, Population, Treatments
from lib.study.clinic.tumour import Response, Site, Visits
from lib.study.design import OLDER, ByDesign, Design, RisksOfBias, TargetTrial, decide, doubt
from lib.study.endpoints import Endpoint
from lib.study.inference.evidence import External, Worthwhile
from lib.study.inference.models import Models
from lib.study.inference.named import Compared, check_covariates, ids_named
from lib.study.inference.strategy import Strategy, check_strategy
from lib.study.parts import (
    FLAGS_OF_DATES,
    MOST_DAYS,
    About,
    Arm,
    Confounding,
    Frozen,
    Id,
    Policy,
    Sensitivity,
    Subgroup,
    Table,
    TableName,
    Text,
    Time,
    Variable,
    check_plain_words,
    find,
    unique,
)
from lib.study.questions import Question, open_questions
from lib.study.words import DATE_COLUMNS, Language, told_apart
from lib.study.yaml_file import ProblemsFound, read_yaml

ROOT = Path(__file__).resolve().parents[2]
# Part of study.yml -> ids under which a report has rows or tables of its own.
TAKEN = {
    "arms": ("overall",),
    "endpoints": ("balance", "disease_control", "objective_response", "response"),
    "markers": ("lesion_volume", "response", "volume"),
    "populations": ("all",),
}


T = TypeVar("T")


def present(part: T | None) -> T:
    """A part that study.yml may leave out, for whoever is not asked unless it is there."""
    if part is None:
        raise LookupError("study.yml leaves this part out")
    return part


class Study(Frozen):
    """A study as study.yml describes it."""

    study: About
    design: Design = Design()
    time: Time
    arms: Annotated[tuple[Arm, ...], told_apart("arm"), told_apart("arm", "said")] = Field(min_length=1, max_length=6)
    reference_arm: Id
    focus_arm: Id | None = None
    tables: dict[TableName, Table]
    visits: Visits | None = None
    baseline: tuple[Variable, ...] = ()
    endpoints: Annotated[tuple[Endpoint, ...], told_apart("endpoint")] = ()
    response: Response | None = None
    sites: tuple[Site, ...] = ()
    markers: tuple[Marker, ...] = ()
    liver: Liver | None = None
    treatments: Treatments | None = None
    adverse_events: AdverseEvents | None = None
    subgroups: tuple[Subgroup, ...] = ()
    populations: tuple[Population, ...] = ()
    disposition: Disposition | None = None
    sensitivity: Sensitivity = Sensitivity()
    confounding: Confounding | None = None
    models: Models | None = None
    strategy: Strategy | None = None
    external: tuple[External, ...] = ()
    worthwhile: Worthwhile = Worthwhile()
    target_trial: TargetTrial = TargetTrial()
    risks_of_bias: RisksOfBias = RisksOfBias()
    exclusions: tuple[Text, ...] = ()
    policy: Policy = Policy()
    style: Literal["plain", "nejm", "lancet", "jama"] = "plain"
    language: Language = ENGLISH
    ask: tuple[Question, ...] = ()
    made_from: tuple[Text, ...] = ()
    _folder: Path = PrivateAttr(default=Path())

    @property
    def folder(self) -> Path:
        """The folder that holds study.yml and the tables."""
        return self._folder

    @property
    def arm_ids(self) -> list[str]:
        """Ids of the arms, in study order."""
        return [arm.id for arm in self.arms]

    @property
    def primary(self) -> Endpoint | None:
        """The primary endpoint; the first, where none is declared primary; None in a study without endpoints."""
        return next((e for e in self.endpoints if e.role == "primary"), next(iter(self.endpoints), None))

    @property
    def by_design(self) -> ByDesign:
        """What follows from the design."""
        return decide(self._declared_design, len(self.arms), treatment_chosen=bool(self.confounding))

    @property
    def _declared_design(self) -> Design:
        """The part `design`, or what the older keys study.design and study.allocation say."""
        about = self.study
        if not about.design and not about.allocation:
            return self.design
        return Design(allocation=OLDER.get(about.allocation or ""), description=about.design)

    @property
    def furthest_visit(self) -> float:
        """Time, in the study's unit, beyond which no visit can lie."""
        return MOST_DAYS / self.time.days_per_unit

    @property
    def own_columns(self) -> dict[str, str]:
        """Columns of patients that the study itself names, and what each is."""
        flags = {part.column: "who belongs where" for part in (*self.populations, self.disposition) if part}
        return flags | {v.id: "a baseline variable" for v in self.baseline if v.source is None} | self._outcomes

    @property
    def _outcomes(self) -> dict[str, str]:
        ready = [endpoint for endpoint in self.endpoints if not endpoint.derived]
        return {present(e.time).column: f"the time of {e.id}" for e in ready} | {present(e.event).column: f"the event of {e.id}" for e in ready}

    @property
    def model_columns(self) -> dict[str, str]:
        """Columns of patients that the study's parts need under a name of ours, and what each is."""
        needed = {"patient_id": "the patients' ids", "arm": "the arms"}
        derived = [endpoint for endpoint in self.endpoints if endpoint.derived]
        dates: set[str | None] = {date for e in derived for date in (*e.recorded, e.censor) if date in DATE_COLUMNS}
        dates |= {self.response.progression_column} if self.response else set()
        flags = {FLAGS_OF_DATES[date]: f"the flag of {date}" for date in dates if date in FLAGS_OF_DATES}
        zero = {self.time.zero: "time zero"} if derived or self.holds("measurements") else {}
        return needed | zero | {date: "a date of an endpoint" for date in dates if date} | flags

    def arm(self, arm_id: str) -> Arm:
        """Return the arm with this id."""
        return find("arm", self.arms, arm_id)

    def endpoint(self, endpoint_id: str) -> Endpoint:
        """Return the endpoint with this id."""
        return find("endpoint", self.endpoints, endpoint_id)

    def variable(self, variable_id: str) -> Variable:
        """Return the baseline variable with this id."""
        return find("baseline variable", self.baseline, variable_id)

    def marker(self, marker_id: str) -> Marker:
        """Return the marker with this id."""
        return find("marker", self.markers, marker_id)

    def subgroup(self, subgroup_id: str) -> Subgroup:
        """Return the subgroup with this id."""
        return find("subgroup", self.subgroups, subgroup_id)

    def population(self, population_id: str) -> Population:
        """Return the analysis population with this id."""
        return find("population", self.populations, population_id)

    def holds(self, *tables: str) -> bool:
        """Whether the study declares all these tables."""
        return all(table in self.tables for table in tables)

    @model_validator(mode="after")
    def _references_exist(self) -> Self:
        for what, parts in (
            ("arm", self.arms), ("endpoint", self.endpoints), ("baseline variable", self.baseline), ("marker", self.markers),
            ("subgroup", self.subgroups), ("population", self.populations),
        ):  # fmt: skip
            unique(f"id of {what}", [part.id for part in parts])
        unique("value of arm", [arm.code for arm in self.arms])
        unique("exclusion", list(self.exclusions))
        if len(several := [part.id for part in self.populations if part.default]) > 1:
            raise ValueError(f"populations: one can be the default, and {' and '.join(several)} are")
        if "patients" not in self.tables:
            raise ValueError("tables: the table patients is required")
        for what, known, named in self._references():
            missing = sorted(set(named) - set(known))
            if missing:
                raise ValueError(f"{what}: {', '.join(missing)} does not exist; there are {', '.join(known) or 'none'}")
        for key, table in (
            ("response", "measurements"), ("markers", "markers"), ("treatments", "treatments"), ("adverse_events", "adverse_events"),
        ):  # fmt: skip
            if bool(getattr(self, key)) != self.holds(table):
                raise ValueError(f"{key}: the key and the table {table} go together; one of them is missing")
        if self.response and not (self.visits and self.holds("lesions")):
            raise ValueError("response: needs visits and the table lesions")
        if unserved := [endpoint for endpoint in self.endpoints if endpoint.kinds and not self.response]:
            raise ValueError(f"endpoints: {unserved[0].id}: {unserved[0].kinds[0]} needs response and the tables lesions and measurements")
        return self

    @model_validator(mode="after")
    def _names_have_one_meaning(self) -> Self:
        for part, taken in TAKEN.items():
            for one in getattr(self, part):
                if one.id in taken:
                    raise ValueError(f"{part}: the id {one.id} means something else in a report; choose another, the label may stay")
        ours = self.model_columns
        for variable in self.baseline:
            other = ours.get(variable.id) or self._outcomes.get(variable.id)
            if variable.source is None and other:
                raise ValueError(
                    f"baseline: the column {variable.id} is {other}, so it is no baseline variable; give the variable "
                    "another id (tables.patients.columns says which column of the file holds it)"
                )
        for column, what in self._outcomes.items():
            if column in ("patient_id", "arm"):
                raise ValueError(f"endpoints: {column} cannot be {what}, it holds {ours[column]}")
        return self

    @model_validator(mode="after")
    def _types_fit(self) -> Self:
        for stratum in self.sensitivity.strata:
            if self.variable(stratum).type != "category":
                raise ValueError(f"sensitivity.strata: {stratum} is a number; only a category has strata")
        for variable in self.baseline:
            if variable.positive_iff and "category" in (variable.type, self.variable(variable.positive_iff).type):
                raise ValueError(f"baseline: positive_iff of {variable.id} compares two numbers, and one is a category")
        for test in self.liver.markers if self.liver else ():
            reference = self.marker(test).reference
            if not (reference and reference.high):
                raise ValueError(f"liver: {test} has no reference.high, of which Hy's law counts multiples")
        check_covariates(self.baseline, self.confounding, self.models)
        check_strategy(self.treatments.components if self.treatments else (), self.strategy)
        check_plain_words(self.study, self.arms, self.endpoints, self.adverse_events.plain if self.adverse_events else {})
        return self

    @model_validator(mode="after")
    def _design_is_said_once(self) -> Self:
        older = " and ".join(f"study.{key}" for key in ("design", "allocation") if getattr(self.study, key))
        if older and self.design != Design():
            raise ValueError(f"{older}: say it once, under design: {{allocation: ..., analysed: ..., description: ...}}")
        if asked := doubt(self._declared_design, len(self.arms)):
            raise ValueError(f"{older or 'design'}: {asked}")
        return self

    @model_validator(mode="after")
    def _bias_is_judged_by_the_right_instrument(self) -> Self:
        tool = self.by_design.instrument
        if wrong := self.risks_of_bias.misfits(tool):
            how = "randomised" if self.by_design.by_chance else "not known to be randomised"
            raise ValueError(
                f"risks_of_bias: {', '.join(wrong)} cannot be so judged, because the study is {how} (design.allocation): "
                f"{tool.name} asks {', '.join(tool.domains)} and answers {', '.join(tool.grades)} or no information"
            )
        return self

    @model_validator(mode="after")
    def _visits_are_in_reach(self) -> Self:
        for what, visits in (
            ("visits.schedule", self.visits.schedule if self.visits else ()),
            ("response.visits", self.response.visits if self.response else ()),
            *((f"markers.{marker.id}.visits", marker.visits) for marker in self.markers),
        ):
            if far := [visit for visit in visits if abs(visit) > self.furthest_visit]:
                raise ValueError(f"{what}: {far[0]:g} {self.time.unit} lie more than fifty years from time zero")
        return self

    @model_validator(mode="after")
    def _parts_can_be_told(self) -> Self:
        for subgroup in self.subgroups:
            if (self.variable(subgroup.variable).type == "category") != (subgroup.cut is None):
                raise ValueError(f"subgroups: {subgroup.id}: a cut belongs to a number, and a number needs one")
        for name in (*self.sensitivity.strata, *(subgroup.variable for subgroup in self.subgroups)):
            if self.variable(name).source is not None:
                raise ValueError(f"{name} is derived from another table; only a column of patients makes subgroups and strata")
        return self

    def _references(self) -> Iterator[tuple[str, Collection[str], Collection[str]]]:
        """Yield (key, ids that exist, ids named there)."""
        arms, variables = self.arm_ids, [v.id for v in self.baseline]
        markers = [m.id for m in self.markers]
        components = [c.id for c in self.treatments.components] if self.treatments else []
        yield "reference_arm", arms, [self.reference_arm]
        yield "focus_arm", arms, [self.focus_arm] if self.focus_arm else []
        compared = Compared(self.models, self.strategy, self.external, self.confounding, self.subgroups, self.sensitivity)
        yield from ids_named(compared, self.baseline, arms, [e.id for e in self.endpoints], components)
        yield "baseline.positive_iff", variables, [v.positive_iff for v in self.baseline if v.positive_iff]
        yield "baseline.source.marker", markers, [v.source.marker for v in self.baseline if v.source and v.source.marker]
        yield "liver", markers, self.liver.markers if self.liver else ()
        risen = [name for endpoint in self.endpoints for name in endpoint.of_markers]
        yield "endpoints: marker with a progression", [m.id for m in self.markers if m.progression], risen
        yield "markers.interference.marker", markers, [m.interference.marker for m in self.markers if m.interference]
        yield "treatments.arms", arms, [a for c in (self.treatments.components if self.treatments else ()) for a in c.arms]
        windows = self.adverse_events.risk_windows if self.adverse_events else ()
        yield "adverse_events.risk_windows.component", components, [w.component for w in windows]
        yield "response.node_sites", [s.value for s in self.sites], self.response.node_sites if self.response else ()


def read_study(folder: Path | str, language: str = "") -> Study:
    """Read and check study.yml, whatever languages it is written in.

    Parameters
    ----------
    folder : path
        The folder of the study.
    language : str
        In which it then calls things, of `lib.languages.speech.LANGUAGES`; "": that of its key `language`.

    Returns
    -------
    Study

    Raises
    ------
    lib.study.yaml_file.ProblemsFound
        With every error, its key and its line; with every question that is still open.
    """
    folder = Path(folder)
    said = {}
    for code in LANGUAGES:
        with in_language(code):
            said[code] = read_yaml(folder / "study.yml", Study)
    study = said[language or said[ENGLISH].language]
    if study.ask:
        raise ProblemsFound(open_questions(study.ask))
    study._folder = folder
    return study
