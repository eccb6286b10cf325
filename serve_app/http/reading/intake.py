"""Bytes to columns: the fast path of reading a request.

A sound body is decoded and checked here in a few microseconds. Anything unusual, wrong or merely
rare (an exponent in an amount, an escaped control character), goes to
`serve_app.http.reading.faults`, which decides about it and names every fault.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

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
from serve_app.http.problems import MalformedBody
from serve_app.http.reading import faults
from serve_app.http.reading.faults import EPOCH, MILLISECOND, Fault, Row, Window
from serve_app.http.wire.schemas import BatchEnvelope, TransactionIn

_transaction = msgspec.json.Decoder(TransactionIn)
_envelope = msgspec.json.Decoder(BatchEnvelope)

# A JSON number or string alike: valid JSON cannot have a quote on one side only.
_AMOUNT = re.compile(rb'"?(0|[1-9][0-9]{0,12})(?:\.([0-9]{1,3}))?"?')
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_PADDED: Final = {0: b"", 1: b"0", 2: b"00", 3: b"000"}
_FAST_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

Finding = tuple[Row | None, list[Fault]]
ROWS_A_TURN: Final = 64
DETAIL = "the transaction cannot be read; errors names each wrong field"


class _NotFast(Exception):
    """Not wrong, perhaps: only not for the fast path."""


@dataclass(frozen=True, slots=True)
class Intake:
    """Reads bodies into batches.

    Attributes:
        max_batch_rows: rows of one batch request at most.
        max_future_ms, max_past_ms: how far from now a payment may lie.
        now_ms: the clock: milliseconds since the epoch.
    """

    max_batch_rows: int
    max_future_ms: int
    max_past_ms: int
    now_ms: Callable[[], int]

    def transaction(self, body: bytes, tenant: str) -> TransactionBatch:
        """The one transaction that a body holds.

        Raises:
            InvalidInput: naming every wrong field; MalformedBody if it is not JSON.
        """
        window = self._window()
        try:
            row = _fast_row(_transaction.decode(body), window, _is_plain(body))
        except (*_FAST_ERRORS, _NotFast):
            found, wrong = faults.inspect_transaction(faults.read_json(body), "", window)
            if found is None:
                raise InvalidInput(DETAIL, tuple(wrong)) from None
            row = found
        *values, notes = row
        batch = TransactionBatch([tenant], *[[value] for value in values])
        batch.metadata = None if notes is None else [notes]
        return batch

    async def batch(
        self, body: bytes, tenant: str
    ) -> tuple[TransactionBatch, list[InvalidInput | None]]:
        """The transactions of a batch: the sound rows, and for each row its fault or None.

        Gives way to other requests every `ROWS_A_TURN` rows.

        Raises:
            InvalidInput: the body as a whole is wrong; a wrong row is not a wrong body.
        """
        window = self._window()
        rows: list[Row] = []
        verdicts: list[InvalidInput | None] = []
        for found, wrong in self._rows(body, window):
            if found is None:
                verdicts.append(InvalidInput(DETAIL, tuple(wrong)))
            else:
                rows.append(found)
                verdicts.append(None)
            if len(verdicts) % ROWS_A_TURN == 0:
                await asyncio.sleep(0)
        columns = [list(column) for column in zip(*rows, strict=True)]
        *columns, notes = columns or [[] for _ in (*TRANSACTION_COLUMNS, "metadata")]
        batch = TransactionBatch([tenant] * len(rows), *columns)
        batch.metadata = notes if any(note is not None for note in notes) else None
        return batch, verdicts

    def _window(self) -> Window:
        now = self.now_ms()
        return Window(
            max(now - self.max_past_ms, MIN_TIMESTAMP_MS),
            min(now + self.max_future_ms, MAX_TIMESTAMP_MS - 1),
            f"lies more than {_days(self.max_past_ms)} in the past: older payments are not decided"
            " on; load them with `quorum load`",
            f"lies more than {_seconds(self.max_future_ms)} in the future: send it when it"
            " happens, and check the clock",
        )

    def _rows(self, body: bytes, window: Window) -> Iterator[Finding]:
        try:
            raws = _envelope.decode(body).transactions
        except _FAST_ERRORS:
            yield from self._slow_rows(body, window)
            return
        self._check_count(raws)
        plain = _is_plain(body)
        for i, raw in enumerate(raws):
            try:
                yield _fast_row(_transaction.decode(raw), window, plain), []
            except (*_FAST_ERRORS, _NotFast):
                yield _slow_row(bytes(raw), f"/transactions/{i}", window)

    def _slow_rows(self, body: bytes, window: Window) -> Iterator[Finding]:
        value = faults.read_json(body)
        if not isinstance(value, dict):
            raise _refused("", "type", "must be an object")
        wrong = faults.unknown_fields(value, ("transactions",), "")
        rows = value.get("transactions")
        if "transactions" not in value:
            wrong.append(("/transactions", "missing", "is required"))
        elif not isinstance(rows, list):
            wrong.append(("/transactions", "type", "must be an array"))
        if wrong:
            raise InvalidInput("the batch cannot be read", tuple(wrong))
        assert isinstance(rows, list)
        self._check_count(rows)
        for i, row in enumerate(rows):
            yield faults.inspect_transaction(row, f"/transactions/{i}", window)

    def _check_count(self, rows: Sequence[Any]) -> None:
        if not rows:
            raise _refused("/transactions", "empty", "must hold at least one transaction")
        if len(rows) > self.max_batch_rows:
            detail = f"must hold at most {self.max_batch_rows} transactions"
            raise _refused("/transactions", "too_many", detail)


def _days(ms: int) -> str:
    days = ms / 86_400_000
    return "1 day" if days == 1 else f"{days:g} days"


def _seconds(ms: int) -> str:
    return f"{ms / 1000:g} s"


def _slow_row(raw: bytes, pointer: str, window: Window) -> Finding:
    try:
        value = faults.read_json(raw)
    except MalformedBody as error:
        # The row's own JSON is broken in a way that skipping over it does not show.
        return None, [(pointer, code, detail) for _, code, detail in error.errors]
    return faults.inspect_transaction(value, pointer, window)


def _refused(pointer: str, code: str, detail: str) -> InvalidInput:
    return InvalidInput("the batch cannot be read", ((pointer, code, detail),))


def _is_plain(body: bytes) -> bool:
    """Whether no string in a valid JSON body can hold a control character or a line separator."""
    return body.isascii() and b"\\" not in body and b"\x7f" not in body


def _fast_row(t: TransactionIn, window: Window, plain: bool) -> Row:
    """The decoded transaction as a row. Raises _NotFast on anything out of the ordinary."""
    moment = (t.timestamp - EPOCH) // MILLISECOND
    country = t.country
    ip = t.ip_address
    if (
        not window.earliest_ms <= moment <= window.latest_ms
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
    """Minor units of an amount in plain notation, by digits alone: no fraction is ever made."""
    exponent = CURRENT.get(currency)
    match = _AMOUNT.fullmatch(text)
    if exponent is None or match is None:
        raise _NotFast
    whole, decimals = match.groups()
    decimals = b"" if decimals is None else decimals
    if len(decimals) > exponent:
        raise _NotFast
    minor = int(whole + decimals + _PADDED[exponent - len(decimals)])
    # A yen is 100 hundredths, a cent one: the cap is in hundredths (fraud.payment.limits).
    if minor == 0 or minor * 100 > MAX_AMOUNT_HUNDREDTHS * 10**exponent:
        raise _NotFast
    return minor
