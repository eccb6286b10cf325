"""What a load would do with the first rows of a file, without writing anything."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from data.files.chunk import Chunk
from data.files.source import is_parquet, open_source
from data.layout.fields import TEXT_FIELDS, CsvDialect
from data.layout.layout import Layout, load_layout
from data.layout.mapping import MostlyUnreadable, columns_of
from data.rows.canonical import CanonicalRows, canonical_rows
from data.rows.cell_examples import masked_cell
from data.rows.identity import resolve_identities
from data.rows.label_join import read_joined_labels
from data.rows.rejections import RejectionReasons, require_readable_columns
from fraud.payment.currency import to_major

ROWS = 1000
_SHOWN = 3
_FIELDS = (
    *("transaction_id", "customer_id", "timestamp", "amount"),
    *(n for n in TEXT_FIELDS if n not in ("transaction_id", "customer_id")),
    *("latitude", "longitude", "is_fraud", "known_at"),
)


@dataclass(slots=True)
class DryRun:
    """The first rows of a file, read with a layout.

    Attributes:
        written: the CSV dialect: delimiter, encoding and so on; {} for Parquet.
        columns: columns of the file.
        unread: those of them that the layout does not read.
        rows: rows that were read. `sound` would be loaded, `bad` rejected for `reasons`, and
            `repeated` are the same payments as earlier rows.
        reused: rows whose id belongs to another payment: rejected, or kept apart as the layout
            says.
        fields: field -> "from", the columns or the constant that it comes from, and "understood",
            values of the first rows.
        fraud, genuine: number of labels of sound rows.
        labels_left_out: reason -> number of labels that would be left out.
        refused: why nothing of the file would be loaded; None if something would be.
    """

    file: str
    layout: str
    written: dict[str, Any]
    columns: list[str]
    unread: list[str]
    rows: int = 0
    sound: int = 0
    bad: int = 0
    repeated: int = 0
    reused: int = 0
    reasons: list[dict[str, Any]] = field(default_factory=list)
    fields: dict[str, dict[str, Any]] = field(default_factory=dict)
    fraud: int = 0
    genuine: int = 0
    labels_left_out: dict[str, int] = field(default_factory=dict)
    refused: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the report, JSON-ready."""
        return asdict(self)


def dry_run(path: Path, layout: str | Layout, rows: int = ROWS) -> DryRun:
    """Read the first `rows` rows of a file as a load does, without a database.

    Raises:
        LayoutInvalid: the layout is wrong, or the file lacks one of its columns.
        SourceUnreadable: the file is missing, empty or damaged.
    """
    layout = layout if isinstance(layout, Layout) else load_layout(layout)
    source = open_source(path, layout.dialect)
    names = source.names()
    layout = layout.without(layout.columns() - frozenset(names), names)
    columns = layout.columns()
    report = DryRun(
        file=str(path),
        layout=layout.name,
        written={} if is_parquet(path) else _written(layout.dialect),
        columns=names,
        unread=[name for name in names if name not in columns],
    )
    reasons = RejectionReasons()
    parts: list[CanonicalRows] = []
    joined = read_joined_labels(path, layout)
    for chunk in source.chunks(columns, 0, rows):
        found = canonical_rows(chunk, layout, "dry", joined)
        if report.rows == 0:
            _check_columns(report, chunk, found, layout)
            report.fields = {name: _field(layout, name, found) for name in _fields(layout)}
        reasons.add(found.bad)
        _count(report, found)
        report.rows = chunk.rows_done
        parts.append(found)
    if parts:
        _resolve(report, parts, reasons, layout)
    report.reasons = reasons.as_list()
    if report.rows and not report.sound:
        report.refused = report.refused or "every row that was read is refused"
    return report


def _check_columns(report: DryRun, chunk: Chunk, found: CanonicalRows, layout: Layout) -> None:
    try:
        require_readable_columns(chunk, found, layout)
    except MostlyUnreadable as error:
        report.refused = str(error.args[0])


def _written(dialect: CsvDialect) -> dict[str, Any]:
    written = dialect.model_dump(include=set(CsvDialect.model_fields))
    return {name: value for name, value in written.items() if value not in (None, (), 0)}


def _count(report: DryRun, found: CanonicalRows) -> None:
    report.bad += found.n_bad
    for why, n in found.left_out.items():
        report.labels_left_out[why] = report.labels_left_out.get(why, 0) + n


def _resolve(
    report: DryRun, parts: list[CanonicalRows], reasons: RejectionReasons, layout: Layout
) -> None:
    """Count the rows that repeat a payment, and those whose id belongs to another one."""
    table = pa.concat_tables([part.table for part in parts])
    kept, resolved = resolve_identities(
        table, [(part.rows, part.lines) for part in parts], layout.repeated
    )
    reasons.add(resolved.bad)
    labels = kept["is_fraud"].to_pylist()
    report.sound, report.bad = kept.num_rows, report.bad + len(resolved.bad)
    report.fraud, report.genuine = labels.count(True), labels.count(False)
    report.repeated = int(np.count_nonzero(~resolved.is_new))
    report.reused = sum(map(len, resolved.reused.values()))


def _fields(layout: Layout) -> list[str]:
    mapped = {*layout.text, *layout.degrees, "timestamp", "amount"}
    mapped |= {"is_fraud", "known_at"} if layout.label is not None else set()
    return [name for name in _FIELDS if name in mapped]


def _field(layout: Layout, name: str, found: CanonicalRows) -> dict[str, Any]:
    return {"from": _origin(layout, name), "understood": _understood(found.table, name)}


def _origin(layout: Layout, name: str) -> str:
    columns = columns_of(layout, name)
    if columns:
        return " + ".join(columns)
    text = layout.text.get(name)
    if text is not None and text.constant is not None:
        return f"always {text.constant}"
    if name == "known_at" and layout.label is not None:
        if layout.label.delay_ms is None:
            return "unknown: delay_days is missing"
        return f"{layout.label.delay_ms / 86_400_000:g} days after the payment"
    return "the row's number"


def _understood(table: pa.Table, name: str) -> list[str]:
    """The first distinct values of the sound rows."""
    kept: dict[str, None] = {}
    for row in table.slice(0, 200).to_pylist():
        kept.setdefault(_value(row, name))
        if len(kept) > _SHOWN:
            break
    return [text for text in kept if text][:_SHOWN]


def _value(row: dict[str, Any], name: str) -> str:
    if name == "amount":
        return f"{to_major(row['amount_minor'], row['currency'])} {row['currency']}"
    value = row["occurred_at" if name == "timestamp" else name]
    if value is None:
        return ""
    if name in ("timestamp", "known_at"):
        return str(value.isoformat(timespec="seconds").replace("+00:00", "Z"))
    if name == "is_fraud":
        return "fraud" if value else "genuine"
    return masked_cell(value)[1:-1] if isinstance(value, str) else f"{value:g}"
