"""A submission that waits for its decisions, and what it is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from fraud.decision import DecisionBatch
from fraud.errors import Unavailable
from fraud.payment.batch import TransactionBatch
from fraud.stage import thousandths
from serve_app.gateway.auth import Principal


class Decided(NamedTuple):
    """Row `row` of `batch` is the answer; `stages` and `metadata` are those of the row asked about,
    see TransactionBatch."""

    batch: DecisionBatch
    row: int
    stages: str = ""
    metadata: str | None = None


RowAnswer = Decided | Exception

LATER = Unavailable("its history is on its way")
"""Stands where a row's answer will be."""


class Answers(NamedTuple):
    """Answers of one submission.

    Attributes:
        rows: one for each row submitted, in order; an exception is that row's own.
        wait_ms: how long the submission waited for a lane.
        admit_ms: how long its micro-batch waited for `admit`.
    """

    rows: list[RowAnswer]
    wait_ms: float
    admit_ms: float


@dataclass(slots=True, eq=False)
class Waiting:
    """A submission: `batch` of `caller`, at `since`, whose answers go to `future`; whether nobody
    waits for them any more, `has_left` says."""

    batch: TransactionBatch
    caller: Principal
    has_left: Callable[[], bool]
    future: asyncio.Future[Answers]
    since: float
    known: Answers | None = None
    """What an earlier flight has answered; `batch` is what it left for later."""
    rows: int = field(init=False)

    def __post_init__(self) -> None:
        self.rows = len(self.batch)

    def note_stages(self, departed: float, admitted: float) -> None:
        """Note with each row, for its answer and its record, what it has spent on its way here:
        what the batch brought along, then the wait for a lane until `departed` and for its limits
        until `admitted`; seconds on the clock of `since`."""
        wait_ms = thousandths((departed - self.since) * 1000)
        limit_ms = thousandths((admitted - departed) * 1000)
        before = f"{self.batch.stages[0]}," if self.batch.stages else ""
        self.batch.stages = [f'{before}"wait":{wait_ms},"limit":{limit_ms}'] * self.rows

    def answers(self, rows: list[RowAnswer], wait_ms: float, admit_ms: float) -> Answers:
        """All that is known with these answers to `batch`."""
        if self.known is None:
            return Answers(rows, wait_ms, admit_ms)
        own = iter(rows)
        merged = [next(own) if row is LATER else row for row in self.known.rows]
        return self.known._replace(rows=merged)

    def cold(self, known: Answers) -> Waiting:
        """The rows that `known` has no answer to."""
        later = [i for i, row in enumerate(known.rows) if row is LATER]
        batch = self.batch if len(later) == self.rows else self.batch.take(later)
        return Waiting(batch, self.caller, self.has_left, self.future, self.since, known)
