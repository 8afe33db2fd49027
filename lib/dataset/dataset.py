"""Checked tables -> the analysis set in force: cut-off, arms, population, subgroup, and the participant flow.

What is derived from it per patient stands in derived and course; what is derived more than once is remembered here.
"""

from __future__ import annotations

__all__ = ["Dataset", "load", "once_per_dataset", "part_label", "restrict", "subgroup_label", "why_not_by"]

import datetime as dt
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec

import pandas as pd

from lib import noting
from lib.dataset.cutoff import apply_cutoff
from lib.intake import handover
from lib.intake.tables import read_tables
from lib.languages.speech import ENGLISH, _
from lib.study.claims import read_claims
from lib.study.clinic.treatment import Population
from lib.study.clinic.tumour import Response
from lib.study.endpoints import Endpoint
from lib.study.parameters import EVERYBODY, Parameters, check_parameters
from lib.study.parts import Arm, own
from lib.study.study import ROOT, Study, present, read_study
from lib.study.yaml_file import Gathered, Problem, ProblemsFound

P = ParamSpec("P")


@dataclass(frozen=True)
class Dataset:
    """The analysis set of one run.

    Attributes
    ----------
    study : Study
    parameters : Parameters
    arms : tuple of Arm
        Arms in force, in study order.
    reference : str
        The arm others are compared with: the parameter's, the study's, or the first in force.
    tables : dict of str to DataFrame
        Typed tables restricted to the patients in force and to the data cut-off.
    queries : DataFrame
        Open data queries, one row each.
    flow : DataFrame
        One row per step of the participant flow: step, group, count, note.
    """

    study: Study
    parameters: Parameters
    arms: tuple[Arm, ...]
    reference: str
    tables: dict[str, pd.DataFrame]
    queries: pd.DataFrame
    flow: pd.DataFrame = field(repr=False)

    @property
    def cutoff(self) -> dt.date | None:
        """Data cut-off in force."""
        return self.parameters.cutoff or self.study.study.cutoff

    @property
    def style(self) -> str:
        """Style of the numbers in force."""
        return self.parameters.style or self.study.style

    @property
    def language(self) -> str:
        """Language in force."""
        return self.parameters.language or self.study.language

    @property
    def in_english(self) -> Dataset:
        """The same data, of a study that calls things as results.csv does: in English."""
        return self if self.language == ENGLISH else replace(self, study=read_study(self.study.folder, ENGLISH))

    @property
    def patients(self) -> pd.DataFrame:
        """One row per patient in force."""
        return self.tables["patients"]

    @property
    def n(self) -> pd.Series:
        """Patients per arm, in study order."""
        return self.patients["arm"].value_counts(sort=False)

    @property
    def response(self) -> Response | None:
        """The response rule in force: the study's, or by the criteria of the parameter."""
        rule = self.study.response
        return rule and rule.by(self.criteria)

    @property
    def criteria(self) -> str:
        """Response criteria in force, a key of `lib.study.clinic.CRITERIA`; "" for the study's rule."""
        return getattr(self.parameters, "criteria", "")

    @property
    def response_visits(self) -> tuple[float, ...]:
        """Visits of the response tables: the parameter's, or the study's."""
        rule = self.study.response
        return getattr(self.parameters, "response_visits", ()) or (rule.visits if rule else ())

    @property
    def focus(self) -> str:
        """The arm that carries the question: the study's, or the last in force."""
        ids = [arm.id for arm in self.arms]
        return self.study.focus_arm if self.study.focus_arm in ids else ids[-1]

    @property
    def contrast(self) -> tuple[str, str]:
        """The comparison that carries the question: the focus arm with the reference arm (needs two arms).

        Where the focus arm in force is the reference itself, the first other arm takes its place.
        """
        others = [arm.id for arm in self.arms if arm.id != self.reference]
        return (self.focus if self.focus in others else others[0]), self.reference

    @property
    def ordered(self) -> bool:
        """Whether a trend over the arms in force can be tested: the study says that they have an order, and there are three."""
        return self.study.design.ordered_arms and len(self.arms) > 2

    def landmarks(self, endpoint: Endpoint) -> tuple[float, ...]:
        """Times at which the curves of an endpoint are read off: the parameter's, or the endpoint's own."""
        return getattr(self.parameters, "landmarks", ()) or endpoint.landmarks

    def holds(self, *tables: str) -> bool:
        """Whether the study has all these tables."""
        return self.study.holds(*tables)


def load(notebook: str, /, **parameters: Any) -> Dataset:
    """Read, check and restrict a study.

    Parameters
    ----------
    notebook : str
        Whose parameters these are: cohort, efficacy, robustness, models or safety.
    **parameters
        As in the notebook's first cell.

    Returns
    -------
    Dataset

    Raises
    ------
    lib.study.yaml_file.ProblemsFound
        With everything that is wrong in study.yml, published.yml, the parameters and the tables.
    """
    gathered = Gathered()
    gathered.take(check_parameters, None, notebook, parameters)
    folder = parameters.get("study", Parameters.model_fields["study"].default)
    study = gathered.take(read_study, _found(folder)) if isinstance(folder, str) else None
    checked, tables = None, None
    if study:
        checked = gathered.take(check_parameters, study, notebook, parameters)
        study = read_study(study.folder, checked.language) if checked and checked.language else study
        gathered.take(read_claims, study.folder)
        tables = handover.take(study) or gathered.take(read_tables, study)
    gathered.stop()
    tables = present(tables)
    return restrict(present(study), present(checked), dict(tables.frames), tables.queries)


def _found(folder: str) -> Path:
    """A folder of a study, relative to here or to this repository."""
    return Path(folder) if Path(folder).exists() else ROOT / folder


def restrict(study: Study, parameters: Parameters, tables: dict[str, pd.DataFrame], queries: pd.DataFrame) -> Dataset:
    """Apply exclusions, cut-off, arms, population and subgroup, and count who is left after each.

    Raises
    ------
    lib.study.yaml_file.ProblemsFound
        E110 for a cut-off without dates, or criteria that what was measured does not serve; E111 where nobody is left.
    """
    if why := why_not_by(criteria := getattr(parameters, "criteria", ""), tables):
        raise ProblemsFound([Problem("E110", why, file="parameters", column="criteria", value=criteria)])
    flow: list[dict[str, Any]] = []
    arms = tuple(arm for arm in study.arms if not parameters.arms or arm.id in parameters.arms)
    patients = tables["patients"]
    if "excluded" in patients:
        flow += _step(patients, "screened", study.arms)
        flow += _step(patients[patients["excluded"].notna()], "excluded", study.arms)
        reasons = dict.fromkeys([*study.exclusions, *sorted(patients["excluded"].dropna().astype(str))])
        for reason in reasons:
            flow += _step(patients[patients["excluded"] == reason], "excluded", study.arms, reason)
        patients = patients[patients["excluded"].isna()]
    flow += _step(patients, "treated", study.arms)
    cutoff = parameters.cutoff
    if cutoff is not None and cutoff != study.study.cutoff:
        if "time_zero" not in patients:
            message = "cannot be changed: the study holds no date of time zero"
            raise ProblemsFound([Problem("E110", message, file="parameters", column="cutoff", value=str(cutoff))])
        tables = apply_cutoff({**tables, "patients": patients}, pd.Timestamp(cutoff))
        patients = tables["patients"]
        flow += _step(patients, "cutoff", study.arms, f"{study.by_design.entered} by {cutoff}")
    if len(arms) < len(study.arms):
        patients = patients[patients["arm"].isin([arm.id for arm in arms])]
        flow += _step(patients, "arms", study.arms)
    if population := _population(study, parameters):
        patients = patients[patients[population.flag] == population.inside]
        flow += _step(patients, "population", arms, population.label)
    if parameters.subgroup:
        patients = patients[_in_subgroup(study, parameters, patients)]
        flow += _step(patients, "subgroup", arms, subgroup_label(study, parameters))
    if patients.empty:
        raise ProblemsFound([_nobody(study, parameters)])
    flow += _step(patients, "analysed", arms)
    patients = patients.assign(arm=patients["arm"].cat.set_categories([arm.id for arm in arms], ordered=True))
    kept = _restricted({**tables, "patients": patients})
    wanted = parameters.reference or study.reference_arm
    reference = wanted if wanted in [arm.id for arm in arms] else arms[0].id
    return Dataset(study, parameters, arms, reference, kept, queries, pd.DataFrame(flow))


def why_not_by(criteria: str, tables: dict[str, pd.DataFrame]) -> str:
    """Why what was measured cannot be read by these criteria; "" where it can."""
    measured = tables.get("measurements", pd.DataFrame())
    if criteria == "mrecist" and not ("viable_mm" in measured and measured["viable_mm"].notna().any()):
        return "not recorded: what takes up contrast of each lesion (measurements.viable_mm)"
    return ""


def _nobody(study: Study, parameters: Parameters) -> Problem:
    """Say that no patient is left, and of what."""
    chosen = parameters.model_dump(mode="json", include={"cutoff", "arms", "population", "subgroup", "subgroup_values"})
    asked = [f"{name} = {', '.join(v) if isinstance(v, list) else v}" for name, v in chosen.items() if v]
    why = f"with {'; '.join(asked)}" if asked else "after exclusions (patients.excluded)"
    return Problem("E111", f"no patient of {study.study.id} is left {why}", file="parameters" if asked else "patients")


def _step(patients: pd.DataFrame, step: str, arms: Iterable[Arm], note: str = "") -> list[dict[str, Any]]:
    """One step of the participant flow: a count per arm and overall, where those excluded before an arm was known count too."""
    counts = patients["arm"].value_counts()
    rows = [{"step": step, "group": arm.id, "count": int(counts.get(arm.id, 0)), "note": note} for arm in arms]
    return [*rows, {"step": step, "group": "overall", "count": len(patients), "note": note}]


def _restricted(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Keep the rows of the patients in force, in every table."""
    patients = tables["patients"].reset_index(drop=True)
    kept = {"patients": patients}
    for name, frame in tables.items():
        if name != "patients" and "patient_id" in frame:
            kept[name] = frame[frame["patient_id"].isin(patients["patient_id"])].reset_index(drop=True)
    if "measurements" in tables and "patient_id" not in tables["measurements"]:
        own = kept["lesions"].set_index("lesion_id")["patient_id"]
        measurements = tables["measurements"]
        kept["measurements"] = measurements[measurements["lesion_id"].isin(own.index)].reset_index(drop=True)
    return kept


def _in_subgroup(study: Study, parameters: Parameters, patients: pd.DataFrame) -> pd.Series:
    subgroup = study.subgroup(parameters.subgroup)
    values = patients[own(subgroup.variable)]
    if subgroup.cut is None:
        return values.astype("string").isin(parameters.subgroup_values)
    below = values < subgroup.cut
    names = below.map({True: f"<{subgroup.cut:g}", False: f">={subgroup.cut:g}"})
    return names.isin(parameters.subgroup_values) & values.notna()


def _population(study: Study, parameters: Parameters) -> Population | None:
    """The analysis population in force; None for everybody."""
    return study.population(parameters.population) if parameters.population not in ("", EVERYBODY) else None


def part_label(study: Study, parameters: Parameters) -> str:
    """Such as "Per protocol, Sex: Female": the population and the subgroup, "" where nobody is left out for either."""
    population = _population(study, parameters)
    return _(", ").join(filter(None, [population.label if population else "", subgroup_label(study, parameters)]))


def subgroup_label(study: Study, parameters: Parameters) -> str:
    """Such as "Sex: Female", or "" without a subgroup."""
    if not parameters.subgroup:
        return ""
    subgroup = study.subgroup(parameters.subgroup)
    variable = study.variable(subgroup.variable)
    labels = {level.value: level.label for level in variable.levels}
    *others, last = (labels.get(v, v.replace(">=", "≥ ").replace("<", "< ")) for v in parameters.subgroup_values)
    values = _("{others} or {last}", others=_(", ").join(others), last=last) if others else last
    return _("{label}: {values}", label=variable.label, values=f"{values} {variable.unit}" if variable.unit else values)


def once_per_dataset(derive: Callable[Concatenate[Dataset, P], pd.DataFrame]) -> Callable[Concatenate[Dataset, P], pd.DataFrame]:
    """Let `derive(data, *arguments)` work once for each data set and arguments, as long as the data set is in use.

    Every caller gets a copy of its own, so none can change what another is given; and every caller has read what it took.
    """
    known: dict[int, dict[str, tuple[pd.DataFrame, Iterable[noting.Read]]]] = {}

    @wraps(derive)
    def remembered(data: Dataset, /, *arguments: P.args, **options: P.kwargs) -> pd.DataFrame:
        if id(data) not in known:
            known[id(data)] = {}
            weakref.finalize(data, known.pop, id(data))
        own, asked = known[id(data)], repr((arguments, options))
        if asked not in own:
            with noting.noted() as reads:
                own[asked] = derive(data, *arguments, **options), reads
        derived, read = own[asked]
        noting.note(read)
        return derived.copy()

    return remembered
