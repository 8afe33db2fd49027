"""One report: notebooks executed, pages published, run.json written; the whole folder or nothing of it."""

from __future__ import annotations

__all__ = ["NOTEBOOK_FOLDER", "NotebookMissing", "changed_since", "inputs_of", "make_report", "notebook_paths", "parameters_of", "stands"]

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from lib.kept.store import offered
from lib.run.execute import execute, take_messages
from lib.run.manifest import differing, whole, write_run
from lib.run.sharing import is_registered, is_shared, one_at_a_time, register, without_places
from lib.run.target import replaced_folder
from lib.study import provenance
from lib.study.parameters import NOTEBOOKS
from lib.study.provenance import code_commit, fingerprints, package_versions, report_version
from lib.study.study import ROOT, Study

if TYPE_CHECKING:  # takes longer than to see that a report is there already
    import pandas as pd

NOTEBOOK_FOLDER = ROOT / "notebooks"


class NotebookMissing(ValueError):
    """A notebook that was asked for is not there."""


def notebook_paths(folder: Path, names: Iterable[str]) -> dict[str, Path]:
    """Return name -> file of the notebooks in a folder.

    Raises
    ------
    NotebookMissing
        Naming each that is not there.
    """
    paths = {name: folder / f"{name}.ipynb" for name in names}
    missing = [path.name for path in paths.values() if not path.is_file()]
    if missing:
        raise NotebookMissing(f"no {', '.join(missing)} in {folder}")
    return paths


def parameters_of(routed: dict[str, dict]) -> dict[str, dict]:
    """Return every parameter in force, notebook -> name -> value: those that were given, and the defaults."""
    return {name: NOTEBOOKS[name].model_validate(given).model_dump(mode="json") for name, given in routed.items()}


def inputs_of(study: Study, routed: dict[str, dict], folder: Path = NOTEBOOK_FOLDER) -> dict:
    """Return all that a report is made from, as run.json records it: the same inputs give the same bytes.

    Parameters
    ----------
    study : Study
    routed : dict of dict
        Notebook -> parameters, as `lib.run.execute.route_parameters` returns it.
    folder : Path
        Of the notebooks.

    Returns
    -------
    dict
        study, parameters, version (of this repository), commit, versions (of packages), inputs (files by SHA-256; of a
        shared report, tables, and no folder).
    """
    shared, parameters = is_shared(routed), parameters_of(routed)
    return {
        "study": study.study.id,
        "parameters": {n: p | {"study": study.study.id} for n, p in parameters.items()} if shared else parameters,
        "version": report_version(),
        "commit": code_commit(),
        "versions": package_versions(),
        "inputs": fingerprints(study, notebook_paths(folder, routed).values(), by_file=not shared),
    }


def command_of(study: Study, routed: dict[str, dict], command: str) -> str:
    """Return the command as the report names it: a shared one without folders of this machine."""
    return provenance.without_places(command, study.study.id) if is_shared(routed) else command


def stands(study: Study, routed: dict[str, dict], target: Path, command: str, folder: Path = NOTEBOOK_FOLDER) -> tuple[dict | None, list[str]]:
    """Find the report that would be made, where it is there already.

    Parameters
    ----------
    study, routed, target, command, folder
        As `make_report` takes them.

    Returns
    -------
    run : dict or None
        What its run.json says; None where it has to be made.
    changed : list of str
        What has changed since a report was made there; empty without one.
    """
    run = whole(target)
    if run is None:
        return None, []
    expected = inputs_of(study, routed, folder) | {"command": command_of(study, routed, command)}
    changed = changed_since(study, run, expected)
    return (None, changed) if changed else (run, [])


def changed_since(study: Study, run: dict, expected: dict) -> list[str]:
    """Name why a report that is there is not the one that would be made.

    Parameters
    ----------
    study : Study
    run : dict
        What its run.json says.
    expected : dict
        Of what `inputs_of` returns, what has to be the same.
    """
    changed = differing(run, expected)
    # One that was withdrawn, or whose register was lost, would be shared and nobody knew.
    if not changed and is_shared(run["parameters"]) and not is_registered(study, run["parameters"]):
        return ["the register of shared reports"]
    return changed


def make_report(
    study: Study,
    routed: dict[str, dict],
    target: Path,
    *,
    command: str,
    folder: Path = NOTEBOOK_FOLDER,
    strict: bool = False,
    warn: Callable[[str], None] = lambda _: None,
    formats: Iterable[str] = (),
    detail: str = "main",
    queries: pd.DataFrame | None = None,
    keep: Path | None = None,
    **execution,
) -> dict:
    """Make a report in the place of `target`.

    Parameters
    ----------
    study : Study
    routed : dict of dict
        Notebook -> parameters.
    target : Path
        Holds the whole new report afterwards, or what it held before.
    command : str
        That makes the same report again, for its pages.
    folder : Path
        Of the notebooks.
    strict : bool
        Fail when a notebook warns.
    warn : callable
        Called with each warning of a notebook.
    formats : iterable of str
        What to make beside the pages: of `lib.publish.editions.FORMATS`.
    detail : str
        What is printed of a page: of `lib.publish.editions.DETAIL`.
    queries : DataFrame, optional
        The list of data queries, as in `lib.intake.tables.Tables`: part of the report, unless it is to be shared.
    keep : Path, optional
        Folder of results that are not computed again (`lib.kept`); a report for sharing is made without it.
    **execution
        `jobs`, `progress` and `warm` of `lib.run.execute.execute`.

    Returns
    -------
    dict
        What run.json holds, without the time.

    Raises
    ------
    NotebookMissing, lib.run.execute.NotebookFailed, lib.run.target.TargetError
    ValueError
        A notebook warned and must not, does not make a report, or an input changed meanwhile.
    """
    run = inputs_of(study, routed, folder)
    code = [run["version"], run["versions"], [one for one in run["inputs"]["code"].items() if one[0].startswith("lib/")]]
    keeps = offered(None if is_shared(routed) else keep, code)
    with one_at_a_time(study, routed), replaced_folder(target) as new, keeps as forget:
        executed = execute(folder, routed, **execution)
        messages = [f"{name}.ipynb, {said}" for name, notebook in executed.items() for said in take_messages(notebook)]
        for message in messages:
            warn(message)
        if messages and strict:
            raise ValueError("a notebook warned, and --strict takes that for a failure")
        if inputs_of(study, routed, folder)["inputs"] != run["inputs"]:
            forget()
            raise ValueError("a table, a notebook or the library changed while the report was made; run it again")
        from lib.publish.folder import publish, summary  # noqa: PLC0415  nbconvert takes a second: not before it is needed

        command = command_of(study, routed, command)
        if is_shared(routed):
            for notebook in executed.values():
                without_places(notebook, study)
        # The command stands between study and parameters, where a reader looks for it.
        run = {"study": run.pop("study"), "command": command} | run
        if queries is not None and not is_shared(routed):
            from lib.intake.tables import write_queries  # noqa: PLC0415

            write_queries(queries, new, next(iter(routed.values())).get("language") or study.language)
        run |= summary(publish(executed, new, run, formats, detail))
        write_run(new, run)
        if is_shared(routed):
            # Before the folder is in place: a report that is there and not in the register would be forgotten.
            register(study, target.name, run, new)
    return run
