"""Payments of a file in canonical columns, as bodies to send.

The tail of the file is played in order, shifted in time so that its last payment happens now, with
the gaps of the file: customers behave as they do in the file, whatever the rate of sending. A tail
longer than `MAX_SPAN_MS` is compressed in time, because Quorum decides only on recent payments.

Customers, merchants, devices and counterparties get new ids. Those of the file have a history, into
which the same payments would fall late and a second time. After the last payment the tail starts
again, shifted again, with new ids again. Every body has a fresh transaction id. With `passes`, the
same customers make the payments of the tail several times, one pass after the other.
"""

from __future__ import annotations

import json
import math
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

REQUIRED = ("customer_id", "timestamp", "amount", "currency", "type")
_TEXTS = (
    *("customer_id", "currency", "type", "merchant_id", "merchant_category"),
    *("counterparty_id", "device_id", "ip_address", "country", "channel"),
)
_ENTITIES = frozenset({"customer_id", "merchant_id", "device_id", "counterparty_id"})
MAX_SPAN_MS = 6 * 86_400_000
"""The seven days of QUORUM_MAX_PAST_DAYS, less a day for sending."""

_SUFFIX = "~again~"
_MARK = _SUFFIX.encode()
_MAX_ID_CHARS = 64 - len("~00000000")
_NUMBERS = ("latitude", "longitude")
_COLUMNS = (*_TEXTS, "timestamp", "amount", *_NUMBERS, "is_fraud")
_TRUE = frozenset({"1", "1.0", "true", "True"})


class Payment(NamedTuple):
    """One payment of the file.

    Attributes:
        at_ms: its time in the file, milliseconds since 1970.
        fields: its JSON members without id, time and opening brace; the ids of entities end with
            `~again~`, which is replaced in each playing.
        is_fraud: its label in the file, or None.
    """

    at_ms: int
    fields: bytes
    is_fraud: bool | None


class Order(NamedTuple):
    """A payment ready to be sent: `body` is a JSON object whose id is `transaction_id`."""

    transaction_id: str
    body: bytes
    is_fraud: bool | None


class Playlist:
    """An endless sequence of payments.

    Args:
        payments: in order of time, at least one.
        run: prefix of every transaction id, unique to the run.
        now_ms: the clock, milliseconds since 1970.
        passes: how often the same customers make the payments, without a gap, before new
            customers take their place.
    """

    def __init__(
        self,
        payments: Sequence[Payment],
        run: str | None = None,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        passes: int = 1,
    ) -> None:
        if not payments:
            raise ValueError("no payments to play")
        self._payments = payments
        self._run = run or f"load-{uuid4().hex[:12]}"
        self._now_ms = now_ms
        self._passes = passes
        self._first_ms = payments[0].at_ms
        self._pass_ms = payments[-1].at_ms - self._first_ms + 1000
        self._speed = min(1.0, MAX_SPAN_MS / (passes * self._pass_ms))
        self._played = 0
        self._begin_ms = 0.0
        self._suffix = b""

    def take(self) -> Order:
        """Return the next payment, under an id that was never sent before."""
        place = self._played % len(self._payments)
        if place == 0:
            self._begin_pass()
        payment = self._payments[place]
        transaction_id = f"{self._run}-{self._played:09d}"
        self._played += 1
        at_ms = round(self._begin_ms + (payment.at_ms - self._first_ms) * self._speed)
        minute, ms = divmod(at_ms, 60_000)
        body = b'{"transaction_id":"%b","timestamp":"%b%02d.%03dZ",%b' % (
            transaction_id.encode(),
            _minute(minute),
            ms // 1000,
            ms % 1000,
            payment.fields.replace(_MARK, self._suffix),
        )
        return Order(transaction_id, body, payment.is_fraud)

    def _begin_pass(self) -> None:
        number = self._played // len(self._payments) % self._passes
        if number == 0:
            # The last pass ends now.
            self._begin_ms = self._now_ms() - (self._passes * self._pass_ms - 1000) * self._speed
            self._suffix = b"~%08x" % secrets.randbits(32)
        else:
            self._begin_ms += self._pass_ms * self._speed

    def take_batch(self, rows: int) -> tuple[list[Order], bytes]:
        """Return the next `rows` payments and the body of a batch request with them."""
        orders = [self.take() for _ in range(rows)]
        return orders, b'{"transactions":[%b]}' % b",".join(order.body for order in orders)


@lru_cache(maxsize=4096)
def _minute(minute: int) -> bytes:
    """Return RFC 3339 up to the seconds. Cached, because consecutive payments mostly share a minute
    and formatting would be half of the cost of a body."""
    moment = datetime.fromtimestamp(minute * 60, UTC)
    return f"{moment:%Y-%m-%dT%H:%M}:".encode()


def read_payments(path: Path, rows: int) -> list[Payment]:
    """Read the last `rows` payments of a Parquet or CSV file, in order of time.

    Raises:
        ValueError: a required column is missing, or there are no rows.
        OSError: the file cannot be read.
    """
    tables = _csv_tail(path, rows) if ".csv" in path.suffixes else _parquet_tail(path, rows)
    payments = [payment for table in tables for payment in _payments(table, path)][-rows:]
    if not payments:
        raise ValueError(f"{path}: no payments in it")
    payments.sort(key=lambda payment: payment.at_ms)
    return payments


def _parquet_tail(path: Path, rows: int) -> list[pa.Table]:
    """Read row groups from the end, so that only the end of a huge file is read."""
    with pq.ParquetFile(path) as file:
        columns = _known(file.schema_arrow.names, path)
        found: deque[pa.Table] = deque()
        for group in reversed(range(file.num_row_groups)):
            if sum(len(table) for table in found) >= rows:
                break
            found.appendleft(file.read_row_group(group, columns=columns, use_threads=False))
    return list(found)


def _csv_tail(path: Path, rows: int) -> list[pa.Table]:
    # As text, because an id of digits must keep its form.
    options = pa_csv.ConvertOptions(
        column_types=dict.fromkeys(_COLUMNS, pa.string()), strings_can_be_null=True
    )
    found: deque[pa.Table] = deque()
    with pa_csv.open_csv(path, convert_options=options) as reader:
        columns = _known(reader.schema.names, path)
        for batch in reader:
            found.append(pa.Table.from_batches([batch]).select(columns))
            while sum(len(table) for table in found) - len(found[0]) >= rows:
                found.popleft()
    return list(found)


def _known(names: Sequence[str], path: Path) -> list[str]:
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise ValueError(f"{path}: no column {', '.join(missing)}; see the canonical layout")
    return [name for name in _COLUMNS if name in names]


def _payments(table: pa.Table, path: Path) -> Iterator[Payment]:
    times = _times_ms(table.column("timestamp"), path)
    rest = table.drop_columns(["timestamp"]).to_pylist()
    for at_ms, row in zip(times, rest, strict=True):
        label = row.pop("is_fraud", None)
        yield Payment(at_ms, _fields(row), None if label is None else str(label) in _TRUE)


def _times_ms(column: pa.ChunkedArray, path: Path) -> list[int]:
    if pa.types.is_timestamp(column.type):
        # The wire has milliseconds, too.
        moments = column.cast(pa.timestamp("ms", tz="UTC"), safe=False).cast(pa.int64())
        return list(moments.to_pylist())
    try:
        texts = [datetime.fromisoformat(str(text)) for text in column.to_pylist()]
    except ValueError:
        raise ValueError(f"{path}: timestamp is neither a time nor RFC 3339") from None
    zoned = [moment if moment.tzinfo else moment.replace(tzinfo=UTC) for moment in texts]
    return [int(moment.timestamp() * 1000) for moment in zoned]


def _fields(row: dict[str, Any]) -> bytes:
    """Return the JSON members of a payment, without missing ones."""
    fields: dict[str, Any] = {
        name: str(row[name]) for name in _TEXTS if row.get(name) not in (None, "")
    }
    for name in _ENTITIES & fields.keys():
        fields[name] = fields[name][:_MAX_ID_CHARS] + _SUFFIX
    fields["amount"] = _amount(row["amount"])
    for name in _NUMBERS:
        value = row.get(name)
        if value not in (None, "") and not math.isnan(float(value)):
            fields[name] = float(value)
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode()[1:]


def _amount(value: object) -> str:
    """Format a decimal without an exponent or trailing zeros."""
    text = format(Decimal(str(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
