"""The drain-when-free coalescer: requests that arrive together travel together.

At most `lanes` micro-batches are in flight. While all lanes are busy arrivals gather; the moment
one is free, all that wait leave in it. Nothing ever waits for company: there is no timer. Where
calls end badly there are fewer lanes and smaller micro-batches for a while (`serve_app.pace`).

A micro-batch is first shown to `admit`, whole: rows that it refuses stay behind, the others go on.

Promises: a row gets its own answer or its own error, in order. A submitter that goes away does
not stop the batch it travels in. A batch that fails for a reason that may lie in its rows is
halved until the poisoned row stands alone; a part that is down or overloaded is not asked again.
A submitter hears in time, whatever happens to its rows.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from fraud.batch import TransactionBatch
from fraud.decision import DecisionBatch
from fraud.errors import Overloaded, Unavailable
from serve_app.auth import Principal
from serve_app.pace import Pace
from serve_app.problems import unwrapped

MAX_ISOLATION_CALLS = 64
"""Calls spent on finding the rows that made one micro-batch fail."""

Decide = Callable[[TransactionBatch], Awaitable[DecisionBatch]]
Admit = Callable[[Sequence[tuple[Principal, TransactionBatch]]], Awaitable[dict[int, Exception]]]
"""Which rows of some submissions, numbered through, may not be decided, and why."""


class Decided(NamedTuple):
    """Row `row` of `batch` is the answer."""

    batch: DecisionBatch
    row: int


RowAnswer = Decided | Exception


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
class _Waiting:
    batch: TransactionBatch
    caller: Principal
    future: asyncio.Future[Answers]
    since: float
    rows: int = field(init=False)

    def __post_init__(self) -> None:
        self.rows = len(self.batch)


class Coalescer:
    """Gathers submissions into micro-batches for `decide`.

    Args:
        decide: answers a micro-batch, row by row, or raises.
        admit: says which rows may not be decided.
        lanes: micro-batches in flight at most, now.
        max_rows_per_call: rows of a micro-batch at most.
        max_queued_rows: rows that may wait; more are refused.
        timeout_s: longest time from submission to answer.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        decide: Decide,
        admit: Admit,
        *,
        lanes: Callable[[], int],
        max_rows_per_call: int,
        max_queued_rows: int,
        timeout_s: float,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._decide = decide
        self._admit = admit
        # A call of half the time leaves those who waited meanwhile the other half.
        self._pace = Pace(lanes, max_rows_per_call, timeout_s / 2)
        self._max_queued = max_queued_rows
        self._timeout_s = timeout_s
        self._clock = clock
        self._queue: deque[_Waiting] = deque()
        self._queued_rows = 0
        # All that are not answered, oldest first, among some that are.
        self._unanswered: deque[_Waiting] = deque()
        self._sweep_due = False
        self._dispatch_due = False
        self._flights: set[asyncio.Task[None]] = set()

    @property
    def queued_rows(self) -> int:
        """Rows that wait for a lane."""
        return self._queued_rows

    async def submit(self, batch: TransactionBatch, caller: Principal) -> Answers:
        """Answers to the rows of `batch`, which `caller` sends.

        Raises:
            Overloaded: too many rows are waiting; nothing of the batch was taken.
            TimeoutError: no answer within `timeout_s`; the rows may still be decided.
        """
        rows = len(batch)
        if self._queued_rows + rows > self._max_queued:
            self._forget_the_gone()
            if self._queued_rows + rows > self._max_queued:
                raise Overloaded("too many transactions are waiting for a decision", 1.0)
        most = self._pace.rows
        if rows <= most:
            return await self._enqueue(batch, caller)
        # A large submission travels in parts, all queued before any is awaited.
        parts = [batch.slice(at, at + most) for at in range(0, rows, most)]
        answers = await asyncio.gather(
            *[self._enqueue(part, caller) for part in parts], return_exceptions=True
        )
        return _joined(parts, answers)

    async def drain(self) -> None:
        """Wait until nothing is in flight and nothing waits."""
        while self._flights:
            await asyncio.wait(self._flights)

    def _enqueue(self, batch: TransactionBatch, caller: Principal) -> asyncio.Future[Answers]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answers] = loop.create_future()
        waiting = _Waiting(batch, caller, future, self._clock())
        self._queue.append(waiting)
        self._queued_rows += waiting.rows
        self._unanswered.append(waiting)
        if not self._sweep_due:
            self._sweep_due = True
            loop.call_later(self._timeout_s, self._sweep)
        if not self._dispatch_due and len(self._flights) < self._pace.lanes:
            # At the end of this turn of the loop: what arrived in the same turn comes along.
            self._dispatch_due = True
            loop.call_soon(self._dispatch)
        return future

    def _sweep(self) -> None:
        """Tell those whose time is up. One timer for all: they are in the order of their time."""
        unanswered, due = self._unanswered, self._clock() - self._timeout_s
        while unanswered and (unanswered[0].future.done() or unanswered[0].since <= due):
            future = unanswered.popleft().future
            if not future.done():
                future.set_exception(TimeoutError("no decision in time"))
        self._sweep_due = bool(unanswered)
        if unanswered:
            asyncio.get_running_loop().call_later(unanswered[0].since - due, self._sweep)

    def _dispatch(self) -> None:
        self._dispatch_due = False
        while len(self._flights) < self._pace.lanes and (group := self._next_group()):
            flight = asyncio.get_running_loop().create_task(self._fly(group))
            self._flights.add(flight)
            flight.add_done_callback(self._landed)

    def _next_group(self) -> list[_Waiting]:
        group: list[_Waiting] = []
        rows = 0
        while self._queue:
            head = self._queue[0]
            if not head.future.done():
                if group and rows + head.rows > self._pace.rows:
                    break
                rows += head.rows
                group.append(head)
            self._queue.popleft()
            self._queued_rows -= head.rows
        return group

    def _landed(self, flight: asyncio.Task[None]) -> None:
        self._flights.discard(flight)
        self._dispatch()
        unanswered = self._unanswered
        while unanswered and unanswered[0].future.done():
            unanswered.popleft()

    async def _fly(self, group: list[_Waiting]) -> None:
        departed = admitted = self._clock()
        rows: list[RowAnswer]
        budget = _Budget(MAX_ISOLATION_CALLS)
        whole = group[0].batch
        if len(group) > 1:
            whole = TransactionBatch.concat([waiting.batch for waiting in group])
        try:
            # After this long every submitter is gone: the lane must not stay with a hung call.
            async with asyncio.timeout(self._timeout_s):
                refused = await self._admit([(w.caller, w.batch) for w in group])
                admitted = self._clock()
                rows = await self._answer_but(refused, whole, budget)
        except asyncio.CancelledError:
            # The combiner's replica was stopped under the call, or this task was: those who wait
            # must hear of it, and the task ends here anyway.
            rows = [Unavailable("the call was cancelled")] * len(whole)
        except Exception as error:
            rows = [error] * len(whole)
        self._pace.landed(len(whole), self._clock() - departed, overloaded=budget.overloaded)
        at = 0
        admit_ms = (admitted - departed) * 1000
        for waiting in group:
            if not waiting.future.done():
                wait_ms = (departed - waiting.since) * 1000
                own = rows[at : at + waiting.rows]
                waiting.future.set_result(Answers(own, wait_ms, admit_ms))
            at += waiting.rows

    async def _answer_but(
        self, refused: dict[int, Exception], batch: TransactionBatch, budget: _Budget
    ) -> list[RowAnswer]:
        if not refused:
            return await self._answer(batch, budget)
        rows: list[RowAnswer] = []
        admitted = [i for i in range(len(batch)) if i not in refused]
        if admitted:
            rows = await self._answer(batch.take(admitted), budget)
        answers = iter(rows)
        return [refused[i] if i in refused else next(answers) for i in range(len(batch))]

    async def _answer(self, batch: TransactionBatch, budget: _Budget) -> list[RowAnswer]:
        rows = len(batch)
        try:
            decided = await self._decide(batch)
            if decided.transaction_id != batch.transaction_id:
                raise RuntimeError("the answer is not about the rows that were asked about")
            return [Decided(decided, i) for i in range(rows)]
        except Exception as error:
            budget.overloaded |= isinstance(unwrapped(error), Overloaded)
            if rows == 1 or not _may_lie_in_rows(error) or not budget.take(2):
                return [error] * rows
        half = rows // 2
        return [
            *await self._answer(batch.slice(0, half), budget),
            *await self._answer(batch.slice(half, rows), budget),
        ]

    def _forget_the_gone(self) -> None:
        self._queue = deque(w for w in self._queue if not w.future.done())
        self._queued_rows = sum(w.rows for w in self._queue)


@dataclass(slots=True)
class _Budget:
    calls: int
    overloaded: bool = False

    def take(self, calls: int) -> bool:
        self.calls -= calls
        return self.calls >= 0


def _may_lie_in_rows(error: Exception) -> bool:
    return not isinstance(unwrapped(error), Unavailable | Overloaded | TimeoutError)


def _joined(parts: list[TransactionBatch], answers: list[Answers | BaseException]) -> Answers:
    rows: list[RowAnswer] = []
    wait_ms = admit_ms = 0.0
    for part, answer in zip(parts, answers, strict=True):
        if isinstance(answer, Answers):
            rows.extend(answer.rows)
            wait_ms = max(wait_ms, answer.wait_ms)
            admit_ms = max(admit_ms, answer.admit_ms)
        elif isinstance(answer, Exception):
            rows.extend([answer] * len(part))
        else:
            raise answer
    return Answers(rows, wait_ms, admit_ms)
