"""Make a report that is not there yet: read and check the tables, execute the notebooks, tell how far it is.

Apart from the command itself, which in a blink sees whether the report is there: what this imports takes a second.
"""

from __future__ import annotations

__all__ = ["make"]

from collections.abc import Iterable
from pathlib import Path

import nbformat

from lib.commands.check import checked_tables
from lib.commands.progress import Progress
from lib.commands.terminal import printable
from lib.intake.handover import offered
from lib.kept.store import folder as kept_folder
from lib.languages.speech import _
from lib.run.kernels import prepare
from lib.run.one_report import make_report, notebook_paths
from lib.run.target import refuse_foreign
from lib.study.study import Study
from lib.study.yaml_file import Gathered


def make(
    study: Study,
    given: dict,
    routed: dict[str, dict],
    target: Path,
    *,
    command: str,
    folder: Path,
    formats: Iterable[str],
    detail: str,
    outputs: Path,
    jobs: int,
    warm: bool,
    strict: bool,
    again: bool,
    progress: Progress,
) -> None:
    """Make a report in the place of `target`, or end with exit code 2 where its tables block it.

    Parameters
    ----------
    study : Study
    given, routed : dict
        Parameters as they were given, and by notebook.
    target : Path
    command, folder, formats, detail, jobs, warm, strict
        As `lib.run.one_report.make_report` takes them.
    again : bool
        Compute all of it, also what was computed before.
    outputs : Path
        Where the list of data queries goes if they block the report.
    progress : Progress
        Of a line that is cleared before anything else is said.

    Raises
    ------
    Exception
        As `lib.run.one_report.make_report` says.
    """
    if warm:
        # Its imports take as long as the tables that are read meanwhile.
        prepare(nbformat.read(path, as_version=4) for path in notebook_paths(folder, routed).values())
    tables = checked_tables(Gathered(), study, given, outputs, before=progress.stop)
    refuse_foreign(target)
    with offered(study, tables):
        make_report(
            study,
            routed,
            target,
            command=command,
            folder=folder,
            strict=strict,
            warn=lambda message: progress.say(_("Warning: {printable}", printable=printable(message))),
            jobs=jobs,
            progress=progress,
            warm=warm,
            formats=formats,
            detail=detail,
            queries=tables.queries,
            keep=None if again else kept_folder(),
        )
