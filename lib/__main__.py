"""The command line: `python -m lib report`, `batch`, `check`, `compare`, `share`, `new`, `template`, `lab`, `explore`.

Exit codes: 0 done; 1 a notebook failed, the folder cannot be written, or compared numbers moved; 2 the study, its
tables, the parameters or the folders to compare are wrong, or a folder to write holds what this project did not write;
130 stopped by the user, 143 by the system. Whatever else goes wrong ends here, in one sentence and with 1; where it came
from is told with COHORT_DEBUG=1.
"""

from __future__ import annotations

__all__ = ["main"]

import errno
import importlib
import os
import signal
import sys
from typing import NoReturn

import click

from lib.languages import speech

# Command -> its file, and what the help says of it; a command is imported when it is asked for, as that takes a second or two.
COMMANDS = {
    "report": ("report", "Check the study, execute the notebooks, write the pages: all of them or nothing."),
    "check": ("check", "Check the study, and whether a report with these parameters can be made; list every data query, nothing else."),
    "compare": ("compare", "Say which numbers moved between two output folders, and why."),
    "share": ("share", "Say which reports were shared from this machine; the next of a study is masked together with them."),
    "batch": ("batch", "Make every report that PLAN names, and an index of them."),
    "new": ("new_study", "Begin a study: read tables of any format, ask what they do not say, write FOLDER with a proposed study.yml, and check it."),
    "template": ("new_study", "Write FILE, an Excel workbook to fill in: tables, drop-down lists, explanations."),
    "lab": ("explore", "Open the notebooks in JupyterLab, as copies in outputs/lab."),
    "explore": ("explore", "Serve the interactive page on 127.0.0.1, without code, for those who have the token."),
}
STOPPED = 130


class _Line(click.Group):
    """The commands, and the one gate through which whatever they do not expect has to pass."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(f"lib.commands.{COMMANDS[cmd_name][0]}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands, none of which is imported for it."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, sentence) for name, (_, sentence) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> object:
        """Run what was asked for; an error that nobody has turned into a sentence becomes one."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except KeyboardInterrupt:
            _end("stopped; what was there before is as it was", STOPPED)
        except Exception as error:
            if isinstance(error, OSError) and error.errno == errno.EPIPE:
                raise
            if os.environ.get("COHORT_DEBUG"):
                raise
            _end(_said_of(error), 1)


def _said_of(error: Exception) -> str:
    """An error in one sentence; terminal says it, unless there is no memory even for its imports."""
    try:
        from lib.commands.terminal import said_of  # noqa: PLC0415
    except Exception:
        return type(error).__name__
    return said_of(error)


def _end(sentence: str, code: int) -> NoReturn:
    click.secho(f"Error: {sentence}.", fg="red", err=True)
    sys.exit(code)


@click.group(cls=_Line, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def main() -> None:
    """Make the reports of a study, check its tables, or begin a study from a workbook, or explore it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    speech.use(speech.of_user(os.environ))


if __name__ == "__main__":
    if not os.environ.get("COHORT_DEBUG"):
        # What a library could not tidy up after an error (a full disk) is no news after the sentence about it.
        sys.unraisablehook = lambda _: None
    main(prog_name="python -m lib")
