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
from lib.explore.asking import NOT_HERE, WORDS, Asker, waits
from lib.explore.form import LABELS, Form, find_studies
from lib.explore.queries import Checked, check_study, show_queries
from lib.explore.saving import Saver
from lib.explore.view import DATA, TABS, Pictures, View, blocks_of, notices, take_only_values, told, words_of
from lib.languages import speech
from lib.languages.notes import worded
from lib.languages.speech import _, ngettext
from lib.report.given import given
from lib.report.page import Page
from lib.show import plot, styles
from lib.show.disclosure.audience import allows, restrict
from lib.show.display import Block, Figure
from lib.show.formats import format_whole
from lib.study.parameters import NOTEBOOKS, Parameters, check_parameters, unknown
from lib.study.study import ROOT
from lib.study.yaml_file import Problem, ProblemsFound

# A change is drawn when nothing else has changed for so long (what is changed meanwhile waits, and is drawn at once with
# what follows it), a tab that nobody has opened yet when nobody has asked for anything for longer; what was drawn is kept
# for going back and forth.
WAIT_SECONDS, QUIET_SECONDS, KEPT, STUDIES = 0.05, 1.0, 24, 4
# Parameters of the notebook; a copy in a language has the second one.
KNOWN = ["study", "language"]
log = logging.getLogger(__name__)


# What was read, as long as no file of it changes, and what was drawn of it before the kernel was forked.
_studies: dict[tuple, Checked] = {}
_before = Pictures(KEPT)


def _read(folder: str, stamp: tuple, language: str) -> Checked:
    """A study in a language, or in its own, its checked tables and its data queries."""
    if (folder, stamp, language) not in _studies:
        if len(_studies) >= STUDIES:
            del _studies[next(iter(_studies))]
        _studies[folder, stamp, language] = check_study(ROOT / folder, language)
    return _studies[folder, stamp, language]


def warm(study: str) -> None:
    """Read a study and draw each tab, so that kernels that are forked from this process find all of it made.

    The tables are read in another process: who reads them starts threads, and a process with threads cannot be forked.
    """
    stamp, language, processes = _stamp(study), _asked_language(), multiprocessing.get_context("fork")
    here, there = processes.Pipe(duplex=False)
    reader = processes.Process(target=lambda: there.send(_read(study, stamp, language)))
    reader.start()
    there.close()
    _studies[study, stamp, language] = here.recv()
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

    Parameters
    ----------
    study : str
        Folder of the study that is shown first.
    audiences : tuple of str
        Those that may be chosen.
    language : str
        Of `lib.languages.speech.LANGUAGES`, in which every study is shown; "": each in its own.

    Attributes
    ----------
    form : lib.explore.form.Form
    view : lib.explore.view.View
        What is shown.
    page : lib.report.page.Page or None
        The report whose results are shown; its `results` are rows of results.csv. None where there are none.
    """

    def __init__(self, study: str, audiences: tuple[str, ...] = ("internal", "share"), language: str = ""):
        speech.use(language or speech.in_force())
        self.page: Page | None = None
        self._first, self._language, self._spoken = study, language, speech.in_force()
        self._pending: asyncio.TimerHandle | None = None
        self._pictures, self._unopened = Pictures(KEPT), list(TABS)
        self._pictures.take(_before)
        self.view = View(tabs=[_(tab) for tab in (*TABS, DATA)])
        self.form = Form(self._offered(study), audiences, self._later, language)
        self.saver = Saver(self._chosen)
        self.view.observe(lambda __: self._later(), "tab")
        self.view.observe(lambda change: self._show_profile(change["new"]), "picked")
        self.view.observe(lambda __: self.check_again(), "asked")
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
        self.form.offer(self._offered(self._first))
        self._later()

    def _taken_in(self, folder: str) -> None:
        """Go on to a study that waits for nothing any more."""
        self._first = folder
        self.form.offer(self._offered(folder), folder)
        self.draw()

    def _offered(self, first: str) -> dict[str, str]:
        return find_studies(first, language=self._language) if self._language else find_studies(first)

    def _show(self, main: w.Widget, *side: w.Widget) -> None:
        """Show something beside the form, and what belongs to it below the form."""
        for box, parts in ((self._side, (self.form.box, *side)), (self.box, (self._side, main))):
            if box.children != parts:
                box.children = parts

    def _speak(self) -> None:
        """Say what stands around the results in the language of the study that is shown, if that is another than before."""
        if self._spoken == (language := speech.in_force()):
            return
        self._spoken = language
        with self.view.hold_sync():
            self.view.tabs, self.view.words = [_(tab) for tab in (*TABS, DATA)], words_of()
        self.asker.view.words = words_of(WORDS)
        self.saver.speak()
        self.form.offer(self._offered(self._first))

    def _ask(self) -> None:
        """Ask what has to be known before there are results; on a shared page, where nobody may write, say so."""
        self.page, self.view.blocks, self.view.problems = None, [], [_(NOT_HERE)]
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
            self.view.problems = [_("These choices cannot be shown: {error}. Please choose otherwise.", error=type(error).__name__)]
        finally:
            self._speak()
            self.view.busy = False
            self._ahead()

    def _waits(self) -> bool:
        return _waits(self.form.folder, _stamp(self.form.folder))

    def _checked(self) -> Checked:
        """The chosen study as it is on disk."""
        checked = _read(self.form.folder, _stamp(self.form.folder), self._language)
        self.form.follow(checked.study)
        return checked

    def _chosen(self) -> tuple[str, dict]:
        """Folder and parameters of the report that is looked at; `ProblemsFound` where none can be made."""
        if blocking := self._checked().blocking:
            message = ngettext(
                "{n} problem of the data must be corrected first; the tab {tab} says more",
                "{n} problems of the data must be corrected first; the tab {tab} says more",
                blocking, n=format_whole(blocking), tab=_(DATA),
            )  # fmt: skip
            raise ProblemsFound([Problem("E100", message)])
        return self.form.folder, self.form.parameters() | ({"language": self._language} if self._language else {})

    def _results(self) -> tuple[Page | None, list[dict]]:
        if self.view.tab == len(TABS):
            return None, show_queries(self._checked(), Parameters(audience=self.form.audience, language=self._language))
        page, blocks = self._picture(list(TABS)[self.view.tab])
        styles.use(page.data.style)  # of what is shown, also where it was drawn before
        speech.use(page.data.language)
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
            return page, blocks_of([*notices(page), *show(page)])

        return self._pictures.find((tab, folder, found.at), parameters, draw)

    def _show_profile(self, patient_id: str) -> None:
        """Open one patient's profile beside the figure, where the audience may see one."""
        self.view.profile = {}
        if not patient_id or self.page is None or not allows(self.page.data.parameters, "profile"):
            return
        if patient_id not in set(self.page.data.patients["patient_id"]):
            self.view.profile = {"html": self.page.lead(_("No such patient is among those chosen.")).html}
            return
        found = self.page.analyse(analyse.profiles, patient_id)
        shown = plot.profiles(found)
        if isinstance(shown, Block):
            said = worded(found.reason) if isinstance(found, Absent) else shown.text
            self.view.profile = {"html": self.page.lead(said).html}
            return
        self.view.profile = blocks_of([(figure, []) for figure in shown if isinstance(figure, Figure)])[0]

    def print_text(self) -> None:
        """Print the tables that are shown, as plain text: what the test of the notebook compares."""
        print("\n\n".join(block["text"] for block in self.view.blocks if block.get("text")))


def _sentence(problem: Problem) -> str:
    return told(problem, _(LABELS.get(problem.column, "")) or problem.column)


def _asked_language() -> str:
    """What whoever serves the page asked for (COHORT_LANGUAGE); "": nothing."""
    asked = os.environ.get("COHORT_LANGUAGE", "")
    return speech.of_user({"COHORT_LANGUAGE": asked}) if asked else ""


def start(names: dict) -> Explorer | Block:
    """Open the page on the study that the notebook's `globals()` name, in its language, or in the one that they name as `language`.

    Whoever serves it may restrict the audience (COHORT_AUDIENCE), and ask for a language (COHORT_LANGUAGE).

    Raises
    ------
    ProblemsFound
        E110 for a parameter that the notebook does not know, or a language that no catalogue holds.
    """
    asked = given(names, KNOWN)
    if problems := [unknown(name, KNOWN) for name in asked if name not in KNOWN]:
        raise ProblemsFound(problems)
    language = asked.get("language") or _asked_language()
    check_parameters(None, next(iter(NOTEBOOKS)), {"language": language})
    take_only_values()
    # The kernel that ipywidgets would speak to as it is imported was not there yet, where one is forked with it imported.
    w.register_comm_target()
    only = os.environ.get("COHORT_AUDIENCE")
    return Explorer(asked["study"], (only,) if only else ("internal", "share"), language)
