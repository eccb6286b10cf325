"""Bodies to columns."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fraud.errors import InvalidInput
from fraud.payment.batch import TransactionBatch
from fraud.payment.currency import EXPONENT
from fraud.payment.transaction import Transaction
from serve_app.http.problems import problem_of
from serve_app.http.reading import intake
from tests.contracts.front import NOW_MS, payment
from tests.contracts.reading import (
    ANY_JSON,
    CANARY,
    CHANGES,
    READER,
    raw,
    read,
)


def test_a_payment_becomes_a_row() -> None:
    batch = read(payment())
    assert batch.tenant == ["acme"]
    assert batch.row(0) == Transaction(
        "t-1", "c-1", NOW_MS, 12990, "EUR", "purchase", "m-1", "5732", None, "d-1",
        "203.0.113.9", "DE", "online", 52.52, 13.405,
    )  # fmt: skip


def test_optional_fields_may_be_left_out_or_null() -> None:
    optional = ("merchant_id", "merchant_category", "device_id", "ip_address", "country")
    optional = (*optional, "channel", "latitude", "longitude", "counterparty_id")
    left_out = read(payment(**dict.fromkeys(optional, ...)))
    assert left_out == read(payment(**dict.fromkeys(optional)))
    assert left_out.device_id == [None]


def test_text_beyond_ascii_is_welcome() -> None:
    for text in ("Zürich", "東京-1", "naïve\u00a0café", "🙂"):
        assert read(payment(merchant_id=text)).merchant_id == [text]
        escaped = json.dumps(payment(merchant_id=text), ensure_ascii=True).encode()
        assert READER.transaction(escaped, "acme").merchant_id == [text]


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(CHANGES)
def test_no_value_is_repeated_and_every_answer_is_sendable(changes: dict[str, Any]) -> None:
    body = json.dumps(payment(**changes)).encode()
    problem = None
    try:
        READER.transaction(body, "acme")
    except InvalidInput as error:
        problem = problem_of(error, "r")
    if problem is not None:
        assert problem.status in (400, 422)
        assert problem.document.errors
        assert CANARY not in problem.body().decode()


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200) | ANY_JSON.map(lambda v: json.dumps(v).encode()))
async def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    statuses = set()
    for read_it in (READER.transaction, READER.batch):
        try:
            result = read_it(body, "acme")
            if not isinstance(result, TransactionBatch):
                await result
        except InvalidInput as error:
            statuses.add(problem_of(error).status)
    assert statuses <= {400, 422}


async def test_a_batch_with_a_number_that_is_none_loses_that_row_only() -> None:
    rows = [raw(), raw(amount="NaN"), raw(latitude="1e400")]
    body = b'{"transactions":[' + b",".join(rows) + b"]}"
    batch, verdicts = await READER.batch(body, "acme")
    assert len(batch) == 1
    assert [v and [(p, c) for p, c, _ in v.errors] for v in verdicts] == [
        None,
        [("/transactions/1/amount", "not_finite")],
        [("/transactions/2/latitude", "not_finite")],
    ]


def test_padding_covers_every_currency() -> None:
    assert set(EXPONENT.values()) <= intake._PADDED.keys()
