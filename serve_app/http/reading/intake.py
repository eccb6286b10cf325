"""Bytes to columns: the fast path of reading a request.

A valid body is decoded and checked here in a few microseconds. Anything wrong or merely rare (an
exponent in an amount, an escaped control character) goes to `serve_app.http.reading.transaction`,
which accepts it or names every fault.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

import msgspec

from fraud.errors import InvalidInput
from fraud.payment import metadata
from fraud.payment.batch import TRANSACTION_COLUMNS, TransactionBatch
from fraud.payment.currency import CURRENT
from fraud.payment.limits import (
    COUNTRIES,
    MAX_AMOUNT_HUNDREDTHS,
    MAX_TIMESTAMP_MS,
    MIN_TIMESTAMP_MS,
)
from serve_app.gateway.search import DAY_MS
from serve_app.http.problems import MalformedBody
from serve_app.http.reading.fault import (
    Fault,
    fault,
    missing_field,
    not_an_object,
    unknown_fields,
)
from serve_app.http.reading.fields import EPOCH, MILLISECOND, Period, rows_problem
from serve_app.http.reading.json_body import read_json
from serve_app.http.reading.transaction import Row, inspect_transaction
from serve_app.http.wire.schemas import BatchEnvelope, TransactionIn

_transaction = msgspec.json.Decoder(TransactionIn)
_envelope = msgspec.json.Decoder(BatchEnvelope)

# A JSON number or string: valid JSON cannot have a quote on one side only.
_AMOUNT = re.compile(rb'"?(0|[1-9][0-9]{0,12})(?:\.([0-9]{1,3}))?"?')
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_PADDED: Final = {0: b"", 1: b"0", 2: b"00", 3: b"000"}
_FAST_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

Finding = tuple[Row | None, list[Fault]]
ROWS_A_TURN: Final = 64
DETAIL = "the transaction cannot be read"


class _NotFast(Exception):
    """Not for the fast path; not necessarily wrong."""


@dataclass(frozen=True, slots=True)
class Intake:
    """Reads bodies into batches.

    Attributes:
        max_batch_rows: most rows of one batch request.
        max_future_ms, max_past_ms: how far from now a payment may lie.
        now_ms: the clock, milliseconds since the epoch.
    """

    max_batch_rows: int
    max_future_ms: int
    max_past_ms: int
    now_ms: Callable[[], int]

    def transaction(self, body: bytes, tenant: str) -> TransactionBatch:
        """Return the one transaction in a body.

        Raises:
            InvalidInput: with every wrong field; MalformedBody if it is not JSON.
        """
        period = self._period()
        try:
            row = _fast_row(_transaction.decode(body), period, _is_plain(body))
        except (*_FAST_ERRORS, _NotFast):
            found, faults = inspect_transaction(read_json(body), "", period)
            if found is None:
                raise InvalidInput(DETAIL, tuple(faults)) from None
            row = found
        *values, notes = row
        batch = TransactionBatch([tenant], *[[value] for value in values])
        batch.metadata = None if notes is None else [notes]
        return batch

    async def batch(
        self, body: bytes, tenant: str
    ) -> tuple[TransactionBatch, list[InvalidInput | None]]:
        """Return the transactions of a batch: the valid rows, and for each row its error or None.

        Gives way to other requests every `ROWS_A_TURN` rows.

        Raises:
            InvalidInput: the body as a whole is wrong; a wrong row is not a wrong body.
        """
        period = self._period()
        rows: list[Row] = []
        errors: list[InvalidInput | None] = []
        for found, faults in self._rows(body, period):
            if found is None:
                errors.append(InvalidInput(DETAIL, tuple(faults)))
            else:
                rows.append(found)
                errors.append(None)
            if len(errors) % ROWS_A_TURN == 0:
                await asyncio.sleep(0)
        columns = [list(column) for column in zip(*rows, strict=True)]
        *columns, notes = columns or [[] for _ in (*TRANSACTION_COLUMNS, "metadata")]
        batch = TransactionBatch([tenant] * len(rows), *columns)
        batch.metadata = notes if any(note is not None for note in notes) else None
        return batch, errors

    def _period(self) -> Period:
        now = self.now_ms()
        return Period(
            max(now - self.max_past_ms, MIN_TIMESTAMP_MS),
            min(now + self.max_future_ms, MAX_TIMESTAMP_MS - 1),
            *_expectations(self.max_past_ms, self.max_future_ms),
        )

    def _rows(self, body: bytes, period: Period) -> Iterator[Finding]:
        try:
            raws = _envelope.decode(body).transactions
        except _FAST_ERRORS:
            yield from self._slow_rows(body, period)
            return
        if problem := rows_problem(raws, self.max_batch_rows):
            raise _refused(fault("/transactions", "transactions", problem))
        plain = _is_plain(body)
        for i, raw in enumerate(raws):
            try:
                yield _fast_row(_transaction.decode(raw), period, plain), []
            except (*_FAST_ERRORS, _NotFast):
                yield _slow_row(bytes(raw), f"/transactions/{i}", period)

    def _slow_rows(self, body: bytes, period: Period) -> Iterator[Finding]:
        value = read_json(body)
        if not isinstance(value, dict):
            raise _refused(not_an_object(""))
        faults = unknown_fields(value, ("transactions",), "")
        rows = value.get("transactions")
        if "transactions" not in value:
            faults.append(missing_field(value, "transactions", ""))
        elif problem := rows_problem(rows, self.max_batch_rows):
            faults.append(fault("/transactions", "transactions", problem))
        if faults:
            raise _refused(*faults)
        assert isinstance(rows, list)
        for i, row in enumerate(rows):
            yield inspect_transaction(row, f"/transactions/{i}", period)


@cache  # a request that is in order needs neither
def _expectations(max_past_ms: int, max_future_ms: int) -> tuple[str, str]:
    """Return the expectations where a payment is too old and where it is too far ahead."""
    days = max_past_ms / DAY_MS
    past = "1 day" if days == 1 else f"{days:g} days"
    return (
        f"expected a time at most {past} ago; load older payments with `quorum load`",
        f"expected a time at most {max_future_ms / 1000:g} s ahead; check the clock",
    )


def _slow_row(raw: bytes, pointer: str, period: Period) -> Finding:
    try:
        value = read_json(raw)
    except MalformedBody as error:
        # The row's own JSON is broken in a way that skipping over it does not show.
        return None, [(pointer, code, detail) for _, code, detail in error.errors]
    return inspect_transaction(value, pointer, period)


def _refused(*faults: Fault) -> InvalidInput:
    return InvalidInput("the batch cannot be read", faults)


def _is_plain(body: bytes) -> bool:
    """Return whether no string of a valid JSON body can hold an unprintable character."""
    return body.isascii() and b"\\" not in body and b"\x7f" not in body


def _fast_row(t: TransactionIn, period: Period, plain: bool) -> Row:
    """Return the decoded transaction as a row. Raises _NotFast on anything unusual."""
    moment = (t.timestamp - EPOCH) // MILLISECOND
    country = t.country
    ip = t.ip_address
    if (
        not period.earliest_ms <= moment <= period.latest_ms
        or (country is not None and country not in COUNTRIES)
        or (ip is not None and not _is_ip(ip))
    ):
        raise _NotFast
    texts = (t.transaction_id, t.customer_id, t.merchant_id, t.merchant_category,
             t.counterparty_id, t.device_id)  # fmt: skip
    for text in texts:
        if text is not None and (text.isspace() or not (plain or _is_printable(text))):
            raise _NotFast
    return (
        texts[0], texts[1], moment, _minor(bytes(t.amount), t.currency), t.currency, t.type,
        *texts[2:], ip, country, t.channel, t.latitude, t.longitude,
        None if t.metadata is None else _notes(t.metadata),
    )  # fmt: skip


def _notes(given: dict[str, str]) -> str:
    if metadata.problems(given):
        raise _NotFast
    return metadata.text_of(given)


def _is_printable(text: str) -> bool:
    return _UNPRINTABLE.search(text) is None


def _is_ip(text: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, text)
        except (OSError, ValueError):
            continue
        return True
    return False


def _minor(text: bytes, currency: str) -> int:
    """Return the minor units of an amount in plain notation, computed from its digits alone."""
    exponent = CURRENT.get(currency)
    match = _AMOUNT.fullmatch(text)
    if exponent is None or match is None:
        raise _NotFast
    whole, decimals = match.groups()
    decimals = b"" if decimals is None else decimals
    if len(decimals) > exponent:
        raise _NotFast
    minor = int(whole + decimals + _PADDED[exponent - len(decimals)])
    # The cap is in hundredths of a currency unit: a yen is 100, a cent one.
    if minor == 0 or minor * 100 > MAX_AMOUNT_HUNDREDTHS * 10**exponent:
        raise _NotFast
    return minor
