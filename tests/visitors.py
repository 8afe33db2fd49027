"""Visitors of the page for a ward without a browser: they open it, connect, choose, look, and leave."""

from __future__ import annotations

import asyncio
import json
import re
import time
import uuid
from http.cookies import SimpleCookie

from servers import TOKEN, said_by
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

__all__ = ["Visitor", "message"]

SECONDS = 120


def message(kind: str, content: dict, channel: str = "shell", version: str = "2.1.0") -> str:
    header = {"msg_id": uuid.uuid4().hex, "msg_type": kind, "username": "", "session": "visitor", "version": "5.3"}
    return json.dumps({"header": header, "parent_header": {}, "metadata": {"version": version}, "content": content, "channel": channel})


class Visitor:
    """Somebody with the token, a cookie, a page and its socket; and a computer, where a proxy tells the server of it."""

    def __init__(self, address: str, computer: str = ""):
        self.address, self.cookie, self.kernel, self.text, self.socket, self.models = address, "", "", "", None, {}
        self.behind = {"X-Real-IP": computer} if computer else {}

    async def ask(self, path: str, method: str = "GET", **options) -> tuple[int, str]:
        """Status and text."""
        headers = {"Cookie": self.cookie} | self.behind | options.pop("headers", {})
        request = HTTPRequest(self.address + path, method=method, headers=headers, request_timeout=SECONDS, follow_redirects=False, **options)
        answer = await AsyncHTTPClient(max_clients=200).fetch(request, raise_error=False)
        if isinstance(answer.error, HTTPClientError) and answer.code == 599:
            raise answer.error
        for line in answer.headers.get_list("Set-Cookie"):
            self.cookie = "; ".join(f"{name}={found.value}" for name, found in SimpleCookie(line).items())
        return answer.code, answer.body.decode(errors="replace")

    async def open(self) -> int:
        """Ask for the page, which brings a kernel."""
        status, self.text = await self.ask(f"/?token={TOKEN}")
        found = re.search(r'"kernelId": "([0-9a-f-]{36})"', self.text)
        self.kernel = found[1] if found else ""
        return status

    async def connect(self, kernel: str = "") -> None:
        """Open the socket of a page."""
        address = f"{self.address.replace('http', 'ws')}/api/kernels/{kernel or self.kernel}/channels?session_id={uuid.uuid4().hex}"
        self.socket = await websocket_connect(HTTPRequest(address, headers={"Cookie": self.cookie} | self.behind, request_timeout=SECONDS))

    async def see(self) -> float:
        """Open the page, ask for its widgets as the page does; the seconds until the first picture is there."""
        began = time.monotonic()
        status = await self.open()
        assert status == 200, f"{status}: {said_by(self.address)}"
        await self.connect()
        self.models = await self.states()
        assert "<svg" in json.dumps(self.models)
        return time.monotonic() - began

    async def states(self) -> dict[str, dict]:
        """Every widget of the page, as the kernel has it."""
        await self.say("comm_open", {"comm_id": uuid.uuid4().hex, "target_name": "jupyter.widget.control", "data": {}}, version="1.0.0")
        control = json.loads(self.sent)["content"]["comm_id"]
        await self.say("comm_msg", {"comm_id": control, "data": {"method": "request_states"}})
        told = await self.until(lambda said: "states" in said["content"].get("data", {}))
        return {key: state["state"] for key, state in told["content"]["data"]["states"].items()}

    async def say(self, kind: str, content: dict, version: str = "2.1.0") -> None:
        """Send a message."""
        self.sent = message(kind, content, version=version)
        await self.socket.write_message(self.sent)

    def named(self, description: str) -> str:
        """The model of a control."""
        return next(key for key, state in self.models.items() if state.get("description") == description)

    async def choose(self, index: int) -> float:
        """Choose another endpoint; the seconds until its picture is there."""
        began = time.monotonic()
        data = {"method": "update", "state": {"index": index}, "buffer_paths": []}
        await self.say("comm_msg", {"comm_id": self.named("Endpoint"), "data": data})
        await self.until(lambda said: said["content"].get("data", {}).get("state", {}).get("blocks"))
        return time.monotonic() - began

    async def until(self, wanted) -> dict:
        """The first message that is wanted; `ConnectionError` where the socket is closed before."""
        while True:
            said = await asyncio.wait_for(self.socket.read_message(), SECONDS)
            if said is None:
                raise ConnectionError("the socket was closed")
            found = json.loads(said) if isinstance(said, str) else _unpacked(said)
            if found and wanted(found):
                return found

    async def closed(self) -> bool:
        """Whether the server closes the socket."""
        while (said := await asyncio.wait_for(self.socket.read_message(), SECONDS)) is not None:
            del said
        return True

    def leave(self) -> None:
        """Close the page."""
        if self.socket is not None:
            self.socket.close()
            self.socket = None


def _unpacked(frame: bytes) -> dict:
    """The message in a frame with buffers."""
    start, stop = (int.from_bytes(frame[4 * at : 4 * at + 4], "big") for at in (1, 2)) if frame[3] > 1 else (8, None)
    return json.loads(frame[start:stop])
