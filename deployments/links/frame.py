"""Messages on a link: a head of fixed size, then a pickle.

Pickle, because both ends are this package at this machine under this user: the sockets lie in a
folder that nobody else may enter.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Iterator
from typing import Any

ASK, ANSWER, ERROR, LEAVING = range(4)
"""What a message is. ASK: (method, arguments as plain values). ANSWER, ERROR: a plain value, an
exception, to the call of that number.
LEAVING: ask no more here; what was asked is still answered."""

_HEAD = struct.Struct("<IIB")
_MOST_BYTES = 64 * 2**20
_PROTOCOL = 5


class BadFrame(Exception):
    """The stream does not hold messages."""


def pack(kind: int, call: int, content: Any) -> bytes:
    """A message about call number `call`, 0 <= call < 2**32."""
    body = pickle.dumps(content, _PROTOCOL)
    return _HEAD.pack(len(body), call, kind) + body


class Reader:
    """Cuts a stream into messages."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, int, memoryview]]:
        """(kind, call, pickle) of every message that `data` completes. A pickle is to be read
        before the next message is asked for.

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
