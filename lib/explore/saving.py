"""What was explored becomes a report: a file of parameters, the command that takes it, a bar while it runs, its pages.

The command is the one that everybody uses, `python -m lib report -f FILE`, in a process of its own.
"""

from __future__ import annotations

__all__ = ["OUTPUTS", "UNQUOTED", "Saver", "make_report", "slug", "write_parameters"]

import asyncio
import html
import io
import os
import re
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

import ipywidgets as w
from ruamel.yaml import YAML

from lib.languages.speech import N_, _, in_force
from lib.show.phrases import report_title
from lib.study.parameters import NOTEBOOKS
from lib.study.provenance import study_path
from lib.study.study import ROOT, read_study
from lib.study.yaml_file import ProblemsFound

# Whoever serves the page says where reports are written, and under which address they can be opened.
OUTPUTS = Path(os.environ.get("COHORT_OUTPUTS", ROOT / "outputs"))
PAGES = os.environ.get("COHORT_PAGES", "")
# In place of errors that may name patients, for whoever may see the shared view alone.
UNQUOTED = N_("The study cannot be read as it is now; whoever keeps it finds the reasons with python -m lib check.")
# Letters that are no other letter with a mark.
LETTERS = str.maketrans({"ß": "ss", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "þ": "th", "ı": "i"})
LONGEST_NAME = 40
NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_-]{{0,{LONGEST_NAME - 1}}}")
REPLACE = N_("Replace the report of this name")
# How the command tells how far it is: "12/140 efficacy: cell 5 of 40, ...".
STEP = re.compile(r"^(\d+)/(\d+) (.*)$")


def write_parameters(folder: str, given: dict, name: str, replace: bool = False) -> Path:
    """Write the parameters of a report as YAML, beside the report that will be made of them.

    Parameters
    ----------
    folder : str
        Folder of the study.
    given : dict
        Parameter -> value.
    name : str
        Name of the report: letters, digits, - and _.
    replace : bool
        Whether a report of this name that was saved from here may be replaced.

    Returns
    -------
    Path
        The file, which `python -m lib report -f` takes.

    Raises
    ------
    ValueError
        If the name is none, that of a report that was not saved from here, or that of one and `replace` is not given.
    """
    if not NAME.fullmatch(name):
        raise ValueError(_("the name of a report has letters a to z, digits, - and _, at most 40, and begins with none of the signs"))
    study, text = read_study(ROOT / folder).study.id, io.StringIO()
    YAML().dump({"study": study_path(ROOT / folder)} | given, text)
    path = OUTPUTS / study / f"{name}.yml"
    if path.with_suffix("").exists() and not path.exists():
        raise ValueError(_("there is a report called {name} already, made by another way; choose another name", name=name))
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        # Of two visitors who save at once, one makes the file, and the other is asked.
        with path.open("w" if replace else "x", encoding="utf-8", newline="\n") as file:
            file.write(f"# python -m lib report -f {_shown(path)} --name {name}\n{text.getvalue()}")
    except FileExistsError:
        raise ValueError(_("there is a report called {name} already; tick “{replace}”, or choose another name", name=name, replace=_(REPLACE))) from None
    return path


def slug(name: str) -> str:
    """Make of any name one that a file and an address can have: "Überleben, OS (2. Sicht)" is "Uberleben-OS-2-Sicht"."""
    plain = unicodedata.normalize("NFKD", name.translate(LETTERS))
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return re.sub(r"[^A-Za-z0-9_]+", "-", plain).lstrip("-_")[:LONGEST_NAME].rstrip("-")


def make_report(file: Path, progress: Callable[[int, int, str], object] = lambda *__: None) -> Path:
    """Make the report that a file of parameters describes; it is named like the file and lies beside it.

    Parameters
    ----------
    file : Path
    progress : callable
        Called with the cells that are done, all cells, and what is at work.

    Returns
    -------
    Path
        The folder of the report.

    Raises
    ------
    RuntimeError
        With what the command said, if it failed; an earlier report is as it was.
    """
    target = file.with_suffix("")
    command = [sys.executable, "-m", "lib", "report", "-f", str(file), "--output", str(target), "--steps"]
    run = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.PIPE, text=True, encoding="utf-8", errors="replace", env=os.environ | {"COHORT_LANGUAGE": in_force()})  # fmt: skip
    said: list[str] = []
    with run:
        for line in run.stderr:
            step = STEP.match(line)
            if step:
                progress(int(step[1]), int(step[2]), step[3])
            else:
                said.append(line)
    if run.returncode:
        raise RuntimeError("".join(said[-12:]).strip() or _("the command ended with code {code}", code=run.returncode))
    return target


class Saver:
    """Name, button, bar and links.

    Parameters
    ----------
    chosen : callable
        Gives the study's folder and the parameters; raises `ProblemsFound` for a wrong choice.
    """

    def __init__(self, chosen: Callable[[], tuple[str, dict]]):
        self._chosen, self._task, self._shared, self._new = chosen, None, False, False
        self.name = w.Text(value="explored", continuous_update=False)
        self.replace = w.Checkbox(value=False, indent=False)
        self.button = w.Button()
        self.bar = w.IntProgress(min=0, max=1, layout={"display": "none", "width": "auto"})
        self.said = w.HTML()
        self.button.on_click(lambda __: self.save())
        shown = [self.name, self.replace, self.button, self.bar, self.said]
        self.box = w.VBox(shown, _dom_classes=["cohort-form", "cohort-save"])
        self.speak()

    def speak(self) -> None:
        """Label everything in the language in force."""
        self.name.description, self.replace.description = _("Name of the report"), _(REPLACE)
        self.button.description, self.button.tooltip = _("Save as report"), _("Make the reports with these choices")

    def save(self) -> None:
        """Write the file and make the report, in the background where there is an event loop."""
        if self.button.disabled:
            return
        try:
            folder, given = self._chosen()
            self._shared = given.get("audience") == "share"
            self._new = not self.replace.value
            file = write_parameters(folder, given, name := slug(self.name.value), self.replace.value)
        except ProblemsFound:
            self._say(_("Nothing was saved: correct first what the page names."))
            return
        except (ValueError, OSError) as error:
            self._say(_("Nothing was saved: {why}.", why=error))
            return
        self.replace.value, self.button.disabled, self.bar.layout.display, self.bar.value = False, True, "", 0
        if name == self.name.value.strip():
            self._say(_("The report is being made; this takes about a minute."))
        else:
            self._say(_("The report is being made as {name}; this takes about a minute.", name=name))
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._done(file, *_made(file, self._progress))
        else:
            self._task = loop.create_task(self._in_background(file, loop))

    async def _in_background(self, file: Path, loop: asyncio.AbstractEventLoop) -> None:
        """Wait in a thread; widgets are touched from the kernel's own."""
        made = await asyncio.to_thread(_made, file, lambda *step: loop.call_soon_threadsafe(self._progress, *step))
        self._done(file, *made)

    def _progress(self, done: int, total: int, what: str) -> None:
        self.bar.max, self.bar.value = total, done
        self._say(what)

    def _done(self, file: Path, folder: Path | None, failed: str) -> None:
        self.button.disabled, self.bar.layout.display = False, "none"
        if folder is None:
            if self._new:
                # Whoever corrects what is wrong and tries again replaces nothing.
                file.unlink(missing_ok=True)
            why = _(UNQUOTED) if self._shared else failed
            self.said.value = f"<p role='alert'>{html.escape(_('No report was made.'))}</p><pre>{html.escape(why)}</pre>"
            return
        pages = [("index.html", _("Overview")), *((f"{name}.html", report_title(name)) for name in NOTEBOOKS)]
        links = "".join(f"<li>{_link(folder / page, label)}</li>" for page, label in pages)
        self.said.value = (
            f"<p role='status'>{html.escape(_('Saved. Open the report:'))}</p><ul>{links}</ul>"
            f"<p>{html.escape(_('To make it again:'))} <code>python -m lib report -f {html.escape(_shown(file))}</code></p>"
        )

    def _say(self, sentence: str) -> None:
        self.said.value = f"<p role='status'>{html.escape(sentence)}</p>"


def _made(file: Path, progress: Callable[[int, int, str], object]) -> tuple[Path | None, str]:
    """Folder of the report, or None and why there is none."""
    try:
        return make_report(file, progress), ""
    except (RuntimeError, OSError) as error:
        return None, str(error)


def _link(path: Path, label: str) -> str:
    """A link under the address at which the reports are served; without a server, where the file lies."""
    address = PAGES + path.relative_to(OUTPUTS).as_posix() if PAGES else path.as_uri()
    return f"<a href='{html.escape(address, quote=True)}' target='_blank' rel='noopener'>{html.escape(label)}</a>"


def _shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else str(path)
