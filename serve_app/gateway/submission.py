"""A submission that waits for its decisions, and its answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from fraud.decision import DecisionBatch
from fraud.errors import Unavailable
from fraud.payment.batch import TransactionBatch
from fraud.stage import LIMIT, WAIT, thousandths
from serve_app.gateway.auth import Principal


class Decided(NamedTuple):
    """Row `row` of `batch` is the answer. `stages` and `metadata` are those of the submitted row;
    see TransactionBatch."""

    batch: DecisionBatch
    row: int
    stages: str = ""
    metadata: str | None = None


RowAnswer = Decided | Exception

PENDING = Unavailable("its history is being fetched")
"""Placeholder for the answer of a row whose history is being fetched."""


class Answers(NamedTuple):
    """Answers to one submission.

    Attributes:
        rows: one for each submitted row, in order; an exception is that row's own.
        wait_ms: time that the submission waited for a lane.
        admit_ms: time that its micro-batch waited for `admit`.
    """

    rows: list[RowAnswer]
    wait_ms: float
    admit_ms: float


@dataclass(slots=True, eq=False)
class Submission:
    """Rows that wait for their answers.

    Attributes:
        batch: the rows, n >= 1.
        principal: the sender.
        has_left: returns whether the sender has stopped waiting.
        future: receives the answers.
        since: when the rows were submitted, seconds on the coalescer's clock.
        earlier: answers from an earlier call; `batch` is what that call left pending.
    """

    batch: TransactionBatch
    principal: Principal
    has_left: Callable[[], bool]
    future: asyncio.Future[Answers]
    since: float
    earlier: Answers | None = None
    rows: int = field(init=False)

    def __post_init__(self) -> None:
        self.rows = len(self.batch)

    def note_stages(self, started: float, admitted: float) -> None:
        """Add the stages "wait" and "limit" to each row, for its answer and its record.

        Args:
            started: end of the wait for a lane, seconds on the clock of `since`.
            admitted: end of the wait for the rate limits, likewise.
        """
        wait_ms = thousandths((started - self.since) * 1000)
        limit_ms = thousandths((admitted - started) * 1000)
        before = f"{self.batch.stages[0]}," if self.batch.stages else ""
        self.batch.stages = [f'{before}"{WAIT}":{wait_ms},"{LIMIT}":{limit_ms}'] * self.rows

    def answers(self, rows: list[RowAnswer], wait_ms: float, admit_ms: float) -> Answers:
        """Return all answers known so far; `rows` are those to `batch`."""
        if self.earlier is None:
            return Answers(rows, wait_ms, admit_ms)
        own = iter(rows)
        merged = [next(own) if row is PENDING else row for row in self.earlier.rows]
        return self.earlier._replace(rows=merged)

    def pending(self, answers: Answers) -> Submission:
        """Return a submission of the rows that are pending in `answers`."""
        rows = [i for i, row in enumerate(answers.rows) if row is PENDING]
        batch = self.batch if len(rows) == self.rows else self.batch.take(rows)
        return Submission(batch, self.principal, self.has_left, self.future, self.since, answers)
