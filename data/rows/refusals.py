"""Why rows were refused, counted; and columns that are so wrong that nothing is loaded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from data.files.chunk import BadRow, Chunk
from data.layout.mapping import Layout, MostlyUnreadable, columns_of
from data.rows.canonical import UNREADABLE, Canonical

_LEAST = 10
"""Fewer unreadable cells than these are a few bad rows, not a wrong layout."""


class Reasons:
    """Refused rows by field and reason."""

    def __init__(self) -> None:
        self._rows: Counter[tuple[str, str, str]] = Counter()
        self._first: dict[tuple[str, str, str], BadRow] = {}

    def add(self, bad: Iterable[BadRow]) -> None:
        """Count rows; a row that breaks two rules is counted under both."""
        for row in bad:
            # Of what is wrong with a line as a whole the detail tells where: it is no reason.
            reason = (row.field, row.code, row.detail if row.field else "")
            self._rows[reason] += 1
            self._first.setdefault(reason, row)

    def as_list(self) -> list[dict[str, Any]]:
        """The most frequent first: field ("" for the row as a whole), code, reason, rows, the
        first line, and what its cell holds if that names nobody."""
        return [
            {
                "field": field,
                "code": code,
                "reason": self._first[field, code, detail].detail,
                "rows": n,
                "first_line": self._first[field, code, detail].line,
                "example": self._first[field, code, detail].example,
            }
            for (field, code, detail), n in self._rows.most_common()
        ]


def refuse_wrong_layout(chunk: Chunk, rows: Canonical, layout: Layout) -> None:
    """Fail if, of a file's first rows, a column can mostly not be read: what is readable of it
    would be read wrong, as the days 1 to 12 of months taken for days.

    A file that is no longer than this chunk and of which nothing can be read is not refused here:
    each of its rows is.

    Raises:
        MostlyUnreadable: names the field, its columns, and cells.
    """
    wrong = Counter(b.field for b in rows.bad if b.code in UNREADABLE)
    for field, n in wrong.most_common():
        filled = rows.filled.get(field, 0)
        if n < _LEAST or 2 * n <= filled or (n == filled and chunk.share >= 1.0):
            continue
        first = [b for b in rows.bad if b.field == field and b.code in UNREADABLE]
        shown = ", ".join(f"{b.example} (line {b.line})" for b in first if b.example)
        columns = ", ".join(columns_of(layout, field))
        raise MostlyUnreadable(
            f"layout {layout.name}: {field}: {n:,} of the first {filled:,} cells of column"
            f" {columns} cannot be read, such as {shown or f'line {first[0].line}'}: each"
            f" {first[0].detail}"
        )
