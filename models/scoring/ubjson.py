"""Reads Universal Binary JSON (https://ubjson.org), the form in which XGBoost writes models.

XGBoost's own reader ends the process on some files that are cut off; this one raises.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

_NUMBERS = {b"i": ">i1", b"U": ">u1", b"I": ">i2", b"l": ">i4", b"L": ">i8"}
_NUMBERS |= {b"d": ">f4", b"D": ">f8"}
_FORMATS = {b"i": ">b", b"U": ">B", b"I": ">h", b"l": ">i", b"L": ">q", b"d": ">f", b"D": ">d"}
_CONSTANTS = {b"Z": None, b"T": True, b"F": False}
_DEEPEST = 32


def load(body: bytes) -> Any:
    """The value that `body` holds; arrays of one type of number are NumPy arrays.

    Raises:
        ValueError: it holds none, or not one alone.
    """
    reader = _Reader(body)
    value = reader.value(reader.take(1), 0)
    if reader.at != len(body):
        raise ValueError("more follows the value")
    return value


class _Reader:
    def __init__(self, body: bytes) -> None:
        self._body = body
        self.at = 0

    def take(self, n: int) -> bytes:
        """The next n bytes."""
        if not 0 <= n <= len(self._body) - self.at:
            raise ValueError("the file is cut off")
        self.at += n
        return self._body[self.at - n : self.at]

    def value(self, kind: bytes, depth: int) -> Any:
        """The value of that kind which comes next."""
        if depth > _DEEPEST:
            raise ValueError("values lie too deep")
        if kind in _FORMATS:
            return self._number(kind)
        if kind in _CONSTANTS:
            return _CONSTANTS[kind]
        if kind == b"S":
            return self._text()
        if kind == b"[":
            return self._array(depth)
        if kind == b"{":
            return self._object(depth)
        raise ValueError(f"unknown kind {kind!r}")

    def _number(self, kind: bytes) -> int | float:
        form = _FORMATS[kind]
        (number,) = struct.unpack(form, self.take(struct.calcsize(form)))
        return number  # type: ignore[no-any-return]

    def _length(self) -> int:
        kind = self.take(1)
        length = self._number(kind) if kind in b"iUIlL" else -1
        if length < 0:
            raise ValueError("a length is no number")
        return int(length)

    def _text(self) -> str:
        return self.take(self._length()).decode()

    def _array(self, depth: int) -> Any:
        kind = self.take(1)
        if kind == b"$":
            return self._typed()
        if kind == b"#":
            # Each takes a byte at least, so that a length made up ends soon.
            return [self.value(self.take(1), depth + 1) for _ in range(self._length())]
        found = []
        while kind != b"]":
            found.append(self.value(kind, depth + 1))
            kind = self.take(1)
        return found

    def _typed(self) -> Any:
        kind = self.take(1)
        if kind not in _NUMBERS or self.take(1) != b"#":
            raise ValueError("an array of an unknown type")
        dtype = np.dtype(_NUMBERS[kind])
        body = self.take(self._length() * dtype.itemsize)
        return np.frombuffer(body, dtype).astype(dtype.newbyteorder("="))

    def _object(self, depth: int) -> dict[str, Any]:
        found = {}
        while (kind := self.take(1)) != b"}":
            self.at -= len(kind)
            name = self._text()
            found[name] = self.value(self.take(1), depth + 1)
        return found
