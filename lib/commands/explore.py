"""The commands `lab` and `explore`: the notebooks in JupyterLab, and the interactive page for a ward computer."""

from __future__ import annotations

__all__ = ["explore", "lab"]

import sys
from pathlib import Path

import click

from lib.commands.terminal import fail, shown
from lib.languages.speech import LANGUAGES, _
from lib.study.study import ROOT

OUTPUT = click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=ROOT / "outputs",
    help="Where reports are written [default: outputs].",
)
LANGUAGE = click.option(
    "--language", type=click.Choice(LANGUAGES), help="Language of the pages [default: each study's own]."
)


@click.command()
@OUTPUT
@LANGUAGE
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="[default: a free one]")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
def lab(*, output, language, port, no_browser) -> None:
    """Open the notebooks in JupyterLab, as copies in outputs/lab."""
    from lib.explore.serve import copy_notebooks, open_lab  # noqa: PLC0415  the reports do without

    try:
        edited = copy_notebooks(output / "lab", language=language or "")
    except OSError as error:
        fail(_("cannot write into {output}: {strerror}", output=output, strerror=error.strerror))
    for name in edited:
        click.echo(_("{path} was edited and is kept; delete it to get the current one.", path=shown(output / "lab" / name)), err=True)
    server = open_lab(output.resolve(), port, browser=not no_browser, language=language or "")
    try:
        sys.exit(server.wait())
    except (KeyboardInterrupt, SystemExit):
        server.terminate()
        server.wait()
        raise


@click.command()
@OUTPUT
@LANGUAGE
@click.option("--port", type=click.IntRange(1, 65535), default=8866, help="[default: 8866]")
@click.option("--base-url", default="/", help="Path under which a proxy offers the page [default: /].")
@click.option(
    "--audience", type=click.Choice(["internal", "share"]), help="The only one [default: both can be chosen]."
)
@click.option("--token", envvar="COHORT_TOKEN", default="", help="What a visitor needs [default: a new one, printed].")
@click.option("--host", "hosts", multiple=True, help="A name under which a proxy offers the page.")
@click.option("--visitors", type=click.IntRange(1, 500), default=12, help="Pages open at once [default: 12].")
def explore(*, output, language, port, base_url, audience, token, hosts, visitors) -> None:
    """Serve the interactive page on 127.0.0.1, without code, for those who have the token."""
    from lib.explore.serve import SHORTEST_TOKEN, serve_page  # noqa: PLC0415  the reports do without

    if token and len(token) < SHORTEST_TOKEN:
        fail(_("a token has at least {n} signs, so that nobody guesses it", n=SHORTEST_TOKEN), 2)
    path = f"/{base_url.strip('/')}/".replace("//", "/")
    serve_page(output.resolve(), port, path, audience or "", token, hosts=hosts, visitors=visitors, language=language or "")
