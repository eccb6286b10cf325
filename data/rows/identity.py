"""Which rows are one payment: an id belongs to the payment that had it first."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from data.files.source import BadRow
from fraud.payment.batch import Int64
from fraud.payment.limits import MAX_ID_CHARS

SAME_WITHIN_MS = 3_600_000
"""A payment may be written twice with times that differ by less, as a client that tries again may
stamp it anew; ids that begin again do so later."""

_MARK_CHARS = 12
_EXACT = ("customer_id", "amount_minor", "currency")
_IF_KNOWN = ("merchant_id", "counterparty_id", "device_id")
COLUMNS = ("occurred_at", *_EXACT, *_IF_KNOWN)
"""Columns of `transactions` that tell payments apart."""


class PaymentIdentity(NamedTuple):
    """What tells payments of one id apart, in the order of `COLUMNS`."""

    at_ms: int
    customer_id: str
    amount_minor: int
    currency: str
    merchant_id: str | None
    counterparty_id: str | None
    device_id: str | None

    def is_same_as(self, other: PaymentIdentity) -> bool:
        """Whether both are the same payment: of one customer and amount, at about the same time;
        merchant, counterparty and device are the same where both name one."""
        known = zip(self[-len(_IF_KNOWN) :], other[-len(_IF_KNOWN) :], strict=True)
        return (
            self[1:4] == other[1:4]
            and abs(self.at_ms - other.at_ms) < SAME_WITHIN_MS
            and all(mine is None or yours is None or mine == yours for mine, yours in known)
        )


def derived_id(transaction_id: str, payment: PaymentIdentity) -> str:
    """An id for a payment whose own is that of another one: the same whenever it is loaded.

    >>> derived_id("000017", PaymentIdentity(0, "card-B", 100, "EUR", None, None, None))
    '000017~72ae0a865821'
    """
    told = "\x1f".join(map(str, (transaction_id, *payment[:4])))
    mark = hashlib.sha256(told.encode()).hexdigest()[:_MARK_CHARS]
    return f"{transaction_id[: MAX_ID_CHARS - _MARK_CHARS - 1]}~{mark}"


Labels = dict[tuple[str, datetime], bool]
"""What was said of a payment (its id) as of a moment."""

_Owner = tuple[PaymentIdentity, str]
"""A payment, and where it was met."""


class _Row(NamedTuple):
    """A row that may not be the first of its id: its place in the chunk, and what it says."""

    place: int
    transaction_id: str
    payment: PaymentIdentity
    is_fraud: bool | None
    known_at: datetime | None


@dataclass
class ResolvedRows:
    """The rows of a chunk, told apart.

    Attributes:
        table: rows that are sound, columns of `canonical.STAGED`, some under other ids.
        is_new: bool[n]: the others repeat a payment that came before; their labels may be new.
        bad: one entry for each row that was refused here.
        reused: ids that were found to mean two payments -> the rows (file's, from 1) that bear
            them after another payment did.
    """

    table: pa.Table
    is_new: NDArray[np.bool_]
    bad: list[BadRow] = field(default_factory=list)
    reused: dict[str, list[int]] = field(default_factory=dict)


class IdentityResolver:
    """Tells the payments of a chunk apart, from each other and from those on record.

    Args:
        table: its rows, columns of `canonical.STAGED`; their order decides who had an id first.
        rows, lines: int64[n], where each of them stands: see `Chunk`.
        repeated: what to do with a row whose id is that of another payment: see `Layout`.
    """

    def __init__(self, table: pa.Table, rows: Int64, lines: Int64, repeated: str) -> None:
        self._table = table
        self._rows = rows
        self._lines = lines
        self._repeated = repeated
        self._ids = table["transaction_id"].combine_chunks()
        self._owners: dict[str, list[_Owner]] = {}
        self._doubtful: list[_Row] = []

    @property
    def ids(self) -> list[str]:
        """All ids of the chunk."""
        found: list[str] = self._ids.to_pylist()
        return found

    def met(self, on_record: Mapping[str, Collection[PaymentIdentity]]) -> list[str]:
        """Take in what is on record under `ids`. Returns the ids under which it has to be looked
        for next: of rows that may have to be kept apart."""
        self._own(on_record)
        again = self._ids.filter(pa.array(_again(self._ids)))
        asked = pa.array([*on_record, *again.unique().to_pylist()], pa.string())
        places = np.flatnonzero(pc.is_in(self._ids, value_set=asked).to_numpy(zero_copy_only=False))
        part = self._table.take(pa.array(places))
        columns = (part[name].to_pylist() for name in ("transaction_id", "is_fraud", "known_at"))
        found = zip(places.tolist(), _payments(part), *columns, strict=True)
        self._doubtful = [_Row(i, one, payment, *said) for i, payment, one, *said in found]
        if self._repeated == "reject":
            return []
        return sorted({derived_id(row.transaction_id, row.payment) for row in self._doubtful})

    @property
    def doubtful(self) -> list[str]:
        """Ids that came before: on record, or in the chunk."""
        return sorted({row.transaction_id for row in self._doubtful})

    def told(
        self, on_record: Mapping[str, Collection[PaymentIdentity]], labels: Labels
    ) -> ResolvedRows:
        """The rows, told apart.

        Args:
            on_record: what is on record under the ids that `met` gave.
            labels: what the source of the labels has said of all these ids before.
        """
        self._own(on_record)
        n = self._table.num_rows
        told = ResolvedRows(self._table, np.ones(n, np.bool_))
        sound, ids = np.ones(n, np.bool_), {}
        said = dict(labels)
        for row in self._doubtful:
            verdict = self._judge(row, told)
            if isinstance(verdict, str):
                if verdict != row.transaction_id:
                    ids[row.place] = verdict
                refused = self._contradicts(row, verdict, said)
            else:
                refused = verdict
            if refused is not None:
                sound[row.place] = False
                told.bad.append(refused)
        if ids:
            told.table = _renamed(told.table, ids)
        if told.bad:
            told.table, told.is_new = told.table.filter(pa.array(sound)), told.is_new[sound]
        return told

    def _own(self, on_record: Mapping[str, Collection[PaymentIdentity]]) -> None:
        for one, payments in on_record.items():
            self._owners.setdefault(one, []).extend((p, "a payment on record") for p in payments)

    def _judge(self, row: _Row, told: ResolvedRows) -> str | BadRow:
        """The id of the row's payment, or why it cannot have one."""
        one = row.transaction_id
        owners = self._owners.setdefault(one, [])
        if self._is_owned(row, owners, told):
            return one
        told.reused.setdefault(one, []).append(int(self._rows[row.place]))
        if self._repeated == "apart":
            own = derived_id(one, row.payment)
            if self._is_owned(row, self._owners.setdefault(own, []), told):
                return own
        detail = f"is the id of another payment, {owners[0][1]}"
        return self._bad(row, "transaction_id", "another_payment", detail)

    def _is_owned(self, row: _Row, owners: list[_Owner], told: ResolvedRows) -> bool:
        """Whether the row's payment is one of `owners`, or becomes the first of them."""
        if not owners:
            owners.append((row.payment, f"that of line {int(self._lines[row.place])}"))
            return True
        if any(row.payment.is_same_as(owner) for owner, _ in owners):
            told.is_new[row.place] = False
            return True
        return False

    def _contradicts(self, row: _Row, one: str, said: Labels) -> BadRow | None:
        """A fault if the row says the opposite of what was said of its payment as of the same
        moment; else it is noted."""
        if row.is_fraud is None or row.known_at is None:
            return None
        if said.setdefault((one, row.known_at), row.is_fraud) == row.is_fraud:
            return None
        detail = "says the opposite of a label of the same payment that was known at the same time"
        return self._bad(row, "is_fraud", "contradicts", detail)

    def _bad(self, row: _Row, name: str, code: str, detail: str) -> BadRow:
        rows, lines = self._rows, self._lines
        return BadRow(int(rows[row.place]), int(lines[row.place]), name, code, detail)


def resolve_identities(
    table: pa.Table, places: Iterable[tuple[Int64, Int64]], repeated: str
) -> tuple[pa.Table, ResolvedRows]:
    """The payments of a file by itself, each once under an id of its own.

    Args:
        table: its rows, columns of `canonical.STAGED`.
        places: of its chunks, rows and lines: see `Chunk`.
    """
    none = np.empty(0, np.int64)
    rows, lines = (np.concatenate([part[k] for part in [(none, none), *places]]) for k in (0, 1))
    telling = IdentityResolver(table, rows, lines, repeated)
    telling.met({})
    told = telling.told({}, {})
    return told.table if told.is_new.all() else told.table.filter(pa.array(told.is_new)), told


def _again(ids: pa.Array) -> NDArray[np.bool_]:
    """bool[n]: ids that more than one row bears."""
    codes = ids.dictionary_encode().indices.to_numpy()
    found: NDArray[np.bool_] = np.bincount(codes, minlength=1)[codes] > 1
    return found


def _payments(table: pa.Table) -> list[PaymentIdentity]:
    at_ms = table["occurred_at"].cast(pa.int64()).to_pylist()
    rest = [table[name].to_pylist() for name in COLUMNS[1:]]
    return [PaymentIdentity(*row) for row in zip(at_ms, *rest, strict=True)]


def _renamed(table: pa.Table, ids: Mapping[int, str]) -> pa.Table:
    place = table.schema.get_field_index("transaction_id")
    mask = np.zeros(table.num_rows, np.bool_)
    mask[list(ids)] = True
    values: list[Any] = [ids[i] for i in sorted(ids)]
    column = table["transaction_id"].combine_chunks()
    renamed = pc.replace_with_mask(column, pa.array(mask), pa.array(values, pa.string()))
    return table.set_column(place, "transaction_id", renamed)
