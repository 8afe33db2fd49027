"""Reporting checklists (CONSORT, STROBE, RECORD) filled from the report: each item with where it stands, or why it cannot be answered.

The items are data (lib/analyses/cohort/checklists); links are made to the headings of the notebooks.
"""

from __future__ import annotations

__all__ = ["CHECKLISTS", "DECLARATIONS", "Answer", "Checklist", "Declared", "Item", "Place", "Reporting", "count_answered", "count_declared", "fill", "messages", "read_checklist"]

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import IO, Literal, NamedTuple

import pandas as pd
from pydantic import Field, model_validator

from lib.analyses.result import Analysis
from lib.dataset.dataset import Dataset
from lib.study.design import ELEMENTS
from lib.study.parameters import NOTEBOOKS
from lib.study.parts import TABLES, Frozen, Text, unique
from lib.study.yaml_file import read_yaml

FOLDER = Path(__file__).parent / "checklists"
CHECKLISTS = ("consort", "strobe", "record")
EXCLUDED = "patients.excluded"
# What a journal asks the authors to declare: key of `study:` in study.yml -> how it is called.
DECLARATIONS = {
    "setting": "Setting",
    "registration": "Registration",
    "protocol": "Protocol and analysis plan",
    "ethics": "Ethics approval and consent",
    "sample_size": "Study size",
    "funding": "Funding and role of the funders",
    "data_access": "Access to the source data",
}


class Place(Frozen):
    """A heading of a report."""

    page: Literal[tuple(NOTEBOOKS)]  # type: ignore[valid-type]
    heading: Text


class Item(Frozen):
    """One item: what is asked, and either places that answer it or why none does."""

    item: Text
    text: Text
    says: Literal["question", "design", "analysed", "population", "cutoff", "citation", *DECLARATIONS] | None = None  # type: ignore[valid-type]
    needs: tuple[Literal[(*TABLES, EXCLUDED)], ...] = ()  # type: ignore[valid-type]
    needs_dates: bool = False
    answer: Text = ""
    places: tuple[Place, ...] = ()
    lacking: Text = ""

    @model_validator(mode="after")
    def _answered_or_lacking(self):
        if bool(self.places) == bool(self.lacking):
            raise ValueError("either places that answer the item, or why it is lacking")
        if self.places and not (self.answer or self.says):
            raise ValueError("an answer, or a key of study.yml that says it")
        return self


class Checklist(Frozen):
    """A guideline and its items."""

    name: Text
    title: Text
    source: Text
    items: tuple[Item, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _items_once(self):
        unique("item", [item.item for item in self.items])
        return self


class Answer(NamedTuple):
    """One item, answered for a study: `places` is empty where the study cannot answer it, and `said` says why."""

    item: str
    text: str
    parts: tuple[str, ...]
    places: tuple[Place, ...]

    @property
    def said(self) -> str:
        """The parts of the answer in a row."""
        return " ".join(self.parts)


@cache
def read_checklist(name: str) -> Checklist:
    """Read the items of one of `CHECKLISTS`."""
    return read_yaml(FOLDER / f"{name}.yml", Checklist)


def messages(file: IO[bytes], *_asked: object, **_options: object) -> Iterator[tuple[int, str, str, list[str]]]:
    """What a checklist says, as Babel asks for it."""
    checklist = read_checklist(Path(file.name).stem)
    said = [checklist.title, *(text for item in checklist.items for text in (item.text, item.answer, item.lacking))]
    yield from ((number, "_", text, []) for number, text in enumerate(dict.fromkeys(filter(None, said))))


def fill(data: Dataset, checklist: Checklist) -> list[Answer]:
    """Answer every item of a checklist for a study.

    Parameters
    ----------
    data : Dataset
    checklist : Checklist

    Returns
    -------
    list of Answer
        In the order of the checklist; none is left out.
    """
    return [_answer(data, item) for item in checklist.items]


class Reporting(Analysis):
    """How many items of the reporting checklists are answered."""


def count_answered(data: Dataset) -> Reporting:
    """Items of each checklist of such a design that the report answers: `reporting`, `n_answered` of `n_items`."""
    answers = {name: fill(data, read_checklist(name)) for name in data.study.by_design.checklists}
    counts = {n: (sum(bool(a.places) for a in given), len(given)) for n, given in answers.items()}
    return Reporting(data, "", {"reporting": _counted(counts)})


class Declared(Analysis):
    """How many parts of its design the study declares."""


def count_declared(data: Dataset) -> Declared:
    """What the authors declared: `declared`, of the elements of the target trial, where the study stands in for one, and of the domains of bias."""
    study = data.study
    counts = {"risks_of_bias": (len(study.risks_of_bias.declared), len(study.by_design.instrument.domains))}
    if study.by_design.may_be_confounded:
        elements = sum(bool(getattr(study.target_trial, element)) for element in ELEMENTS)
        counts = {"target_trial": (elements, len(ELEMENTS))} | counts
    return Declared(data, "", {"declared": _counted(counts)})


def _counted(counts: dict[str, tuple[int, int]]) -> pd.DataFrame:
    rows = [(name, "overall", answered, asked) for name, (answered, asked) in counts.items()]
    frame = pd.DataFrame(rows, columns=["variable", "group", "n_answered", "n_items"])
    return frame.assign(method="count of items", note="")


def _answer(data: Dataset, item: Item) -> Answer:
    why_not = item.lacking or _lacking(data, item)
    if why_not:
        why = why_not[0].lower() + why_not[1:]
        return Answer(item.item, item.text, (f"Not answered: {why}.",), ())
    parts = [_stated(data, item), item.answer]
    said = tuple(part if part[-1] in ".?" else f"{part}." for part in parts if part)
    return Answer(item.item, item.text, said, item.places)


def _stated(data: Dataset, item: Item) -> str:
    """What study.yml says, in its own words."""
    if item.says == "cutoff":
        return f"Data cut-off {data.cutoff}" if data.cutoff else ""
    if item.says == "analysed":
        return f"Analysed {data.study.by_design.arms_as}" if data.study.by_design.analysed else ""
    if item.says == "design":
        said = data.study.by_design.description
    else:
        said = getattr(data.study.study, item.says) if item.says else ""
    return said[:1].upper() + said[1:]


def _lacking(data: Dataset, item: Item) -> str:
    """Why this study cannot answer an item that a report could, or ""."""
    missing = [table.replace("_", " ") for table in item.needs if table != EXCLUDED and not data.holds(table)]
    if missing:
        return f"this study holds no table of {' and '.join(missing)}"
    if EXCLUDED in item.needs and "excluded" not in set(data.flow["step"]):
        return "this study records nobody who was screened and excluded"
    if item.needs_dates and ("time_zero" not in data.patients or data.cutoff is None):
        return "this study holds no calendar dates"
    if item.says and not _stated(data, item):
        asked = "how its arms are analysed" if item.says == "analysed" else f"its {item.says.replace('_', ' ')}"
        return f"this study does not state {asked}"
    return ""
