"""The command line: `python -m lib report`, `batch`, `check`, `compare`, `share`, `new`, `template`, `lab`, `explore`.

Exit codes: 0 done; 1 a notebook failed, the folder cannot be written, or compared numbers moved; 2 the study, its
tables, the parameters or the folders to compare are wrong; 130 stopped by the user.
"""

from __future__ import annotations

__all__ = ["main"]

import signal
import sys

import click

from lib.commands.batch import batch
from lib.commands.check import check
from lib.commands.compare import compare
from lib.commands.explore import explore, lab
from lib.commands.new_study import new, template
from lib.commands.report import report
from lib.commands.share import share


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def main() -> None:
    """Make the reports of a study, check its tables, or begin a study from a workbook, or explore it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


for command in (report, check, compare, share, batch, new, template, lab, explore):
    main.add_command(command)


if __name__ == "__main__":
    main(prog_name="python -m lib")
