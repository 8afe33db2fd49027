"""Voila, hardened for a page that anybody on a ward may use: what it serves, to whom, and how many kernels it starts.

That a visitor cannot run code is Voila's own doing (`allowed_message_types` of its kernel manager); the tests attack it.
"""

from __future__ import annotations

__all__ = ["Kernels", "Ward"]

import json
from pathlib import Path, PurePath

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from jupyter_server.utils import url_path_join
from tornado.web import HTTPError, StaticFileHandler, authenticated
from traitlets import Bool, Int, Unicode
from voila.app import Voila

from lib.run.manifest import MARK


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

    def init_handlers(self):
        """Serve the page at its own address alone, files to nobody, and reports to those with the token."""
        page, files = (url_path_join(self.server_url, path) for path in (r"/(.*)", r"/voila/files/(.*)"))
        kept = [
            (f"{self.server_url}()", *handler[1:]) if handler[0] == page else handler
            for handler in super().init_handlers()
            if handler[0] != files
        ]
        options = {"path": self.reports, "shared_only": self.shared_only}
        return [(url_path_join(self.server_url, r"/reports/(.*)"), Reports, options), *kept]
