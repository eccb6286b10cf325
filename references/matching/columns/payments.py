"""A file as payments: which of its columns are which fields, and what speaks for payments at all.

`data.guess` drafts the layout, as `quorum layout guess` does, so that a file that is scored and a
file that is loaded are read alike.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import pyarrow as pa

from data.files.chunk import SourceUnreadable
from data.guess.column import Column
from data.guess.column_names import confidence, normalised
from data.guess.draft import Draft, draft_columns
from data.guess.words import meanings, other_subjects
from references.profile.plain import plain
from references.profile.thinned import thinned

REQUIRED = ("customer_id", "timestamp", "amount")
FIELDS = (
    *REQUIRED,
    *("transaction_id", "currency", "type", "merchant_id", "merchant_category"),
    *("counterparty_id", "device_id", "ip_address", "country", "channel", "latitude", "longitude"),
)
"""Fields of a payment that a column of a file may be."""

_DRAFT_ROWS = 2000
_AMOUNT_SURE = 5
_PARTY_SURE = 3
_PAID = ("merchant_id", "merchant_category", "counterparty_id", "type", "currency")
_PAYMENT_WORDS = frozenset(("transaction", "card", "merchant", "currency", "terminal"))
_ALSO_PAID = ("device_id", "channel")


@dataclass(frozen=True, slots=True)
class Payments:
    """A file read as payments.

    Attributes:
        draft: the layout; None if the file has no column of numbers.
        columns: field -> column of the file; only fields that a column holds.
        repeats: field of a party -> estimated rows for each distinct id of the file, >= 1.
        other_subjects: words in its columns' names that belong to tables about other things.
    """

    draft: Draft | None
    columns: Mapping[str, str]
    repeats: Mapping[str, float]
    other_subjects: frozenset[str] = frozenset()

    @property
    def evidence(self) -> float:
        """What speaks for payments, in [0, 1]: an amount that is called so, parties that occur
        again, and what only payments have; less for words of other subjects."""
        found = self._amount * 0.4 + self._parties * 0.3 + self._trade * 0.3
        return max(found - min(0.15 * len(self.other_subjects), 0.45), 0.0)

    @property
    def _amount(self) -> float:
        name = self.columns.get("amount", "")
        points = confidence("amount", name) if name else 0
        named = {meaning for meaning, _ in meanings(normalised(name))}
        vague = "value" in normalised(name).split("_") and not named & _PAYMENT_WORDS
        if points >= _AMOUNT_SURE and not (vague and not self._with_whom):
            return 1.0
        return 0.5 if points >= _PARTY_SURE else 0.0

    @property
    def _with_whom(self) -> bool:
        """Whether somebody was paid: a meter has customers, devices and values too."""
        return any(field in self.columns for field in _PAID)

    @property
    def _parties(self) -> float:
        again = max(self.repeats.values(), default=1.0)
        return min(1.0, max(again - 1.0, 0.0))

    @property
    def _trade(self) -> float:
        paid = sum(field in self.columns for field in _PAID)
        also = sum(field in self.columns for field in _ALSO_PAID)
        words = {m for name in self.columns.values() for m, _ in meanings(normalised(name))}
        return min(1.0, 0.5 * paid + 0.25 * (also + len(words & _PAYMENT_WORDS)))


def read_payments(
    rows: pa.Table, rows_total: int, columns: Mapping[str, str], ignore: Collection[str] = ()
) -> Payments:
    """Return a file as payments.

    Args:
        rows: a sample, spread over the file.
        rows_total: of the file, as far as it was read.
        columns: column of the file -> field that the sender gave it; "" leaves it out.
        ignore: columns that are not looked at.
    """
    said = {name: field for name, field in columns.items() if field in FIELDS}
    left_out = {name for name, field in columns.items() if field not in FIELDS} | set(ignore)
    names = [name for name in rows.column_names if name not in left_out]
    sample = thinned(rows.select(names), _DRAFT_ROWS)
    table = [Column(_given(name, said), plain(sample.column(name))) for name in names]
    try:
        draft = draft_columns(table, "file")
    except SourceUnreadable:
        return Payments(None, {}, {})
    original = {_given(name, said): name for name in names}
    found = _columns(draft, original)
    draft = replace(draft, fields={f: _renamed(v, original) for f, v in draft.fields.items()})
    subjects = frozenset(word for name in names for word in other_subjects(normalised(name)))
    return Payments(draft, found, _repeats(rows, rows_total, found), subjects)


def _given(name: str, said: Mapping[str, str]) -> str:
    """The sender's word for a column counts like its name."""
    return said.get(name, name)


def _columns(draft: Draft, original: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for field, value in draft.fields.items():
        while isinstance(value, Mapping):
            value = value.get("column", value.get("date"))
        if isinstance(value, str) and value in original:
            found[field] = original[value]
    return found


def _renamed(value: object, original: Mapping[str, str]) -> object:
    """A value of a layout with the file's own names of columns."""
    if isinstance(value, str):
        return original.get(value, value)
    if isinstance(value, Mapping):
        return {
            key: _renamed(v, original) if key in ("column", "date", "time") else v
            for key, v in value.items()
        }
    return value


def _repeats(rows: pa.Table, rows_total: int, columns: Mapping[str, str]) -> dict[str, float]:
    """Rows for each distinct id, of the file: a sample shows fewer repetitions than the whole.

    Of n rows drawn from N with D distinct ids, about n^2 / 2D pairs agree if D is large, so that
    N / D is about twice the agreeing pairs times N over n^2.
    """
    n = max(rows.num_rows, 1)
    found: dict[str, float] = {}
    for field in ("customer_id", "counterparty_id"):
        if field in columns:
            distinct = max(len(rows.column(columns[field]).unique()), 1)
            scaled = 1 + 2 * (n - distinct) * max(rows_total - n, 0) / n**2
            found[field] = max(n / distinct, scaled)
    return found
