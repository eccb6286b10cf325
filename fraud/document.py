"""A place in a JSON document that somebody wrote: values are read from it, and each fault is noted
with its pointer, so that a reader is told of all of them at once."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from fraud.errors import InvalidInput

T = TypeVar("T")

Fault = tuple[str, str, str]
"""Pointer (RFC 6901), code, detail."""

MISSING, UNKNOWN, TYPE, RANGE = "missing", "unknown_field", "wrong_type", "out_of_range"
MOST_FAULTS = 100
"""Faults past this many are not noted."""


@dataclass(slots=True)
class Place:
    """A value in a document.

    Attributes:
        value: the value there, JSON types only.
        pointer: where it is, RFC 6901; "" is the whole document.
        faults: noted so far, in the whole document.
    """

    value: Any
    pointer: str = ""
    faults: list[Fault] = field(default_factory=list)

    def note(self, code: str, detail: str, key: str | None = None) -> None:
        """Note a fault of this value, or of its member `key`."""
        if len(self.faults) < MOST_FAULTS:
            pointer = self.pointer if key is None else self._below(key)
            self.faults.append((pointer, code, detail))

    def check(self, what: str) -> None:
        """Raise InvalidInput if a fault was noted; `what` is wrong then, such as `the plan`."""
        if self.faults:
            pointer, _, detail = self.faults[0]
            first = f"{pointer.removeprefix('/')}: {detail}" if pointer else detail
            raise InvalidInput(f"{what} cannot be used: {first}", tuple(self.faults))

    def only(self, known: Collection[str]) -> bool:
        """Return whether this is an object; note each member that is not `known`."""
        if not isinstance(self.value, dict):
            self.note(TYPE, "expected an object")
            return False
        for key in self.value:
            if key not in known:
                self.note(UNKNOWN, f"unknown field; expected {', '.join(known)}", str(key))
        return True

    def has(self, key: str) -> bool:
        """Return whether this is an object with a member `key` other than null."""
        return isinstance(self.value, dict) and self.value.get(key) is not None

    def at(self, key: str) -> Place:
        """Return the place of a member; its value is None if there is none."""
        value = self.value.get(key) if isinstance(self.value, dict) else None
        return Place(value, self._below(key), self.faults)

    def items(self, key: str, most: int, least: int = 0) -> Iterator[Place]:
        """Return the places of the items of the array at `key`; note a wrong number of them."""
        array = self.at(key)
        if array.value is None and least == 0:
            return
        if not isinstance(array.value, list | tuple):
            array.note(TYPE if self.has(key) else MISSING, "expected an array")
            return
        if not least <= len(array.value) <= most:
            array.note(RANGE, f"expected {least} to {most} items")
            return
        for i, value in enumerate(array.value):
            yield Place(value, f"{array.pointer}/{i}", self.faults)

    def number(
        self,
        key: str,
        low: float,
        high: float,
        default: float | None = None,
        *,
        above: bool = False,
    ) -> float:
        """Return the number at `key` in [low, high], or in (low, high] if `above`.

        A missing one is `default`; without a default it is a fault.
        """
        if default is not None and not self.has(key):
            return default
        value = self.at(key).value
        if not isinstance(value, int | float) or isinstance(value, bool):
            self.note(MISSING if value is None else TYPE, "expected a number", key)
        elif not (low < value if above else low <= value) or not value <= high:
            self.note(RANGE, f"expected a number {_range(low, high, above)}", key)
        else:
            return value
        return high if default is None else default

    def whole(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """Return the whole number at `key` in [low, high]; see `number`."""
        value = self.number(key, low, high, default)
        if value != int(value):
            self.note(TYPE, "expected a whole number", key)
        return int(value)

    def flag(self, key: str) -> bool:
        """Return the boolean at `key`, False if there is none."""
        value = self.at(key).value
        if value is not None and not isinstance(value, bool):
            self.note(TYPE, "expected true or false", key)
        return value is True

    def text(self, key: str, most: int, default: str | None = None) -> str:
        """Return the text at `key`, of 1 to `most` characters; see `number`. It may be the default,
        however short that is."""
        value = self.at(key).value
        if default is not None and value in (None, default):
            return default
        if not isinstance(value, str):
            self.note(MISSING if value is None else TYPE, "expected a text", key)
        elif not 0 < len(value) <= most:
            self.note(RANGE, f"expected 1 to {most} characters", key)
        elif not value.isprintable():
            self.note(RANGE, "expected printable characters", key)
        else:
            return value
        return "?"

    def choice(self, key: str, choices: Collection[str]) -> str | None:
        """Return the text at `key`, one of `choices`; None, and a fault, if it is none of them."""
        value = self.at(key).value
        if isinstance(value, str) and value in choices:
            return value
        code = MISSING if value is None else RANGE
        self.note(code, f"{key} must be one of {', '.join(choices)}", key)
        return None

    def build(self, make: Callable[..., T], **values: Any) -> T | None:
        """Return `make(**values)`; None if a fault was noted at or below here, or if it raises
        ValueError, which is noted: `field: detail` at that field, any other text here."""
        if len(self.faults) >= MOST_FAULTS:
            return None  # a fault here may be one that was not noted any more
        below = f"{self.pointer}/"
        if any(at == self.pointer or at.startswith(below) for at, _, _ in self.faults):
            return None
        try:
            return make(**values)
        except ValueError as error:
            name, _, detail = str(error).partition(": ")
            self.note(RANGE, detail, name) if name in values else self.note(RANGE, str(error))
            return None

    def _below(self, key: str) -> str:
        return f"{self.pointer}/{key.replace('~', '~0').replace('/', '~1')}"


def is_number(value: Any) -> bool:
    """Return whether a value of a document is a number that a float64 can hold, finite.

    >>> [is_number(value) for value in (1, 0.5, True, float("nan"), 10**400, "1")]
    [True, True, False, False, False, False]
    """
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return abs(value) <= sys.float_info.max


def _range(low: float, high: float, above: bool) -> str:
    if math.isinf(high):
        return f"above {low:g}" if above else f"of at least {low:g}"
    return f"above {low:g} and at most {high:g}" if above else f"from {low:g} to {high:g}"
