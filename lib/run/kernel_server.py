"""A process that has imported what notebooks import, and forks a kernel from itself for each of them.

Run as `python -m lib.run.kernel_server FD MODULE ...` by lib/run/kernels.py, which talks to it over the socket FD. A request
is one line of JSON (`connection_file`, `env`, `cwd`) that comes with the end of a pipe; the reply is the process id of
the kernel on a line of its own. When the kernel has ended, its exit code is written into the pipe. The server ends,
and its kernels with it, when the other end of its socket is closed: however the process there ended.

It stays without threads, which a fork would not copy, and knows nothing of studies and notebooks.
"""

from __future__ import annotations

__all__ = ["main"]

import contextlib
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

# What every kernel imports, whatever its notebook; the inline backend is asked for by IPython itself.
OF_KERNELS = ("ipykernel.kernelapp", "ipykernel.ipkernel", "IPython.core.completer", "matplotlib_inline.backend_inline")


def main(descriptor: int, modules: list[str]) -> None:
    """Import `modules`, then serve until the socket is closed; a kernel comes out of here as a process of its own."""
    # An interpreter puts the folder it was started in here; a kernel takes it away.
    del sys.path[0]
    connection = socket.socket(fileno=descriptor)
    connection.set_inheritable(False)
    with _ending_with(connection):
        _import(modules)
    # What is here now stays until the end: the collector need not look at it again, nor copy it in each kernel.
    gc.collect()
    gc.freeze()
    request = _Server(connection).run()
    if request is not None:
        _become_kernel(request)


@contextlib.contextmanager
def _ending_with(connection: socket.socket) -> Iterator[None]:
    """Look every second whether the other end is still there: imports take longer than a process may stay that nobody needs."""

    def look(*_) -> None:
        with contextlib.suppress(BlockingIOError):
            if not connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT):
                os._exit(0)

    signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, 1, 1)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)


def _import(modules: list[str]) -> None:
    """Import what can be imported; end where a kernel that did it itself would behave in another way."""
    said, show = [], warnings.showwarning
    # Not catch_warnings, which would also take back the filters that libraries set as they are imported.
    warnings.showwarning = lambda message, *_: said.append(str(message))
    for module in OF_KERNELS:
        importlib.import_module(module)
    for module in modules:
        # What fails here fails in the notebook too, where the reader sees it.
        with contextlib.suppress(Exception):
            importlib.import_module(module)
    warnings.showwarning = show
    if _threads() > 1:
        said.append("a thread has started")
    if said:
        sys.exit(f"Kernels start one by one, since the imports cannot be made beforehand: {'; '.join(said)}")


def _threads() -> int:
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.is_dir() else threading.active_count()


class _Server:
    """The loop: requests in, exit codes out."""

    def __init__(self, connection: socket.socket):
        self.connection, self.lines = connection, connection.makefile("rb")
        # Process id -> the pipe that waits for its exit code, and its connection file.
        self.kernels: dict[int, tuple[int, str]] = {}

    def run(self) -> dict | None:
        """Return None when the socket was closed; in a new kernel: its request."""
        woken, wake = socket.socketpair()
        woken.setblocking(False)
        wake.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        with selectors.DefaultSelector() as selector:
            selector.register(self.connection, selectors.EVENT_READ)
            selector.register(woken, selectors.EVENT_READ)
            while True:
                ready = {key.fileobj for key, _ in selector.select()}
                if woken in ready:
                    with contextlib.suppress(BlockingIOError):
                        woken.recv(4096)
                    self._reap()
                if self.connection in ready:
                    token, pipes, *_ = socket.recv_fds(self.connection, 1, 1)
                    if not token:
                        self._end()
                        return None
                    request = json.loads(self.lines.readline())
                    child = os.fork()
                    if child == 0:
                        signal.set_wakeup_fd(-1)
                        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                        for open_one in (woken, wake, self.lines, self.connection):
                            open_one.close()
                        for pipe in (*pipes, *(pipe for pipe, _ in self.kernels.values())):
                            os.close(pipe)
                        return request
                    os.set_inheritable(pipes[0], False)
                    self.kernels[child] = pipes[0], request["connection_file"]
                    self.connection.sendall(b"%d\n" % child)

    def _reap(self) -> None:
        while self.kernels:
            child, status = os.waitpid(-1, os.WNOHANG)
            if child == 0:
                return
            pipe, _ = self.kernels.pop(child)
            with contextlib.suppress(OSError):  # nobody waits for it
                os.write(pipe, b"%d" % os.waitstatus_to_exitcode(status))
            os.close(pipe)

    def _end(self) -> None:
        """Leave nothing: neither kernels nor the folders of their sockets, where a key lies too."""
        for child, (_, file) in self.kernels.items():
            with contextlib.suppress(OSError):
                # The kernel leads a group: what it has started ends too.
                os.killpg(child, signal.SIGKILL)
            with contextlib.suppress(OSError):
                for left in (Path(file), *Path(file).parent.glob(f"{Path(file).stem}-ipc-*")):
                    left.unlink(missing_ok=True)
                Path(file).parent.rmdir()


def _become_kernel(request: dict) -> None:
    """Do in this process what `python -m ipykernel_launcher` does in a new one."""
    server = os.getppid()
    os.setsid()
    os.environ.clear()
    os.environ.update(request["env"], JPY_PARENT_PID=str(server))
    time.tzset()
    os.chdir(request["cwd"])
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    import ipykernel_launcher  # noqa: PLC0415  only named here; it starts a kernel when it is run, not when imported
    from ipykernel.kernelapp import IPKernelApp  # noqa: PLC0415

    sys.argv = [ipykernel_launcher.__file__, "-f", request["connection_file"]]
    # It ends by itself when its parent is gone; the variable it reads that from was read as it was imported.
    IPKernelApp.launch_instance(parent_handle=server)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
