"""Where the tables of partners lie in the records of rows, so that all are read in a few steps.

Few entries of a table are in use: only these are looked at.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from features.entities import ID_COLUMNS, Role
from features.rings import PARTNER_BYTES
from features.segments import Words
from features.snapshot import OFFSETS
from features.windows import HORIZON_MS, SECOND_MS
from fraud.batch import Int64

Partners = dict[str, dict[str, Int64]]
"""Role -> partner -> a number, or one for each window, of n rows."""


class Tables:
    """The plan of reading the tables of some roles."""

    def __init__(self, roles: Sequence[Role]) -> None:
        tables = [(r, role, t) for r, role in enumerate(roles) for t in role.entity.tables]
        entries = [
            (OFFSETS[role.name] + t.offset + np.arange(t.capacity) * PARTNER_BYTES) // 4
            for _, role, t in tables
        ]
        self._hashes_at = np.concatenate(entries) if entries else np.empty(0, dtype=np.int64)
        self._seconds_at = self._hashes_at + 1
        self._table_of_entry = np.repeat(np.arange(len(tables)), [len(e) for e in entries])
        self._owners = np.array([r for r, _, _ in tables], dtype=np.int64)
        asked = [ID_COLUMNS.index(role.asks(table)) for _, role, table in tables]
        self._asked = np.array(asked, dtype=np.int64)
        spans = sorted({int(s) for _, role, _ in tables for s in role.entity.spans_s})
        self._spans_s = np.array(spans, dtype=np.int64)
        self._roles = roles
        self._told = [
            (role.name, table.partner, [spans.index(s) for s in role.entity.spans_s.tolist()])
            for _, role, table in tables
        ]

    def read(
        self, words: Words, at_ms: Int64, newest_ms: Int64, hashes: NDArray[np.uint32]
    ) -> tuple[Partners, Partners]:
        """Distinct partners within each window: int64[n, n_windows]. Seconds since the partner that
        the row names was met: int64[n], >= 0; -1 if not within 60 days of the newest event.

        Args:
            words: uint32[n, n_words], C-contiguous: records.
            at_ms: int64[n]: the moments.
            newest_ms: int64[n, n_roles]: the later of the moment and the entity's newest event.
            hashes: uint32[n, len(ID_COLUMNS)]: what the row names in each column, 0 for nothing.
        """
        distinct: Partners = {role.name: {} for role in self._roles}
        since: Partners = {role.name: {} for role in self._roles}
        if not self._told:
            return distinct, since
        at_s = at_ms // SECOND_MS
        counts, met_s = self._look(words, at_s, newest_ms // SECOND_MS, hashes)
        age_s = np.where(met_s > 0, np.maximum(at_s[:, None] - met_s, 0), -1)
        for i, (role, partner, spans) in enumerate(self._told):
            distinct[role][partner] = counts[:, i, spans[0] : spans[-1] + 1]
            since[role][partner] = age_s[:, i]
        return distinct, since

    def _look(
        self, words: Words, at_s: Int64, newest_s: Int64, hashes: NDArray[np.uint32]
    ) -> tuple[Int64, Int64]:
        """int64[n, n_tables, n_spans]: partners seen within each span; int64[n, n_tables]: when the
        one that is asked for was, 0 if it was not."""
        n, n_tables, n_spans = len(words), len(self._told), len(self._spans_s)
        counts = np.zeros((n * n_tables, n_spans), dtype=np.int64)
        met_s = np.zeros(n * n_tables, dtype=np.int64)
        used = words.take(self._seconds_at, axis=1).ravel().nonzero()[0]
        if len(used):
            row = used // len(self._seconds_at)
            entry = used - row * len(self._seconds_at)
            table = self._table_of_entry.take(entry)
            at = self._hashes_at.take(entry)
            at += row * words.shape[1]
            flat = words.ravel()
            last_s = flat.take(at + 1).astype(np.int64)
            last_s *= last_s > newest_s[row, self._owners.take(table)] - HORIZON_MS // SECOND_MS
            bounds = np.maximum(at_s[:, None] - self._spans_s, 0)
            within = last_s[:, None] > bounds.take(row, axis=0)
            same = flat.take(at) == hashes[row, self._asked.take(table)]
            table += row * n_tables
            first = np.empty(len(table), dtype=np.bool_)
            first[0] = True
            np.not_equal(table[1:], table[:-1], out=first[1:])
            firsts = first.nonzero()[0]
            used = table.take(firsts)
            counts[used] = np.add.reduceat(within, firsts, axis=0, dtype=np.int64)
            met_s[used] = np.maximum.reduceat(last_s * same, firsts)
        return counts.reshape(n, n_tables, n_spans), met_s.reshape(n, n_tables)
