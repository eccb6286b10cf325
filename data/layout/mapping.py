"""A layout: which columns of a file make the canonical transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches

from data.cells.texts import Markers
from data.layout.fields import (
    REQUIRED,
    AmountField,
    CsvDialect,
    LabelField,
    TabularFields,
    TextField,
    TimeField,
)
from fraud.errors import QuorumError


class LayoutInvalid(QuorumError):
    """A layout that cannot be used. The message names the file and the key."""


class LayoutUnknown(LayoutInvalid):
    """There is no layout of that name. The message lists those that exist."""


class MostlyUnreadable(LayoutInvalid):
    """Most cells of a mapped column cannot be read. The message shows some."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A checked layout.

    Attributes:
        text: text field -> where it comes from, of the fields that are mapped.
        degrees: `latitude` and `longitude` -> column.
        dialect: how a CSV file is written.
        decimal: the decimal sign.
        missing: missing-value markers of fields that do not list their own.
        allow_missing_columns: a file may lack the columns of optional fields and of the label.
        digest_text: the TOML itself: a changed layout makes another source.
        tabular: the columns that `quorum train --tabular` learns from; None: there are none.
        repeated: what to do with a row whose id belongs to another payment: `reject` it, or keep
            it `apart` under an id of its own.
    """

    name: str
    about: str
    text: Mapping[str, TextField]
    timestamp: TimeField
    amount: AmountField
    degrees: Mapping[str, str]
    label: LabelField | None
    allow_missing_columns: bool
    digest_text: str
    tabular: TabularFields | None
    repeated: str
    dialect: CsvDialect
    decimal: str
    missing: Markers

    def without(self, absent: frozenset[str], present: Iterable[str] = ()) -> Layout:
        """Return the layout for a file that lacks the columns `absent`.

        Args:
            present: the columns that the file has, for the message.

        Raises:
            LayoutInvalid: a required field needs one of them, or any field does and
                `allow_missing_columns` is false.
        """
        lost = sorted(self.columns() & absent)
        if not lost:
            return self
        text = {n: f for n, f in self.text.items() if not absent & frozenset(f.columns)}
        needed = [frozenset(f.columns) for n, f in self.text.items() if n in REQUIRED]
        needed += [self.timestamp.columns_read(), frozenset({self.amount.column})]
        wanted = absent.intersection(*[frozenset().union(*needed)])
        if not self.allow_missing_columns:
            wanted = frozenset(lost)
        if wanted:
            raise LayoutInvalid(f"layout {self.name}: {_absent(wanted, list(present))}")
        rest = replace(
            self,
            text=text,
            degrees={n: c for n, c in self.degrees.items() if c not in absent},
            label=None,
        )
        whole = replace(rest, label=self.label)
        return rest if whole.columns() & absent else whole

    def columns(self) -> frozenset[str]:
        """Return all columns of the file that the layout reads."""
        fields = (*self.text, *self.degrees, "timestamp", "amount", "is_fraud", "known_at")
        return frozenset(column for name in fields for column in columns_of(self, name))

    def source_id(self, file_digest: str) -> str:
        """Return a SHA-256 in hex over the digest of a file and the layout.

        If either changes, it is another source.
        """
        return hashlib.sha256(f"{file_digest}\n{self.digest_text}".encode()).hexdigest()


def columns_of(layout: Layout, field: str) -> tuple[str, ...]:
    """Return the columns that a canonical field, `is_fraud` or `known_at` is read from."""
    if field in layout.text:
        return layout.text[field].columns
    if field in layout.degrees:
        return (layout.degrees[field],)
    if field == "timestamp":
        return tuple(sorted(layout.timestamp.columns_read()))
    if field == "amount":
        return (layout.amount.column,)
    label = layout.label
    if field == "known_at" and label is not None and label.known_at is not None:
        return tuple(sorted(label.known_at.columns_read()))
    if field == "is_fraud" and label is not None:
        return (label.column,) if label.join is None else label.join.rows
    return ()


def require_columns(layout: str, wanted: frozenset[str], present: list[str]) -> None:
    """Check that a file with the columns `present` has all that a layout reads.

    Raises:
        LayoutInvalid: some are missing. The message names them.
    """
    absent = wanted - set(present)
    if absent:
        raise LayoutInvalid(f"layout {layout}: {_absent(absent, present)}")


def _absent(wanted: frozenset[str], present: list[str]) -> str:
    """The missing columns, with the closest names that the file has, or its first names."""
    problem = f"the file has no column {', '.join(sorted(wanted))}"
    if not present:
        return problem
    lower = {name.lower(): name for name in present}
    near = [get_close_matches(name.lower(), list(lower), 1, 0.6) for name in sorted(wanted)]
    hints = [lower[found[0]] for found in near if found]
    if hints:
        return f"{problem}; did you mean {', '.join(hints)}?"
    shown = ", ".join(present[:12]) + (", ..." if len(present) > 12 else "")
    return f"{problem}; it has {shown}"
