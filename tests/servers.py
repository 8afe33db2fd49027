"""Starts the servers of the interactive page for tests: on a free port, ended by their own id, whatever happens."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path

from lib.study.study import ROOT

__all__ = ["TOKEN", "Server", "said_by", "serve"]

TOKEN = "a-token-of-the-test"
SECONDS = 90
# Address -> what the server there says.
_logs: dict[str, Path] = {}


@dataclass
class Server:
    """A running server: its address, and the folder that it writes reports into."""

    address: str
    outputs: Path
    opener: urllib.request.OpenerDirector
    cookies: CookieJar

    def get(self, path: str, token: bool = True) -> tuple[int, str, str]:
        """Status, final address and text of a page, as somebody with or without the token sees it."""
        opener = self.opener if token else urllib.request.build_opener()
        try:
            with opener.open(self.address + path, timeout=SECONDS) as answer:
                return answer.status, answer.url, answer.read().decode(errors="replace")
        except urllib.error.HTTPError as error:
            return error.code, error.url, error.read().decode(errors="replace")

    @property
    def cookie(self) -> str:
        """The header that proves the token was given."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.cookies)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def said_by(address: str) -> str:
    """The end of what the server at an address has said, without the token."""
    return re.sub(TOKEN, "...", _logs[address].read_text())[-3000:]


@contextlib.contextmanager
def serve(command: str, outputs: Path, *words: str) -> Iterator[Server]:
    """Run `python -m lib lab` or `explore`, wait until it answers, and end it afterwards."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    _logs[address] = log = outputs / "server.log"
    arguments = [sys.executable, "-m", "lib", command, "--output", str(outputs), "--port", str(port), *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COHORT_TOKEN": TOKEN, "JUPYTER_TOKEN": TOKEN}
    with log.open("w") as said:
        process = subprocess.Popen(arguments, stdout=said, stderr=subprocess.STDOUT, env=environment, cwd=ROOT)
    try:
        cookies = CookieJar()
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
        yield _answering(Server(address, outputs, opener, cookies), process)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answering(server: Server, process: subprocess.Popen) -> Server:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            if server.get("/login", token=False)[0] < 500:
                return server
        time.sleep(0.2)
    raise AssertionError(f"the server did not answer: {said_by(server.address)}")
