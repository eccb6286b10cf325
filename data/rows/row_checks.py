"""The rows of a chunk that pass all checks, and the problems of the others."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from data.files.chunk import BadRow, Chunk
from data.layout.mapping import Layout, columns_of
from data.rows.cell_examples import masked_cell
from fraud.payment.limits import Problem

Bool = NDArray[np.bool_]

MISSING: Final = Problem("missing", "is missing")
NOT_A_NUMBER: Final = Problem("not_a_number", "must be a number")
NOT_A_TIME: Final = Problem("not_a_time", "must be a time in the form that the layout gives")
GAP: Final = Problem("no_such_time", "is a local time that the clocks of its zone skipped")
FOLD: Final = Problem("ambiguous", "is a local time that the clocks of its zone showed twice")
BEFORE_PAYMENT: Final = Problem("before_payment", "must not be earlier than the payment")
NOT_A_LABEL: Final = Problem(
    "not_a_label", "must be one of the texts that the layout lists for fraud and for genuine"
)
TOO_PRECISE: Final = Problem("too_precise", "must not have more decimals than its currency")
OTHER_CURRENCY: Final = Problem("other_currency", "must be in the currency of its row")
NO_TEXT: Final = Problem(
    "unclear", "must be complete: it may have lost digits, or a part is missing"
)

UNREADABLE: Final = frozenset(
    ("not_a_number", "not_a_time", "not_a_label", "unclear", "unknown", "malformed", "ambiguous")
)
"""Codes of cells that do not hold what their column should hold."""

_SHOWABLE = frozenset(
    ("timestamp", "known_at", "amount", "currency", "type", "country", "channel", "is_fraud")
) | {"latitude", "longitude"}
"""Fields whose cells may be shown: they identify nobody."""
_EXAMPLES = 3


class RowChecks:
    """The state of the checks of one chunk.

    Attributes:
        sound: bool[n]: the row has passed all checks so far.
        bad: one entry for each broken rule.
        left_out: reason -> bool[n]: the row's label is left out.
        filled: field -> number of rows whose cells are not empty.
    """

    def __init__(self, chunk: Chunk, layout: Layout) -> None:
        self.chunk = chunk
        self.layout = layout
        self.sound: Bool = np.ones(len(chunk.rows), dtype=np.bool_)
        self.bad: list[BadRow] = []
        self.left_out: dict[str, Bool] = {}
        self.filled: dict[str, int] = {}
        self._shown: dict[str, int] = {}

    def reject(self, where: Bool, field: str, problem: Problem) -> None:
        """Reject the rows `where` (bool[n]) for a field."""
        rejected = np.flatnonzero(where)
        if not rejected.size:
            return
        columns = columns_of(self.layout, field)
        named = f" (column {', '.join(columns)})" if columns and columns != (field,) else ""
        self.sound[rejected] = False
        for i in rejected.tolist():
            row, line = int(self.chunk.rows[i]), int(self.chunk.lines[i])
            example = self._example(field, columns, i) if problem.code in UNREADABLE else ""
            detail = f"{problem.detail}{named}"
            self.bad.append(BadRow(row, line, field, problem.code, detail, example))

    def _example(self, field: str, columns: tuple[str, ...], i: int) -> str:
        """The cells of row i, of the first few; "" if they may identify somebody."""
        if field not in _SHOWABLE or self._shown.get(field, 0) >= _EXAMPLES:
            return ""
        self._shown[field] = self._shown.get(field, 0) + 1
        return ", ".join(masked_cell(self.chunk.columns[c][i].as_py()) for c in columns)


def broken(problem: Problem | None) -> Problem:
    """Return the problem of a value that certainly breaks its rule."""
    assert problem is not None
    return problem
