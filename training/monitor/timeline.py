"""Timed items that arrive in parts, taken up to a moment."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Generic, Protocol, Self, TypeVar

import numpy as np

from fraud.payment.batch import Int64


class Timed(Protocol):
    """n items with their times `at_ms`: int64[n], rising."""

    @property
    def at_ms(self) -> Int64: ...
    def slice(self, start: int, stop: int) -> Self:
        """The items start .. stop-1."""
        ...


T = TypeVar("T", bound=Timed)


class Timeline(Generic[T]):
    """A stream of parts with rising times, read only as far as needed."""

    def __init__(self, parts: AsyncIterator[T]) -> None:
        self._parts = parts
        self._part: T | None = None
        self._start = 0

    async def take_until(self, at_ms: int) -> list[T]:
        """Take the items up to and including `at_ms`, in non-empty parts."""
        found: list[T] = []
        while True:
            if self._part is None:
                self._part, self._start = await anext(self._parts, None), 0
            if self._part is None:
                return found
            part, start = self._part, self._start
            self._start = int(np.searchsorted(part.at_ms, at_ms, side="right"))
            if self._start > start:
                found.append(part.slice(start, self._start))
            if self._start < len(part.at_ms):
                return found
            self._part = None
