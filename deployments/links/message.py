"""Messages on a link: a head of fixed size, then the content (`codec.py`)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from deployments.links.codec import encode

CALL, RESULT, ERROR, CLOSING, PING, PONG = range(6)
"""Kinds of messages. CALL: (method, tagged arguments). RESULT, ERROR: a tagged value or an error,
for the call of that number. CLOSING: send no more calls; those sent are still answered. PING: the
answer is PONG, from an end that is there."""

VERSION = 1
"""Version of the messages and of the types in them. Machines of different versions are not linked:
count it up when a release could not read what the one before it sends."""

_HEAD = struct.Struct("<IIB")
_MAX_BYTES = 64 * 2**20


class BadMessage(Exception):
    """The stream does not hold messages of Quorum."""


def pack(kind: int, call: int, content: Any) -> bytes:
    """Return a message about call number `call`, 0 <= call < 2**32.

    Raises:
        Unreadable: the content holds a value that cannot be sent.
    """
    body = encode(content)
    return _HEAD.pack(len(body), call, kind) + body


class Reader:
    """Splits a stream into messages."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, int, memoryview]]:
        """Yield (kind, call, content) of every message that `data` completes.

        Raises:
            BadMessage: a message is larger than any that Quorum sends.
        """
        if self._rest:
            self._rest += data
            data = bytes(self._rest)
            self._rest.clear()
        at, end = 0, len(data)
        view = memoryview(data)
        while end - at >= _HEAD.size:
            size, call, kind = _HEAD.unpack_from(data, at)
            if size > _MAX_BYTES:
                raise BadMessage(f"a message of {size} bytes")
            begin = at + _HEAD.size
            if begin + size > end:
                break
            yield kind, call, view[begin : begin + size]
            at = begin + size
        self._rest += view[at:]
