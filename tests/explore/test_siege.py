"""The page for a ward under siege: many visitors, one of them hostile, and nobody else notices. Long with SIEGE=1 (make siege)."""

import asyncio
import os
import random
import signal
import statistics
import struct
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from servers import TOKEN, serve
from tornado.httpclient import HTTPClientError
from tornado.websocket import WebSocketClosedError
from visitors import Visitor, message

from lib.explore.kernels import GRACE_SECONDS, PAGES_EACH
from lib.explore.serve import KERNEL_BYTES

pytestmark = pytest.mark.notebook

LONG = bool(os.environ.get("SIEGE"))
# Visitors, and seconds that it lasts; the server and what it starts stay below so much for each, and for themselves.
MANY, SECONDS = (50, int(os.environ.get("SIEGE_SECONDS", "1800"))) if LONG else (4, 8)
EACH_BYTES, SERVER_BYTES = 250 * 1024**2, 600 * 1024**2
BOMB = struct.pack("!i", 200_000_000) + b"\0" * 16

FRAMES = {
    "bomb": [BOMB], "huge": ["x" * 1_000_000], "deep": ["[" * 60_000],
    "flood": [message("comm_info_request", {})] * 1000, "unread": [message("kernel_info_request", {})] * 150,
}  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    words = ["--visitors", str(MANY + 8), "--host", "reports.example.org"]
    with serve("explore", tmp_path_factory.mktemp("siege"), *words) as running:
        yield running


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    with serve("explore", tmp_path_factory.mktemp("small"), "--visitors", "2") as running:
        yield running


def process_of(server) -> psutil.Process:
    port = int(server.address.rsplit(":", 1)[1])
    return next(p for p in psutil.Process().children() if any(c.laddr.port == port for c in p.net_connections()))


def kernels_of(server) -> list[psutil.Process]:
    """The kernels, which the process that forked them is the parent of."""
    return [kernel for forker in process_of(server).children() for kernel in forker.children()]


async def gone(server, count: int, seconds: float) -> int:
    until = time.monotonic() + seconds
    while len(kernels_of(server)) > count and time.monotonic() < until:
        await asyncio.sleep(0.2)
    return len(kernels_of(server))


def test_ten_visitors_who_come_at_once_each_see_a_picture(server):
    async def come() -> list[float]:
        several = [Visitor(server.address) for _ in range(10)]
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(visitor.see()) for visitor in several]
            return [task.result() for task in tasks]
        finally:
            for visitor in several:
                visitor.leave()
            await gone(server, 0, 30)

    assert len(asyncio.run(come())) == 10


def test_who_finds_no_place_reads_a_sentence_and_a_page_that_is_closed_gives_its_place_back(small):
    async def come():
        first, second, third = (Visitor(small.address) for _ in range(3))
        await asyncio.gather(first.see(), second.see())
        status, text = await third.ask(f"/?token={TOKEN}")
        assert status == 503
        assert "All places are taken at this time; please try again in some minutes." in text
        assert "503" not in text
        first.leave()
        assert await gone(small, 1, 14) == 1
        await asyncio.sleep(1)
        await third.see()
        second.leave()
        third.leave()
        await gone(small, 0, 20)

    asyncio.run(come())


def test_a_page_that_was_left_gives_way_to_who_comes(small):
    async def come():
        first, second, third = (Visitor(small.address) for _ in range(3))
        await asyncio.gather(first.see(), second.see())
        first.leave()
        await asyncio.sleep(GRACE_SECONDS + 0.5)
        await third.see()
        await second.choose(1)
        second.leave()
        third.leave()
        await gone(small, 0, 30)

    asyncio.run(come())


def test_a_page_that_is_being_opened_keeps_its_place(small):
    """A slow computer needs some seconds from the page to its socket; who comes meanwhile gets no place of theirs."""
    async def come():
        slow, second, third = (Visitor(small.address) for _ in range(3))
        await second.see()
        assert await slow.open() == 200  # last, so that it has not been opening for too long when the third has waited
        await asyncio.sleep(GRACE_SECONDS + 0.5)
        assert await third.open() == 503
        await slow.connect()
        slow.leave()
        second.leave()
        await gone(small, 0, 30)

    asyncio.run(come())


def test_whoever_takes_all_places_from_one_computer_makes_room_for_somebody_at_another(tmp_path):
    async def come(address: str):
        many = [Visitor(address, "192.0.2.66") for _ in range(PAGES_EACH + 2)]
        await asyncio.gather(*(visitor.see() for visitor in many))
        assert (await Visitor(address, "192.0.2.66").open()) == 503, "nobody gives way to the same computer"
        several = [Visitor(address, f"10.0.0.{at}") for at in range(3)]
        for visitor in several[:2]:
            await visitor.see()
        assert await several[2].open() == 503, "three pages may stay"
        for visitor in (*many, *several):
            visitor.leave()

    with serve("explore", tmp_path, "--visitors", str(PAGES_EACH + 2), "--host", "reports.example.org") as crowded:
        asyncio.run(come(crowded.address))


def test_one_visitor_has_three_pages_and_the_oldest_gives_way(server):
    async def come():
        visitor, kernels = Visitor(server.address), []
        for _ in range(PAGES_EACH + 1):
            assert await visitor.open() == 200
            kernels.append(visitor.kernel)
        found = [(await visitor.ask(f"/api/kernels/{kernel}"))[0] for kernel in kernels]
        assert found == [404] + [200] * PAGES_EACH

    asyncio.run(come())


def test_a_kernel_is_nobody_elses(server):
    async def come():
        own, other = Visitor(server.address), Visitor(server.address)
        await asyncio.gather(own.see(), other.see())
        theirs = own.kernel
        assert (await own.ask(f"/api/kernels/{theirs}"))[0] == 200
        assert (await other.ask(f"/api/kernels/{theirs}"))[0] == 404
        xsrf = {"headers": {"Cookie": other.cookie + "; _xsrf=x", "X-XSRFToken": "x"}}
        assert (await other.ask(f"/api/kernels/{theirs}", "DELETE", **xsrf))[0] in (403, 404)
        assert (await other.ask(f"/voila/api/shutdown/{theirs}", "POST", body="", **xsrf))[0] in (403, 404)
        with pytest.raises(HTTPClientError, match="404"):
            await other.connect(theirs)
        await own.choose(1)
        own.leave()
        other.leave()

    asyncio.run(come())


def test_a_flood_ends_the_socket_and_no_widget_is_made_by_a_visitor(server):
    async def come():
        visitor, flood = Visitor(server.address), Visitor(server.address)
        await asyncio.gather(visitor.see(), flood.see())
        kind = {"module": "@jupyter-widgets/controls", "module_version": "2.0.0"}
        state = {f"_{side}_{what}": value for side in ("model", "view") for what, value in kind.items()}
        state |= {"_model_name": "TextModel", "_view_name": "TextView", "value": "made by a visitor"}
        opened = {"comm_id": "of-a-visitor", "target_name": "jupyter.widget", "data": {"state": state, "buffer_paths": []}}
        await visitor.say("comm_open", opened)
        assert "made by a visitor" not in str(await visitor.states())
        # Whether the server closes the socket before the last frame is sent or after it is chance.
        with suppress(WebSocketClosedError):
            for frame in FRAMES["flood"]:
                await flood.socket.write_message(frame)
        assert await flood.closed()
        await visitor.choose(1)
        visitor.leave()
        flood.leave()

    asyncio.run(come())


def test_a_kernel_that_dies_takes_nobody_along_and_the_one_that_forks_them_is_started_again(server):
    async def come():
        first, second = Visitor(server.address), Visitor(server.address)
        await first.see()
        before = {kernel.pid for kernel in kernels_of(server)}
        await second.see()
        theirs = next(kernel for kernel in kernels_of(server) if kernel.pid not in before)
        assert theirs.rlimit(psutil.RLIMIT_DATA) == (KERNEL_BYTES, KERNEL_BYTES)
        assert Path(f"/proc/{theirs.pid}/oom_score_adj").read_text().strip() == "1000", "it goes before the server"
        theirs.send_signal(signal.SIGKILL)
        await first.choose(1)
        for _ in range(40):
            status = (await second.ask(f"/api/kernels/{second.kernel}"))[0]
            if status == 404:
                break
            await asyncio.sleep(0.2)
        assert status == 404, "its place is free, and its page says so"
        for forker in process_of(server).children():
            forker.send_signal(signal.SIGKILL)
        # Whoever comes in this moment may get a kernel that is not forked; afterwards they are again.
        third, fourth = Visitor(server.address), Visitor(server.address)
        await third.see()
        await fourth.see()
        assert kernels_of(server), "forked again"
        for visitor in (first, second, third, fourth):
            visitor.leave()

    asyncio.run(come())


async def hostile(address: str, until: float, drawn: random.Random) -> int:
    """Somebody with the token who does what they can, again and again, and guesses from another computer; how often."""
    tried = 0
    while time.monotonic() < until:
        visitor = Visitor(address, "192.0.2.66")
        try:
            if await visitor.open() != 200:
                await asyncio.sleep(0.5)
                continue
            await visitor.connect()
            kind = drawn.choice(["bomb", "huge", "flood", "deep", "unread", "guess", "leave", "body"])
            for frame in FRAMES.get(kind, []):
                await visitor.socket.write_message(frame, binary=isinstance(frame, bytes))
            if kind == "guess":
                await asyncio.gather(*(Visitor(address, "192.0.2.67").ask(f"/?token={drawn.random()}") for _ in range(20)))
            elif kind == "body":
                await visitor.ask("/login", "POST", body="x" * 10_000_000)
            tried += 1
            if kind in ("bomb", "huge", "flood", "deep"):
                assert await visitor.closed(), kind
        except (OSError, HTTPClientError, WebSocketClosedError):
            tried += 1
        finally:
            visitor.leave()
        await asyncio.sleep(0.2)
    return tried


async def patient(address: str, until: float, drawn: random.Random, computer: str) -> list[float]:
    """Somebody who looks at endpoints, and now and then comes anew; how long each picture took."""
    waited = []
    while time.monotonic() < until:
        visitor = Visitor(address, computer)
        await visitor.see()
        for at in range(drawn.randint(2, 12)):
            if waited and time.monotonic() >= until:
                break
            await asyncio.sleep(drawn.uniform(0.5, 2) if not LONG else drawn.uniform(10, 40))
            waited.append(await visitor.choose(1 - at % 2))
        visitor.leave()
    return waited


def test_nobody_notices_a_hostile_visitor_and_memory_stays_bounded(server):
    async def besiege() -> tuple[int, list[float], int]:
        until, most = time.monotonic() + SECONDS, 0
        many = [asyncio.create_task(patient(server.address, until, random.Random(at), f"10.0.0.{at + 1}")) for at in range(MANY)]
        one = asyncio.create_task(hostile(server.address, until, random.Random(99)))
        while not all(task.done() for task in (one, *many)):
            running = [process_of(server), *process_of(server).children(recursive=True)]
            held = [p.memory_info().rss - p.memory_info().shared for p in running if p.is_running()]
            most = max(most, sum(held))
            await asyncio.sleep(1 if not LONG else 5)
        return one.result(), [second for task in many for second in task.result()], most

    tried, waited, most = asyncio.run(besiege())
    print(f"{tried} attacks, {len(waited)} pictures, median {statistics.median(waited):.2f} s, longest {max(waited):.1f} s, {most >> 20} MB")
    assert tried >= SECONDS / 8
    assert len(waited) >= MANY
    assert most < SERVER_BYTES + (MANY + 8) * EACH_BYTES
    assert process_of(server).memory_info().rss < SERVER_BYTES
