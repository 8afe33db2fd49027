"""The parameters of each notebook: names, types, defaults, and what a study allows for them.

The `parameters` cell of a notebook holds the same names and defaults (tests/test_notebooks.py).
"""

from __future__ import annotations

__all__ = ["NOTEBOOKS", "Cohort", "Efficacy", "Parameters", "Safety", "check_parameters", "subgroup_levels"]

import datetime as dt
import difflib
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from lib.study import Study
from lib.yamlfile import Problem, ProblemsFound


def _listed(value):
    """Accept "A,C" for ["A", "C"]: what a command line can say."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return [value] if isinstance(value, int | float) else value


def _text(value):
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _no_date(value):
    return None if value == "" else value


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
    """Parameters that all three notebooks share."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    study: str = "data/rair_dtc"
    cutoff: Annotated[dt.date | None, BeforeValidator(_no_date)] = None
    arms: Names = ()
    reference: str = ""
    subgroup: str = ""
    subgroup_values: Names = ()
    level: float = Field(0.95, ge=0.5, le=0.999)
    audience: Literal["internal", "share"] = "internal"


class Cohort(Parameters):
    """Parameters of the cohort report."""

    show_p_values: bool = False


class Efficacy(Parameters):
    """Parameters of the efficacy report."""

    endpoint: str = ""
    landmarks: Landmarks = ()
    response_visits: Numbers = ()


class Safety(Parameters):
    """Parameters of the safety report."""

    threshold_percent: float = Field(0, ge=0, le=100)
    profiles: Literal["severe", "all", "none"] = "severe"


# The order is the order of the reports.
NOTEBOOKS: dict[str, type[Parameters]] = {"cohort": Cohort, "efficacy": Efficacy, "safety": Safety}


def check_parameters(study: Study, notebook: str, given: dict) -> Parameters:
    """Check the parameters of one notebook against their types and against the study.

    Parameters
    ----------
    study : Study
    notebook : str
        A key of `NOTEBOOKS`.
    given : dict
        Name -> value; names that are left out keep their default.

    Returns
    -------
    lib.parameters.Parameters
        Of the notebook's own type.

    Raises
    ------
    ProblemsFound
        E110 for each unknown name or value that is not allowed, with what is allowed.
    """
    model = NOTEBOOKS[notebook]
    problems = [_unknown(name, model) for name in given if name not in model.model_fields]
    known = {name: value for name, value in given.items() if name in model.model_fields}
    try:
        parameters = model.model_validate(known)
    except ValidationError as error:
        problems += [
            _problem(
                str(e["loc"][0]), e["input"], f"{e['msg']} (the default is {model.model_fields[e['loc'][0]].default!r})"
            )
            for e in error.errors()
        ]
    else:
        problems += _against_study(study, parameters)
    if problems:
        raise ProblemsFound(problems)
    return parameters


def _problem(name: str, value, message: str) -> Problem:
    return Problem("E110", message, file="parameters", column=name, value=str(value)[:80])


def _unknown(name: str, model: type[Parameters]) -> Problem:
    known = list(model.model_fields)
    near = difflib.get_close_matches(name, known, 1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    return Problem(
        "E110", f"unknown parameter {name}{hint}; known are {', '.join(known)}", file="parameters", column=name
    )


def _against_study(study: Study, p: Parameters) -> list[Problem]:
    problems = []

    def need(name, values, allowed):
        for value in values:
            if value not in allowed:
                shown = ", ".join(f"{a:g}" if isinstance(a, float) else str(a) for a in allowed) or "none in this study"
                problems.append(_problem(name, value, f"not in this study; allowed: {shown}"))

    need("arms", p.arms, study.arm_ids)
    need("reference", filter(None, [p.reference]), p.arms or study.arm_ids)
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
    if getattr(p, "endpoint", ""):
        need("endpoint", [p.endpoint], [e.id for e in study.endpoints])
    if getattr(p, "response_visits", ()):
        allowed = [float(v) for v in study.visits.schedule if v > 0] if study.response else []
        need("response_visits", p.response_visits, allowed)
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
