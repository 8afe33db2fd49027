"""Executes notebooks: which parameters go where, kernels side by side, and what a failure looks like.

Papermill does the work. Nothing here knows what a notebook computes.
"""

from __future__ import annotations

__all__ = ["NotebookFailed", "execute", "route_parameters", "run_name", "take_messages"]

import hashlib
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from lib.study.parameters import NOTEBOOKS, check_parameters, unknown
from lib.study.provenance import study_path
from lib.study.study import ROOT, Study
from lib.study.yaml_file import ProblemsFound

# Jupyter's modules take a second: not before a notebook is executed.
if TYPE_CHECKING:
    from nbformat import NotebookNode

# Our engine's name in papermill.
ENGINE = "warm"
# One that takes long and begins last would hold one core while the others have nothing to do.
LONGEST_FIRST = ("models", "efficacy", "safety", "robustness", "cohort")


class NotebookFailed(RuntimeError):
    """A notebook ended with an error.

    Attributes
    ----------
    notebook, source, error : str
        Its name, the source of the cell, the error as Python prints it.
    cell : int
        Number of the cell in the notebook as it is opened, from 1; 0 when no cell is to blame.
    parameters : dict
        What the notebook was given.
    """

    def __init__(self, notebook: str, cell: int, source: str, error: str, parameters: dict):
        self.notebook, self.cell, self.source, self.error, self.parameters = notebook, cell, source, error, parameters
        super().__init__(f"{notebook}.ipynb failed in cell {cell}: {error}" if cell else f"{notebook}.ipynb: {error}")


class Stopped(Exception):
    """Another notebook failed, or the user stopped the run."""


def route_parameters(study: Study | None, notebooks: list[str], given: dict) -> dict[str, dict]:
    """Check parameters and hand each to the notebooks that know it.

    Parameters
    ----------
    study : Study or None
        Without one, names and types alone are checked.
    notebooks : list of str
        Keys of `NOTEBOOKS`.
    given : dict
        Name -> value, as typed or read from a file.

    Returns
    -------
    dict of dict
        Notebook -> name -> value, plain (numbers, text, lists), in the order of the notebook's parameters: those
        that were given, and the study.

    Raises
    ------
    ProblemsFound
        E110 for each name that none of the notebooks knows, and each value that is not allowed.
    """
    names = {name: set(NOTEBOOKS[name].model_fields) - {"study"} for name in notebooks}
    known = sorted(set().union(*names.values()))
    hints = {"study": " (the study is named by --study)"}
    problems = [unknown(name, known, hints.get(name, "")) for name in given if name not in known]
    routed = {}
    for notebook in notebooks:
        place = {"study": study_path(study.folder)} if study else {}
        own = place | {k: v for k, v in given.items() if k in names[notebook]}
        try:
            checked = check_parameters(study, notebook, own).model_dump(mode="json")
            routed[notebook] = {name: value for name, value in checked.items() if name in own}
        except ProblemsFound as found:
            problems += [p for p in found.problems if p not in problems]
    if problems:
        raise ProblemsFound(problems)
    return routed


def run_name(routed: dict[str, dict]) -> str:
    """Name a run after what was asked: `default`, or `arms=A+C,endpoint=os`.

    Parameters
    ----------
    routed : dict of dict
        As `route_parameters` returns it.

    Returns
    -------
    str
        A folder name that is valid on every system; the same for the same request.
    """
    given = {name: value for own in routed.values() for name, value in own.items() if name != "study"}
    parts = [f"{name}={_joined(value)}" for name, value in sorted(given.items())]
    if list(routed) != list(NOTEBOOKS):
        parts.insert(0, "+".join(routed))
    if not parts:
        return "default"
    wanted = ",".join(parts)
    name = re.sub(r"[^A-Za-z0-9.=,+_-]", "-", wanted)[:80].rstrip(".")
    # What was lost (signs, a long end) still tells runs apart.
    return name if name == wanted else f"{name}-{hashlib.sha256(wanted.encode()).hexdigest()[:8]}"


def _joined(value) -> str:
    if isinstance(value, list):
        return "+".join(map(_joined, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def execute(
    folder: Path,
    parameters: dict[str, dict],
    jobs: int = 1,
    progress: Callable[[str, int, int, str], None] = lambda *_: None,
    warm: bool = True,
) -> dict[str, NotebookNode]:
    """Execute notebooks, `jobs` at a time, each in a kernel of its own.

    Parameters
    ----------
    folder : Path
        Holds `<name>.ipynb`.
    parameters : dict of dict
        Notebook -> its parameters, as `route_parameters` returns them.
    jobs : int
    progress : callable
        Called with notebook, number of the cell that starts from 1 (one more than there are: the notebook is done),
        number of cells, and the heading above the cell.
    warm : bool
        Kernels are forked from a process that has the imports done (lib/run/kernels.py), which stays for the next call;
        otherwise, and where that cannot be, each is a new interpreter.

    Returns
    -------
    dict of NotebookNode
        In the order of `parameters`, without times, random ids and names of this machine.

    Raises
    ------
    NotebookFailed
        At the first notebook that fails; the others are stopped. No kernel outlives the call.
    """
    run = _Run(progress, warm)
    with ThreadPoolExecutor(max(1, jobs)) as pool:
        begun = sorted(parameters, key=lambda name: LONGEST_FIRST.index(name) if name in LONGEST_FIRST else len(LONGEST_FIRST))
        futures = {pool.submit(run.one, name, folder / f"{name}.ipynb", parameters[name]): name for name in begun}
        try:
            done = {futures[future]: future.result() for future in as_completed(futures)}
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            run.stop()
            raise
    return {name: done[name] for name in parameters}


class _Run:
    """Kernels of one run. Threads suffice: the work happens in the kernels, which are processes."""

    def __init__(self, progress, warm):
        self.progress, self.warm, self.stopped, self.clients = progress, warm, threading.Event(), []

    def one(self, name: str, path: Path, parameters: dict) -> NotebookNode:
        """Execute one notebook."""
        import nbformat  # noqa: PLC0415
        from jupyter_core.utils import ensure_event_loop  # noqa: PLC0415
        from nbclient.exceptions import DeadKernelError  # noqa: PLC0415

        papermill = _papermill()
        # nbclient makes a loop for each thread and leaves it open.
        loop = ensure_event_loop(prefer_selector_loop=True)
        try:
            notebook = nbformat.read(path, as_version=4)
            done = papermill.execute_notebook(
                notebook,
                None,
                parameters,
                engine_name=ENGINE,
                progress_bar=False,
                warm=self.warm,
                watch=partial(self.watch, name),
                resources={"metadata": {"path": str(ROOT)}},
            )
        except papermill.PapermillExecutionError as error:
            cell = error.cell_index + (0 if _injected_before(notebook, error.cell_index) else 1)
            raise NotebookFailed(name, cell, error.source, f"{error.ename}: {error.evalue}", parameters) from None
        except Stopped:
            raise
        except Exception as error:
            if self.stopped.is_set():
                raise Stopped from None
            reason = f"{type(error).__name__}: {str(error).strip() or type(error).__name__}"
            said = "its kernel ended; most often the memory did not suffice" if isinstance(error, DeadKernelError) else reason
            raise NotebookFailed(name, 0, "", said, parameters) from error
        finally:
            loop.close()
        self.progress(name, len(done.cells) + 1, len(done.cells), "")
        return _tidied(done)

    def watch(self, name: str, client) -> None:
        """Follow a client cell by cell, and be able to end it."""
        self.clients.append(client)
        client.on_cell_start = lambda cell, cell_index: self.started(name, client.nb.cells, cell_index)

    def started(self, name: str, cells: list, index: int) -> None:
        """Report the cell that starts, unless the run has been stopped."""
        if self.stopped.is_set():
            raise Stopped
        self.progress(name, index + 1, len(cells), _heading_above(cells, index))

    def stop(self) -> None:
        """End the kernels at once; the threads then end by themselves."""
        self.stopped.set()
        for client in list(self.clients):
            process = getattr(getattr(client.km, "provisioner", None), "process", None)
            if process is not None:
                process.kill()


@cache
def _papermill():
    """Import papermill, and have it know our engine."""
    import papermill  # noqa: PLC0415
    from papermill.engines import papermill_engines  # noqa: PLC0415

    from lib.run import engine  # noqa: PLC0415

    papermill_engines.register(ENGINE, engine.WarmEngine)
    return papermill


def _heading_above(cells: list, index: int) -> str:
    for cell in reversed(cells[: index + 1]):
        if cell.cell_type == "markdown":
            headings = re.findall(r"^#+ +(.+)$", cell.source, re.MULTILINE)
            if headings:
                return headings[-1].strip()
    return ""


def _injected_before(notebook: NotebookNode, index: int) -> bool:
    """Whether papermill's own cell stands before `index` in what was executed."""
    tagged = [i for i, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", [])]
    return index > (tagged[0] if tagged else -1)


def _tidied(notebook: NotebookNode) -> NotebookNode:
    """Remove what differs from run to run: times, papermill's random id."""
    notebook.metadata.pop("papermill", None)
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell.id = "injected-parameters"
    return notebook


def take_messages(notebook: NotebookNode) -> list[str]:
    """Take out of an executed notebook what was written to stderr (warnings), which no page shows.

    Parameters
    ----------
    notebook : NotebookNode
        Changed in place.

    Returns
    -------
    list of str
        One per message, with the number of the cell.
    """
    messages = []
    for number, cell in enumerate(notebook.cells, 1):
        outputs = cell.get("outputs", [])
        noise = [o for o in outputs if o.output_type == "stream" and o.name == "stderr"]
        messages += [f"cell {number}: {o.text.strip()}" for o in noise]
        if noise:
            cell.outputs = [o for o in outputs if o not in noise]
    return messages
