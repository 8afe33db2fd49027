"""A page while it is being made: what it asks, records and shows. What it says about itself stands in blocks."""

from __future__ import annotations

__all__ = ["Page", "start"]

import html
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import groupby
from typing import Any, Concatenate, ParamSpec, TypeVar

import pandas as pd
from IPython.display import display

from lib.analyses.efficacy.survival import Survival
from lib.analyses.result import Absent, Analysis, without
from lib.analyses.robustness.definitions import analyse_definitions
from lib.dataset.dataset import Dataset, load
from lib.kept import results as kept
from lib.languages import speech
from lib.languages.notes import worded
from lib.languages.speech import ENGLISH, _, in_a_row
from lib.report import blocks
from lib.report.given import given
from lib.report.results import COLUMNS, to_rows
from lib.show import styles
from lib.show.disclosure.audience import allows, mask_analysis, restrict
from lib.show.disclosure.jointly import earlier_of, itself, tells_more
from lib.show.display import DETAILS, EMPTY, Block, Lacking, Table
from lib.show.labels import name_arms
from lib.study.claims import read_claims
from lib.study.clinic.markers import Marker
from lib.study.endpoints import Endpoint
from lib.study.parameters import NOTEBOOKS

A = TypeVar("A", bound=Analysis)
K = TypeVar("K", bound=Analysis | Absent)
P = ParamSpec("P")
T = TypeVar("T")


def start(notebook: str, names: dict[str, Any]) -> Page:
    """Read and check everything a notebook needs; a wrong parameter or table fails here, before the first figure.

    Parameters
    ----------
    notebook : str
        cohort, efficacy, robustness, models or safety.
    names : dict
        The notebook's `globals()`, where its parameters stand.

    Raises
    ------
    lib.study.yaml_file.ProblemsFound
        Also for a parameter that the notebook does not know.
    """
    return Page(notebook, restrict(load(notebook, **given(names, NOTEBOOKS[notebook].model_fields))))


class Page:
    """One notebook's page while it is being made.

    Attributes
    ----------
    name : str
        cohort, efficacy, robustness, models or safety.
    data : Dataset
    """

    def __init__(self, name: str, data: Dataset):
        self.name, self.data = name, data
        styles.use(data.style)
        speech.use(data.language)
        kept.begin(data)
        self._english = data.in_english
        self._rows: list[pd.DataFrame] = []
        self._analyses: list[Analysis] = []
        self._recorded: list[pd.DataFrame] = []
        self._shown: list[Analysis | Absent] = []
        self._answers: set[str] = set()
        internal = allows(data.parameters, "small cells")
        self._earlier, self._before = ((), None) if internal else (earlier_of(data), itself(data))

    # ---------------------------------------------------------------- analyses

    def analyse(self, task: Callable[Concatenate[Dataset, P], K], *arguments: P.args, **options: P.kwargs) -> K | Absent:
        """Do a task on this page's data, record what it gives, and return it as the audience may see it.

        Parameters
        ----------
        task : callable
            A task of lib.analyse; it takes the dataset first.
        *arguments, **options
            What else it takes. An analysis that this page gave is handed on unmasked.
        """
        given: Any = [self.unmasked(argument) for argument in arguments]
        named: Any = {name: self.unmasked(option) for name, option in options.items()}
        return self.record(kept.kept(task)(self.data, *given, **named))

    def analyse_each(self, task: Callable[[Dataset, T], K], items: Iterable[T]) -> list[K | Absent]:
        """Do a task for each of several endpoints, markers or analyses."""
        return [self.analyse(task, item) for item in items]

    def record(self, analysis: K) -> K | Absent:
        """Keep every statistic of `analysis` for results.csv, and give it back as the audience may see it."""
        if isinstance(analysis, Absent):
            return replace(analysis, dataset=self.data)
        full = kept.watched(name_arms(self.data, analysis))
        # results.csv is the same in every language.
        said = full if self.data.language == ENGLISH else name_arms(self._english, analysis)
        rows = to_rows(self.name, said)
        self._analyses.append(full)
        self._recorded.append(rows)
        shown: K | Absent = full
        if not allows(self.data.parameters, "small cells"):
            masked = self._masked(self.data, full)
            rows = self._not_masked(said, masked if said is full else self._masked(self._english, said))
            shown = replace(masked, dataset=self.data)
        self._rows.append(rows)
        self._shown.append(shown)
        return shown

    def _masked(self, data: Dataset, full: A) -> A | Absent:
        """As the audience may see it, and no more of it than this report showed when it was shared before."""
        masked = mask_analysis(data, full, self._earlier)
        if self._before and not isinstance(masked, Absent) and tells_more(to_rows(self.name, masked), self._before):
            return mask_analysis(data, full, (*self._earlier, self._before))
        return masked

    def _not_masked(self, full: Analysis, masked: Analysis | Absent) -> pd.DataFrame:
        """Rows of results.csv as masking left them; what never existed stays missing."""
        if isinstance(masked, Absent):
            return pd.DataFrame(columns=COLUMNS)
        rows = to_rows(self.name, masked)
        before = to_rows(self.name, replace(full, frames={name: full[name] for name in masked.frames}))["value"]
        return rows[before.isna() | rows["value"].notna()]

    def unmasked(self, shown: object) -> object:
        """The analysis behind what `record` gave back, for a further analysis; anything else as it is."""
        hits = (full for full, given in zip(self._analyses, self._shown, strict=True) if given is shown)
        return next(hits, shown)

    @property
    def results(self) -> pd.DataFrame:
        """Everything recorded so far, as rows of results.csv."""
        rows = [frame for frame in self._rows if len(frame)]
        return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=COLUMNS)

    # ---------------------------------------------------------------- what is shown

    def show(self, *items: object) -> None:
        """Show sentences, figures and tables, or lists of them, from one cell; sentences that follow each other are one paragraph."""
        for block in self._blocks(items):
            display(block)

    def details(self, *items: object) -> None:
        """Show what only some readers ask for: folded on the page, and printed where all of it is asked for."""
        for block in self._blocks(items):
            lacking = isinstance(block, Block) and block.record.get("kind") == "lacking"
            display(block, metadata={} if lacking else {DETAILS: True})

    def show_each(
        self, analyses: Iterable[K | Absent], *shows: Callable[[Any], object], details: Iterable[Callable[[Any], object]] = ()
    ) -> None:
        """Show each of several analyses in the same ways, one after the other, and fold the `details` of them all."""
        analyses = list(analyses)
        self.show([[show(analysis) for show in shows] for analysis in analyses])
        self.details([[show(analysis) for show in details] for analysis in analyses])

    def _blocks(self, items: Iterable[object]) -> Iterator[object]:
        """What a cell shows, in order; of sentences those that stand nowhere above."""
        told: set[str] = set()
        for kind, several in groupby(_flat(items), key=_kind):
            if kind == "shown":
                blocks = list(several)
            else:
                sentences = [sentence for sentence in dict.fromkeys(several) if sentence not in told]
                told.update(sentences)
                blocks = [_lacking(reason) for reason in sentences] if kind == "lacking" else [self.lead(*sentences)]
            yield from (block for block in blocks if block != EMPTY)

    def lead(self, *sentences: str | list[str]) -> Block:
        """Sentences made from results as one paragraph, but for those that the key results hold."""
        return _paragraph("lead", [sentence for sentence in _flat(sentences) if sentence not in self._answers])

    def note(self, *sentences: str | list[str]) -> Block:
        """Sentences in small type: what belongs to the figure or table above, where there is one."""
        return _paragraph("note", [sentence for sentence in _flat(sentences) if not isinstance(sentence, Lacking)])

    def banner(self, *sentences: str | list[str]) -> Block:
        """Sentences in a frame: what has to be known before anything else is read."""
        return _paragraph("banner", sentences)

    def key_results(self, *sentences: str | list[str], summary: dict[str, Any] | None = None) -> Block:
        """The box on top of the page, and what this page gives to the summary of all (`lib.show.summary`)."""
        every = list(dict.fromkeys(sentence for sentence in _flat(sentences) if sentence))
        # What a study lacks stands below, unless there is nothing else to say.
        said = [sentence for sentence in every if not isinstance(sentence, Lacking)] or every
        self._answers = set(said)
        items = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in said)
        return Block(
            f'<div class="keyresults"><h2 id="key-results">{_("Key results")}</h2><ul>{items}</ul></div>',
            "\n".join(said),
            {"kind": "key_results", "sentences": said, "summary": summary or {}},
        )

    def lacks(self, table: str) -> str:
        """Say that the study holds no such table; nothing where it does."""
        return "" if self.data.holds(table) else Lacking(worded(without(table)))

    # ---------------------------------------------------------------- what it is about

    @property
    def endpoint(self) -> Endpoint | None:
        """The endpoint that is shown first: the parameter's, or the primary one; None in a study that declares none."""
        chosen = getattr(self.data.parameters, "endpoint", "")
        return self.data.study.endpoint(chosen) if chosen else self.data.study.primary

    @property
    def endpoints(self) -> tuple[Endpoint | None, ...]:
        """All endpoints, in study order; one None in a study that declares none, whose analysis says so."""
        return self.data.study.endpoints or (None,)

    @property
    def other_endpoints(self) -> list[Endpoint]:
        """All endpoints but the first, in study order."""
        return [endpoint for endpoint in self.data.study.endpoints if endpoint != self.endpoint]

    def other_questions(self, analyses: Iterable[K]) -> list[K]:
        """Those of several analyses whose endpoint is not there for sensitivity alone."""
        again = {endpoint.id for endpoint in self.data.study.endpoints if endpoint.role == "sensitivity"}
        return [analysis for analysis in analyses if analysis.variable not in again]

    @property
    def markers(self) -> list[Marker]:
        """Markers that are outcomes, not checks of quality."""
        return [marker for marker in self.data.study.markers if marker.role == "endpoint"]

    def markers_with(self, key: str) -> list[Marker]:
        """Those of which the study declares this: kinetics, progression or surrogate."""
        return [marker for marker in self.markers if getattr(marker, key)]

    @property
    def scores(self) -> list[Marker]:
        """Those of them that are ordinal."""
        return [marker for marker in self.markers if marker.levels]

    @property
    def response_visits(self) -> tuple[float, ...]:
        """Visits of the response tables: the parameter's, or the study's."""
        return self.data.response_visits

    @property
    def queries(self) -> pd.DataFrame:
        """Open data queries."""
        return self.data.queries

    # ---------------------------------------------------------------- what it says about itself

    def header(self) -> Block:
        """Title block: study, question, cut-off, arms, parameters in force, open queries, banner."""
        return blocks.header(self.name, self.data)

    def query_files(self) -> Block:
        """Where the work list of the data queries lies: one folder up, outside of what may be shared."""
        return blocks.query_files(self.data)

    def published(self) -> None:
        """Hold the study's published claims against the results recorded so far, and show both."""
        ranges, *shown = blocks.published(self.name, self.data, self.results)
        self.record(ranges)
        self.show(*shown)

    def definitions(self, survival: Survival | Absent) -> tuple[str, Table | Block]:
        """Which definition of an endpoint its published numbers fit: a sentence, and the table behind it."""
        found = self.analyse(analyse_definitions, survival, read_claims(self.data.study.folder))
        return blocks.definitions(self.name, self.data, found)

    def methods(self) -> Block:
        """How this page was computed, as a paragraph to paste into a paper."""
        return blocks.methods(self.data, self._analysed)

    def estimators(self) -> Block:
        """Every estimator and test that this page ran, each once, in the order of the page, with its source."""
        return blocks.estimators(self._analysed)

    @property
    def _analysed(self) -> list[Analysis]:
        return [analysis for analysis in self._shown if isinstance(analysis, Analysis)]

    def self_check(self) -> Block:
        """Compute the numbers of this page a second time, by other engines and definitions; a difference stops it.

        Raises
        ------
        lib.statistics.second_engine.survival.DisagreementError
            With the number and both values.
        """
        return blocks.self_check(self.data, list(zip(self._analyses, self._recorded, strict=True)))

    def check(self) -> Block:
        """Hold the denominators of everything recorded so far against the participant flow.

        Raises
        ------
        lib.analyses.cohort.flow.CountsDifferError
            With the table and both counts.
        """
        return blocks.check_counts(self.data, self._analyses)

    def colophon(self) -> Block:
        """Recorded results, versions, commit and fingerprints of the inputs."""
        return blocks.colophon(self.data, self.results)


def _flat(items: Iterable[Any]) -> list[Any]:
    """Items of lists within lists, in order."""
    return [part for item in items for part in (_flat(item) if isinstance(item, list | tuple) else [item])]


def _kind(item: object) -> str:
    """What stands together: sentences, which are one paragraph; reasons why there is nothing; tables, figures and blocks."""
    return "lacking" if isinstance(item, Lacking) else "said" if isinstance(item, str) else "shown"


def _lacking(reason: str) -> Block:
    return Block(f'<p class="note">{html.escape(reason)}</p>', reason, {"kind": "lacking", "reason": reason})


def _paragraph(kind: str, sentences: Iterable[Any]) -> Block:
    text = in_a_row(dict.fromkeys(sentence for sentence in _flat(sentences) if sentence))
    return Block(f'<p class="{kind}">{html.escape(text)}</p>', text, {}) if text else EMPTY
