"""Kernels: in which environment they run, and how they start warm, forked from a process that has the imports done.

Where a process cannot fork, or the imports cannot be made beforehand, Jupyter's ordinary kernels run instead.
"""

from __future__ import annotations

__all__ = ["WarmKernelManager", "imported_by", "kernel_environment", "own_settings", "prepare", "shut_down"]

import ast
import atexit
import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from nbformat import NotebookNode

from lib.study.provenance import library_files
from lib.study.study import ROOT

# What a kernel is given, so that the same input gives the same bytes on every machine.
KERNEL_ENVIRONMENT = {
    "PYTHONPATH": str(ROOT),
    "PYTHONHASHSEED": "0",
    "PYTHONNOUSERSITE": "1",
    "SOURCE_DATE_EPOCH": "0",
    "MPLBACKEND": "agg",
    "TZ": "UTC",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    # One thread each: sums come out in one order, and notebooks side by side do not fight for cores.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    # Arrow's allocator would start a thread of its own, and a process with threads cannot be forked.
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
# Where a user's own settings would come in.
NOT_INHERITED = ("PYTHONSTARTUP", "PYTHONWARNINGS", "PYTHONDONTWRITEBYTECODE")
# IPython writes what was run into a database in the user's home, unless it is told not to.
NO_HISTORY = "get_config().HistoryManager.enabled = False\n"
# What an interpreter or a library reads only once, as it starts.
READ_AT_START = ("PYTHON", "LD_", "DYLD_", "LANG", "LC_", "MPL", "OMP_", "OPENBLAS_", "MKL_", "NUMEXPR_", "JE_", "HOME")
# macOS has a fork, but its own libraries do not survive it.
CAN_FORK = hasattr(os, "fork") and hasattr(socket, "send_fds") and sys.platform != "darwin"


def kernel_environment() -> dict[str, str]:
    """Return the environment of a kernel: this process's, without a user's settings, with ours."""
    inherited = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    return inherited | KERNEL_ENVIRONMENT | own_settings()


@cache
def own_settings() -> dict[str, str]:
    """Variables that lead to settings of our own: a user's matplotlibrc and IPython's startup files stay out.

    They lie with the environment, and nothing is written into the user's home; where the environment cannot be written,
    in a temporary folder until this process ends.
    """
    folder = Path(sys.prefix, "var", "cohort_report")
    if not os.access(sys.prefix, os.W_OK):
        folder = Path(tempfile.mkdtemp(prefix="cohort_report_"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    profile = folder / "ipython" / "profile_default"
    profile.mkdir(parents=True, exist_ok=True)
    (profile / "ipython_config.py").write_text(NO_HISTORY, "utf-8")
    (folder / "matplotlibrc").touch()
    return {"IPYTHONDIR": str(folder / "ipython"), "MATPLOTLIBRC": str(folder), "MPLCONFIGDIR": str(folder)}


def imported_by(notebook: NotebookNode) -> list[str]:
    """Return the modules that the code cells of a notebook import, in their order; cells that are no Python have none."""
    names = {}
    for cell in notebook.cells:
        if cell.cell_type == "code" and "import" in cell.source:
            try:
                tree = ast.parse(cell.source)
            except SyntaxError:
                continue
            for node in ast.walk(tree):
                if isinstance(node, ast.Import):
                    names |= dict.fromkeys(alias.name for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.level == 0:
                    # `from lib import flow`: what is imported may be a module; if it is none, that import fails quietly.
                    names |= dict.fromkeys([node.module, *(f"{node.module}.{alias.name}" for alias in node.names)])
    return list(names)


class WarmKernelManager(AsyncKernelManager):
    """Jupyter's manager of one kernel, which forks it from the server.

    They talk over sockets in a folder that nobody else can enter. A port is chosen before the kernel takes it, and where
    many kernels start another may have taken it meanwhile.
    """

    def __init__(self, **options):
        super().__init__(**options)
        folder = Path(tempfile.mkdtemp(prefix="kernel-"))
        self.connection_file = str(folder / "kernel.json")
        if CAN_FORK and _holds_sockets(folder):
            self.transport = "ipc"
        self.provisioner = _WarmProvisioner(kernel_id=str(uuid.uuid4()), kernel_spec=self.kernel_spec, parent=self)

    def cleanup_ipc_files(self) -> None:
        """Leave no sockets, nor their folder unless the kernel is to start again."""
        super().cleanup_ipc_files()
        with contextlib.suppress(OSError):
            Path(self.connection_file).parent.rmdir()


def _holds_sockets(folder: Path) -> bool:
    """Whether a socket can lie here: some file systems take none, and no system one with a long path."""
    probe = folder / "kernel-ipc-0"
    with socket.socket(socket.AF_UNIX) as one, contextlib.suppress(OSError):
        one.bind(str(probe))
        probe.unlink()
        return True
    return False


class _WarmProvisioner(LocalProvisioner):
    """Jupyter's way to start a process, for one that is forked elsewhere."""

    async def launch_kernel(self, cmd, **options):
        env, cwd = options["env"], str(options.get("cwd") or os.getcwd())
        # The command of another Python, or of another language, is left alone.
        ours = os.path.realpath(cmd[0]) == os.path.realpath(sys.executable) and cmd[1:4] == LAUNCHER
        forked = _server_for(env).fork(cmd[4], env, cwd) if ours and CAN_FORK else None
        if forked is None:
            return await super().launch_kernel(cmd, **options)
        self.process, self.pid, self.pgid, self.cwd = forked, forked.pid, forked.pid, cwd
        return self.connection_info


SERVER = "lib.run.kernel_server"
LAUNCHER = ["-m", "ipykernel_launcher", "-f"]


class _Forked:
    """A kernel that is not our child: what Jupyter asks of a `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int, pipe: int):
        self.pid, self.pipe, self.returncode = pid, pipe, None

    def poll(self) -> int | None:
        """Return the exit code once the kernel has ended."""
        return self._told(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit code."""
        if self._told(timeout) is None:
            raise subprocess.TimeoutExpired("kernel", timeout)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the kernel has ended: its number may be another process's by now."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def _told(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self.pipe], [], [], timeout)[0]:
            # A pipe that closes without a word: the server is gone, and takes its kernels along.
            self.returncode = int(os.read(self.pipe, 16) or -signal.SIGKILL)
            os.close(self.pipe)
        return self.returncode

    def __del__(self):
        if self.returncode is None:
            os.close(self.pipe)


class _Server:
    """The other process, as seen from here (lib/run/kernel_server.py)."""

    def __init__(self, env: dict[str, str], modules: Iterable[str]):
        self.lock, self.key, self.modules = threading.Lock(), _key(env), dict.fromkeys(modules)
        self.connection, other = socket.socketpair()
        command = [sys.executable, "-m", SERVER, str(other.fileno()), *modules]
        # A session of its own: Ctrl-C is ours to handle, as with ordinary kernels.
        self.process = subprocess.Popen(
            command, pass_fds=[other.fileno()], cwd=ROOT, env=env, start_new_session=True, stdin=subprocess.DEVNULL
        )
        other.close()
        self.lines, self.asked = self.connection.makefile("rb"), False

    def fork(self, connection_file: str, env: dict[str, str], cwd: str) -> _Forked | None:
        """Ask for a kernel; None where the server cannot give any."""
        ours, theirs = os.pipe()
        request = json.dumps({"connection_file": connection_file, "env": env, "cwd": cwd}).encode()
        try:
            with self.lock:
                self.asked = True
                socket.send_fds(self.connection, [b"+"], [theirs])
                self.connection.sendall(request + b"\n")
                reply = self.lines.readline()
        except OSError:
            reply = b""
        finally:
            os.close(theirs)
        if reply:
            return _Forked(int(reply), ours)
        os.close(ours)
        return None

    @property
    def killed(self) -> bool:
        """Whether somebody, or the system for want of memory, has ended it; what ended by itself would do so again."""
        return (self.process.poll() or 0) < 0

    def end(self) -> None:
        """Close the socket, which the server takes for its end, and wait for that."""
        self.lines.close()
        self.connection.close()
        if not self.asked:
            # It has nothing to tidy up, and would finish its imports first.
            self.process.kill()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


# The last one serves; those before it still have kernels, perhaps, and stay until the end.
_servers: list[_Server] = []
_changing = threading.Lock()


def prepare(notebooks: Iterable[NotebookNode]) -> None:
    """Start the server in the background, with what these notebooks import; nothing to do where one runs already."""
    if CAN_FORK:
        _server_for(kernel_environment(), notebooks)


def _server_for(env: dict[str, str], notebooks: Iterable[NotebookNode] = ()) -> _Server:
    """Return the server; a new one where the environment or the library has changed since it started, or it was killed."""
    with _changing:
        if not _servers or _servers[-1].key != _key(env) or _servers[-1].killed:
            modules = dict.fromkeys(name for one in notebooks for name in imported_by(one))
            before = _servers[-1].modules if _servers and _servers[-1].killed else {}
            _servers.append(_Server(env, before | modules))
        return _servers[-1]


def _key(env: dict[str, str]) -> tuple:
    """What a process that has started cannot take over any more: settings, and the library's code."""
    code = [(str(path), path.stat().st_mtime_ns) for path in library_files()]
    return [(name, value) for name, value in sorted(env.items()) if name.startswith(READ_AT_START)], code


def shut_down() -> None:
    """End the servers, and every kernel that is left."""
    with _changing:
        while _servers:
            _servers.pop().end()


atexit.register(shut_down)
