"""Messages on a link: a head of fixed size, then the content, which `plain.py` writes and reads."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from deployments.links.codec import encode

ASK, ANSWER, ERROR, LEAVING = range(4)
"""What a message is. ASK: (method, arguments as plain values). ANSWER, ERROR: a plain value, an
error, to the call of that number.
LEAVING: ask no more here; what was asked is still answered."""

_HEAD = struct.Struct("<IIB")
_MOST_BYTES = 64 * 2**20


class BadFrame(Exception):
    """The stream does not hold messages."""


def pack(kind: int, call: int, content: Any) -> bytes:
    """A message about call number `call`, 0 <= call < 2**32.

    Raises:
        Unreadable: the content holds what cannot be sent.
    """
    body = encode(content)
    return _HEAD.pack(len(body), call, kind) + body


class Reader:
    """Cuts a stream into messages."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, int, memoryview]]:
        """(kind, call, content) of every message that `data` completes.

        Raises:
            BadFrame: a message would be larger than any that the house sends.
        """
        if self._rest:
            self._rest += data
            data = bytes(self._rest)
            self._rest.clear()
        at, end = 0, len(data)
        view = memoryview(data)
        while end - at >= _HEAD.size:
            size, call, kind = _HEAD.unpack_from(data, at)
            if size > _MOST_BYTES:
                raise BadFrame(f"a message of {size} bytes")
            begin = at + _HEAD.size
            if begin + size > end:
                break
            yield kind, call, view[begin : begin + size]
            at = begin + size
        self._rest += view[at:]
