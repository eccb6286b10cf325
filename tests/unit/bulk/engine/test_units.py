"""Units of work are tried a bounded number of times."""

from __future__ import annotations

import asyncio
import pickle
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from bulk.engine.units import ATTEMPTS, OUTAGE_S, UnitFailed, Units
from bulk.engine.workers.executor import WorkerLost
from bulk.jobs.lease import Phase, Unit
from fraud.errors import ArtifactsUnavailable, InvalidInput, LeaseLost, StoreUnavailable

pytestmark = pytest.mark.virtual_time

PART = Unit(Phase.SCORING, 4)


class FakeAttempts:
    """Attempts on record."""

    def __init__(self, before: int = 0) -> None:
        self.counts = Counter({PART: before})
        self.given_up: list[Unit] = []

    async def begin(self, unit: Unit, rows: int = 0) -> int:
        self.counts[unit] += 1
        return self.counts[unit]

    async def failed(self, unit: Unit) -> None:
        self.given_up.append(unit)


class FakeExecutor:
    """Calls functions here, after the errors that a test wants."""

    workers = 1

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.calls = 0

    async def run(self, function: Callable[..., Any], *args: object) -> Any:
        self.calls += 1
        await asyncio.sleep(1)
        if self._errors:
            raise self._errors.pop(0)
        return function(*args)

    async def close(self) -> None:
        pass


async def test_a_unit_is_done_once_if_nothing_fails() -> None:
    attempts, executor = FakeAttempts(), FakeExecutor()
    assert await Units(attempts, executor).do(PART, abs, -3) == 3
    assert (attempts.counts[PART], executor.calls) == (1, 1)


@pytest.mark.parametrize("error", [WorkerLost("killed"), ValueError("a defect")])
async def test_what_may_succeed_is_tried_again(error: Exception) -> None:
    attempts = FakeAttempts()
    assert await Units(attempts, FakeExecutor(error, error)).do(PART, abs, -3) == 3
    assert attempts.counts[PART] == 3


async def test_attempts_are_bounded_and_a_foreign_error_is_not_quoted() -> None:
    attempts, executor = FakeAttempts(), FakeExecutor(*[ValueError("cell 4711")] * 9)
    with pytest.raises(UnitFailed) as caught:
        await Units(attempts, executor).do(PART, abs, -3)
    failed = caught.value
    assert (failed.unit, failed.code) == ("scoring of part 4", "step-failed")
    assert "ValueError" in failed.detail
    assert "4711" not in failed.detail
    assert (executor.calls, attempts.given_up) == (ATTEMPTS, [PART])


async def test_a_full_disk_is_told_without_its_path() -> None:
    executor = FakeExecutor(*[OSError(28, "Failed to open local file '/secret'")] * 9)
    with pytest.raises(UnitFailed) as caught:
        await Units(FakeAttempts(), executor).do(PART, abs, -3)
    assert (caught.value.detail, caught.value.code) == ("No space left on device", "disk-full")


async def test_attempts_of_earlier_runs_count() -> None:
    attempts, executor = FakeAttempts(before=2), FakeExecutor(WorkerLost("killed"))
    with pytest.raises(UnitFailed, match="killed"):
        await Units(attempts, executor).do(PART, abs, -3)
    assert executor.calls == 1
    with pytest.raises(UnitFailed, match="begun 3 times"):
        await Units(FakeAttempts(before=3), executor).do(PART, abs, -3)
    assert executor.calls == 1


async def test_what_cannot_succeed_is_not_tried_again() -> None:
    executor = FakeExecutor(InvalidInput("the file ends too early"))
    with pytest.raises(UnitFailed, match="ends too early"):
        await Units(FakeAttempts(), executor).do(PART, abs, -3)
    assert executor.calls == 1


async def test_an_outage_is_waited_for_and_is_no_attempt() -> None:
    outage = [ArtifactsUnavailable("s3"), StoreUnavailable("down")] * 10
    attempts, executor = FakeAttempts(), FakeExecutor(*outage)
    assert await Units(attempts, executor).do(PART, abs, -3) == 3
    assert attempts.counts[PART] == 1


async def test_an_outage_is_not_waited_for_without_end() -> None:
    executor = FakeExecutor(*[ArtifactsUnavailable("s3 denies access")] * 10_000)
    with pytest.raises(UnitFailed, match="s3 denies access"):
        await Units(FakeAttempts(), executor).do(PART, abs, -3)
    assert asyncio.get_running_loop().time() > ATTEMPTS * OUTAGE_S


async def test_a_lost_lease_ends_the_unit_at_once() -> None:
    attempts = FakeAttempts()
    with pytest.raises(LeaseLost):
        await Units(attempts, FakeExecutor(LeaseLost("lost"))).do(PART, abs, -3)
    assert attempts.given_up == []


async def test_what_a_shutdown_interrupts_is_known() -> None:
    units = Units(FakeAttempts(), FakeExecutor())
    doing = asyncio.create_task(units.do(PART, abs, -3))
    await asyncio.sleep(0.5)
    doing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await doing
    assert units.under_way == {PART}
    await units.do(PART, abs, -3)
    assert units.under_way == set()


def test_the_error_survives_pickle() -> None:
    error = UnitFailed("scoring of part 4", "why", "step-failed")
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.unit, copy.detail, copy.code) == (error.unit, error.detail, error.code)
