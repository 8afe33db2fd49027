"""Voila, hardened for a page that anybody on a ward may use: what it serves, to whom, and how many kernels it starts.

That a visitor cannot run code is Voila's own doing (`allowed_message_types` of its kernel manager); the tests attack it.
"""

from __future__ import annotations

__all__ = ["Kernels", "Ward"]

from jupyter_server.base.handlers import AuthenticatedFileHandler
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from jupyter_server.utils import url_path_join
from tornado.web import HTTPError
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


class Reports(AuthenticatedFileHandler):
    """Saved reports, for those with the token; their pages link to each other and load nothing."""

    def validate_absolute_path(self, root, absolute_path):
        """Nothing hidden, and nothing that only looks as if it lay here."""
        if any(part.startswith(".") for part in absolute_path[len(root) :].split("/")):
            raise HTTPError(404)
        return super().validate_absolute_path(root, absolute_path)


class Ward(Voila):
    """Voila with the saved reports beside its page, and without its handler of files."""

    reports = Unicode("", config=True, help="Folder of the saved reports.")

    def init_handlers(self):
        """Leave out the handler of files, which asks nobody for a token; add the reports, which do."""
        files = url_path_join(self.server_url, r"/voila/files/(.*)")
        kept = [handler for handler in super().init_handlers() if handler[0] != files]
        return [(url_path_join(self.server_url, r"/reports/(.*)"), Reports, {"path": self.reports}), *kept]
