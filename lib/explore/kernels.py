"""The kernels of the page for a ward: forked warm, limited in number and memory, each its visitor's own, given back soon."""

from __future__ import annotations

__all__ = ["Full", "Kernels"]

import asyncio
import contextlib
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from jupyter_server.base.call_context import CallContext
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager, ServerKernelManager
from jupyter_server.utils import ensure_async
from tornado.ioloop import PeriodicCallback
from tornado.web import HTTPError
from traitlets import Float, Int, default

from lib.explore.gate import Rate
from lib.languages.speech import _
from lib.run.kernels import WarmKernelManager

try:
    import resource
except ImportError:  # Windows limits no process from outside
    resource = None
# Who was sent a page and never connects has left; who loses the connection may come back; what has died is found so soon. A
# slow or busy machine may need a minute to make a page, which nobody can have left before; but not for ever.
MAKING_SECONDS, FIRST_SECONDS, AGAIN_SECONDS, LOOK_SECONDS = 300, 60, 10, 2
# Who loads the page again has no connection for a moment, who opens it for longer, and both keep the place; whoever comes
# waits some seconds for one.
GRACE_SECONDS, LOADING_SECONDS, PATIENCE_SECONDS, AGAIN_LOOK_SECONDS = 3, 20, 6, 0.3
# Somebody who clicks and types as fast as they can: 20 a second, and what a page asks for as it opens.
PER_SECOND, AT_ONCE = 20, 200
# Pages that one visitor may have open; the oldest gives way. A computer may have more (several people work at a terminal
# server), until somebody at another finds no place.
PAGES_EACH = 3


class Full(HTTPError):
    """No place is free."""

    def __init__(self):
        super().__init__(503, _("All places are taken at this time; please try again in some minutes"))


class Owner(NamedTuple):
    """Whose page a kernel is: a visitor, and the computer they sit at."""

    visitor: str
    computer: str


class Kernel(WarmKernelManager, ServerKernelManager):
    """Jupyter's manager of one kernel of a server, which forks it from a process that has the imports done."""


class Kernels(AsyncMappingKernelManager):
    """One kernel per page, and no more than the machine can bear."""

    most = Int(12, config=True, help="Kernels that may run at once.")
    memory = Int(0, config=True, help="Bytes of data that a kernel may hold; 0: no limit.")
    again = Float(AGAIN_SECONDS, config=True, help="Seconds after which a page that has lost its connection is given up.")

    def __init__(self, **options):
        super().__init__(**options)
        self._starting, self._rates = 0, {}
        self._owners: dict[str, Owner] = {}
        # Kernel -> when its page was sent, or last lost its connection.
        self._left: dict[str, float] = {}
        # Kernels whose page has been connected.
        self._came: set[str] = set()
        self._look = PeriodicCallback(self._clear_away, 1000 * LOOK_SECONDS)

    @default("kernel_manager_class")
    def _forked(self):
        return "lib.explore.kernels.Kernel"

    async def start_kernel(self, **options):
        """Start a kernel for whoever asks for the page, or say that there are too many."""
        handler = CallContext.get(CallContext.JUPYTER_HANDLER)
        owner = Owner(handler.current_user.username, handler.request.remote_ip)
        await self._make_room(owner.computer)
        self._starting += 1
        try:
            kernel_id = await super().start_kernel(**options)
        finally:
            self._starting -= 1
        provisioner: Any = self.get_kernel(kernel_id).provisioner
        self._limit(provisioner.pid)
        await self._give(kernel_id, owner)
        handler.kernel_id = kernel_id
        self._end_later(kernel_id, MAKING_SECONDS)
        if not self._look.is_running():
            self._look.start()
        return kernel_id

    async def _make_room(self, computer: str) -> None:
        """Wait for a place, which a page that was left gives, or one of many at another computer; `Full` if none does."""
        loop = asyncio.get_running_loop()
        until = loop.time() + PATIENCE_SECONDS
        while not self._is_free():
            await self._end(self._left_longest(GRACE_SECONDS) or self._one_of_many(computer) or self._left_longest(LOADING_SECONDS))
            if not self._is_free():
                if loop.time() > until:
                    raise Full
                await asyncio.sleep(AGAIN_LOOK_SECONDS)

    def _is_free(self) -> bool:
        return len(self.list_kernel_ids()) + self._starting < self.most

    def _left_longest(self, seconds: float) -> str:
        """The kernel that has been without its page for longest, and for so long; "" if there is none.

        One whose page has not connected yet is being opened, until that has taken too long.
        """
        before = asyncio.get_running_loop().time() - seconds
        gone = [one for one in self._left if one in self and not self._kernel_connections.get(one)]
        left = {one: self._left[one] for one in gone if self._left[one] < before and (one in self._came or seconds >= LOADING_SECONDS)}
        return min(left, key=left.__getitem__, default="")

    def _one_of_many(self, computer: str) -> str:
        """The page least in use of the computer that holds the most, if too many, for a visitor at another; "" if none."""
        held = Counter(owner.computer for one, owner in self._owners.items() if one in self)
        most = max(held, key=held.__getitem__, default=computer)
        if most == computer or held[most] <= PAGES_EACH:
            return ""
        theirs = [one for one, owner in self._owners.items() if one in self and owner.computer == most]
        kernels: dict[str, Any] = {one: self.get_kernel(one) for one in theirs}
        return min(theirs, key=lambda one: (self._kernel_connections.get(one, 0), kernels[one].last_activity))

    def _limit(self, pid: int) -> None:
        """Bound what a kernel may hold; where the machine itself runs short, a kernel goes before the server."""
        if self.memory and hasattr(resource, "prlimit"):
            resource.prlimit(pid, resource.RLIMIT_DATA, (self.memory, self.memory))
        with contextlib.suppress(OSError):
            Path(f"/proc/{pid}/oom_score_adj").write_text("1000")

    async def _give(self, kernel_id: str, to: Owner) -> None:
        """Make a kernel this visitor's own; the oldest of too many is ended."""
        theirs = [one for one, owner in self._owners.items() if owner.visitor == to.visitor and one in self]
        self._owners[kernel_id], self._rates[kernel_id] = to, Rate(PER_SECOND, AT_ONCE)
        for one in theirs[: len(theirs) + 1 - PAGES_EACH]:
            await self._end(one)

    def belongs(self, kernel_id: str, visitor: str) -> bool:
        """Whether a kernel runs and is this visitor's."""
        return kernel_id in self and kernel_id in self._owners and self._owners[kernel_id].visitor == visitor

    def admits(self, kernel_id: str) -> bool:
        """Count a message of a page; False if there are too many, on however many sockets."""
        return kernel_id in self._rates and self._rates[kernel_id].spend()

    def notify_sent(self, kernel_id: str) -> None:
        """Know that a page was sent: from now on it is being opened."""
        self._later(kernel_id, FIRST_SECONDS)

    def notify_connect(self, kernel_id):
        """Know that a page has come."""
        super().notify_connect(kernel_id)
        self._came.add(kernel_id)

    def notify_disconnect(self, kernel_id):
        """Give a kernel back soon after its page was closed."""
        super().notify_disconnect(kernel_id)
        self._later(kernel_id, self.again)

    def _later(self, kernel_id: str, seconds: float) -> None:
        self._left[kernel_id] = asyncio.get_running_loop().time()
        self._end_later(kernel_id, seconds)

    def _end_later(self, kernel_id: str, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(seconds, lambda: loop.create_task(self._end_if_left(kernel_id)))

    async def _end_if_left(self, kernel_id: str) -> None:
        if self._kernel_connections.get(kernel_id) == 0:
            await self._end(kernel_id)

    async def _end(self, kernel_id: str) -> None:
        """End a kernel at once, whatever has become of it."""
        if kernel_id in self:
            with contextlib.suppress(KeyError, HTTPError, RuntimeError):
                await ensure_async(self.shutdown_kernel(kernel_id, now=True))

    async def _clear_away(self) -> None:
        """Give the places of kernels that have died to others, and forget what belonged to those that have ended."""
        for kernel_id in self.list_kernel_ids():
            if not await ensure_async(self.get_kernel(kernel_id).is_alive()):
                self.log.warning("kernel %s has ended before its time", kernel_id)
                await self._end(kernel_id)
        for known in (self._owners, self._rates, self._left):
            for kernel_id in [one for one in known if one not in self]:
                del known[kernel_id]
        self._came &= set(self.list_kernel_ids())
