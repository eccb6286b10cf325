"""Submissions: their stages, and the rows that wait for history."""

from __future__ import annotations

import asyncio

from fraud.payment.batch import TransactionBatch
from fraud.payment.transaction import Transaction
from serve_app.gateway.auth import Principal
from serve_app.gateway.submission import PENDING, Answers, Submission


def submission(*names: str) -> Submission:
    rows = [Transaction(name, name, 0, 100, "EUR", "purchase") for name in names]
    principal = Principal("k", "acme", "free")
    future: asyncio.Future[Answers] = asyncio.get_running_loop().create_future()
    return Submission(TransactionBatch.of("acme", rows), principal, bool, future, 1.0)


async def test_pending_rows_are_submitted_again_and_merged_into_their_places() -> None:
    first = submission("a", "b", "c")
    error = ValueError()
    answers = first.answers([error, PENDING, PENDING], 5.0, 1.0)
    rest = first.pending(answers)
    assert rest.batch.transaction_id == ["b", "c"]
    assert (rest.future, rest.since) == (first.future, first.since)
    late = [KeyError("b"), KeyError("c")]
    merged = rest.answers(list(late), 100.0, 100.0)
    assert merged == Answers([error, *late], 5.0, 1.0)


async def test_stages_are_added_to_those_that_the_rows_bring_along() -> None:
    one = submission("a", "b")
    one.batch.stages = ['"auth":0.1'] * 2
    one.note_stages(started=1.002, admitted=1.0035)
    assert one.batch.stages == ['"auth":0.1,"wait":2.0,"limit":1.5'] * 2
