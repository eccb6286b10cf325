"""The coalescer: which rows share a micro-batch, and each gets its own answer."""

from __future__ import annotations

import asyncio
import pickle
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fraud.decision import Decisions
from fraud.errors import Overloaded, RateLimited, StoreUnavailable
from fraud.payment.batch import TransactionBatch
from fraud.payment.transaction import Transaction
from serve_app.gateway.auth import Principal
from serve_app.gateway.coalescer import MAX_ISOLATION_CALLS, Coalescer
from serve_app.gateway.errors import CallerGone
from serve_app.gateway.submission import Answers, Decided
from tests.contracts.decisions import whole
from tests.contracts.front import FakeCombiner, probability_of

pytestmark = pytest.mark.virtual_time


def batch(*ids: str) -> TransactionBatch:
    return TransactionBatch.of(
        "acme", [Transaction(i, f"c-{i}", 0, 100, "EUR", "purchase") for i in ids]
    )


CALLER = Principal("abcdefghijkm", "acme", "standard")
FULL = RateLimited("customer", 1, 1, 0.5)


async def admit_all(_: Any) -> dict[int, Exception]:
    return {}


async def admit_but_full(submissions: Any) -> dict[int, Exception]:
    """Refuses rows whose id holds `full`."""
    ids = [i for _, rows in submissions for i in rows.transaction_id]
    await asyncio.sleep(0)
    return {at: FULL for at, i in enumerate(ids) if "full" in i}


class Lanes(Coalescer):
    """One caller for all."""

    async def submit(
        self, batch: TransactionBatch, caller: Principal = CALLER, has_left: Any = lambda: False
    ) -> Answers:
        return await super().submit(batch, caller, has_left)


def lanes_of(decide: Any, admit: Any = admit_all, lanes: int = 1, **changes: Any) -> Lanes:
    defaults = {
        "max_rows_per_call": 256,
        "max_queued_rows": 4096,
        "timeout_s": 5.0,
        "clock": asyncio.get_running_loop().time,
    }
    return Lanes(decide, admit, lanes=lambda: lanes, **(defaults | changes))  # type: ignore[arg-type]


def coalescer(combiner: FakeCombiner, **changes: Any) -> Lanes:
    return lanes_of(combiner.decide, **changes)


def ids_of(answers: Any) -> list[str]:
    return [row.batch.transaction_id[row.row] for row in answers.rows]


class Gate:
    """Blocks calls until it is opened."""

    def __init__(self) -> None:
        self.event = asyncio.Event()

    async def __call__(self) -> None:
        await self.event.wait()


class Slow(FakeCombiner):
    """Takes `seconds` a call and counts the most concurrent ones."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds
        self.running = self.most = 0

    async def decide(self, rows: TransactionBatch, patient: bool = False) -> Any:
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(self.seconds)
        self.running -= 1
        return await super().decide(rows)


async def test_a_lone_row_leaves_at_once() -> None:
    combiner = FakeCombiner()
    answers = await coalescer(combiner).submit(batch("a"))
    assert ids_of(answers) == ["a"]
    assert answers.wait_ms < 50


async def test_arrivals_gather_while_the_lane_is_busy_and_leave_together() -> None:
    combiner = FakeCombiner()
    combiner.gate = gate = Gate()
    lane = coalescer(combiner)
    first = asyncio.create_task(lane.submit(batch("a")))
    await asyncio.sleep(0.01)
    rest = [asyncio.create_task(lane.submit(batch(i))) for i in "bcd"]
    await asyncio.sleep(0.01)
    assert combiner.calls == [["a"]]
    gate.event.set()
    results = await asyncio.gather(first, *rest)
    assert combiner.calls == [["a"], ["b", "c", "d"]]
    assert [ids_of(r) for r in results] == [["a"], ["b"], ["c"], ["d"]]
    assert results[1].wait_ms >= 5


async def test_no_more_lanes_than_allowed_and_no_more_rows_than_allowed() -> None:
    combiner = Slow(0.001)
    lanes = coalescer(combiner, lanes=3, max_rows_per_call=10)
    await asyncio.gather(*(lanes.submit(batch(f"r{i}", f"s{i}", f"u{i}")) for i in range(100)))
    assert combiner.most == 3
    assert max(map(len, combiner.calls)) <= 10


async def test_a_large_submission_is_counted_in_its_order() -> None:
    combiner = Slow(0.001)
    lanes = coalescer(combiner, lanes=3, max_rows_per_call=2)
    answers = await lanes.submit(batch(*"abcdefg"))
    assert ids_of(answers) == list("abcdefg")
    assert combiner.calls == [["a", "b"], ["c", "d"], ["e", "f"], ["g"]]
    assert combiner.most == 1


async def test_a_large_submission_tells_what_was_decided_in_time() -> None:
    lanes = coalescer(Slow(0.04), max_rows_per_call=2, timeout_s=0.1)
    rows = (await lanes.submit(batch(*"abcdefgh"))).rows
    assert [row.batch.transaction_id[row.row] for row in rows[:4] if isinstance(row, Decided)] == [
        *"abcd"
    ]
    assert all(isinstance(row, TimeoutError) for row in rows[4:])


async def test_a_full_queue_refuses_and_recovers() -> None:
    combiner = FakeCombiner()
    combiner.gate = gate = Gate()
    lane = coalescer(combiner, max_queued_rows=2)
    first = asyncio.create_task(lane.submit(batch("a")))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting = [asyncio.create_task(lane.submit(batch(i))) for i in "bc"]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded) as caught:
        await lane.submit(batch("d"))
    assert caught.value.retry_after_s > 0
    # Callers that left make room at once, though their lane is still busy.
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    last = asyncio.create_task(lane.submit(batch("e")))
    gate.event.set()
    assert ids_of(await last) == ["e"]
    await first
    assert combiner.calls == [["a"], ["e"]]


async def test_a_client_that_leaves_does_not_stop_its_batch() -> None:
    combiner = FakeCombiner()
    combiner.gate = gate = Gate()
    lane = coalescer(combiner)
    tasks = [asyncio.create_task(lane.submit(batch(i))) for i in "abc"]
    await asyncio.sleep(0.01)
    tasks[1].cancel()
    gate.event.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert combiner.calls == [["a", "b", "c"]]
    assert ids_of(results[0]) == ["a"]
    assert isinstance(results[1], asyncio.CancelledError)
    assert ids_of(results[2]) == ["c"]


async def test_who_has_left_by_the_time_of_departure_stays_behind() -> None:
    combiner = FakeCombiner()
    combiner.gate = gate = Gate()
    lane = coalescer(combiner, max_rows_per_call=2)
    first = asyncio.create_task(lane.submit(batch("a")))
    await asyncio.sleep(0.01)
    ways: list[tuple[TransactionBatch, Any]] = [
        (batch("b"), lambda: False),
        (batch("c"), lambda: True),
        (batch("d", "e", "f"), lambda: True),
    ]
    tasks = [asyncio.create_task(lane.submit(rows, CALLER, left)) for rows, left in ways]
    await asyncio.sleep(0.01)
    gate.event.set()
    results = await asyncio.gather(first, *tasks, return_exceptions=True)
    assert combiner.calls == [["a"], ["b"]]
    assert [ids_of(result) for result in results[:2]] == [["a"], ["b"]]
    assert [type(result) for result in results[2:]] == [CallerGone, CallerGone]
    await lane.drain()
    assert lane.queued_rows == 0


async def test_one_poisoned_row_fails_alone() -> None:
    combiner = FakeCombiner()
    lane = coalescer(combiner)
    names = [f"r{i}" for i in range(200)]
    names[77] = "poison"
    results = await asyncio.gather(*(lane.submit(batch(name)) for name in names))
    for name, result in zip(names, results, strict=True):
        if name == "poison":
            assert isinstance(result.rows[0], ZeroDivisionError)
        else:
            assert ids_of(result) == [name]
    assert len(combiner.calls) <= 1 + 2 * 8


async def test_a_combiner_that_is_always_wrong_is_not_asked_for_ever() -> None:
    combiner = FakeCombiner()
    lane = coalescer(combiner)
    names = [f"poison{i}" for i in range(256)]
    results = await asyncio.gather(*(lane.submit(batch(name)) for name in names))
    assert all(isinstance(r.rows[0], ZeroDivisionError) for r in results)
    assert len(combiner.calls) <= MAX_ISOLATION_CALLS + 1


@pytest.mark.parametrize("error", [StoreUnavailable("down"), Overloaded("full"), TimeoutError()])
async def test_a_part_that_is_down_is_not_asked_row_by_row(error: Exception) -> None:
    combiner = FakeCombiner()
    combiner.errors = [error]
    lane = coalescer(combiner)
    results = await asyncio.gather(*(lane.submit(batch(i)) for i in "abc"))
    assert [r.rows for r in results] == [[error]] * 3
    assert len(combiner.calls) == 1


async def test_a_cancelled_call_is_heard_of() -> None:
    async def decide(_: TransactionBatch, patient: bool) -> Any:
        raise asyncio.CancelledError

    lane = lanes_of(decide)
    async with asyncio.timeout(1):
        answers = await lane.submit(batch("a"))
    assert type(answers.rows[0]).__name__ == "Unavailable"


async def test_an_answer_about_other_rows_is_no_answer() -> None:
    combiner = FakeCombiner()

    async def shuffled(rows: TransactionBatch, patient: bool) -> Any:
        return await combiner.decide(rows.take(range(len(rows) - 1, -1, -1)))

    lane = lanes_of(shuffled)
    answers = await lane.submit(batch("a", "b"))
    # Halved, each row is alone: both get their own answers again.
    assert ids_of(answers) == ["a", "b"]


async def test_a_hung_call_gives_its_lane_back() -> None:
    combiner = FakeCombiner()
    combiner.gate = Gate()
    lane = coalescer(combiner, timeout_s=0.05)
    with pytest.raises(TimeoutError):
        await lane.submit(batch("a"))
    await asyncio.sleep(0.05)
    combiner.gate = None
    assert ids_of(await lane.submit(batch("b"))) == ["b"]
    await lane.drain()
    assert lane.queued_rows == 0


async def test_errors_wrapped_by_ray_count_as_what_they_wrap() -> None:
    class Wrapped(Exception):
        def __init__(self, cause: Exception) -> None:
            super().__init__(cause)
            self.cause = cause

    error = Wrapped(pickle.loads(pickle.dumps(StoreUnavailable("down"))))
    combiner = FakeCombiner()
    combiner.errors = [error]
    results = await coalescer(combiner).submit(batch("a", "b"))
    assert results.rows == [error, error]
    assert len(combiner.calls) == 1


async def test_rows_that_are_refused_stay_behind_and_the_others_go_on() -> None:
    combiner = FakeCombiner()
    lane = coalescer(combiner, admit=admit_but_full)
    first, second, third = await asyncio.gather(
        *(lane.submit(batch(*ids)) for ids in (["a", "b-full", "c"], ["d-full"], ["poison", "e"]))
    )
    assert combiner.calls[0] == ["a", "c", "poison", "e"]
    assert first.rows[1] is FULL
    assert second.rows == [FULL]
    assert ids_of(Answers([first.rows[0], first.rows[2], third.rows[1]], 0, 0)) == ["a", "c", "e"]
    assert isinstance(third.rows[0], ZeroDivisionError)


async def test_nobody_is_asked_about_a_batch_that_is_refused_whole() -> None:
    combiner = FakeCombiner()
    answers = await coalescer(combiner, admit=admit_but_full).submit(batch("a-full", "b-full"))
    assert answers.rows == [FULL, FULL]
    assert not combiner.calls


async def test_rows_are_shown_to_admission_once_with_those_who_send_them() -> None:
    shown: list[Any] = []

    async def admit(submissions: Any) -> dict[int, Exception]:
        shown.append([(who.key_id, rows.transaction_id) for who, rows in submissions])
        return {}

    lane = coalescer(FakeCombiner(), admit=admit)
    other = Principal("other", "acme", "free")
    await asyncio.gather(lane.submit(batch("poison", "a")), lane.submit(batch("b"), other))
    # Once, though the batch was halved afterwards to find the poisoned row.
    assert shown == [[(CALLER.key_id, ["poison", "a"]), ("other", ["b"])]]


async def test_a_pool_that_grows_gets_more_lanes_at_once() -> None:
    combiner = FakeCombiner()
    combiner.gate = gate = Gate()
    replicas = 1
    lane = Lanes(
        combiner.decide,
        admit_all,
        lanes=lambda: replicas,
        max_rows_per_call=1,
        max_queued_rows=100,
        timeout_s=5,
    )
    tasks = [asyncio.create_task(lane.submit(batch(i))) for i in "ab"]
    await asyncio.sleep(0.01)
    assert combiner.calls == [["a"]]
    replicas = 3
    tasks.append(asyncio.create_task(lane.submit(batch("c"))))
    await asyncio.sleep(0.01)
    assert combiner.calls == [["a"], ["b"], ["c"]]
    gate.event.set()
    await asyncio.gather(*tasks)


async def test_rows_that_are_too_many_for_the_time_travel_in_smaller_batches() -> None:
    combiner = FakeCombiner()

    async def decide(rows: TransactionBatch, patient: bool) -> Any:
        await asyncio.sleep(10 if len(rows) > 40 else 0)
        return await combiner.decide(rows)

    lane = lanes_of(decide, max_rows_per_call=64, timeout_s=0.5)
    with pytest.raises(TimeoutError):
        await lane.submit(batch(*(f"a{i}" for i in range(64))))
    await lane.drain()
    names = [f"b{i}" for i in range(64)]
    assert ids_of(await lane.submit(batch(*names))) == names
    assert max(map(len, combiner.calls)) <= 40


async def test_a_pool_that_takes_no_more_gets_fewer_calls_at_a_time() -> None:
    running, most = 0, 0

    async def decide(rows: TransactionBatch, patient: bool) -> Any:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1
        raise Overloaded("full")

    lane = lanes_of(decide, lanes=8, max_rows_per_call=1)
    await asyncio.gather(*(lane.submit(batch(f"a{i}")) for i in range(30)))
    assert most == 8
    most = 0
    await asyncio.gather(*(lane.submit(batch(f"b{i}")) for i in range(30)))
    assert most == 1


async def test_each_hears_when_its_own_time_is_up() -> None:
    combiner = FakeCombiner()
    combiner.gate = Gate()
    lane = coalescer(combiner, lanes=3, timeout_s=0.1)
    loop = asyncio.get_running_loop()

    async def submitter(i: int) -> float:
        await asyncio.sleep(i * 0.02)
        began = loop.time()
        with pytest.raises(TimeoutError):
            await lane.submit(batch(f"r{i}"))
        return loop.time() - began

    # Some wait for a lane, some for an answer: none longer than the timeout.
    for elapsed in await asyncio.gather(*(submitter(i) for i in range(8))):
        assert elapsed >= 0.099
    await lane.drain()
    assert not lane._unanswered


async def test_who_was_answered_is_not_kept_until_the_time_is_up() -> None:
    lane = coalescer(FakeCombiner(), timeout_s=60)
    for i in range(50):
        await asyncio.gather(*(lane.submit(batch(f"{i}-{k}")) for k in range(10)))
    await lane.drain()
    await asyncio.sleep(0)
    assert not lane._unanswered


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(1, 12), min_size=1, max_size=60),
    st.integers(1, 4),
    st.integers(3, 32),
    st.sets(st.integers(0, 59), max_size=4),
    st.sets(st.integers(0, 59), max_size=20),
    st.integers(0, 2**32),
)
async def test_everybody_gets_exactly_their_own(
    sizes: list[int], lanes: int, max_rows: int, poisoned: set[int], full: set[int], seed: int
) -> None:
    rng = random.Random(seed)
    combiner = FakeCombiner()
    combiner.gate = lambda: asyncio.sleep(rng.choice([0, 0, 0.0005]))
    lane = coalescer(
        combiner, admit=admit_but_full, lanes=lanes, max_rows_per_call=max_rows, timeout_s=120
    )

    async def submitter(number: int, size: int) -> None:
        names = [f"{number}-{k}" for k in range(size)]
        if number in poisoned:
            names[rng.randrange(size)] += "-poison"
        if number in full:
            names[rng.randrange(size)] += "-full"
        await asyncio.sleep(rng.choice([0, 0, 0.0005, 0.001]))
        answers = await lane.submit(batch(*names))
        assert len(answers.rows) == size
        for name, row in zip(names, answers.rows, strict=True):
            if "full" in name:
                assert row is FULL
            elif "poison" in name:
                assert isinstance(row, ZeroDivisionError)
            else:
                assert isinstance(row, Decided)
                assert row.batch.transaction_id[row.row] == name
                assert row.batch.probability[row.row] == probability_of(name)

    await asyncio.gather(*(submitter(i, size) for i, size in enumerate(sizes)))
    await lane.drain()
    assert lane.queued_rows == 0


class ColdCombiner(FakeCombiner):
    """Leaves rows named cold... pending; in patient calls they wait for `history` instead."""

    def __init__(self) -> None:
        super().__init__()
        self.history = asyncio.Event()
        self.patiently: list[list[str]] = []

    async def decide(self, rows: TransactionBatch, patient: bool = False) -> Any:
        if patient:
            self.patiently.append(rows.transaction_id)
            await self.history.wait()
            return await super().decide(rows)
        cold = [i for i, name in enumerate(rows.transaction_id) if name.startswith("cold")]
        found = await super().decide(rows.take([i for i in range(len(rows)) if i not in cold]))
        return whole(found.batches[0], cold) if found.batches else Decisions((), (), tuple(cold))


async def test_rows_that_wait_for_their_history_hold_nobody_back() -> None:
    combiner = ColdCombiner()
    lane = coalescer(combiner)
    names = [("cold0",), ("warm0",), ("warm1", "cold1", "warm2"), ("warm3", "warm4")]
    early = [asyncio.create_task(lane.submit(batch(*each))) for each in names]
    await asyncio.sleep(0.01)
    assert [task.done() for task in early] == [False, True, False, True]
    assert combiner.patiently == [["cold0", "cold1"]]
    # The lane is free while they wait.
    assert ids_of(await lane.submit(batch("warm5"))) == ["warm5"]
    combiner.history.set()
    answers = await asyncio.gather(*early)
    assert [tuple(ids_of(answer)) for answer in answers] == names
    await lane.drain()


async def test_cold_rows_travel_few_at_once_and_only_while_somebody_waits() -> None:
    combiner = ColdCombiner()
    lane = coalescer(combiner)
    tasks = [asyncio.create_task(lane.submit(batch(f"cold{i}"))) for i in range(256)]
    await asyncio.sleep(0.05)
    assert [len(rows) for rows in combiner.patiently] == [64, 64]
    for task in tasks[128:200]:
        task.cancel()
    await asyncio.sleep(0)
    combiner.history.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    await lane.drain()
    stayed = [*range(128), *range(200, 256)]
    assert [ids_of(tasks[i].result()) for i in stayed] == [[f"cold{i}"] for i in stayed]
    assert [name for rows in combiner.patiently for name in rows] == [f"cold{i}" for i in stayed]


async def test_a_patient_coalescer_keeps_rows_together_and_in_order() -> None:
    combiner = ColdCombiner()
    lane = coalescer(combiner, patient=True)
    task = asyncio.create_task(lane.submit(batch("warm0", "cold0", "warm1")))
    await asyncio.sleep(0.01)
    assert combiner.patiently == [["warm0", "cold0", "warm1"]]
    combiner.history.set()
    assert ids_of(await task) == ["warm0", "cold0", "warm1"]
