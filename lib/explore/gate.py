"""What a visitor sends, measured before anything parses it: frames by their bytes, buffers, offsets and depth; and how often.

The parsers behind believe what a frame says of itself: a count of buffers is made room for before its length is looked at.
"""

from __future__ import annotations

__all__ = ["MAX_MESSAGE_BYTES", "Rate", "Refused", "measure"]

import itertools
import json
import struct
import time
from collections.abc import Sequence

# A visitor's messages are a form's: names and values, a few levels deep, without pictures or files.
MAX_MESSAGE_BYTES, MOST_BUFFERS, DEEPEST = 64 * 1024, 16, 32
# Channel, header, parent header, metadata, content, and where the last one ends.
V1, V1_OFFSETS = "v1.kernel.websocket.jupyter.org", 6


class Refused(ValueError):
    """A frame that no page of ours sends."""


class Rate:
    """So many a second, and so many at once after a pause.

    Parameters
    ----------
    per_second, at_once : float
    """

    def __init__(self, per_second: float, at_once: float):
        self._per_second, self._most = per_second, at_once
        self._left, self._at = at_once, time.monotonic()

    def spend(self) -> bool:
        """Take one; False if none is left."""
        now = time.monotonic()
        self._left, self._at = min(self._most, self._left + (now - self._at) * self._per_second), now
        if self._left < 1:
            return False
        self._left -= 1
        return True


def measure(message: str | bytes, protocol: str | None) -> tuple[str, dict]:
    """Return the kind of a message and its content.

    Parameters
    ----------
    message : str or bytes
        A frame of a web socket.
    protocol : str or None
        What both sides agreed on: Jupyter's v1, or None for the one before it.

    Raises
    ------
    Refused
        If the frame is not what it says of itself, or larger, deeper or in more parts than a form needs.
    """
    if len(message) > MAX_MESSAGE_BYTES:
        raise Refused("too long")
    try:
        if protocol == V1:
            header, _, _, content = (_read(part) for part in _v1_parts(message))
        else:
            whole = _read(_first_part(message) if isinstance(message, bytes) else message)
            header, content = whole["header"], whole["content"]
        if not isinstance(content, dict) or not isinstance(header["msg_type"], str):
            raise Refused("no message")
    except (KeyError, TypeError, ValueError, IndexError, struct.error, RecursionError) as error:
        raise Refused(str(error)) from None
    return header["msg_type"], content


def _v1_parts(message: str | bytes) -> list[bytes]:
    """Header, parent header, metadata and content, where the offsets lie in order within the frame."""
    if not isinstance(message, bytes):
        raise Refused("a text where a binary frame was agreed on")
    count = int.from_bytes(message[:8], "little")
    if not V1_OFFSETS <= count <= V1_OFFSETS + MOST_BUFFERS:
        raise Refused("parts")
    offsets = struct.unpack(f"<{count}Q", message[8 : 8 * (count + 1)])
    _in_order([8 * (count + 1), *offsets, len(message)])
    return [message[offsets[part] : offsets[part + 1]] for part in range(1, V1_OFFSETS - 1)]


def _first_part(message: bytes) -> bytes:
    """The message itself, before its buffers, where the offsets lie in order within the frame."""
    (count,) = struct.unpack("!i", message[:4])
    if not 1 <= count <= 1 + MOST_BUFFERS:
        raise Refused("parts")
    offsets = struct.unpack(f"!{count}I", message[4 : 4 * (count + 1)])
    _in_order([4 * (count + 1), *offsets, len(message)])
    return message[offsets[0] : [*offsets, len(message)][1]]


def _in_order(offsets: Sequence[int]) -> None:
    if any(here > there for here, there in itertools.pairwise(offsets)):
        raise Refused("offsets")


def _read(text: str | bytes) -> dict:
    """JSON that is not too deep, whose outermost is an object."""
    value = json.loads(text)
    if not isinstance(value, dict) or _deeper_than(value, DEEPEST):
        raise Refused("depth")
    return value


def _deeper_than(value: object, levels: int) -> bool:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels < 0 or any(_deeper_than(part, levels - 1) for part in inside)
