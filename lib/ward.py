"""Voila, hardened for a page that anybody on a ward may use: what it serves, to whom, and how many kernels it starts.

That a visitor cannot run code is Voila's own doing (`allowed_message_types` of its kernel manager); the tests attack it.
"""

from __future__ import annotations

__all__ = ["Kernels", "Ward"]

from pathlib import PurePath

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from jupyter_server.utils import url_path_join
from tornado.web import HTTPError, StaticFileHandler, authenticated
from traitlets import Int, Unicode
from voila.app import Voila


class Kernels(AsyncMappingKernelManager):
    """One kernel per visitor, and no more visitors than the machine can bear."""

    most = Int(12, config=True, help="Kernels that may run at once.")

    async def start_kernel(self, **options):
        """Start a kernel, or say that there are too many."""
        if len(self.list_kernel_ids()) >= self.most:
            raise HTTPError(503, "Too many visitors at this time; please try again in some minutes")
        return await super().start_kernel(**options)


class Reports(JupyterHandler, StaticFileHandler):
    """Saved reports, for those with the token; what is in them is kept away from the page and its kernel."""

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
        """Refuse what is hidden, such as a report that is still being written."""
        if any(part.startswith(".") for part in PurePath(absolute_path).relative_to(root).parts):
            raise HTTPError(404)
        return super().validate_absolute_path(root, absolute_path)


class Ward(Voila):
    """Voila with the saved reports beside its page, and without its handlers of files."""

    reports = Unicode("", config=True, help="Folder of the saved reports.")

    def init_handlers(self):
        """Serve the page at its own address alone, files to nobody, and reports to those with the token."""
        page, files = (url_path_join(self.server_url, path) for path in (r"/(.*)", r"/voila/files/(.*)"))
        kept = [
            (f"{self.server_url}()", *handler[1:]) if handler[0] == page else handler
            for handler in super().init_handlers()
            if handler[0] != files
        ]
        return [(url_path_join(self.server_url, r"/reports/(.*)"), Reports, {"path": self.reports}), *kept]
