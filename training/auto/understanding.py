"""What a labelled file is: its label, times, parties and the columns to learn from."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from data.files.source import open_source
from data.guess.column import Column
from data.guess.draft import DELAY_NOTE, Draft
from data.guess.guess import tried_draft
from data.guess.label import LabelGuess
from data.guess.layout_toml import layout_toml
from data.layout.layout import Layout, parse_layout
from data.layout.mapping import columns_of
from data.load.dry_run import DryRun
from data.rows.rejections import reason_told
from references.reference import ReferenceKind
from training.auto.label_choice import WantedLabel, choose_label, label_meaning
from training.auto.set_name import set_name
from training.auto.survey import Survey, survey
from training.auto.unclear import Unclear
from training.sets.split import DAY_MS

LEAST_ROWS = 500
LEAST_FRAUDS = 50
"""Fewer labelled rows or frauds are not split into parts: each part would hold a handful."""

NO_TIME = (
    "no column holds a time: the order of the file counts as the order of time, and the last rows"
    " are the test; if rows are in another order, the figures do not say how models do on later"
    " payments"
)
_LONGEST_DELAY_DAYS = 7.0
_DELAY_SHARE = 0.1
_MOST_REFUSED = 0.1
_SORTED = 0.02
_PARTIES = ("customer_id", "merchant_id", "counterparty_id", "device_id", "ip_address")


@dataclass(frozen=True, slots=True)
class Understanding:
    """What a labelled file was understood to be.

    Attributes:
        kind: `history`: customers whose earlier payments make features; `tabular`: a table whose
            own columns do.
        layout: how the file is read; its name is that of the set.
        fraud, genuine: texts of the label with these meanings; "" an empty cell.
        rows, labelled, frauds: rows of the file, those with a label, and those of fraud.
        first_ms, last_ms: the oldest and newest row, milliseconds since 1970; None without times.
        used: what is learnt from: canonical field -> columns for a history; for a table column ->
            `number` or `category`.
        unused: columns that are not read -> why.
        notes: what the owner of the file should check.
    """

    kind: ReferenceKind
    layout: Layout
    fraud: tuple[str, ...]
    genuine: tuple[str, ...]
    rows: int
    labelled: int
    frauds: int
    first_ms: int | None
    last_ms: int | None
    used: dict[str, str]
    unused: dict[str, str]
    notes: tuple[str, ...]

    @property
    def name(self) -> str:
        """Of the set."""
        return self.layout.name

    @property
    def label(self) -> str:
        """Name of the label's column."""
        return columns_of(self.layout, "is_fraud")[0]

    def to_document(self) -> dict[str, Any]:
        """JSON-ready, with the layout as TOML."""
        dialect, label = self.layout.dialect, self.label
        return {
            "name": self.name,
            "kind": self.kind,
            "written": {"delimiter": dialect.delimiter, "encoding": dialect.encoding,
                        "decimal": self.layout.decimal},
            "label": {"column": label, "fraud": list(self.fraud), "genuine": list(self.genuine)},
            "rows": self.rows,
            "labelled": self.labelled,
            "frauds": self.frauds,
            "rate": self.frauds / self.labelled,
            "first": _moment(self.first_ms),
            "last": _moment(self.last_ms),
            "used": self.used,
            "unused": self.unused,
            "notes": list(self.notes),
            "layout": self.layout.digest_text,
        }  # fmt: skip


def understand(
    path: Path,
    *,
    name: str | None = None,
    label: str | None = None,
    without: Collection[str] = (),
) -> Understanding:
    """Return what a file is. Reads its first 50,000 rows, and of the others label and time.

    Args:
        name: of the set; None: made of the file's name.
        label: `COLUMN`, or `COLUMN=TEXT` with the text that means fraud; None: the file says it.
        without: columns to leave out.

    Raises:
        Unclear: the file does not say enough; the error names the option that settles it.
        SourceUnreadable: the file is missing, empty, damaged, or holds no numbers.
        LayoutInvalid: no layout reads the file.
    """
    called = set_name(path, name)
    seen: list[WantedLabel] = []

    def label_of(columns: list[Column]) -> LabelGuess:
        names = [column.name for column in columns]
        seen[:] = [] if label is None else [WantedLabel.parse(label, names)]
        return choose_label(columns, seen[0] if seen else None)

    draft, tried = tried_draft(path, label_of, without)
    _require_known(without, path, draft)
    draft.name = called
    column = str(draft.label["column"])
    found = survey(path, draft.dialect, column, parse_layout(layout_toml(draft), called).timestamp)
    fraud, genuine = label_meaning(column, found.counts, seen[0] if seen else None)
    kind = _kind(draft)
    _describe_label(draft, fraud, genuine, kind, found)
    _require_enough(found, fraud, genuine)
    if not draft.has_times:
        _require_unsorted(found, fraud)
    return _understood(draft, tried, found, (fraud, genuine), kind)


def _kind(draft: Draft) -> ReferenceKind:
    if draft.has_history:
        return "history"
    if not draft.numeric and not draft.categorical:
        raise Unclear(
            "no column is left to learn from", "quorum layout guess shows what each column is taken"
            " for; a layout of your own goes with --tabular LAYOUT"
        )  # fmt: skip
    return "tabular"


def _require_known(without: Collection[str], path: Path, draft: Draft) -> None:
    absent = sorted(set(without) - set(open_source(path, draft.dialect).names()))
    if absent:
        raise Unclear(f"the file has no column {absent[0]}", "--without names a column of the file")


def _describe_label(
    draft: Draft, fraud: list[str], genuine: list[str], kind: ReferenceKind, found: Survey
) -> None:
    """Write into the draft what the whole file says about its label."""
    draft.label |= {"fraud": fraud, "genuine": genuine}
    at_most = round(_DELAY_SHARE * found.span_ms / DAY_MS, 1)
    column = draft.label["column"]
    draft.notes = [note for note in draft.notes if not note.startswith(f"{column}: ")]
    if "known_at" not in draft.label:
        draft.notes = [note for note in draft.notes if note != DELAY_NOTE]
        days = min(_LONGEST_DELAY_DAYS, at_most)
        draft.label["delay_days"] = days if kind == "history" else 0.0
        if kind == "history":
            draft.notes.append(
                f"no column says when labels became known: {days:g} days after their payment is"
                " assumed"
            )
    if "undated_days" in draft.label:
        days = min(float(str(draft.label["undated_days"])), at_most)
        draft.label["undated_days"] = days
        draft.notes = [n for n in draft.notes if not n.startswith("labels without a date")]
        draft.notes.append(f"labels without a date count as known after {days:g} days")
    if kind == "tabular" and not draft.has_times:
        draft.notes = [n for n in draft.notes if not n.startswith("no column holds a time")]
        draft.notes.insert(0, NO_TIME)


def _require_enough(found: Survey, fraud: list[str], genuine: list[str]) -> None:
    counts = found.counts
    frauds = sum(counts.get(text, 0) for text in fraud)
    labelled = frauds + sum(counts.get(text, 0) for text in genuine)
    if labelled < LEAST_ROWS or frauds < LEAST_FRAUDS:
        raise Unclear(
            f"{labelled:,} labelled rows with {frauds:,} frauds are too few: at least"
            f" {LEAST_ROWS:,} rows and {LEAST_FRAUDS:,} frauds are needed",
            "add labelled rows",
        )


def _require_unsorted(found: Survey, fraud: list[str]) -> None:
    """A file without times that is sorted by its label has no test part with both kinds."""
    rows = found.rows_of(fraud)
    halves = np.bincount((rows >= found.rows / 2).astype(np.int64), minlength=2)
    if halves.min() < _SORTED * rows.size:
        raise Unclear(
            "the file has no time, and its rows are sorted by the label: the last rows would be a"
            " test of one kind",
            "add the column of the time, or put the rows in the order in which they happened",
        )


def _understood(
    draft: Draft,
    tried: DryRun,
    found: Survey,
    meaning: tuple[list[str], list[str]],
    kind: ReferenceKind,
) -> Understanding:
    fraud, genuine = meaning
    if kind == "history":
        _require_sound(tried)
        draft.numeric, draft.categorical = [], []
    else:
        draft.notes = [n for n in draft.notes if not _about_payments(n)]
    layout = parse_layout(layout_toml(draft), draft.name)
    layout = replace(layout, about=f"found by quorum train --auto, {kind}")
    counts = found.counts
    frauds = sum(counts[text] for text in fraud)
    used = _used(layout, kind)
    return Understanding(
        kind=kind,
        layout=layout,
        fraud=tuple(fraud),
        genuine=tuple(genuine),
        rows=found.rows,
        labelled=frauds + sum(counts.get(text, 0) for text in genuine),
        frauds=frauds,
        first_ms=found.first_ms if draft.has_times else None,
        last_ms=found.last_ms if draft.has_times else None,
        used=used,
        unused=_unused(draft, layout, used, tried.columns),
        notes=tuple(draft.notes),
    )


_OF_PAYMENTS = (
    *("no column identifies the payer", "no column is a unique id", "the file does not name"),
    *("amounts have more decimals", "some amounts are negative", "not mapped, because"),
    "no column is named like an amount",
)


def _about_payments(note: str) -> bool:
    """Whether a note is about payments in a history, which a table is not."""
    return note.startswith(_OF_PAYMENTS) or "is not mapped" in note


def _require_sound(tried: DryRun) -> None:
    """A history whose payments are refused by the dozen is read wrongly."""
    if tried.bad > _MOST_REFUSED * tried.rows:
        why = "; ".join(map(reason_told, tried.reasons[:3]))
        raise Unclear(
            f"{tried.bad:,} of the first {tried.rows:,} rows cannot be payments: {why}",
            "`quorum layout guess` writes the layout: correct it, `quorum load` the file, then"
            " `quorum train`",
        )


def _used(layout: Layout, kind: ReferenceKind) -> dict[str, str]:
    if kind == "tabular" and layout.tabular is not None:
        found = dict.fromkeys(layout.tabular.numeric, "number")
        return found | dict.fromkeys(layout.tabular.categorical, "category")
    fields = (*layout.text, "timestamp", "amount", *layout.degrees)
    read = {field: " + ".join(columns_of(layout, field)) for field in fields}
    return {field: columns for field, columns in read.items() if columns}


def _unused(
    draft: Draft, layout: Layout, used: dict[str, str], names: Collection[str]
) -> dict[str, str]:
    read = {*layout.timestamp.columns_read(), *columns_of(layout, "amount")}
    read |= set(used) if layout.tabular is not None else layout.columns()
    read |= {*columns_of(layout, "is_fraud"), *columns_of(layout, "known_at")}
    parties = {columns_of(layout, field) for field in ("transaction_id", *_PARTIES)}
    found = {}
    for name in names:
        if name in read:
            continue
        if name in draft.leaks:
            found[name] = f"may leak the label: {draft.leaks[name]}"
        elif (name,) in parties:
            found[name] = "names something"
        elif layout.tabular is None:
            found[name] = "no field of a payment"
        else:
            found[name] = "empty, a number of the row, or too many different texts"
    return found


def _moment(at_ms: int | None) -> str | None:
    if at_ms is None:
        return None
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds")
