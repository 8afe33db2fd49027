"""The parameters of each notebook: names, types, defaults, and what a study allows for them.

The `parameters` cell of a notebook holds the same names and defaults (tests/whole/test_notebooks.py).
"""

from __future__ import annotations

__all__ = ["EVERYBODY", "NOTEBOOKS", "Cohort", "Efficacy", "Models", "Parameters", "Robustness", "Safety", "check_parameters", "subgroup_levels", "unknown"]

import datetime as dt
import difflib
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from lib import noting
from lib.languages.speech import LANGUAGES
from lib.study.clinic.tumour import CRITERIA
from lib.study.parts import FIRST_DAY, LAST_DAY, Day
from lib.study.study import Study
from lib.study.yaml_file import Problem, ProblemsFound, shown


def _listed(value: Any) -> Any:
    """Accept "A,C" for ["A", "C"]: what a command line can say."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return [value] if isinstance(value, int | float) else value


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _date(value: Any) -> dt.date | None:
    """Take a date of the calendar only: pydantic would read a number as seconds since 1970."""
    if value in ("", None):
        return None
    return value if isinstance(value, dt.date) else dt.date.fromisoformat(str(value))


def _language(code: str) -> str:
    if code and code not in LANGUAGES:
        raise ValueError(code)
    return code


Names = Annotated[tuple[Annotated[str, BeforeValidator(_text)], ...], BeforeValidator(_listed)]
Numbers = Annotated[tuple[float, ...], BeforeValidator(_listed)]
# A landmark is a row of a table and a test more: a few, after time zero, each once, in order.
Landmarks = Annotated[
    tuple[Annotated[float, Field(gt=0, allow_inf_nan=False)], ...],
    Field(max_length=8),
    AfterValidator(lambda times: tuple(sorted(set(times)))),
    BeforeValidator(_listed),
]


class Parameters(BaseModel):
    """Parameters that all notebooks share; a description ends the sentence "must be ..."."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    study: str = Field("data/rair_dtc", description="the folder of a study")
    cutoff: Annotated[Day | None, BeforeValidator(_date)] = Field(
        None, description=f"a date such as 2023-06-30, from {FIRST_DAY.year} to {LAST_DAY.year}"
    )
    arms: Names = Field((), description="ids of arms, such as A,C")
    reference: str = Field("", description="the id of an arm")
    population: str = Field("", description="the id of an analysis population, or all")
    subgroup: str = Field("", description="the id of a subgroup")
    subgroup_values: Names = Field((), description="values of the subgroup, such as F,M")
    level: float = Field(0.95, ge=0.5, le=0.999, description="a number from 0.5 to 0.999")
    audience: Literal["internal", "share"] = Field("internal", description="internal or share")
    style: Literal["", "plain", "nejm", "lancet", "jama"] = Field("", description="plain, nejm, lancet or jama")
    language: Annotated[str, AfterValidator(_language)] = Field("", description=f"one of {', '.join(LANGUAGES)}")

    def __getattribute__(self, name: str) -> Any:
        """Give an attribute, and note which parameters that reads: also one that this notebook does not have."""
        if noting.noting():
            noting.note((None, read) for read in (EVERY if name == "__dict__" else EVERY & {name}))
        return super().__getattribute__(name)

    def model_copy(self, **options: Any) -> Self:
        """Copy them with some changed; what is then read of the copy is noted, the copying is not."""
        with noting.noted(passed_on=False):
            return super().model_copy(**options)

    @property
    def leaves_out(self) -> bool:
        """Whether a population or a subgroup may leave out patients."""
        return bool(self.subgroup) or self.population not in ("", EVERYBODY)


class Cohort(Parameters):
    """Parameters of the cohort report."""

    show_p_values: bool = Field(False, description="true or false")


class Efficacy(Parameters):
    """Parameters of the efficacy report."""

    endpoint: str = Field("", description="the id of an endpoint")
    landmarks: Landmarks = Field((), description="at most 8 times above 0, such as 12,24")
    response_visits: Numbers = Field((), description="times of visits, such as 3,6")
    criteria: Literal["", "recist", "volumetric", "mrecist"] = Field("", description="recist, volumetric or mrecist")


class Robustness(Efficacy):
    """Parameters of the robustness report: what efficacy was asked, to be asked in other ways."""


class Models(Efficacy):
    """Parameters of the report on models: what efficacy was asked, of which the same things are held alike."""

    scepticism: float = Field(0.05, ge=0.001, le=0.4, description="a number from 0.001 to 0.4")


class Safety(Parameters):
    """Parameters of the safety report."""

    threshold_percent: float = Field(0, ge=0, le=100, description="a number from 0 to 100")
    profiles: Literal["severe", "all", "none"] = Field("severe", description="severe, all or none")


# The order is the order of the reports.
NOTEBOOKS: dict[str, type[Parameters]] = {"cohort": Cohort, "efficacy": Efficacy, "robustness": Robustness, "models": Models, "safety": Safety}
# What any notebook can be given.
EVERY = frozenset(name for model in NOTEBOOKS.values() for name in model.model_fields)


PAIR = {"subgroup", "subgroup_values"}
# The population that leaves out nobody.
EVERYBODY = "all"


def check_parameters(study: Study | None, notebook: str, given: dict[str, Any]) -> Parameters:
    """Check the parameters of one notebook against their types and against the study.

    Parameters
    ----------
    study : Study or None
        Without one, names and types alone are checked.
    notebook : str
        A key of `NOTEBOOKS`.
    given : dict
        Name -> value; names that are left out keep their default.

    Returns
    -------
    lib.study.parameters.Parameters
        Of the notebook's own type.

    Raises
    ------
    ProblemsFound
        E110 for each unknown name or value that is not allowed, with what is allowed.
    """
    model = NOTEBOOKS[notebook]
    fields = model.model_fields
    problems = [unknown(name, fields) for name in given if name not in fields]
    known = {name: value for name, value in given.items() if name in fields}
    try:
        parameters = model.model_validate(known)
    except ValidationError as error:
        wrong = dict.fromkeys(str(e["loc"][0]) for e in error.errors())
        problems += [_problem(name, given[name], f"must be {fields[name].description}") for name in wrong]
        # A wrong half of a pair says nothing about the other.
        left = {*wrong, *(PAIR if not PAIR.isdisjoint(wrong) else ())}
        parameters = model.model_validate({name: value for name, value in known.items() if name not in left})
    problems += _against_study(study, parameters) if study else []
    if problems:
        raise ProblemsFound(problems)
    return _of_population(study, parameters) if study else parameters


def _of_population(study: Study, parameters: Parameters) -> Parameters:
    """The population in force: the study's default where none is named; where it has none, "" for everybody."""
    usual = next((population.id for population in study.populations if population.default), "")
    asked = "" if parameters.population == EVERYBODY and not usual else parameters.population
    return parameters.model_copy(update={"population": asked or usual})


def _problem(name: str, value: object, message: str) -> Problem:
    return Problem("E110", message, file="parameters", column=name, value=shown(value))


def unknown(name: str, known: Iterable[str], hint: str = "") -> Problem:
    """Say that no parameter is called `name`, and which one may be meant."""
    near = difflib.get_close_matches(name, known, 1)
    hint = hint or (f" (did you mean {near[0]}?)" if near else "")
    message = f"unknown parameter {shown(name)}{hint}; known are {', '.join(known)}"
    return Problem("E110", message, file="parameters", column=shown(name))


def _against_study(study: Study, p: Parameters) -> list[Problem]:
    problems: list[Problem] = []

    def need(name: str, values: Iterable[str | float], allowed: Sequence[str | float]) -> None:
        for value in values:
            if value not in allowed:
                listed = (
                    ", ".join(f"{a:g}" if isinstance(a, float) else str(a) for a in allowed) or "none in this study"
                )
                problems.append(_problem(name, value, f"not in this study; allowed: {listed}"))

    need("arms", p.arms, study.arm_ids)
    need("reference", filter(None, [p.reference]), p.arms or study.arm_ids)
    need("population", filter(None, [p.population]), [*(part.id for part in study.populations), EVERYBODY])
    if p.subgroup:
        need("subgroup", [p.subgroup], [s.id for s in study.subgroups])
    if p.subgroup in [s.id for s in study.subgroups]:
        need("subgroup_values", p.subgroup_values, subgroup_levels(study, p.subgroup))
        if not p.subgroup_values:
            problems.append(
                _problem("subgroup_values", "", f"name at least one of {', '.join(subgroup_levels(study, p.subgroup))}")
            )
    elif p.subgroup_values and not p.subgroup:
        problems.append(_problem("subgroup", "", "subgroup_values are given without a subgroup"))
    if isinstance(p, Efficacy):
        need("endpoint", filter(None, [p.endpoint]), [e.id for e in study.endpoints])
        visits = study.visits.schedule if study.visits and study.response else ()
        need("response_visits", p.response_visits, [float(v) for v in visits if v > 0])
        need("criteria", filter(None, [p.criteria]), list(CRITERIA) if study.response else [])
    problems += _against_cutoff(study, p)
    return problems


def _against_cutoff(study: Study, p: Parameters) -> list[Problem]:
    if p.cutoff is None or p.cutoff == study.study.cutoff:
        return []
    if study.study.cutoff is None or not all(e.derived for e in study.endpoints):
        return [
            _problem(
                "cutoff", p.cutoff, "cannot be changed: the study's endpoints are ready-made or it names no cutoff"
            )
        ]
    if p.cutoff > study.study.cutoff:
        return [_problem("cutoff", p.cutoff, f"after the study's data cut-off {study.study.cutoff}")]
    return []


def subgroup_levels(study: Study, subgroup_id: str) -> list[str]:
    """Values that a subgroup can take: the codes of its variable, or `<cut` and `>=cut`."""
    subgroup = study.subgroup(subgroup_id)
    if subgroup.cut is not None:
        return [f"<{subgroup.cut:g}", f">={subgroup.cut:g}"]
    return [level.value for level in study.variable(subgroup.variable).levels]
