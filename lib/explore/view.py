"""What the interactive page shows: tabs, blocks of text, tables, and figures that answer to a pointer or the arrow keys.

The figure is the reports' own SVG; the script lays marks over it. Everything comes with the library: no network.
"""

from __future__ import annotations

__all__ = ["DATA", "TABS", "Pictures", "View", "blocks_of", "notices", "take_only_values", "told", "words_of"]

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets as w
import traitlets as t

from lib import analyse
from lib.explore.marks import marks_prior, marks_response, marks_survival, marks_terms, marks_waterfall
from lib.languages.notes import worded
from lib.languages.speech import N_, _, in_force
from lib.noting import noted
from lib.report.blocks import SYNTHETIC, shared_notice
from lib.report.page import Page
from lib.show import plot, say, table
from lib.show.display import Block, Figure, Table, template
from lib.study.parameters import Parameters
from lib.study.yaml_file import Problem

HERE = Path(__file__).parent / "templates"
# What the script says around what it draws; a figure has a `{title}`.
WORDS = {
    "tabs": N_("What to look at"),
    "read": N_("{title}. Arrow keys read its numbers, Enter keeps them beside the figure."),
    "point": N_("Point at the figure, or use the arrow keys, to read its numbers; click or press Enter to keep them."),
    "closer": N_("A closer look"),
    "profile": N_("Open a patient's profile:"),
}


def words_of(words: Mapping[str, str] = WORDS) -> dict[str, str]:
    """What a script says, in the language in force, and the code of that; `{title}` stays, as the script knows it."""
    return {"language": in_force()} | {key: _(text, title="{title}") for key, text in words.items()}


def notices(page: Page) -> list[Block]:
    """What every page of a report says first: synthetic data, masked cells."""
    return [page.banner(_(SYNTHETIC) if page.data.study.study.synthetic else ""), page.banner(shared_notice(page.data))]


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
    N_("Survival"): ("efficacy", _survival),
    N_("Response"): ("efficacy", _response),
    N_("Each patient"): ("efficacy", _waterfall),
    N_("Adverse events"): ("safety", _events),
    N_("Prior knowledge"): ("models", _prior),
}
# Beside them: the list of what is to be corrected in the data.
DATA = N_("Data")


class View(anywidget.AnyWidget):
    """The results beside the form. Traits are what both sides know; the reader sets `tab`, `picked` and `asked`."""

    _esm = HERE / "view.js"
    _css = HERE / "view.css"
    taken = ("tab", "picked", "asked")
    tabs = t.List(t.Unicode()).tag(sync=True)
    tab = t.Int(0, min=0).tag(sync=True)
    blocks = t.List(t.Dict()).tag(sync=True)
    problems = t.List(t.Unicode()).tag(sync=True)
    picked = t.Unicode("").tag(sync=True)
    profile = t.Dict().tag(sync=True)
    busy = t.Bool(False).tag(sync=True)
    asked = t.Int(0).tag(sync=True)
    words = t.Dict().tag(sync=True)

    @t.default("words")
    def _usual_words(self):
        return words_of()

    @t.validate("tab")
    def _known_tab(self, proposal):
        return min(proposal["value"], len(self.tabs) - 1)


# What a reader's side may set: the one value that a control asks for; of our own widgets, what they say under `taken`. Of
# every other widget: nothing.
ASKED = {
    w.Dropdown: {"index"}, w.Checkbox: {"value"}, w.Text: {"value"}, w.DatePicker: {"value"}, w.SelectionSlider: {"index"},
}  # fmt: skip


def take_only_values() -> None:
    """From now on, take from a reader's side what its controls ask for, and nothing of one that is disabled.

    The protocol lets it set whatever both sides know: results, options, the state of a button.
    """
    w.Widget.on_widget_constructed(_guard)


def _guard(widget: w.Widget) -> None:
    asked = getattr(widget, "taken", None) or next((names for kind, names in ASKED.items() if isinstance(widget, kind)), set())
    taken, heard = widget.set_state, widget._handle_custom_msg

    def set_state(given: dict) -> None:
        if not getattr(widget, "disabled", False):
            taken({name: value for name, value in given.items() if name in asked})

    def hear(content: object, buffers: list) -> None:
        # A click on a button; whatever else a script might say is not listened to.
        if isinstance(widget, w.Button) and not widget.disabled and content == {"event": "click"}:
            heard(content, buffers)

    widget.set_state, widget._handle_custom_msg = set_state, hear


def told(problem: Problem, where: str) -> str:
    """What is wrong as a sentence, and where, if that is known."""
    found = _(" (found {value})", value=problem.value) if str(problem.value) else ""
    note = f"{worded(problem.message)}{found}"
    return _("{label}: {note}.", label=where, note=note) if where else _("{note}.", note=note)


def blocks_of(shown: list) -> list[dict]:
    """Turn what a report shows into what the script draws.

    Parameters
    ----------
    shown : list of Block, Table, or (Figure, list of marks)
        Whatever is empty is left out.

    Returns
    -------
    list of dict
        `html` (escaped by whoever made it) and `text`; a figure has `svg`, `title`, `alt` and `marks`. (A block with
        a `button` has what it `says`; pressing it counts up `asked`.)
    """
    blocks = []
    for item in shown:
        thing, marks = item if isinstance(item, tuple) else (item, [])
        if isinstance(thing, Figure):
            blocks.append({"id": thing.id, "title": thing.title, "svg": thing.svg, "alt": thing.alt, "marks": marks})
        elif isinstance(thing, Table):
            blocks.append({"html": template("table.html").render(table=thing), "text": thing.to_text()})
        elif isinstance(thing, Block) and thing.html:
            blocks.append({"html": thing.html, "text": ""})
    return blocks


@dataclass(frozen=True)
class _Drawn:
    place: tuple
    read: dict[str, Any]
    shown: Any


class Pictures:
    """What was drawn: good for every choice that agrees in those parameters that were read while it was made.

    Parameters
    ----------
    most : int
        So many are kept; what was not looked at for longest gives way.
    """

    def __init__(self, most: int):
        self._most, self._kept = most, list[_Drawn]()

    def take(self, others: Pictures) -> None:
        """Begin with what others have kept."""
        self._kept = list(others._kept)

    def find(self, place: tuple, parameters: Parameters, draw: Callable[[], Any]) -> Any:
        """What `draw` gives for this place and these parameters; it is not asked where nothing that it would read is new."""
        found = next((one for one in self._kept if one.place == place and _agree(one.read, parameters)), None)
        if found is None:
            with noted() as reads:
                shown = draw()
            found = _Drawn(place, {name: getattr(parameters, name, None) for _, name in reads}, shown)
        self._kept = [*(one for one in self._kept if one is not found), found][-self._most :]
        return found.shown

    def clear(self) -> None:
        """Forget them all."""
        self._kept = []


def _agree(read: dict[str, Any], parameters: Parameters) -> bool:
    return all(getattr(parameters, name, None) == value for name, value in read.items())
