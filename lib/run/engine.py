"""Papermill's engine `warm`: kernels that are forked with the imports done, in our environment, ended without waiting.

`papermill --engine warm` finds it through the entry point in pyproject.toml.
"""

from __future__ import annotations

import os
from functools import cache

import zmq

from lib.run.kernels import WarmKernelManager, kernel_environment, own_settings, prepare


def __getattr__(name: str):
    # Papermill loads this module while it is being imported itself, so the engine is made when it is first asked for.
    if name == "WarmEngine":
        return _engine()
    raise AttributeError(name)


@cache
def _engine() -> type:
    from papermill.clientwrap import PapermillNotebookClient  # noqa: PLC0415
    from papermill.engines import Engine  # noqa: PLC0415

    class WarmEngine(Engine):
        """Executes a notebook; options besides papermill's own are `warm`, `watch` and the traits of nbclient's client."""

        @classmethod
        def execute_managed_notebook(
            cls, nb_man, kernel_name, *, warm=True, watch=None, start_timeout=60, execution_timeout=None, **options
        ):
            """Execute; `watch` is called with the client before it starts."""
            # Jupyter makes IPython's folder in the user's home even to look for kernels
            os.environ |= own_settings()
            if warm:
                prepare([nb_man.nb])
                options["kernel_manager_class"] = WarmKernelManager
            known = {
                name: value for name, value in options.items() if name in PapermillNotebookClient.class_trait_names()
            }
            client = PapermillNotebookClient(
                nb_man,
                kernel_name=kernel_name,
                startup_timeout=start_timeout,
                timeout=execution_timeout,
                shutdown_kernel="immediate",
                # Printed text comes in as many pieces as the machine is busy: one output whatever it was.
                coalesce_streams=True,
                **known,
            )
            if watch:
                watch(client)
            # Patient data cross a local port: encrypted, so that no other user of the machine reads along.
            encryption = "auto" if zmq.has("curve") else "disabled"
            client.execute(env=kernel_environment(), transport_encryption=encryption)

    return WarmEngine
