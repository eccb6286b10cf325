"""Which rows are one payment: an id belongs to the payment that had it first."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fraud.limits import MAX_ID_CHARS
from training.data.canonical import Canonical
from training.data.source import BadRow

Repeated = Literal["reject", "apart"]
"""What is done with a row whose id is that of another payment."""

SAME_WITHIN_MS = 3_600_000
"""A payment may be written twice with times that differ by less, as a client that tries again may
stamp it anew; ids that begin again do so later."""

_MARK_CHARS = 12
_EXACT = ("customer_id", "amount_minor", "currency")
_IF_KNOWN = ("merchant_id", "counterparty_id", "device_id")
COLUMNS = ("occurred_at", *_EXACT, *_IF_KNOWN)
"""Columns of `transactions` that tell payments apart."""


class Payment(NamedTuple):
    """What tells payments of one id apart, in the order of `COLUMNS`."""

    at_ms: int
    customer_id: str
    amount_minor: int
    currency: str
    merchant_id: str | None
    counterparty_id: str | None
    device_id: str | None

    def is_one_with(self, other: Payment) -> bool:
        """Whether both are the same payment: of one customer and amount, at about the same time;
        merchant, counterparty and device are the same where both name one."""
        known = zip(self[-len(_IF_KNOWN) :], other[-len(_IF_KNOWN) :], strict=True)
        return (
            self[1:4] == other[1:4]
            and abs(self.at_ms - other.at_ms) < SAME_WITHIN_MS
            and all(mine is None or yours is None or mine == yours for mine, yours in known)
        )


def apart(transaction_id: str, payment: Payment) -> str:
    """An id for a payment whose own is that of another one: the same whenever it is loaded.

    >>> apart("000017", Payment(0, "card-B", 100, "EUR", None, None, None))
    '000017~72ae0a865821'
    """
    told = "\x1f".join(map(str, (transaction_id, *payment[:4])))
    mark = hashlib.sha256(told.encode()).hexdigest()[:_MARK_CHARS]
    return f"{transaction_id[: MAX_ID_CHARS - _MARK_CHARS - 1]}~{mark}"


Labels = dict[tuple[str, datetime], bool]
"""What was said of a payment (its id) as of a moment."""

_Owner = tuple[Payment, str]
"""A payment, and where it was met."""


@dataclass
class Told:
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


class Telling:
    """Tells the payments of a chunk apart, from each other and from those on record.

    Args:
        rows: the chunk; its order decides who had an id first.
        repeated: what to do with a row whose id is that of another payment.
    """

    def __init__(self, rows: Canonical, repeated: Repeated) -> None:
        self._rows = rows
        self._repeated = repeated
        self._ids = rows.table["transaction_id"].combine_chunks()
        self._owners: dict[str, list[_Owner]] = {}
        self._doubtful: list[tuple[int, str, Payment]] = []

    @property
    def ids(self) -> list[str]:
        """All ids of the chunk."""
        found: list[str] = self._ids.to_pylist()
        return found

    def met(self, on_record: Mapping[str, Collection[Payment]]) -> list[str]:
        """Take in what is on record under `ids`. Returns the ids under which it has to be looked
        for next: of rows that may have to be kept apart."""
        self._own(on_record)
        again = self._ids.filter(pa.array(_again(self._ids)))
        asked = pa.array([*on_record, *again.unique().to_pylist()], pa.string())
        places = np.flatnonzero(pc.is_in(self._ids, value_set=asked).to_numpy(zero_copy_only=False))
        part = self._rows.table.take(pa.array(places))
        ids = part["transaction_id"].to_pylist()
        self._doubtful = list(zip(places.tolist(), ids, _payments(part), strict=True))
        if self._repeated == "reject":
            return []
        return sorted({apart(one, payment) for _, one, payment in self._doubtful})

    @property
    def doubtful(self) -> list[str]:
        """Ids that came before: on record, or in the chunk."""
        return sorted({one for _, one, _ in self._doubtful})

    def told(self, on_record: Mapping[str, Collection[Payment]], labels: Labels) -> Told:
        """The rows, told apart.

        Args:
            on_record: what is on record under the ids that `met` gave.
            labels: what the source of the labels has said of all these ids before.
        """
        self._own(on_record)
        n = self._rows.table.num_rows
        told = Told(self._rows.table, np.ones(n, np.bool_))
        sound, ids = np.ones(n, np.bool_), {}
        said = dict(labels)
        for place, one, payment in self._doubtful:
            verdict = self._judge(place, one, payment, told)
            if isinstance(verdict, str):
                ids[place] = verdict
                refused = self._contradicts(place, verdict, said)
            else:
                refused = verdict
            if refused is not None:
                sound[place] = False
                told.bad.append(refused)
        if ids:
            told.table = _renamed(told.table, ids)
        told.table, told.is_new = told.table.filter(pa.array(sound)), told.is_new[sound]
        return told

    def _own(self, on_record: Mapping[str, Collection[Payment]]) -> None:
        for one, payments in on_record.items():
            self._owners.setdefault(one, []).extend((p, "a payment on record") for p in payments)

    def _judge(self, place: int, one: str, payment: Payment, told: Told) -> str | BadRow:
        """The id of the row's payment, or why it cannot have one."""
        owners = self._owners.setdefault(one, [])
        if self._is_owned(place, payment, owners, told):
            return one
        told.reused.setdefault(one, []).append(int(self._rows.rows[place]))
        if self._repeated == "apart":
            own = apart(one, payment)
            owners = self._owners.setdefault(own, [])
            if self._is_owned(place, payment, owners, told):
                return own
        where = owners[0][1]
        return self._bad(
            place, "transaction_id", "another_payment", f"is the id of another payment, {where}"
        )

    def _is_owned(self, place: int, payment: Payment, owners: list[_Owner], told: Told) -> bool:
        """Whether the payment may bear the id of `owners`: it is one of them, or the first."""
        if not owners:
            owners.append((payment, f"that of line {int(self._rows.lines[place])}"))
            return True
        if any(payment.is_one_with(owner) for owner, _ in owners):
            told.is_new[place] = False
            return True
        return False

    def _contradicts(self, place: int, one: str, said: Labels) -> BadRow | None:
        """A fault if the row says the opposite of what was said of its payment as of the same
        moment; else it is noted."""
        table = self._rows.table
        fraud = table["is_fraud"][place].as_py()
        if fraud is None:
            return None
        if said.setdefault((one, table["known_at"][place].as_py()), fraud) == fraud:
            return None
        return self._bad(
            place,
            "is_fraud",
            "contradicts",
            "says the opposite of a label of the same payment that was known at the same time",
        )

    def _bad(self, place: int, name: str, code: str, detail: str) -> BadRow:
        return BadRow(int(self._rows.rows[place]), int(self._rows.lines[place]), name, code, detail)


def _again(ids: pa.Array) -> NDArray[np.bool_]:
    """bool[n]: ids that more than one row bears."""
    codes = ids.dictionary_encode().indices.to_numpy()
    found: NDArray[np.bool_] = np.bincount(codes, minlength=1)[codes] > 1
    return found


def _payments(table: pa.Table) -> list[Payment]:
    at_ms = table["occurred_at"].cast(pa.int64()).to_pylist()
    rest = [table[name].to_pylist() for name in COLUMNS[1:]]
    return [Payment(*row) for row in zip(at_ms, *rest, strict=True)]


def _renamed(table: pa.Table, ids: Mapping[int, str]) -> pa.Table:
    place = table.schema.get_field_index("transaction_id")
    mask = np.zeros(table.num_rows, np.bool_)
    mask[list(ids)] = True
    values: list[Any] = [ids[i] for i in sorted(ids)]
    column = table["transaction_id"].combine_chunks()
    renamed = pc.replace_with_mask(column, pa.array(mask), pa.array(values, pa.string()))
    return table.set_column(place, "transaction_id", renamed)
