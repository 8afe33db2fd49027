"""The interactive page: a form beside live results. Parameters in, the reports' own figures, tables and sentences out.

It has no logic of its own: what is shown is computed, worded, drawn and masked by the functions of the reports, and
what was chosen is saved as the parameters of a report (saving).
"""

from __future__ import annotations

__all__ = ["Explorer", "start"]

import asyncio
import logging
import os
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache

import ipywidgets as w

from lib import (
    dataset,
    figures,
    figures_safety,
    figures_tumour,
    narrative,
    narrative_tumour,
    response,
    response_course,
    safety,
    tables,
    tables_outcome,
    tables_safety,
    time_to_event,
)
from lib.closer import marks_response, marks_survival, marks_terms, marks_waterfall
from lib.display import Block, Figure
from lib.explore_form import LABELS, Form, find_studies
from lib.explore_view import View, blocks_of
from lib.intake import Tables, read_tables
from lib.parameters import NOTEBOOKS, check_parameters
from lib.report import SYNTHETIC, Report
from lib.saving import UNQUOTED, Saver
from lib.sharing import allows, restrict
from lib.study import ROOT, Study, read_study
from lib.yamlfile import ProblemsFound

# A change is drawn when nothing else has changed for so long; what was drawn is kept for going back and forth.
WAIT_SECONDS, KEPT = 0.15, 24
log = logging.getLogger(__name__)


def _notices(page: Report) -> list[Block]:
    """What every page of a report says first: synthetic data, masked cells."""
    return [
        page.say(SYNTHETIC if page.data.study.study.synthetic else "", kind="banner"),
        page.say(page.shared_notice(), kind="banner"),
    ]


def _survival(page: Report) -> list:
    data, endpoint = page.data, page.endpoints[0]
    found = page.record(time_to_event.analyse(data, endpoint))
    figure = figures.plot_survival(data, found)
    return [
        page.say(narrative.sentence_survival(data, found), narrative.sentence_comparison(data, found)),
        page.say(narrative.sentence_small(data, found), kind="banner"),
        (figure, marks_survival(data, found, figure)),
        tables.table_survival(data, found), tables.table_comparisons(data, found),
        page.say(f"{endpoint.label}: {endpoint.definition}.", kind="note"),
    ]  # fmt: skip


def _response(page: Report) -> list:
    data, visits = page.data, page.response_visits
    found = page.record(response.analyse(data, visits))
    figure = figures.plot_response(data, found)
    return [
        page.say(*[narrative.sentence_response(data, found, visit) for visit in visits], page.lacks("measurements")),
        (figure, marks_response(data, found, figure)),
        tables_outcome.table_response(data, found), tables_outcome.table_response_pairs(data, found),
    ]  # fmt: skip


def _waterfall(page: Report) -> list:
    data = page.data
    found = page.record(response_course.analyse_course(data, page.response_visits))
    figure = figures_tumour.plot_waterfall(data, found)
    return [
        page.say(narrative_tumour.sentence_best_response(data, found), page.lacks("measurements")),
        (figure, marks_waterfall(data, found, figure)),
        page.say(narrative_tumour.sentence_undrawn(data, found), kind="note"),
    ]


def _events(page: Report) -> list:
    data = page.data
    found = page.record(safety.analyse(data))
    figure = figures_safety.plot_ae_terms(data, found)
    return [
        page.say(page.lacks("adverse_events")),
        (figure, marks_terms(data, found, figure)),
        tables_safety.table_ae_terms(data, found),
    ]


# What can be looked at -> the report that it belongs to, and what it shows. Only what is looked at is computed.
TABS: dict[str, tuple[str, Callable[[Report], list]]] = {
    "Survival": ("efficacy", _survival),
    "Response": ("efficacy", _response),
    "Each patient": ("efficacy", _waterfall),
    "Adverse events": ("safety", _events),
}


@lru_cache(maxsize=4)
def _read(folder: str, _stamp: tuple) -> tuple[Study, Tables]:
    """A study and its checked tables, read once as long as no file of it changes."""
    study = read_study(ROOT / folder)
    return study, read_tables(study)


def _stamp(folder: str) -> tuple:
    files = sorted(path for path in (ROOT / folder).iterdir() if path.is_file())
    return tuple((path.name, path.stat().st_mtime_ns) for path in files)


class Explorer:
    """The page while it is being used.

    Attributes
    ----------
    form : lib.explore_form.Form
    view : lib.explore_view.View
        What is shown.
    page : lib.report.Report or None
        The report whose results are shown; its `results` are rows of results.csv.
    """

    def __init__(self, study: str, audiences: tuple[str, ...] = ("internal", "share")):
        self.page: Report | None = None
        self._pending: asyncio.TimerHandle | None = None
        self._drawn: OrderedDict[tuple, tuple[Report, list[dict]]] = OrderedDict()
        self.view = View(tabs=list(TABS))
        self.form = Form(find_studies(study), audiences, self._later)
        self.saver = Saver(lambda: (self.form.folder, self.form.parameters()))
        self.view.observe(lambda _: self._later(), "tab")
        self.view.observe(lambda change: self._show_profile(change["new"]), "picked")
        side = w.VBox([self.form.box, self.saver.box], _dom_classes=["cohort-side"])
        self.box = w.Box([side, self.view], _dom_classes=["cohort-page"])
        self.draw()

    def _repr_mimebundle_(self, include=None, exclude=None):
        return self.box._repr_mimebundle_(include=include, exclude=exclude)

    def _later(self) -> None:
        """Draw soon, once for several changes; at once where there is no event loop to wait in."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.draw()
            return
        if self._pending is not None:
            self._pending.cancel()
        self.view.busy = True
        self._pending = loop.call_later(WAIT_SECONDS, self.draw)

    def draw(self) -> None:
        """Show the results of what is chosen, or say in a sentence why there are none."""
        self.view.picked, self.view.profile = "", {}
        try:
            self.page, self.view.blocks = self._results()
            self.view.problems = []
        except ProblemsFound as found:
            self.page, self.view.blocks = None, []
            self.view.problems = self._told(found.problems)
        except Exception as error:
            log.exception("the page could not be drawn")
            self.page, self.view.blocks = None, []
            self.view.problems = [f"These choices cannot be shown: {type(error).__name__}. Please choose otherwise."]
        finally:
            self.view.busy = False

    def _told(self, problems: list) -> list[str]:
        """Sentences for the reader; what is wrong with the tables names patients, so a shared page does not quote it."""
        if self.form.audience == "share" and any(problem.file != "parameters" for problem in problems):
            return [UNQUOTED]
        return [_sentence(problem) for problem in problems]

    def _results(self) -> tuple[Report, list[dict]]:
        tab = list(TABS)[self.view.tab]
        name, show = TABS[tab]
        folder, stamp, given = self.form.folder, _stamp(self.form.folder), self.form.parameters()
        own = {key: value for key, value in given.items() if key in NOTEBOOKS[name].model_fields}
        key = (tab, folder, stamp, repr(own))
        if key not in self._drawn:
            study, read = _read(folder, stamp)
            checked = check_parameters(study, name, {"study": folder} | own)
            data = restrict(dataset.restrict(study, checked, dict(read.frames), read.queries))
            page = Report(name, data)
            shown = show(page) if len(data.patients) else [page.say("No patient is left with these choices.")]
            self._drawn[key] = page, blocks_of([*_notices(page), *shown])
            if len(self._drawn) > KEPT:
                self._drawn.popitem(last=False)
        return self._drawn[key]

    def _show_profile(self, patient_id: str) -> None:
        """Open one patient's profile beside the figure, where the audience may see one."""
        self.view.profile = {}
        if not patient_id or self.page is None or not allows(self.page.data.parameters, "profile"):
            return
        if patient_id not in set(self.page.data.patients["patient_id"]):
            self.view.profile = {"html": self.page.say("No such patient is among those chosen.").html}
            return
        shown = figures_safety.plot_profiles(self.page.data, [patient_id])
        self.view.profile = blocks_of([(figure, []) for figure in shown if isinstance(figure, Figure)])[0]

    def print_text(self) -> None:
        """Print the tables that are shown, as plain text: what the test of the notebook compares."""
        print("\n\n".join(block["text"] for block in self.view.blocks if block.get("text")))


def _sentence(problem) -> str:
    label = LABELS.get(problem.column, problem.column)
    found = f" (found {problem.value})" if str(problem.value) else ""
    where = f"{label}: " if label else ""
    return f"{where}{problem.message}{found}."


def start(study: str = "data/rair_dtc") -> Explorer | Block:
    """Open the page on a study; whoever serves it may restrict the audience (COHORT_AUDIENCE)."""
    only = os.environ.get("COHORT_AUDIENCE")
    return Explorer(study, (only,) if only else ("internal", "share"))
