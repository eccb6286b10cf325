"""The drain-when-free coalescer: requests that arrive together travel together.

At most `lanes` micro-batches are in flight. While all lanes are busy arrivals gather; the moment
one is free, all that wait leave in it. Nothing ever waits for company: there is no timer. Where
calls end badly there are fewer lanes and smaller micro-batches for a while (`serve_app.pace`).

A micro-batch is first shown to `admit`, whole: rows that it refuses stay behind, the others go on.
Rows whose history must be fetched first come back undecided, and travel again, patiently and beside
the lanes: cold customers do not hold warm ones back. A patient coalescer does not part them: all
rows of a micro-batch wait, and are counted in their order.

Promises: a row gets its own answer or its own error, in order. A submitter that goes away does
not stop the batch it travels in. A batch that fails for a reason that may lie in its rows is
halved until the poisoned row stands alone; a part that is down or overloaded is not asked again.
A submitter hears in time, whatever happens to its rows.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NamedTuple

from fraud.batch import TransactionBatch
from fraud.decision import DecisionBatch
from fraud.errors import Overloaded, Unavailable
from serve_app.auth import Principal
from serve_app.exchange import ClientGone
from serve_app.pace import Pace
from serve_app.problems import unwrapped

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


class Decided(NamedTuple):
    """Row `row` of `batch` is the answer."""

    batch: DecisionBatch
    row: int


RowAnswer = Decided | Exception

_LATER = Unavailable("its history is on its way")
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
class _Waiting:
    batch: TransactionBatch
    caller: Principal
    has_left: Callable[[], bool]
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
        self._pace = Pace(lanes, max_rows_per_call, timeout_s / 2)
        self._is_patient = patient
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
        self._patient: set[asyncio.Task[None]] = set()
        self._cold_lanes = asyncio.Semaphore(_COLD_LANES)

    @property
    def queued_rows(self) -> int:
        """Rows that wait for a lane."""
        return self._queued_rows

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
            return await self._enqueue(batch, caller, has_left)
        # A large submission travels in parts, all queued before any is awaited.
        parts = [batch.slice(at, at + most) for at in range(0, rows, most)]
        answers = await asyncio.gather(
            *[self._enqueue(part, caller, has_left) for part in parts], return_exceptions=True
        )
        return _joined(parts, answers)

    async def drain(self) -> None:
        """Wait until nothing is in flight and nothing waits."""
        while flights := self._flights | self._patient:
            await asyncio.wait(flights)

    def _enqueue(
        self, batch: TransactionBatch, caller: Principal, has_left: Callable[[], bool]
    ) -> asyncio.Future[Answers]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answers] = loop.create_future()
        waiting = _Waiting(batch, caller, has_left, future, self._clock())
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
            if head.future.done():
                pass
            elif head.has_left():
                head.future.set_exception(ClientGone())
            else:
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
        budget = _Budget(MAX_ISOLATION_CALLS)
        whole = group[0].batch
        if len(group) > 1:
            whole = TransactionBatch.concat([waiting.batch for waiting in group])

        async def answers() -> list[RowAnswer]:
            nonlocal admitted
            refused = await self._admit([(w.caller, w.batch) for w in group])
            admitted = self._clock()
            return await self._answer_but(refused, whole, budget)

        rows = await self._in_time(answers(), len(whole))
        self._pace.landed(len(whole), self._clock() - departed, overloaded=budget.overloaded)
        flight = _Flight(group, rows, departed, (admitted - departed) * 1000)
        flight.hand_out()
        later = [i for i, row in enumerate(rows) if row is _LATER]
        for at in range(0, len(later), _COLD_ROWS):
            coming = self._fly_on(flight, whole, later[at : at + _COLD_ROWS])
            task = asyncio.get_running_loop().create_task(coming)
            self._patient.add(task)
            task.add_done_callback(self._patient.discard)

    async def _fly_on(self, flight: _Flight, whole: TransactionBatch, later: list[int]) -> None:
        """Answer the rows `later` of a flight that has landed."""
        async with self._cold_lanes:
            wanted = flight.wanted()
            later = [i for i in later if wanted[i]]
            if not later:
                return
            coming = self._answer(whole.take(later), _Budget(MAX_ISOLATION_CALLS), patient=True)
            answers = await self._in_time(coming, len(later))
        for i, row in zip(later, answers, strict=True):
            flight.rows[i] = row
        flight.hand_out()

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

    def _forget_the_gone(self) -> None:
        self._queue = deque(w for w in self._queue if not w.future.done())
        self._queued_rows = sum(w.rows for w in self._queue)


@dataclass(slots=True)
class _Flight:
    """A micro-batch that was answered: `rows` in the order of those who submitted them."""

    group: list[_Waiting]
    rows: list[RowAnswer]
    departed: float
    admit_ms: float

    def wanted(self) -> list[bool]:
        """For each row, whether anybody still waits for it."""
        return [not w.future.done() for w in self.group for _ in range(w.rows)]

    def hand_out(self) -> None:
        """Tell everybody all of whose rows are answered."""
        at = 0
        for waiting in self.group:
            own = self.rows[at : at + waiting.rows]
            if not waiting.future.done() and _LATER not in own:
                wait_ms = (self.departed - waiting.since) * 1000
                waiting.future.set_result(Answers(own, wait_ms, self.admit_ms))
            at += waiting.rows


@dataclass(slots=True)
class _Budget:
    calls: int
    overloaded: bool = False

    def take(self, calls: int) -> bool:
        self.calls -= calls
        return self.calls >= 0


def _answers_of(decided: DecisionBatch, batch: TransactionBatch) -> list[RowAnswer]:
    asked = batch.transaction_id
    if not decided.pending:
        rows: list[RowAnswer] = [Decided(decided, i) for i in range(len(asked))]
    else:
        left, places = set(decided.pending), count()
        rows = [_LATER if i in left else Decided(decided, next(places)) for i in range(len(asked))]
        asked = [name for i, name in enumerate(asked) if i not in left]
    if decided.transaction_id != asked:
        raise RuntimeError("the answer is not about the rows that were asked about")
    return rows


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
        elif isinstance(answer, Exception) and not isinstance(answer, ClientGone):
            rows.extend([answer] * len(part))
        else:
            raise answer
    return Answers(rows, wait_ms, admit_ms)
