"""Opens the notebooks: in JupyterLab for whoever works with them, or as one page for a ward computer (Voila).

JupyterLab works on copies in the folder of outputs, so that exploring never changes the notebooks themselves. The page
for the ward hides the code and takes no code from its visitors: the kernel accepts nothing but the messages of the
form, and the server offers the page, its own scripts, and, to those with the token, the saved reports.
"""

from __future__ import annotations

__all__ = ["SHORTEST_TOKEN", "copy_notebooks", "lab_style", "open_lab", "serve_page"]

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import zmq
from jupyter_core.paths import jupyter_config_dir
from nbformat import NotebookNode

from lib.explore.gate import MAX_MESSAGE_BYTES
from lib.languages import speech
from lib.languages.prose import translated
from lib.languages.speech import ENGLISH, _, in_force, in_language
from lib.run.kernels import NOT_INHERITED, kernel_environment, own_settings
from lib.study.study import ROOT

JUPYTER = Path(__file__).parent / "jupyter"
# Parts of the pages' style that concern what a cell shows, by their first words; and what of JupyterLab's own gives way.
PAGES_STYLE = ROOT / "lib" / "publish" / "templates" / "report" / "report.css"
SHOWN = ("title, summary, notes", "tables:", "the row's name", "figures stand")
OUTPUT = ".jp-OutputArea-output.jp-RenderedHTMLCommon"
LAB_STYLE = """
  & { font-family: var(--sans); }
  .ct :is(tr, th, td) { background: none; max-width: none; border: 0 solid; white-space: normal; }
  figure { margin: 0; }
  :is(dt, dd) { float: none; width: auto; font-weight: 400; }
  table { table-layout: auto; margin: 0; border: 0 solid; }
"""
# A copy remembers what it was copied from: whoever has not edited it gets the current notebook.
COPIED = "copied_from"
# The parameter of a notebook by which it shows every study in one language.
LANGUAGE = re.compile(r'^language: str = "\w*"', re.MULTILINE)
# A kernel that nobody has used for so long is ended; what one may hold (the shipped study's page holds a seventh of it).
IDLE_SECONDS, KERNEL_BYTES = 30 * 60, 2 * 1024**3
# Requests are addresses and a typed token: nobody sends more, or needs longer for it.
REQUESTS = {
    "max_body_size": 64 * 1024, "max_header_size": 32 * 1024, "max_buffer_size": 256 * 1024,
    "idle_connection_timeout": 60, "body_timeout": 10,
}  # fmt: skip
# A token that is shorter could be guessed, however slowly.
SHORTEST_TOKEN = 16
EXTENSIONS = ["@voila-dashboards/widgets-manager8", "@jupyter-widgets/jupyterlab-manager", "anywidget"]
# The page and what it needs come from this server and from nowhere else.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' ws: wss:; frame-ancestors 'self'; "
    "form-action 'self'; base-uri 'self'; object-src 'none'"
)


def copy_notebooks(folder: Path, source: Path = ROOT / "notebooks", language: str = "") -> list[str]:
    """Copy the notebooks to work with, and leave alone those that somebody has edited.

    Parameters
    ----------
    folder : Path
        Made if need be.
    source : Path
    language : str
        Of `lib.languages.speech.LANGUAGES`, in which they speak and show studies; "": English, and each study in its own.

    Returns
    -------
    list of str
        Names of the copies that were edited and differ from the current notebooks.
    """
    folder.mkdir(parents=True, exist_ok=True)
    edited = []
    for path in sorted(source.glob("*.ipynb")):
        notebook, copy = _in(language, nbformat.read(path, as_version=4)), folder / path.name
        current = _digest(notebook)
        if copy.exists():
            mine = nbformat.read(copy, as_version=4)
            if _digest(mine) != mine.metadata.get(COPIED):
                edited += [path.name] if _digest(mine) != current else []
                continue
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        notebook.metadata[COPIED] = current
        nbformat.write(notebook, copy)
    return edited


def _in(language: str, notebook: NotebookNode) -> NotebookNode:
    """The notebook in a language: its prose, and its parameter."""
    with in_language(language or ENGLISH):
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = translated(cell.source)
            elif language and "parameters" in cell.metadata.get("tags", []):
                line = f'language: str = "{language}"'
                cell.source, found = LANGUAGE.subn(line, cell.source)
                cell.source += "" if found else f"\n{line}  # language of the page"
    return notebook


def _digest(notebook) -> str:
    """Fingerprint of what was written, whatever was run."""
    return hashlib.sha256("\0".join(cell.source for cell in notebook.cells).encode()).hexdigest()


def open_lab(outputs: Path, port: int = 0, browser: bool = True, language: str = "") -> subprocess.Popen:
    """Start JupyterLab on copies of the notebooks, in `outputs/lab`.

    Parameters
    ----------
    outputs : Path
        Where reports are written; the pages can be opened from here.
    port : int
        0: a free one.
    browser : bool
        Whether to open it in a browser.
    language : str
        In which explore.ipynb shows every study; "": each in its own.
    """
    words = [f"--ServerApp.root_dir={outputs}", "--LabApp.default_url=/lab/tree/lab/explore.ipynb", "--custom-css", "--ip=127.0.0.1"]
    words += [f"--port={port}"] if port else []
    words += [] if browser else ["--no-browser"]
    # A container's only user is root, and JupyterLab asks to be told.
    words += ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    paths = os.pathsep.join(filter(None, [str(JUPYTER / "config"), jupyter_config_dir(), os.environ.get("JUPYTER_CONFIG_PATH", "")]))
    environment = _environment(outputs, "/files/", language) | {"JUPYTER_CONFIG_PATH": paths} | _own_style()
    return subprocess.Popen([sys.executable, "-m", "jupyterlab", *words], env=environment)


def lab_style() -> str:
    """Return the style of the pages for the outputs of notebooks in JupyterLab, in its light and its dark theme."""
    text = PAGES_STYLE.read_text(encoding="utf-8")
    colours = re.search(r"^:root (\{.*?^\})", text, re.MULTILINE | re.DOTALL)
    parts = [part for part in re.split(r"^/\* ", text, flags=re.MULTILINE) if part.startswith(SHOWN)]
    rules = "".join(f"/* {part}" for part in parts)
    dark = f'[data-jp-theme-light="false"] {OUTPUT} {{ color-scheme: dark; }}\n'
    return f"{OUTPUT} {{\n& {colours[1]}\n& {{ color-scheme: light; color: var(--ink); }}\n{LAB_STYLE}{rules}}}\n{dark}" if colours else ""


def _own_style() -> dict[str, str]:
    """Where JupyterLab looks for a style of ours; the user's own settings stay in force, and are kept where they were."""
    own, theirs = Path(own_settings()["IPYTHONDIR"]).with_name("lab"), Path(jupyter_config_dir())
    (own / "custom").mkdir(parents=True, exist_ok=True)
    (own / "custom" / "custom.css").write_text(lab_style(), encoding="utf-8")
    return {
        "JUPYTER_CONFIG_DIR": str(own),
        "JUPYTERLAB_SETTINGS_DIR": os.environ.get("JUPYTERLAB_SETTINGS_DIR", str(theirs / "lab" / "user-settings")),
        "JUPYTERLAB_WORKSPACES_DIR": os.environ.get("JUPYTERLAB_WORKSPACES_DIR", str(theirs / "lab" / "workspaces")),
    }


def _environment(outputs: Path, pages: str, language: str) -> dict[str, str]:
    ours = {"COHORT_OUTPUTS": str(outputs), "COHORT_PAGES": pages, "COHORT_LANGUAGE": language, "PYTHONPATH": str(ROOT)}
    return dict(os.environ) | own_settings() | ours


def serve_page(
    outputs: Path, port: int, base_url: str, audience: str, token: str, *, hosts: tuple[str, ...] = (), visitors: int = 12, language: str = ""
) -> None:
    """Serve explore.ipynb on 127.0.0.1 until stopped.

    Parameters
    ----------
    outputs : Path
        Where reports are written.
    port : int
    base_url : str
        Path under which a proxy offers the page, with a slash at both ends.
    audience : str
        The only audience that may be chosen; empty: both. With share, saved reports made otherwise are not served.
    token : str
        What a visitor needs; empty: a new one, printed with the address.
    hosts : tuple of str
        Names under which a proxy offers the page; requests for another name than these and this computer's are refused.
    visitors : int
        Pages that may be open at once.
    language : str
        In which the page speaks and shows every study; "": each study in its own.
    """
    speech.use(language)
    here = os.environ.get("TZ")
    os.environ |= kernel_environment() | _environment(outputs, f"{base_url}reports/", language) | {"COHORT_AUDIENCE": audience}
    for name in NOT_INHERITED:
        os.environ.pop(name, None)
    # The page tells a visitor the time of the ward, a report none.
    os.environ.pop("TZ") if here is None else os.environ.update(TZ=here)
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, [str(JUPYTER), os.environ.get("JUPYTER_PATH", "")]))
    from traitlets.config import Config  # noqa: PLC0415

    from lib.explore.ward import Ward  # noqa: PLC0415  Voila reads the paths when it is imported

    Ward.clear_instance()
    settings = _settings(outputs, port, base_url, audience, token, hosts=hosts, visitors=visitors)
    Ward.launch_instance([str(_notebook(language)), "--no-browser"], config=Config(settings))


def _notebook(language: str) -> Path:
    """The notebook of the page; in another language than its own, a copy."""
    notebook = ROOT / "notebooks" / "explore.ipynb"
    if language in ("", ENGLISH):
        return notebook
    copy = Path(own_settings()["IPYTHONDIR"]).with_name("page") / language / notebook.name
    copy.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(_in(language, nbformat.read(notebook, as_version=4)), copy)
    return copy


def _settings(
    outputs: Path, port: int, base_url: str, audience: str, token: str, *, hosts: tuple[str, ...] = (), visitors: int = 12
) -> dict:
    return {
        "Ward": {
            "ip": "127.0.0.1", "port": port, "base_url": base_url, "reports": str(outputs),
            "shared_only": audience == "share", "identity_provider_class": "lib.explore.ward.Visitors",
            # Who asks is told by a proxy, and believed only where there is one.
            "limits": REQUESTS | {"xheaders": bool(hosts)},
            **({"token": token} if token else {"auto_token": True}),
            "tornado_settings": {
                "websocket_max_message_size": MAX_MESSAGE_BYTES,
                "allow_remote_access": False, "local_hostnames": ["localhost", *hosts],
                "headers": {"Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"},
            },
        },
        "VoilaConfiguration": {
            "template": "ward", "allow_template_override": "NO", "allow_theme_override": "NO", "strip_sources": True,
            "show_tracebacks": False, "file_allowlist": [], "extension_allowlist": EXTENSIONS,
            "multi_kernel_manager_class": "lib.explore.kernels.Kernels",
            "resources": {"words": {
                "made": _("The page is being made"), "anew": _("Begin anew"),
                "ended": _("This page has ended, after a pause or for want of memory. What was saved is kept."),
            }},
        },
        "HTMLExporter": {"language_code": in_force()},
        # Patient data cross a local port: encrypted, so that no other user of the machine reads along. A kernel that has
        # died is not started again behind a page that has lost its widgets: the page asks for another.
        "KernelManager": {"transport_encryption": "auto" if zmq.has("curve") else "disabled", "autorestart": False},
        "Kernels": {
            "cull_idle_timeout": IDLE_SECONDS, "cull_interval": 60, "cull_connected": True, "most": visitors,
            "memory": KERNEL_BYTES,
        },
    }  # fmt: skip
