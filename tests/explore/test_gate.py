"""Frames are measured before anything parses them: what a page sends passes, what lies about itself does not."""

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jupyter_server.services.kernels.connection.base import serialize_binary_message, serialize_msg_to_ws_v1

from lib.explore import gate
from lib.explore.gate import V1, Rate, Refused, measure

HEADER = {"msg_id": "1", "msg_type": "comm_msg", "username": "", "session": "s", "version": "5.3"}
MESSAGE = {"header": HEADER, "parent_header": {}, "metadata": {}, "content": {"comm_id": "x", "data": {"method": "update"}}}


def v1(message: dict, *buffers: bytes) -> bytes:
    parts = [json.dumps(message[part]).encode() for part in ("header", "parent_header", "metadata", "content")]
    return serialize_msg_to_ws_v1([*parts, *buffers], "shell")


def older(message: dict, *buffers: bytes) -> bytes:
    return serialize_binary_message(message | {"buffers": list(buffers)})


def deep(levels: int) -> dict:
    value: object = 1
    for _ in range(levels):
        value = {"a": value}
    return MESSAGE | {"content": {"data": value}}


def text_of(offsets: list[int], code: str, body: bytes = b"") -> bytes:
    return struct.pack(code, len(offsets), *offsets) + body


def moved(frame: bytes, part: int, to: int) -> bytes:
    """A frame of which one part is said to begin elsewhere."""
    return frame[: 8 * (part + 1)] + to.to_bytes(8, "little") + frame[8 * (part + 2) :]


@pytest.mark.parametrize(
    ("frame", "protocol"),
    [
        (v1(MESSAGE), V1), (v1(MESSAGE, b"abc", b""), V1), (older(MESSAGE), None), (older(MESSAGE, b"abc", b""), None),
        (json.dumps(MESSAGE), None), (v1(deep(20)), V1),
    ],
)  # fmt: skip
def test_what_a_page_sends_passes(frame, protocol):
    kind, content = measure(frame, protocol)
    assert kind == "comm_msg"
    assert content["data"]


@pytest.mark.parametrize(
    ("frame", "protocol"),
    [
        ((0x0BEBC200).to_bytes(8, "little") + b"\0" * 12, V1), ((2**63).to_bytes(8, "little") + b"\0" * 12, V1),
        ((0x0BEBC200).to_bytes(4, "big") + b"\0" * 16, None), (struct.pack("!i", -1) + b"\0" * 16, None), (b"", V1), (b"", None),
        (b"\0" * 20, V1), (b"\xff" * 20, V1), (b"\0" * 20, None), (b"\xff" * 20, None), ("", None), ("null", None), ("[1]", None),
        (text_of([56, 61, 9**9, 9**9, 9**9, 9**9], "<7Q", b"shell{}"), V1), (text_of([56, 0, 0, 0, 0, 0], "<7Q", b"shell{}"), V1),
        (text_of([0] * 6, "<7Q"), V1), (text_of([12, 4], "!3I", b"{}"), None), (text_of([0], "!2I", b"{}"), None),
        (moved(v1(MESSAGE, b"abc", b"d"), 6, 9**9), V1), (moved(v1(MESSAGE, b"abc", b"d"), 6, 64), V1),
        (v1(MESSAGE, *[b""] * 17), V1), (older(MESSAGE, *[b""] * 17), None), (json.dumps(MESSAGE), V1), (v1(MESSAGE)[:-9], V1),
        (v1(deep(40)), V1), ("[" * 30_000, None), ('{"header":' * 6000, None), (json.dumps({"header": {}, "content": {}}), None),
        (json.dumps(MESSAGE | {"header": [1]}), None), (json.dumps(MESSAGE | {"header": {"msg_type": {}}}), None),
        (json.dumps(MESSAGE | {"content": "x"}), None), (v1(MESSAGE | {"content": {"a": "x" * 65_536}}), V1),
        ('{"header": ' + "9" * 5000 + "}", None), (v1(MESSAGE).replace(b'"5.3"', b'"\xff\xfe"'), V1),
    ],
)  # fmt: skip
def test_what_lies_about_itself_is_refused(frame, protocol, monkeypatch):
    made = []
    monkeypatch.setattr(gate.struct, "unpack", lambda form, data, real=struct.unpack: made.append(form) or real(form, data))
    with pytest.raises(Refused):
        measure(frame, protocol)
    assert all(len(form) < 8 for form in made), "no room is made for more than a frame may hold"


@given(st.binary(max_size=200), st.sampled_from([V1, None]))
def test_whatever_comes_is_refused_or_measured(frame, protocol):
    with pytest.raises(Refused):
        measure(frame, protocol)


@given(st.integers(0, 55), st.integers(0, 255))
def test_one_byte_of_the_offsets_changed_is_refused_or_stays_within(at, byte):
    frame = bytearray(v1(MESSAGE))
    frame[at] = byte
    try:
        kind, content = measure(bytes(frame), V1)
    except Refused:
        return
    assert isinstance(kind, str)
    assert isinstance(content, dict)


def test_so_many_a_second_and_so_many_at_once(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(gate.time, "monotonic", lambda: now[0])
    rate = Rate(20, 200)
    assert sum(rate.spend() for _ in range(1000)) == 200
    now[0] += 1
    assert sum(rate.spend() for _ in range(1000)) == 20
    now[0] += 1000
    assert sum(rate.spend() for _ in range(1000)) == 200
