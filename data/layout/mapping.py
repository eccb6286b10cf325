"""A layout: which columns of a file make the canonical transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from data.cells.texts import DEFAULT_MISSING, Markers
from data.layout.fields import (
    REQUIRED,
    AmountField,
    FileForm,
    LabelField,
    TabularFields,
    TextField,
    TimeField,
)
from fraud.errors import QuorumError


class LayoutInvalid(QuorumError):
    """A layout that cannot be used. The message names the file and the key."""


class LayoutUnknown(LayoutInvalid):
    """There is no layout of that name. The message lists the known ones."""


class MostlyUnreadable(LayoutInvalid):
    """A mapped column whose cells can hardly ever be read. The message shows some."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A checked layout.

    Attributes:
        text: field -> where it comes from; fields that the file has not are absent.
        degrees: `latitude` and `longitude` -> column.
        form: how a text file is written.
        decimal: what stands before decimals in a text.
        missing: texts that stand for nothing, where a field does not list its own.
        may_lack: a file may lack the columns of optional fields and of the label.
        digest_text: the TOML itself: a changed layout makes another source.
        tabular: the columns that `quorum train --tabular` learns from; None: no such columns.
        repeated: what is done with a row whose id is that of another payment: `reject` or `apart`.
    """

    name: str
    about: str
    text: Mapping[str, TextField]
    timestamp: TimeField
    amount: AmountField
    degrees: Mapping[str, str]
    label: LabelField | None
    may_lack: bool
    digest_text: str
    tabular: TabularFields | None = None
    repeated: str = "reject"
    form: FileForm = field(default_factory=FileForm)
    decimal: str = "."
    missing: Markers = DEFAULT_MISSING

    def without(self, absent: frozenset[str], there: Iterable[str] = ()) -> Layout:
        """The layout of a file that lacks the columns `absent`.

        Args:
            there: the columns that the file has, for the message.

        Raises:
            LayoutInvalid: a required field, or any field unless `may_lack`, needs one of them.
        """
        lost = sorted(self.columns() & absent)
        if not lost:
            return self
        text = {n: f for n, f in self.text.items() if not absent & frozenset(f.columns)}
        needed = [frozenset(f.columns) for n, f in self.text.items() if n in REQUIRED]
        needed += [self.timestamp.reads(), frozenset({self.amount.column})]
        wanted = absent.intersection(*[frozenset().union(*needed)])
        if not self.may_lack:
            wanted = frozenset(lost)
        if wanted:
            raise LayoutInvalid(f"layout {self.name}: {_absent(wanted, list(there))}")
        rest = replace(
            self,
            text=text,
            degrees={n: c for n, c in self.degrees.items() if c not in absent},
            label=None,
        )
        whole = replace(rest, label=self.label)
        return rest if whole.columns() & absent else whole

    def columns(self) -> frozenset[str]:
        """Every column of the file that the layout reads."""
        wanted: set[str] = {self.amount.column, *self.degrees.values(), *self.timestamp.reads()}
        for text in self.text.values():
            wanted |= set(text.columns)
        if self.label is not None:
            join = self.label.join
            wanted |= {self.label.column} if join is None else set(join.rows)
            if self.label.known_at is not None:
                wanted |= self.label.known_at.reads()
        return frozenset(wanted)

    def source_id(self, file_digest: str) -> str:
        """SHA-256, hex, over a file's own and the layout: either changed is another source."""
        return hashlib.sha256(f"{file_digest}\n{self.digest_text}".encode()).hexdigest()


def columns_of(layout: Layout, field: str) -> tuple[str, ...]:
    """Columns of the file that a canonical field comes from, `is_fraud` and `known_at` included."""
    if field in layout.text:
        return layout.text[field].columns
    if field in layout.degrees:
        return (layout.degrees[field],)
    if field == "timestamp":
        return tuple(sorted(layout.timestamp.reads()))
    if field == "amount":
        return (layout.amount.column,)
    label = layout.label
    if field == "known_at" and label is not None and label.known_at is not None:
        return tuple(sorted(label.known_at.reads()))
    if field == "is_fraud" and label is not None:
        return (label.column,) if label.join is None else label.join.rows
    return ()


def refuse_absent(layout: str, wanted: frozenset[str], there: list[str]) -> None:
    """Fail if a file that has the columns `there` lacks some that a layout reads.

    Raises:
        LayoutInvalid: names them.
    """
    absent = wanted - set(there)
    if absent:
        raise LayoutInvalid(f"layout {layout}: {_absent(absent, there)}")


def _absent(wanted: frozenset[str], there: list[str]) -> str:
    """What a file lacks, the nearest names that it has, and all of its names if they are few."""
    said = f"the file has no column {', '.join(sorted(wanted))}"
    if not there:
        return said
    lower = {name.lower(): name for name in there}
    near = [get_close_matches(name.lower(), list(lower), 1, 0.6) for name in sorted(wanted)]
    meant = [lower[found[0]] for found in near if found]
    if meant:
        return f"{said}; did you mean {', '.join(meant)}?"
    shown = ", ".join(there[:12]) + (", ..." if len(there) > 12 else "")
    return f"{said}; it has {shown}"
