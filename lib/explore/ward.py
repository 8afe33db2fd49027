"""Voila, hardened for a page that anybody on a ward may use: what it serves, to whom, and what it takes from them.

That a visitor cannot run code is Voila's own doing (`allowed_message_types` of its kernel manager); the tests attack it.
"""

from __future__ import annotations

__all__ = ["Visitors", "Ward"]

import json
import time
from collections import OrderedDict
from functools import partial
from pathlib import Path, PurePath
from typing import Any

from jupyter_server.auth.identity import PasswordIdentityProvider
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.services.kernels.handlers import KernelHandler
from jupyter_server.utils import url_path_join
from nbformat.v4 import new_code_cell, new_notebook
from tornado.web import HTTPError, StaticFileHandler, authenticated
from traitlets import Bool, Dict, Unicode
from voila.app import Voila
from voila.shutdown_kernel_handler import VoilaShutdownKernelHandler
from voila.tornado.handler import TornadoVoilaHandler
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler

from lib.explore.gate import Refused, measure
from lib.explore.kernels import Full
from lib.languages.speech import _, in_force
from lib.run.kernels import prepare
from lib.run.manifest import MARK

# Wrong tokens that cost nothing, the longest wait after more of them, and how many addresses are remembered.
FREE_GUESSES, LONGEST_WAIT, MOST_ADDRESSES = 5, 60, 10_000
# What a visitor's computer has not taken yet; a page of the largest study is a tenth of it.
MOST_UNREAD_BYTES = 16 * 1024 * 1024
# The one thing that a page opens by itself: its list of widgets.
LIST_OF_WIDGETS = "jupyter.widget.control"


class Visitors(PasswordIdentityProvider):
    """Whoever has the token; whoever guesses at it waits longer each time."""

    allow_password_change = False

    def __init__(self, **options):
        super().__init__(**options)
        # Address -> wrong tokens so far, and until when no other is looked at.
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()

    async def get_user_token(self, handler):
        """Return the visitor whose address or header holds the token."""
        given = self.get_token(handler)
        if not given:
            return None
        self._look_at(given, handler.request.remote_ip)
        return await super().get_user_token(handler)

    def process_login_form(self, handler):
        """Return the visitor who typed the token."""
        self._look_at(handler.get_argument("password", default=""), handler.request.remote_ip)
        return super().process_login_form(handler)

    def _look_at(self, given: str, address: str) -> None:
        """Count a wrong token; refuse to look at another one before its time."""
        wrong, until = self._wrong.pop(address, (0, 0.0))
        now = time.monotonic()
        if now < until:
            self._wrong[address] = wrong, until
            raise HTTPError(429, _("Too many wrong tokens; please wait {seconds} seconds", seconds=f"{until - now:.0f}"))
        if given == self.token:
            return
        wait = min(2.0 ** (wrong + 1 - FREE_GUESSES), LONGEST_WAIT) if wrong + 1 > FREE_GUESSES else 0
        self._wrong[address] = wrong + 1, now + wait
        if len(self._wrong) > MOST_ADDRESSES:
            self._wrong.popitem(last=False)


class Page(TornadoVoilaHandler):
    """The page, or a sentence where no place is free."""

    kernel_id = ""

    async def get(self, path=None):
        """Give the page and a kernel of their own to whoever is logged in."""
        try:
            await super().get(path)
        except Full as full:
            self.set_status(full.status_code)
            self.set_header("Retry-After", "10")
            self.finish(self.render_template("full.html", said=full.log_message, _=_, language=in_force()))
        finally:
            if self.kernel_id:
                self.kernel_manager.notify_sent(self.kernel_id)


class _Owned:
    """A kernel does not exist for anybody but the visitor whose page it is."""

    path_args: list[str]
    path_kwargs: dict[str, str]
    current_user: Any
    kernel_manager: Any

    async def prepare(self, **options):
        """Answer 404 for the kernels of others."""
        await super().prepare(**options)
        kernel_id = self.path_kwargs.get("kernel_id") or self.path_args[0]
        if self.current_user and not self.kernel_manager.belongs(kernel_id, self.current_user.username):
            raise HTTPError(404)


class OwnKernel(_Owned, KernelHandler):
    """Whether a visitor's kernel runs."""


class OwnEnd(_Owned, VoilaShutdownKernelHandler):
    """The end of a visitor's kernel, as the page is closed."""


class Socket(_Owned, VoilaKernelWebsocketHandler):
    """A page's messages: measured and counted before anything parses them."""

    unread = 0

    def on_message(self, message):
        """Pass on what a page of ours would send; close the socket on anything else."""
        try:
            kind, content = measure(message, self.connection.subprotocol)
        except Refused as refused:
            self.log.warning("a frame was refused: %s", str(refused)[:80])
            self.close(1008, "no message of this page")
            return
        if not self.kernel_manager.admits(self.kernel_id):
            self.close(1008, "too many messages")
        elif kind != "comm_open" or content.get("target_name") == LIST_OF_WIDGETS:
            super().on_message(message)

    def write_message(self, message, binary=False):
        """Send, unless too much of what was sent before has not been read."""
        size = len(message)
        if self.unread + size > MOST_UNREAD_BYTES:
            self.log.warning("a socket is not read and was closed")
            self.ws_connection.stream.close()
            return None
        self.unread += size
        sent = super().write_message(message, binary)
        if sent is None:
            self.unread -= size
        else:
            sent.add_done_callback(partial(self._read, size))
        return sent

    def _read(self, size, sent):
        self.unread -= size
        sent.exception()


class Reports(JupyterHandler, StaticFileHandler):
    """Saved reports, for those with the token; what is in them is kept away from the page and its kernel."""

    def initialize(self, path, shared_only):
        """Take the folder of the reports, and whether its visitors may read shared ones alone."""
        super().initialize(path)
        self.shared_only = shared_only

    @property
    def content_security_policy(self) -> str:
        """Scripts of a report run in an origin of their own."""
        return f"{super().content_security_policy}; sandbox allow-scripts allow-downloads allow-popups"

    @authenticated
    def get(self, path, include_body=True):
        """Give a file to whoever is logged in."""
        return StaticFileHandler.get(self, path, include_body)

    @authenticated
    def head(self, path):
        """Say whether there is such a file."""
        return StaticFileHandler.get(self, path, include_body=False)

    def validate_absolute_path(self, root, absolute_path):
        """Refuse what is hidden, such as a report that is still being written, and what these visitors may not read."""
        if any(part.startswith(".") for part in PurePath(absolute_path).relative_to(root).parts):
            raise HTTPError(404)
        if self.shared_only and not _is_shared(Path(absolute_path), Path(root)):
            raise HTTPError(404)
        return super().validate_absolute_path(root, absolute_path)


def _is_shared(path: Path, root: Path) -> bool:
    """Whether a file belongs to a report that was made for sharing: it fails closed, for all that is no report too."""
    for folder in path.parents:
        if not folder.is_relative_to(root):
            break
        if (folder / MARK).is_file():
            given = json.loads((folder / MARK).read_text(encoding="utf-8"))["parameters"]
            return bool(given) and all(own.get("audience") == "share" for own in given.values())
    return False


class Ward(Voila):
    """Voila with the saved reports beside its page, and without its handlers of files."""

    reports = Unicode("", config=True, help="Folder of the saved reports.")
    shared_only = Bool(False, config=True, help="Whether only reports made for sharing are served.")
    limits = Dict(config=True, help="What tornado's HTTPServer is given: sizes and timeouts of requests.")

    def start(self):
        """Begin to import what kernels import, then serve."""
        prepare([new_notebook(cells=[new_code_cell("import lib.explore.warmed")])])
        super().start()

    def listen(self):
        """Listen, with limits in front of what is read of a request."""
        self.app.listen = partial(self.app.listen, **self.limits)
        super().listen()

    def init_handlers(self):
        """Serve the page at its own address alone, files to nobody, and reports to those with the token."""
        ours = {
            TornadoVoilaHandler: Page, KernelHandler: OwnKernel, VoilaShutdownKernelHandler: OwnEnd,
            VoilaKernelWebsocketHandler: Socket,
        }  # fmt: skip
        page, files = (url_path_join(self.server_url, path) for path in (r"/(.*)", r"/voila/files/(.*)"))
        kept = [
            (f"{self.server_url}()" if address == page else address, ours.get(handler, handler), *options)
            for address, handler, *options in super().init_handlers()
            if address != files
        ]
        options = {"path": self.reports, "shared_only": self.shared_only}
        return [(url_path_join(self.server_url, r"/reports/(.*)"), Reports, options), *kept]
