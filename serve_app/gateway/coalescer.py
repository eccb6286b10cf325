"""The drain-when-free coalescer: requests that arrive together travel together.

At most `lanes` micro-batches are in flight. While all lanes are busy arrivals gather; the moment
one is free, all that wait leave in it. Nothing ever waits for company: there is no timer. Where
calls end badly there are fewer lanes and smaller micro-batches for a while
(`serve_app.gateway.concurrency`).

A micro-batch is first shown to `admit`, whole: rows that it refuses stay behind, the others go on.
Rows whose history must be fetched first come back undecided, and wait again, for lanes of their own
in which they travel patiently: cold customers do not hold warm ones back. A patient coalescer does
not part them: all rows of a micro-batch wait, and are counted in their order. A submission that is
larger than a micro-batch travels in parts, one after the other, for the same reason.

Promises: a row gets its own answer or its own error, in order. A submitter that goes away does
not stop the batch it travels in. A batch that fails for a reason that may lie in its rows is
halved until the poisoned row stands alone; a part that is down or overloaded is not asked again.
A submitter hears in time, whatever happens to its rows. Who could not be answered in time, by how
fast others are, is refused at once: what is decided is decided for somebody, whatever the load.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any

from fraud.decision import DecisionBatch
from fraud.errors import Overloaded, Unavailable
from fraud.payment.batch import TransactionBatch
from serve_app.gateway.auth import Principal
from serve_app.gateway.concurrency import Pace
from serve_app.gateway.queue import Line, overload
from serve_app.gateway.submission import LATER, Answers, Decided, RowAnswer, Waiting
from serve_app.http.exchange import ClientGone
from serve_app.http.problems import unwrapped

MAX_ISOLATION_CALLS = 64
"""Calls spent on finding the rows that made one micro-batch fail."""

_COLD_LANES, _COLD_ROWS = 2, 64
"""Micro-batches of rows whose history is fetched, at once, and their size: to fetch it is dear, and
who fetches is needed by the warm ones, too."""

Decide = Callable[[TransactionBatch, bool], Awaitable[DecisionBatch]]
"""(rows, whether all of them wait for what must be fetched first) -> decisions."""
Admit = Callable[[Sequence[tuple[Principal, TransactionBatch]]], Awaitable[dict[int, Exception]]]
"""Which rows of some submissions, numbered through, may not be decided, and why."""


def _never() -> bool:
    return False


class Coalescer:
    """Gathers submissions into micro-batches for `decide`.

    Args:
        decide: answers a micro-batch, row by row, or raises.
        admit: says which rows may not be decided.
        patient: whether a micro-batch waits for the history of all of its rows.
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
        patient: bool = False,
        lanes: Callable[[], int],
        max_rows_per_call: int,
        max_queued_rows: int,
        timeout_s: float,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._decide = decide
        self._admit = admit
        # A call of half the time leaves those who waited meanwhile the other half.
        self._warm = Line(Pace(lanes, max_rows_per_call, timeout_s / 2), timeout_s)
        # Fewer rows would not be quicker: their history is waited for all at once.
        self._cold = Line(Pace(lambda: _COLD_LANES, _COLD_ROWS, timeout_s), timeout_s)
        self._is_patient = patient
        self._max_queued = max_queued_rows
        self._timeout_s = timeout_s
        self._clock = clock
        # All that are not answered, oldest first, among some that are.
        self._unanswered: deque[Waiting] = deque()
        self._sweep_due = False
        self._dispatch_due = False

    @property
    def queued_rows(self) -> int:
        """Rows that wait for a lane."""
        return self._warm.rows + self._cold.rows

    async def submit(
        self, batch: TransactionBatch, caller: Principal, has_left: Callable[[], bool] = _never
    ) -> Answers:
        """Answers to the rows of `batch`, which `caller` sends.

        Args:
            batch: n >= 1 rows.
            caller: who sends them.
            has_left: whether nobody waits for the answers any more; asked when a lane is free.

        Raises:
            ClientGone: the caller had left before its rows did.
            Overloaded: too many rows are waiting, or more than can be answered in time.
            TimeoutError: no answer within `timeout_s`; the rows may still be decided.
        """
        rows = len(batch)
        if not self._takes(rows):
            self._warm.forget_the_gone()
            self._cold.forget_the_gone()
            if not self._takes(rows):
                raise overload()
        most = self._warm.pace.rows
        if rows <= most:
            return await self._enqueue(batch, caller, has_left)
        parts = [batch.slice(at, at + most) for at in range(0, rows, most)]
        return _joined(parts, await self._one_by_one(parts, caller, has_left))

    async def drain(self) -> None:
        """Wait until nothing is in flight and nothing waits."""
        while flights := self._warm.flights | self._cold.flights:
            await asyncio.wait(flights)

    def _takes(self, rows: int) -> bool:
        return self.queued_rows + rows <= self._max_queued and self._warm.takes(rows)

    async def _one_by_one(
        self, parts: list[TransactionBatch], caller: Principal, has_left: Callable[[], bool]
    ) -> list[Answers | Exception]:
        """Each part leaves when the one before is answered: a customer's payments are counted in
        their order. What has no answer in time gets a TimeoutError."""
        answers: list[Answers | Exception] = []
        try:
            async with asyncio.timeout(self._timeout_s):
                for part in parts:
                    try:
                        answers.append(await self._enqueue(part, caller, has_left))
                    except ClientGone:
                        raise
                    except Exception as error:
                        answers.append(error)
        except TimeoutError as error:
            answers += [error] * (len(parts) - len(answers))
        return answers

    def _enqueue(
        self, batch: TransactionBatch, caller: Principal, has_left: Callable[[], bool]
    ) -> asyncio.Future[Answers]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answers] = loop.create_future()
        waiting = Waiting(batch, caller, has_left, future, self._clock())
        self._warm.add(waiting)
        self._unanswered.append(waiting)
        if not self._sweep_due:
            self._sweep_due = True
            loop.call_later(self._timeout_s, self._sweep)
        if not self._dispatch_due and self._warm.has_lane:
            # At the end of this turn of the loop: what arrived in the same turn comes along.
            self._dispatch_due = True
            loop.call_soon(self._dispatch, self._warm)
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

    def _dispatch(self, line: Line) -> None:
        if line is self._warm:
            self._dispatch_due = False
        while line.has_lane:
            group, room = line.depart(self._clock())
            if not group:
                return
            flight = asyncio.get_running_loop().create_task(self._fly(line, group, room))
            line.flights.add(flight)
            flight.add_done_callback(partial(self._landed, line))

    def _landed(self, line: Line, flight: asyncio.Task[None]) -> None:
        line.flights.discard(flight)
        self._dispatch(line)
        unanswered = self._unanswered
        while unanswered and unanswered[0].future.done():
            unanswered.popleft()

    async def _fly(self, line: Line, group: list[Waiting], room: int) -> None:
        departed = admitted = self._clock()
        budget = _Budget(MAX_ISOLATION_CALLS)
        n = sum(waiting.rows for waiting in group)

        async def answers() -> list[RowAnswer]:
            nonlocal admitted
            if line is self._cold:
                return await self._answer(_whole(group), budget, patient=True)
            refused = await self._admit([(w.caller, w.batch) for w in group])
            admitted = self._clock()
            for waiting in group:
                waiting.note_stages(departed, admitted)
            return await self._answer_but(refused, _whole(group), budget)

        rows = await self._in_time(answers(), n)
        line.landed(n, room, self._clock() - departed, overloaded=budget.overloaded)
        self._hand_out(group, rows, departed, (admitted - departed) * 1000)

    def _hand_out(
        self, group: list[Waiting], rows: list[RowAnswer], departed: float, admit_ms: float
    ) -> None:
        """Tell everybody all of whose rows are answered; the others wait for a cold lane."""
        at = 0
        for waiting in group:
            own = rows[at : at + waiting.rows]
            at += waiting.rows
            if waiting.future.done():
                continue
            answers = waiting.answers(own, (departed - waiting.since) * 1000, admit_ms)
            if LATER not in own or waiting.known is not None:
                waiting.future.set_result(answers)
            elif self._cold.takes(waiting.rows):
                self._cold.add(waiting.cold(answers))
            else:
                waiting.future.set_exception(overload())
        if self._cold.rows:
            self._dispatch(self._cold)

    async def _in_time(
        self, coming: Coroutine[Any, Any, list[RowAnswer]], n: int
    ) -> list[RowAnswer]:
        """The answers to n rows, errors where none come."""
        try:
            # After this long every submitter is gone: the lane must not stay with a hung call.
            async with asyncio.timeout(self._timeout_s):
                return await coming
        except asyncio.CancelledError:
            # The combiner's replica was stopped under the call, or this task was: those who wait
            # must hear of it, and the task ends soon anyway.
            return [Unavailable("the call was cancelled")] * n
        except Exception as error:
            return [error] * n

    async def _answer_but(
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


def _whole(group: list[Waiting]) -> TransactionBatch:
    """The micro-batch of a group."""
    if len(group) == 1:
        return group[0].batch
    return TransactionBatch.concat([waiting.batch for waiting in group])


def _answers_of(decided: DecisionBatch, batch: TransactionBatch) -> list[RowAnswer]:
    asked, n = batch.transaction_id, len(batch)
    left, places = set(decided.pending), count()
    notes = zip(batch.stages or [""] * n, batch.metadata or [None] * n, strict=True)
    rows: list[RowAnswer] = [
        LATER if i in left else Decided(decided, next(places), *kept)
        for i, kept in enumerate(notes)
    ]
    if left:
        asked = [name for i, name in enumerate(asked) if i not in left]
    if decided.transaction_id != asked:
        raise RuntimeError("the answer is not about the rows that were asked about")
    return rows


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
