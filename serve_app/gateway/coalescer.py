"""The drain-when-free coalescer: requests that arrive together share a micro-batch.

At most `lanes` micro-batches are in flight. While all lanes are busy, arrivals gather; as soon as
one is free, all of them leave in it. No row waits for others: there is no timer. When calls end
badly, there are fewer lanes and smaller micro-batches for a while
(`serve_app.gateway.concurrency`).

A whole micro-batch first passes `admit`: the rows that it refuses are left out, the others go on.
Rows whose history must be fetched first come back undecided and wait again, in lanes of their own
in which the history is waited for: cold customers do not hold up warm ones. A patient coalescer
does not split them off: all rows of a micro-batch wait, and are counted in their order. A
submission larger than a micro-batch travels in parts, one after the other, for the same reason.

Guarantees: a row gets its own answer or its own error, in order. A caller that leaves does not stop
the batch that its rows are in. A batch that fails for a reason that may lie in its rows is halved
until the poisoned row is alone; a part that is down or overloaded is not called again. A caller
gets an answer in time, whatever happens to its rows. Rows that could not be answered in time,
judging by recent calls, are refused at once, so that under any load decisions reach their callers.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from fraud.decision import Decisions
from fraud.errors import Overloaded, Unavailable
from fraud.payment.batch import TransactionBatch
from serve_app.gateway.auth import Principal
from serve_app.gateway.concurrency import ConcurrencyLimit
from serve_app.gateway.errors import CallerGone, unwrapped
from serve_app.gateway.queue import SubmissionQueue, overload
from serve_app.gateway.submission import PENDING, Answers, Decided, RowAnswer, Submission

MAX_ISOLATION_CALLS = 64
"""Calls spent on finding the rows that made one micro-batch fail."""

_COLD_LANES, _COLD_ROWS = 2, 64
"""Micro-batches in flight of rows whose history is fetched, and their size. Fetching is expensive,
and uses the same feature replicas as the warm rows."""

Decide = Callable[[TransactionBatch, bool], Awaitable[Decisions]]
"""(rows, whether to wait until the history of all of them is fetched) -> decisions."""
Admit = Callable[[Sequence[tuple[Principal, TransactionBatch]]], Awaitable[dict[int, Exception]]]
"""Submissions, their rows numbered consecutively -> the rows that may not be decided, and why."""


def never() -> bool:
    """Return False: the caller waits for its answers in any case."""
    return False


class Coalescer:
    """Gathers submissions into micro-batches for `decide`.

    Args:
        decide: answers a micro-batch row by row, or raises.
        admit: returns the rows that may not be decided.
        patient: whether a micro-batch waits for the history of all of its rows.
        lanes: returns the present maximum of micro-batches in flight.
        max_rows_per_call: most rows of a micro-batch.
        max_queued_rows: rows that may wait; more are refused.
        timeout_s: longest time from submission to answer.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        decide: Decide,
        admit: Admit,
        *,
        patient: bool = False,
        lanes: Callable[[], int],
        max_rows_per_call: int,
        max_queued_rows: int,
        timeout_s: float,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._decide = decide
        self._admit = admit
        # A call of half the timeout leaves the other half to the rows that waited meanwhile.
        warm = ConcurrencyLimit(lanes, max_rows_per_call, timeout_s / 2)
        self._warm = SubmissionQueue(warm, timeout_s)
        # Fewer rows would not be faster: their histories are fetched all at once.
        cold = ConcurrencyLimit(lambda: _COLD_LANES, _COLD_ROWS, timeout_s)
        self._cold = SubmissionQueue(cold, timeout_s)
        self._is_patient = patient
        self._max_queued = max_queued_rows
        self._timeout_s = timeout_s
        self._clock = clock
        # All unanswered submissions, oldest first, among some answered ones.
        self._unanswered: deque[Submission] = deque()
        self._sweep_due = False
        self._dispatch_due = False

    @property
    def queued_rows(self) -> int:
        """Rows that wait for a lane."""
        return self._warm.rows + self._cold.rows

    async def submit(
        self,
        batch: TransactionBatch,
        principal: Principal,
        has_left: Callable[[], bool] = never,
    ) -> Answers:
        """Return the answers to the rows of `batch`.

        Args:
            batch: n >= 1 rows.
            principal: the sender.
            has_left: returns whether the sender has stopped waiting; called when a lane is free.

        Raises:
            CallerGone: the sender had left before a lane was free.
            Overloaded: too many rows are waiting, or more than can be answered in time.
            TimeoutError: no answer within `timeout_s`; the rows may still be decided.
        """
        rows = len(batch)
        if not self._has_room(rows):
            self._warm.drop_answered()
            self._cold.drop_answered()
            if not self._has_room(rows):
                raise overload()
        max_rows = self._warm.limit.rows
        if rows <= max_rows:
            return await self._enqueue(batch, principal, has_left)
        parts = [batch.slice(at, at + max_rows) for at in range(0, rows, max_rows)]
        return _joined(parts, await self._one_by_one(parts, principal, has_left))

    async def drain(self) -> None:
        """Wait until nothing is in flight and nothing waits."""
        while calls := self._warm.calls | self._cold.calls:
            await asyncio.wait(calls)

    def _has_room(self, rows: int) -> bool:
        return self.queued_rows + rows <= self._max_queued and self._warm.has_room(rows)

    async def _one_by_one(
        self, parts: list[TransactionBatch], principal: Principal, has_left: Callable[[], bool]
    ) -> list[Answers | Exception]:
        """Submit each part once the one before is answered: a customer's payments are counted in
        their order. Parts without an answer in time get a TimeoutError."""
        answers: list[Answers | Exception] = []
        try:
            async with asyncio.timeout(self._timeout_s):
                for part in parts:
                    try:
                        answers.append(await self._enqueue(part, principal, has_left))
                    except CallerGone:
                        raise
                    except Exception as error:
                        answers.append(error)
        except TimeoutError as error:
            answers += [error] * (len(parts) - len(answers))
        return answers

    def _enqueue(
        self, batch: TransactionBatch, principal: Principal, has_left: Callable[[], bool]
    ) -> asyncio.Future[Answers]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answers] = loop.create_future()
        submission = Submission(batch, principal, has_left, future, self._clock())
        self._warm.add(submission)
        self._unanswered.append(submission)
        if not self._sweep_due:
            self._sweep_due = True
            loop.call_later(self._timeout_s, self._sweep)
        if not self._dispatch_due and self._warm.has_lane:
            # At the end of this turn of the loop, to include what arrives in the same turn.
            self._dispatch_due = True
            loop.call_soon(self._dispatch, self._warm)
        return future

    def _sweep(self) -> None:
        """Time out the submissions that are due. One timer serves all: they are in the order of
        arrival."""
        unanswered, due = self._unanswered, self._clock() - self._timeout_s
        while unanswered and (unanswered[0].future.done() or unanswered[0].since <= due):
            future = unanswered.popleft().future
            if not future.done():
                future.set_exception(TimeoutError("no decision in time"))
        self._sweep_due = bool(unanswered)
        if unanswered:
            asyncio.get_running_loop().call_later(unanswered[0].since - due, self._sweep)

    def _dispatch(self, queue: SubmissionQueue) -> None:
        if queue is self._warm:
            self._dispatch_due = False
        while queue.has_lane:
            group, capacity = queue.take(self._clock())
            if not group:
                return
            call = asyncio.get_running_loop().create_task(self._call(queue, group, capacity))
            queue.calls.add(call)
            call.add_done_callback(partial(self._call_ended, queue))

    def _call_ended(self, queue: SubmissionQueue, call: asyncio.Task[None]) -> None:
        queue.calls.discard(call)
        self._dispatch(queue)
        unanswered = self._unanswered
        while unanswered and unanswered[0].future.done():
            unanswered.popleft()

    async def _call(self, queue: SubmissionQueue, group: list[Submission], capacity: int) -> None:
        started = admitted = self._clock()
        budget = _Budget(MAX_ISOLATION_CALLS)
        n = sum(submission.rows for submission in group)

        async def answers() -> list[RowAnswer]:
            nonlocal admitted
            if queue is self._cold:
                return await self._answer(_batch_of(group), budget, patient=True)
            refused = await self._admit([(s.principal, s.batch) for s in group])
            admitted = self._clock()
            for submission in group:
                submission.note_stages(started, admitted)
            return await self._answer_admitted(refused, _batch_of(group), budget)

        rows = await self._in_time(answers(), n)
        queue.call_ended(n, capacity, self._clock() - started, overloaded=budget.overloaded)
        self._deliver(group, rows, started, (admitted - started) * 1000)

    def _deliver(
        self, group: list[Submission], rows: list[RowAnswer], started: float, admit_ms: float
    ) -> None:
        """Answer the submissions whose rows are all answered; the others wait for a cold lane."""
        at = 0
        for submission in group:
            own = rows[at : at + submission.rows]
            at += submission.rows
            if submission.future.done():
                continue
            answers = submission.answers(own, (started - submission.since) * 1000, admit_ms)
            if PENDING not in own or submission.earlier is not None:
                submission.future.set_result(answers)
            elif self._cold.has_room(submission.rows):
                self._cold.add(submission.pending(answers))
            else:
                submission.future.set_exception(overload())
        if self._cold.rows:
            self._dispatch(self._cold)

    async def _in_time(
        self, answers: Coroutine[Any, Any, list[RowAnswer]], n: int
    ) -> list[RowAnswer]:
        """Return the answers to n rows, or n errors."""
        try:
            # After this long no caller waits any more: a hung call must not keep the lane.
            async with asyncio.timeout(self._timeout_s):
                return await answers
        except asyncio.CancelledError:
            # The combiner's replica was stopped during the call, or this task was: callers must
            # get an answer, and the task ends soon anyway.
            return [Unavailable("the call was cancelled")] * n
        except Exception as error:
            return [error] * n

    async def _answer_admitted(
        self, refused: dict[int, Exception], batch: TransactionBatch, budget: _Budget
    ) -> list[RowAnswer]:
        if not refused:
            return await self._answer(batch, budget, self._is_patient)
        rows: list[RowAnswer] = []
        admitted = [i for i in range(len(batch)) if i not in refused]
        if admitted:
            rows = await self._answer(batch.take(admitted), budget, self._is_patient)
        answers = iter(rows)
        return [refused[i] if i in refused else next(answers) for i in range(len(batch))]

    async def _answer(
        self, batch: TransactionBatch, budget: _Budget, patient: bool
    ) -> list[RowAnswer]:
        rows = len(batch)
        try:
            return _answers_of(await self._decide(batch, patient), batch)
        except Exception as error:
            budget.overloaded |= isinstance(unwrapped(error), Overloaded)
            if rows == 1 or not _may_lie_in_rows(error) or not budget.take(2):
                return [error] * rows
        half = rows // 2
        return [
            *await self._answer(batch.slice(0, half), budget, patient),
            *await self._answer(batch.slice(half, rows), budget, patient),
        ]


@dataclass(slots=True)
class _Budget:
    calls: int
    overloaded: bool = False

    def take(self, calls: int) -> bool:
        self.calls -= calls
        return self.calls >= 0


def _batch_of(group: list[Submission]) -> TransactionBatch:
    """Return the micro-batch of a group."""
    if len(group) == 1:
        return group[0].batch
    return TransactionBatch.concat([submission.batch for submission in group])


def _answers_of(decided: Decisions, batch: TransactionBatch) -> list[RowAnswer]:
    submitted, n = batch.transaction_id, len(batch)
    stages, notes = batch.stages or [""] * n, batch.metadata or [None] * n
    rows: list[RowAnswer] = [_UNDECIDED] * n
    for group, places in zip(decided.batches, decided.rows, strict=True):
        if group.transaction_id != [submitted[place] for place in places]:
            raise RuntimeError("the answer does not match the submitted rows")
        for i, place in enumerate(places):
            rows[place] = Decided(group, i, stages[place], notes[place])
    for place in decided.pending:
        rows[place] = PENDING
    if _UNDECIDED in rows:
        raise RuntimeError("the answer lacks submitted rows")
    return rows


_UNDECIDED = RuntimeError("not decided")


def _may_lie_in_rows(error: Exception) -> bool:
    return not isinstance(unwrapped(error), Unavailable | Overloaded | TimeoutError)


def _joined(parts: list[TransactionBatch], answers: list[Answers | Exception]) -> Answers:
    rows: list[RowAnswer] = []
    wait_ms = admit_ms = 0.0
    for part, answer in zip(parts, answers, strict=True):
        if isinstance(answer, Answers):
            rows.extend(answer.rows)
            wait_ms += answer.wait_ms
            admit_ms += answer.admit_ms
        else:
            rows.extend([answer] * len(part))
    return Answers(rows, wait_ms, admit_ms)
