"""The interactive page: a form beside live results. Parameters in, the reports' own figures, tables and sentences out.

It has no logic of its own: what is shown is computed, worded, drawn and masked by the functions of the reports, and
what was chosen is saved as the parameters of a report (saving).
"""

from __future__ import annotations

__all__ = ["Explorer", "start", "warm"]

import asyncio
import contextlib
import logging
import multiprocessing
import os
from collections.abc import Callable
from functools import lru_cache

import ipywidgets as w

from lib import analyse
from lib.analyses.result import Absent
from lib.dataset import dataset
from lib.explore.asking import NOT_HERE, Asker, waits
from lib.explore.form import LABELS, Form, find_studies
from lib.explore.marks import marks_prior, marks_response, marks_survival, marks_terms, marks_waterfall
from lib.explore.queries import Checked, check_study, show_queries
from lib.explore.saving import Saver
from lib.explore.view import Pictures, View, blocks_of, take_only_values
from lib.report.blocks import SYNTHETIC, shared_notice
from lib.report.given import given
from lib.report.page import Page
from lib.show import plot, say, styles, table
from lib.show.disclosure.audience import allows, restrict
from lib.show.display import Block, Figure
from lib.show.formats import plural
from lib.study.parameters import NOTEBOOKS, Parameters, check_parameters, unknown
from lib.study.study import ROOT
from lib.study.yaml_file import Problem, ProblemsFound

# A change is drawn when nothing else has changed for so long (what is changed meanwhile waits, and is drawn at once with
# what follows it), a tab that nobody has opened yet when nobody has asked for anything for longer; what was drawn is kept
# for going back and forth.
WAIT_SECONDS, QUIET_SECONDS, KEPT, STUDIES = 0.05, 1.0, 24, 4
log = logging.getLogger(__name__)


def _notices(page: Page) -> list[Block]:
    """What every page of a report says first: synthetic data, masked cells."""
    return [page.banner(SYNTHETIC if page.data.study.study.synthetic else ""), page.banner(shared_notice(page.data))]


def _survival(page: Page) -> list:
    found = page.analyse(analyse.survival, page.endpoint)
    figure = plot.survival(found)
    return [
        page.lead(say.survival(found), say.comparison(found)), page.banner(say.small(found)),
        (figure, marks_survival(found, figure)),
        table.survival(found), table.comparisons(found), page.note(say.definition(found)),
    ]  # fmt: skip


def _response(page: Page) -> list:
    found = page.analyse(analyse.response, page.response_visits)
    figure = plot.response(found)
    return [
        page.lead(say.response(found), page.lacks("measurements")), (figure, marks_response(found, figure)),
        table.response(found), table.response_pairs(found),
    ]  # fmt: skip


def _waterfall(page: Page) -> list:
    found = page.analyse(analyse.course, page.response_visits)
    figure = plot.waterfall(found)
    return [
        page.lead(say.best_response(found), page.lacks("measurements")), (figure, marks_waterfall(found, figure)),
        page.note(say.undrawn(found)),
    ]  # fmt: skip


def _events(page: Page) -> list:
    found = page.analyse(analyse.adverse_events)
    figure = plot.ae_terms(found)
    return [page.lead(page.lacks("adverse_events")), (figure, marks_terms(found, figure)), table.ae_terms(found)]


def _prior(page: Page) -> list:
    found = page.analyse(analyse.prior_effect, page.analyse(analyse.survival, page.endpoint))
    figure = plot.prior_effect(found)
    return [page.lead(say.prior_effect(found)), (figure, marks_prior(found, figure)), table.prior_effect(found), table.priors(found)]


# What can be looked at -> the report that it belongs to, and what it shows. Only what is looked at is computed.
TABS: dict[str, tuple[str, Callable[[Page], list]]] = {
    "Survival": ("efficacy", _survival),
    "Response": ("efficacy", _response),
    "Each patient": ("efficacy", _waterfall),
    "Adverse events": ("safety", _events),
    "Prior knowledge": ("models", _prior),
}
# Beside them: the list of what is to be corrected in the data.
DATA = "Data"


# What was read, as long as no file of it changes, and what was drawn of it before the kernel was forked.
_studies: dict[tuple, Checked] = {}
_before = Pictures(KEPT)


def _read(folder: str, stamp: tuple) -> Checked:
    """A study, its checked tables and its data queries."""
    if (folder, stamp) not in _studies:
        if len(_studies) >= STUDIES:
            del _studies[next(iter(_studies))]
        _studies[folder, stamp] = check_study(ROOT / folder)
    return _studies[folder, stamp]


def warm(study: str) -> None:
    """Read a study and draw each tab, so that kernels that are forked from this process find all of it made.

    The tables are read in another process: who reads them starts threads, and a process with threads cannot be forked.
    """
    stamp, processes = _stamp(study), multiprocessing.get_context("fork")
    here, there = processes.Pipe(duplex=False)
    reader = processes.Process(target=lambda: there.send(_read(study, stamp)))
    reader.start()
    there.close()
    _studies[study, stamp] = here.recv()
    reader.join()
    page = start({"study": study})
    if isinstance(page, Explorer):
        for tab in range(len(TABS)):
            page.view.tab = tab
        _before.take(page._pictures)
    w.Widget.close_all()


def _stamp(folder: str) -> tuple:
    files = sorted(path for path in (ROOT / folder).glob("*") if path.is_file())
    return tuple((path.name, path.stat().st_mtime_ns) for path in files)


@lru_cache(maxsize=4)
def _waits(folder: str, _stamp: tuple) -> bool:
    """Whether a study waits for answers, read once as long as no file of it changes."""
    return waits(ROOT / folder)


class Explorer:
    """The page while it is being used.

    Attributes
    ----------
    form : lib.explore.form.Form
    view : lib.explore.view.View
        What is shown.
    page : lib.report.page.Page or None
        The report whose results are shown; its `results` are rows of results.csv. None where there are none.
    """

    def __init__(self, study: str, audiences: tuple[str, ...] = ("internal", "share")):
        self.page: Page | None = None
        self._first = study
        self._pending: asyncio.TimerHandle | None = None
        self._pictures, self._unopened = Pictures(KEPT), list(TABS)
        self._pictures.take(_before)
        self.view = View(tabs=[*TABS, DATA])
        self.form = Form(find_studies(study), audiences, self._later)
        self.saver = Saver(self._chosen)
        self.view.observe(lambda _: self._later(), "tab")
        self.view.observe(lambda change: self._show_profile(change["new"]), "picked")
        self.view.observe(lambda _: self.check_again(), "asked")
        self.asker = Asker(self._taken_in)
        self._side = w.VBox(_dom_classes=["cohort-side"])
        self.box = w.Box(_dom_classes=["cohort-page"])
        self._show(self.view)
        self.draw()

    def _repr_mimebundle_(self, include=None, exclude=None):
        return self.box._repr_mimebundle_(include=include, exclude=exclude)

    def _after(self, seconds: float, do: Callable[[], None]) -> bool:
        """Do something after so long, in the place of what was to be done; False where there is no event loop to wait in."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return False
        if self._pending is not None:
            self._pending.cancel()
        self._pending = loop.call_later(seconds, do)
        return True

    def _later(self) -> None:
        """Draw soon, once for several changes; at once where nothing can wait."""
        if self._after(WAIT_SECONDS, self.draw):
            self.view.busy = True
        else:
            self.draw()

    def _ahead(self) -> None:
        """Draw the tabs that nobody has opened yet, one after the other, while nobody asks for anything: they open at once."""
        if self._unopened and self.page is not None:
            self._after(QUIET_SECONDS, self._draw_ahead)

    def _draw_ahead(self) -> None:
        with contextlib.suppress(Exception):  # whoever opens it is told
            self._picture(self._unopened[0])
        self._ahead()

    def check_again(self) -> None:
        """Read the list of studies, study.yml and the tables from disk again, whatever is remembered of them."""
        _studies.clear()
        _waits.cache_clear()
        self._pictures.clear()
        self.form.offer(find_studies(self._first))
        self._later()

    def _taken_in(self, folder: str) -> None:
        """Go on to a study that waits for nothing any more."""
        self._first = folder
        self.form.offer(find_studies(folder), folder)
        self.draw()

    def _show(self, main: w.Widget, *side: w.Widget) -> None:
        """Show something beside the form, and what belongs to it below the form."""
        for box, parts in ((self._side, (self.form.box, *side)), (self.box, (self._side, main))):
            if box.children != parts:
                box.children = parts

    def _ask(self) -> None:
        """Ask what has to be known before there are results; on a shared page, where nobody may write, say so."""
        self.page, self.view.blocks, self.view.problems = None, [], [NOT_HERE]
        if self.form.audience != "internal":
            self._show(self.view)
            return
        self._show(self.asker.view)
        self.asker.ask(ROOT / self.form.folder)

    def draw(self) -> None:
        """Show the results of what is chosen, or ask what has to be known first, or say in a sentence why there are none."""
        self.view.picked, self.view.profile = "", {}
        try:
            if self._waits():
                self._ask()
                return
            self._show(self.view, self.saver.box)
            self.page, self.view.blocks = self._results()
            self.view.problems = []
        except ProblemsFound as found:
            self.page, self.view.blocks = None, []
            self.view.problems = [_sentence(problem) for problem in found.problems]
        except Exception as error:
            log.exception("the page could not be drawn")
            self.page, self.view.blocks = None, []
            self.view.problems = [f"These choices cannot be shown: {type(error).__name__}. Please choose otherwise."]
        finally:
            self.view.busy = False
            self._ahead()

    def _waits(self) -> bool:
        return _waits(self.form.folder, _stamp(self.form.folder))

    def _checked(self) -> Checked:
        """The chosen study as it is on disk."""
        checked = _read(self.form.folder, _stamp(self.form.folder))
        self.form.follow(checked.study)
        return checked

    def _chosen(self) -> tuple[str, dict]:
        """Folder and parameters of the report that is looked at; `ProblemsFound` where none can be made."""
        if blocking := self._checked().blocking:
            message = f"{plural(blocking, 'problem')} of the data must be corrected first; the tab {DATA} says more"
            raise ProblemsFound([Problem("E100", message)])
        return self.form.folder, self.form.parameters()

    def _results(self) -> tuple[Page | None, list[dict]]:
        if self.view.tab == len(TABS):
            return None, show_queries(self._checked(), Parameters(audience=self.form.audience))
        page, blocks = self._picture(list(TABS)[self.view.tab])
        styles.use(page.data.style)  # of what is shown, also where it was drawn before
        return page, blocks

    def _picture(self, tab: str) -> tuple[Page, list[dict]]:
        """What a tab shows of what is chosen."""
        if tab in self._unopened:
            self._unopened.remove(tab)
        name, show = TABS[tab]
        folder, given = self._chosen()
        found = self._checked()
        own = {key: value for key, value in given.items() if key in NOTEBOOKS[name].model_fields}
        parameters = check_parameters(found.study, name, {"study": folder} | own)

        def draw() -> tuple[Page, list[dict]]:
            data = restrict(dataset.restrict(found.study, parameters, dict(found.tables.frames), found.queries))
            page = Page(name, data)
            return page, blocks_of([*_notices(page), *show(page)])

        return self._pictures.find((tab, folder, found.at), parameters, draw)

    def _show_profile(self, patient_id: str) -> None:
        """Open one patient's profile beside the figure, where the audience may see one."""
        self.view.profile = {}
        if not patient_id or self.page is None or not allows(self.page.data.parameters, "profile"):
            return
        if patient_id not in set(self.page.data.patients["patient_id"]):
            self.view.profile = {"html": self.page.lead("No such patient is among those chosen.").html}
            return
        found = self.page.analyse(analyse.profiles, patient_id)
        shown = plot.profiles(found)
        if isinstance(shown, Block):
            said = found.reason if isinstance(found, Absent) else shown.text
            self.view.profile = {"html": self.page.lead(said).html}
            return
        self.view.profile = blocks_of([(figure, []) for figure in shown if isinstance(figure, Figure)])[0]

    def print_text(self) -> None:
        """Print the tables that are shown, as plain text: what the test of the notebook compares."""
        print("\n\n".join(block["text"] for block in self.view.blocks if block.get("text")))


def _sentence(problem) -> str:
    label = LABELS.get(problem.column, problem.column)
    found = f" (found {problem.value})" if str(problem.value) else ""
    where = f"{label}: " if label else ""
    return f"{where}{problem.message}{found}."


def start(names: dict) -> Explorer | Block:
    """Open the page on the study that the notebook's `globals()` name; whoever serves it may restrict the audience (COHORT_AUDIENCE).

    Raises
    ------
    ProblemsFound
        E110 for a parameter that the notebook does not know.
    """
    asked = given(names, ["study"])
    if problems := [unknown(name, ["study"]) for name in asked if name != "study"]:
        raise ProblemsFound(problems)
    take_only_values()
    # The kernel that ipywidgets would speak to as it is imported was not there yet, where one is forked with it imported.
    w.register_comm_target()
    only = os.environ.get("COHORT_AUDIENCE")
    return Explorer(asked["study"], (only,) if only else ("internal", "share"))
