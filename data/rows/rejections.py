"""Why rows were rejected, counted; and columns that are so unreadable that nothing is loaded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from data.files.chunk import BadRow, Chunk
from data.layout.mapping import Layout, MostlyUnreadable, columns_of
from data.rows.canonical import CanonicalRows
from data.rows.row_checks import UNREADABLE

_LEAST = 10
"""Fewer unreadable cells than this are a few bad rows, not a wrong layout."""


class RejectionReasons:
    """Counts rejected rows by field and reason."""

    def __init__(self) -> None:
        self._rows: Counter[tuple[str, str, str]] = Counter()
        self._first: dict[tuple[str, str, str], BadRow] = {}

    def add(self, bad: Iterable[BadRow]) -> None:
        """Count rows. A row that breaks two rules is counted under both."""
        for row in bad:
            # The detail of a broken line names a position in it: rows are not grouped by it.
            reason = (row.field, row.code, row.detail if row.field else "")
            self._rows[reason] += 1
            self._first.setdefault(reason, row)

    def as_list(self) -> list[dict[str, Any]]:
        """Return the reasons, the most frequent first.

        Each has field ("" for the row as a whole), code, reason, rows, first_line, and example:
        the first cell, unless it may identify somebody.
        """
        return [
            {
                "field": reason[0],
                "code": reason[1],
                "reason": self._first[reason].detail,
                "rows": n,
                "first_line": self._first[reason].line,
                "example": self._first[reason].example,
            }
            for reason, n in self._rows.most_common()
        ]


def reason_told(reason: Mapping[str, Any]) -> str:
    """Return one of `RejectionReasons.as_list` as part of a sentence.

    >>> reason_told({"field": "amount", "reason": "is not a number"})
    'amount is not a number'
    """
    return f"{reason['field'] or 'the row'} {reason['reason']}"


def require_readable_columns(chunk: Chunk, rows: CanonicalRows, layout: Layout) -> None:
    """Check that most cells of each column of a file's first rows can be read.

    If most cannot, the layout is wrong, and the cells that can be read would be misread: with day
    and month mixed up, days 1 to 12 would become months. A file of one chunk passes if no cell can
    be read, because all its rows are rejected anyway.

    Raises:
        MostlyUnreadable: names the field, its columns and some cells.
    """
    unreadable = Counter(b.field for b in rows.bad if b.code in UNREADABLE)
    for field, n in unreadable.most_common():
        filled = rows.filled.get(field, 0)
        if n < _LEAST or 2 * n <= filled or (n == filled and chunk.share >= 1.0):
            continue
        bad = [b for b in rows.bad if b.field == field and b.code in UNREADABLE]
        examples = ", ".join(f"{b.example} (line {b.line})" for b in bad if b.example)
        columns = ", ".join(columns_of(layout, field))
        raise MostlyUnreadable(
            f"layout {layout.name}: {field}: {n:,} of the first {filled:,} cells of column"
            f" {columns} cannot be read, such as {examples or f'line {bad[0].line}'}: each"
            f" {bad[0].detail.removesuffix(f' (column {columns})')}"
        )
