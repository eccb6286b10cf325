"""The poll loop goes on whatever its function raises, and stops when it is closed."""

from __future__ import annotations

import asyncio
import logging

import pytest

from fraud.errors import StoreUnavailable
from stores.poll import Poll, Wait
from tests.contracts import virtual_time


class Steps:
    """A function to poll that notes when it ran. `results` are returned or raised in turn."""

    def __init__(self, *results: object) -> None:
        self.at_s: list[float] = []
        self._results = list(results)

    async def __call__(self) -> object:
        self.at_s.append(round(asyncio.get_running_loop().time(), 2))
        result = self._results.pop(0) if self._results else None
        if isinstance(result, Exception):
            raise result
        return result


def polled(steps: Steps, seconds: float, after_s: float | None = 0.0, wake_at_s: float = 0.0):
    """Poll every 2 seconds for `seconds` of virtual time."""

    async def run() -> None:
        poll = Poll("steps", steps, 2.0)
        poll.start(after_s)
        if wake_at_s:
            asyncio.get_running_loop().call_later(wake_at_s, poll.wake)
        await asyncio.sleep(seconds)
        assert poll.alive
        await poll.close()
        assert not poll.alive
        await asyncio.sleep(10)  # nothing runs any more

    virtual_time.run(run())
    return steps.at_s


def test_it_runs_now_and_every_interval():
    assert polled(Steps(), 5) == [0, 2, 4]


def test_the_first_turn_may_be_later():
    assert polled(Steps(), 6, after_s=1.0) == [1, 3, 5]


def test_the_first_turn_may_be_one_interval_away():
    steps = Steps()

    async def run() -> None:
        poll = Poll("steps", steps, 2.0)
        poll.start_later()
        await asyncio.sleep(5)
        await poll.close()

    virtual_time.run(run())
    assert steps.at_s == [2, 4]


def test_the_first_turn_may_wait_for_a_call():
    assert polled(Steps(), 50, after_s=None) == []
    assert polled(Steps(), 6, after_s=None, wake_at_s=3.0) == [3, 5]


def test_a_call_makes_the_next_turn_come_early():
    assert polled(Steps(), 6, wake_at_s=0.5) == [0, 0.5, 2.5, 4.5]


def test_a_turn_chooses_the_wait_for_the_next_one():
    assert polled(Steps(Wait(0), Wait(0), Wait(5), 7), 8) == [0, 0, 0, 5, 7]


def test_a_call_in_the_middle_of_a_turn_is_not_lost():
    async def run() -> list[float]:
        at_s = []

        async def slow() -> None:
            at_s.append(round(asyncio.get_running_loop().time()))
            await asyncio.sleep(3)

        poll = Poll("slow", slow, 60)
        poll.start()
        await asyncio.sleep(1)
        poll.wake()
        await asyncio.sleep(5)
        await poll.close()
        return at_s

    assert virtual_time.run(run()) == [0, 3]


def test_an_outage_is_two_log_lines(caplog: pytest.LogCaptureFixture):
    down = StoreUnavailable("PostgreSQL: gone")
    with caplog.at_level(logging.WARNING):
        assert polled(Steps(None, down, down, down), 11) == [0, 2, 4, 6, 8, 10]
    assert caplog.messages == ["steps fails: PostgreSQL: gone", "steps works again"]


def test_a_defect_is_logged_with_its_place_and_ends_nothing(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.WARNING):
        assert polled(Steps(KeyError("x"), KeyError("x")), 5) == [0, 2, 4]
    first, _ = caplog.records
    assert first.exc_info is not None


async def test_starting_and_closing_twice_changes_nothing():
    steps = Steps()
    poll = Poll("steps", steps, 60)
    await poll.close()
    assert not poll.alive
    poll.start()
    poll.start()
    await asyncio.sleep(0.01)
    await poll.close()
    await poll.close()
    assert len(steps.at_s) == 1


async def test_closing_ends_a_turn_that_hangs():
    began = asyncio.Event()

    async def hang() -> None:
        began.set()
        await asyncio.Event().wait()

    poll = Poll("hang", hang, 60)
    poll.start()
    await began.wait()
    await asyncio.wait_for(poll.close(), 5)
