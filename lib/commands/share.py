"""The command `share`: which reports were shared from this machine, and taking back one that reached nobody."""

from __future__ import annotations

__all__ = ["share"]

import click

from lib.commands.terminal import fail, printable, refuse
from lib.languages.speech import _
from lib.show.disclosure.register import Shared, place, read, withdraw
from lib.study.yaml_file import ProblemsFound


@click.command()
@click.option("--list", "listed", is_flag=True, help="Say what was shared, oldest first.")
@click.option("--withdraw", "name", default="", metavar="NAME", help="Forget a report that reached nobody.")
@click.option("--study", "only", default="", metavar="ID", help="Of this study alone, by its id [default: of all].")
def share(*, listed, name, only) -> None:
    """Say which reports were shared from this machine; the next of a study is masked together with them."""
    if listed == bool(name):
        raise click.UsageError("ask for --list or for --withdraw NAME")
    studies = [path.stem for path in sorted(place("any").parent.glob("*.json")) if only in ("", path.stem)]
    try:
        entries = {study: read(study) for study in studies}
        owners = [study for study, own in entries.items() if name in {entry.name for entry in own}]
        if listed:
            for study, own in entries.items():
                for entry in own:
                    click.echo(printable(_line(study, entry)))
            if not any(entries.values()):
                click.echo(_("Nothing was shared from this machine."))
        elif len(owners) == 1:
            withdraw(owners[0], name)
            click.echo(printable(_("{owners}: {name} is no longer counted as shared", owners=owners[0], name=name)))
        else:
            fail(_("{name} was shared of {join}; say which by --study", name=name, join=', '.join(owners)) if owners else _("no shared report is called {name}", name=name), 2)
    except ProblemsFound as found:
        refuse(found.problems)
    except OSError as error:
        fail(_("the register of shared reports cannot be written: {strerror}", strerror=error.strerror))


def _line(study: str, entry: Shared) -> str:
    """Such as "study: women, 2025-02-28, subgroup = sex, subgroup_values = F; 31 patients, 812 counts"."""
    said = [f"{k} = {', '.join(map(str, v)) if isinstance(v, list) else v}" for k, v in entry.common.items() if v]
    return _("{study}: {entry}, {when}, {join}; {sum} patients, {n} counts", study=study, entry=entry.name, when=entry.when, join=', '.join(said), sum=sum(entry.n.values()), n=len(entry.cells))
