"""Arrays in the text form of PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

_encode = msgspec.json.Encoder().encode


def array_text(column: Sequence[str | int | None]) -> str:
    """Return the text form of a one-dimensional array: `{"a",null,"b"}`.

    For short values this takes a fraction of asyncpg's time for an array, as asyncpg tests each
    element against two abstract classes. PostgreSQL takes either equally fast.

    Raises:
        ValueError: an element is text that has no UTF-8.

    >>> array_text(["a b", None, 'say "x"']), array_text([1, 2])
    ('{"a b",null,"say \\\\"x\\\\""}', '{1,2}')
    """
    text = _encode(column)
    if b"\\" in text:
        # PostgreSQL's text form of arrays has no JSON escapes of control characters.
        return f"{{{','.join(map(_element, column))}}}"
    return f"{{{text[1:-1].decode()}}}"


def _element(value: str | int | None) -> str:
    if not isinstance(value, str):
        return "null" if value is None else str(value)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
