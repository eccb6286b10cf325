"""Which rows are the same payment. An id belongs to the payment that had it first."""

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

from data.files.chunk import BadRow
from fraud.payment.batch import Int64
from fraud.payment.limits import MAX_ID_CHARS

SAME_WITHIN_MS = 3_600_000
"""Two rows of one payment may differ by less, because a client may set a new time when it retries.
Ids that restart from the beginning repeat later than that."""

_HASH_CHARS = 12
_EXACT = ("customer_id", "amount_minor", "currency")
_IF_KNOWN = ("merchant_id", "counterparty_id", "device_id")
_COLUMNS = ("occurred_at", *_EXACT, *_IF_KNOWN)


class PaymentIdentity(NamedTuple):
    """What distinguishes payments that have the same id."""

    at_ms: int
    customer_id: str
    amount_minor: int
    currency: str
    merchant_id: str | None
    counterparty_id: str | None
    device_id: str | None

    def is_same_as(self, other: PaymentIdentity) -> bool:
        """Whether both are the same payment.

        Customer, amount and currency must be equal, and times within an hour. Merchant,
        counterparty and device must be equal where both are known.
        """
        known = zip(self[-len(_IF_KNOWN) :], other[-len(_IF_KNOWN) :], strict=True)
        return (
            self[1:4] == other[1:4]
            and abs(self.at_ms - other.at_ms) < SAME_WITHIN_MS
            and all(mine is None or theirs is None or mine == theirs for mine, theirs in known)
        )


def derived_id(transaction_id: str, payment: PaymentIdentity) -> str:
    """Return an id for a payment whose own id belongs to another one. It is always the same.

    >>> derived_id("000017", PaymentIdentity(0, "card-B", 100, "EUR", None, None, None))
    '000017~72ae0a865821'
    """
    content = "\x1f".join(map(str, (transaction_id, *payment[:4])))
    digest = hashlib.sha256(content.encode()).hexdigest()[:_HASH_CHARS]
    return f"{transaction_id[: MAX_ID_CHARS - _HASH_CHARS - 1]}~{digest}"


Labels = dict[tuple[str, datetime], bool]
"""(transaction id, time at which the label was known) -> is it fraud."""

OnRecord = Mapping[str, Collection[PaymentIdentity]]
"""Id -> the payments that the database has under it."""

_Owner = tuple[PaymentIdentity, str]
"""A payment, and where it was found, for messages."""


class _Row(NamedTuple):
    """A row whose id occurred before: its place in the chunk, and its content."""

    place: int
    transaction_id: str
    payment: PaymentIdentity
    is_fraud: bool | None
    known_at: datetime | None


@dataclass
class ResolvedRows:
    """The rows of a chunk, each under the id of its own payment.

    Attributes:
        table: the sound rows, columns of `canonical.STAGED`, some under derived ids.
        is_new: bool[n]: the others repeat an earlier payment; their labels may be new.
        bad: one entry for each row that was rejected here.
        reused: id of two payments -> the rows (numbers in the file, from 1) that have it although
            it belongs to another payment.
    """

    table: pa.Table
    is_new: NDArray[np.bool_]
    bad: list[BadRow] = field(default_factory=list)
    reused: dict[str, list[int]] = field(default_factory=dict)


class IdentityResolver:
    """Distinguishes the payments of a chunk from each other and from those on record.

    First look up the payments on record under `ids`, and pass them to `add_recorded`. Then look up
    those under the ids that it returns, and the labels of both; pass them to `resolve`.

    Args:
        table: the rows, columns of `canonical.STAGED`; the first row with an id owns it.
        rows, lines: int64[n], where each of them stands: see `Chunk`.
        repeated: what to do with a row whose id belongs to another payment: see `Layout`.
    """

    def __init__(self, table: pa.Table, rows: Int64, lines: Int64, repeated: str) -> None:
        self._table = table
        self._rows = rows
        self._lines = lines
        self._repeated = repeated
        self._ids = table["transaction_id"].combine_chunks()
        self._owners: dict[str, list[_Owner]] = {}
        self._candidates: list[_Row] = []

    @property
    def ids(self) -> list[str]:
        """All ids of the chunk."""
        found: list[str] = self._ids.to_pylist()
        return found

    @property
    def repeated_ids(self) -> list[str]:
        """The ids that occurred before, on record or in the chunk."""
        return sorted({row.transaction_id for row in self._candidates})

    def add_recorded(self, on_record: OnRecord) -> list[str]:
        """Add the payments on record under `ids`.

        Returns:
            The derived ids that rows may get, under which payments may be on record too.
        """
        self._add_owners(on_record)
        again = self._ids.filter(pa.array(_repeated(self._ids)))
        repeated = pa.array([*on_record, *again.unique().to_pylist()], pa.string())
        is_repeated = pc.is_in(self._ids, value_set=repeated)
        indices = np.flatnonzero(is_repeated.to_numpy(zero_copy_only=False))
        part = self._table.take(pa.array(indices))
        columns = (part[name].to_pylist() for name in ("transaction_id", "is_fraud", "known_at"))
        found = zip(indices.tolist(), _identities(part), *columns, strict=True)
        self._candidates = [_Row(i, one, payment, *label) for i, payment, one, *label in found]
        if self._repeated == "reject":
            return []
        return sorted({derived_id(row.transaction_id, row.payment) for row in self._candidates})

    def resolve(self, on_record: OnRecord, labels: Labels) -> ResolvedRows:
        """Find the payment of each row.

        Args:
            on_record: the payments on record under the ids that `add_recorded` returned.
            labels: the labels on record, from the source of this file, of all these ids.
        """
        self._add_owners(on_record)
        n = self._table.num_rows
        found = ResolvedRows(self._table, np.ones(n, np.bool_))
        sound, ids = np.ones(n, np.bool_), {}
        labels = dict(labels)
        for row in self._candidates:
            own_id = self._own_id(row, found)
            if own_id is None:
                rejected: BadRow | None = self._other_payment(row)
            else:
                if own_id != row.transaction_id:
                    ids[row.place] = own_id
                rejected = self._contradiction(row, own_id, labels)
            if rejected is not None:
                sound[row.place] = False
                found.bad.append(rejected)
        if ids:
            found.table = _renamed(found.table, ids)
        if found.bad:
            found.table, found.is_new = found.table.filter(pa.array(sound)), found.is_new[sound]
        return found

    def _add_owners(self, on_record: OnRecord) -> None:
        for one, payments in on_record.items():
            self._owners.setdefault(one, []).extend((p, "on record") for p in payments)

    def _own_id(self, row: _Row, found: ResolvedRows) -> str | None:
        """The id of the row's payment; None if it cannot have one."""
        one = row.transaction_id
        if self._owns(row, one, found):
            return one
        found.reused.setdefault(one, []).append(int(self._rows[row.place]))
        if self._repeated == "apart":
            derived = derived_id(one, row.payment)
            if self._owns(row, derived, found):
                return derived
        return None

    def _owns(self, row: _Row, one: str, found: ResolvedRows) -> bool:
        """Whether the id belongs to the row's payment, or to no payment so far."""
        owners = self._owners.setdefault(one, [])
        if not owners:
            owners.append((row.payment, f"line {int(self._lines[row.place])}"))
            return True
        if any(row.payment.is_same_as(owner) for owner, _ in owners):
            found.is_new[row.place] = False
            return True
        return False

    def _other_payment(self, row: _Row) -> BadRow:
        _, where = self._owners[row.transaction_id][0]
        return self._bad(
            row, "transaction_id", "another_payment", f"is the id of another payment ({where})"
        )

    def _contradiction(self, row: _Row, one: str, labels: Labels) -> BadRow | None:
        """The problem if another label of the same payment and time is the opposite; else the
        label is added to `labels`."""
        if row.is_fraud is None or row.known_at is None:
            return None
        if labels.setdefault((one, row.known_at), row.is_fraud) == row.is_fraud:
            return None
        detail = "contradicts a label of the same payment that was known at the same time"
        return self._bad(row, "is_fraud", "contradicts", detail)

    def _bad(self, row: _Row, name: str, code: str, detail: str) -> BadRow:
        rows, lines = self._rows, self._lines
        return BadRow(int(rows[row.place]), int(lines[row.place]), name, code, detail)


def resolve_identities(
    table: pa.Table, places: Iterable[tuple[Int64, Int64]], repeated: str
) -> tuple[pa.Table, ResolvedRows]:
    """Resolve the payments of a whole file without a database.

    Args:
        table: its rows, columns of `canonical.STAGED`.
        places: rows and lines of each of its chunks: see `Chunk`.
        repeated: see `Layout`.

    Returns:
        The table with each payment once, and all resolved rows.
    """
    none = np.empty(0, np.int64)
    rows, lines = (np.concatenate([part[k] for part in [(none, none), *places]]) for k in (0, 1))
    resolver = IdentityResolver(table, rows, lines, repeated)
    resolver.add_recorded({})
    found = resolver.resolve({}, {})
    return found.table if found.is_new.all() else found.table.filter(pa.array(found.is_new)), found


def _repeated(ids: pa.Array) -> NDArray[np.bool_]:
    """bool[n]: ids that more than one row has."""
    codes = ids.dictionary_encode().indices.to_numpy()
    found: NDArray[np.bool_] = np.bincount(codes, minlength=1)[codes] > 1
    return found


def _identities(table: pa.Table) -> list[PaymentIdentity]:
    at_ms = table["occurred_at"].cast(pa.int64()).to_pylist()
    rest = [table[name].to_pylist() for name in _COLUMNS[1:]]
    return [PaymentIdentity(*row) for row in zip(at_ms, *rest, strict=True)]


def _renamed(table: pa.Table, ids: Mapping[int, str]) -> pa.Table:
    place = table.schema.get_field_index("transaction_id")
    mask = np.zeros(table.num_rows, np.bool_)
    mask[list(ids)] = True
    values: list[Any] = [ids[i] for i in sorted(ids)]
    column = table["transaction_id"].combine_chunks()
    renamed = pc.replace_with_mask(column, pa.array(mask), pa.array(values, pa.string()))
    return table.set_column(place, "transaction_id", renamed)
