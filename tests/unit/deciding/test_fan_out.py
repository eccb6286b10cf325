"""The fan-out: a variant that is late, broken or absent costs only its own vote."""

from __future__ import annotations

import asyncio
import contextlib

import numpy as np
import pytest

from deciding.fan_out import FanOut
from fraud.asking import VariantCall
from fraud.errors import SchemaMismatch
from fraud.payment.batch import FeatureBatch
from fraud.score import VariantScores

pytestmark = pytest.mark.virtual_time

FEATURES = FeatureBatch(
    np.arange(12, dtype=np.float32).reshape(4, 3), "abcdefabcdef", np.zeros(4, dtype=np.int64)
)


def clock() -> float:
    """Seconds of the loop's virtual time."""
    return asyncio.get_running_loop().time()


class Pools:
    """Variants by name: a function of (values, schema_id)."""

    def __init__(self, **calls):
        self.calls = calls

    def scorer(self, variant):
        return self.calls.get(variant)


async def good(values, schema_id):
    return VariantScores("v1", "d" * 64, values[:, 0].astype(np.float64) / 100)


async def slow(values, schema_id):
    await asyncio.sleep(30)


async def broken(values, schema_id):
    raise SchemaMismatch("a", "b")


async def short(values, schema_id):
    return VariantScores("v1", "d" * 64, np.zeros(1))


def calls_to(*variants, deadline_ms):
    return [VariantCall(name, None, deadline_ms) for name in variants]


def by_name(votes):
    return {vote.variant: vote for vote in votes}


async def test_each_variant_is_asked_and_its_vote_has_a_status():
    fan_out = FanOut(Pools(good=good, slow=slow, broken=broken, short=short))
    calls = calls_to("good", "slow", "broken", "short", "absent", deadline_ms=50)
    began = clock()
    votes = await fan_out.ask(calls, FEATURES)
    assert clock() - began == pytest.approx(0.05, rel=0.01)
    assert [(v.variant, v.status) for v in votes] == [
        ("good", "ok"),
        ("slow", "late"),
        ("broken", "failed"),
        ("short", "failed"),
        ("absent", "missing"),
    ]
    assert votes[0].scores.tolist() == [0.0, 0.03, 0.06, 0.09]
    assert votes[0].digest == "d" * 64
    assert all(v.scores is None for v in votes[1:])
    assert [v.elapsed_ms > 0 for v in votes] == [True] * 4 + [False], "every call takes time"


async def test_they_are_asked_at_the_same_time():
    async def brief(values, schema_id):
        await asyncio.sleep(0.05)
        return await good(values, schema_id)

    fan_out = FanOut(Pools(a=brief, b=brief, c=brief, d=brief))
    began = clock()
    votes = await fan_out.ask(calls_to(*"abcd", deadline_ms=2000), FEATURES)
    assert all(v.status == "ok" for v in votes)
    assert clock() - began == pytest.approx(0.05, rel=0.01)


async def test_there_is_no_wait_once_all_have_answered():
    fan_out = FanOut(Pools(good=good))
    began = clock()
    await fan_out.ask(calls_to("good", deadline_ms=10_000), FEATURES)
    assert clock() - began < 0.001


async def test_late_calls_are_cancelled():
    ended = asyncio.Event()

    async def late(values, schema_id):
        try:
            await asyncio.sleep(30)
        finally:
            ended.set()

    await FanOut(Pools(late=late)).ask(calls_to("late", deadline_ms=10), FEATURES)
    await asyncio.wait_for(ended.wait(), 1)


async def test_cancelling_the_batch_cancels_its_calls():
    ended = asyncio.Event()

    async def late(values, schema_id):
        try:
            await asyncio.sleep(30)
        finally:
            ended.set()

    fan_out = FanOut(Pools(late=late))
    task = asyncio.create_task(fan_out.ask(calls_to("late", deadline_ms=60_000), FEATURES))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(ended.wait(), 1)


async def test_a_call_about_some_rows_gets_scores_of_these():
    fan_out = FanOut(Pools(good=good))
    (vote,) = await fan_out.ask([VariantCall("good", np.array([1, 3]))], FEATURES)
    assert vote.scores.tolist() == [0.03, 0.09]


async def test_each_call_has_its_own_deadline():
    async def after(s, values):
        await asyncio.sleep(s)
        return await good(values, "")

    pools = Pools(
        quick=lambda values, _: after(0.02, values), late=lambda values, _: after(0.2, values)
    )
    calls = [VariantCall("late", None, 30), VariantCall("quick", None, 100)]
    began = clock()
    votes = await FanOut(pools).ask(calls, FEATURES)
    assert [v.status for v in votes] == ["late", "ok"]
    assert clock() - began == pytest.approx(0.03, rel=0.01)


async def test_a_late_answer_does_not_count_because_another_is_slower_still():
    async def after(s, values):
        await asyncio.sleep(s)
        return await good(values, "")

    pools = Pools(late=lambda v, _: after(0.04, v), slower=lambda v, _: after(0.08, v))
    calls = [VariantCall("late", None, 30), VariantCall("slower", None, 100)]
    votes = await FanOut(pools).ask(calls, FEATURES)
    assert [v.status for v in votes] == ["late", "ok"]


async def test_a_call_that_ignores_its_cancellation_is_not_waited_for():
    async def stubborn(values, schema_id):
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(30)
        await asyncio.sleep(30)

    began = clock()
    (vote,) = await FanOut(Pools(a=stubborn)).ask(calls_to("a", deadline_ms=10), FEATURES)
    assert (vote.status, clock() - began) == ("late", pytest.approx(0.01, rel=0.01))


async def test_a_dead_pool_is_not_waited_for_again_and_again():
    now, asked = [0.0], []

    async def dead(values, schema_id):
        asked.append(now[0])
        await asyncio.sleep(30)

    pools = Pools(dead=dead)
    fan_out = FanOut(pools, clock_s=lambda: now[0])
    calls = calls_to("dead", deadline_ms=5)

    async def status():
        (vote,) = await fan_out.ask(calls, FEATURES)
        return vote.status

    assert [await status() for _ in range(6)] == ["late"] * 6
    assert len(asked) == 3
    now[0] = 1.5
    assert [await status() for _ in range(3)] == ["late"] * 3
    assert len(asked) == 4
    pools.calls["dead"] = good
    now[0] = 3.0
    assert [await status() for _ in range(2)] == ["ok", "ok"]
    del pools.calls["dead"]
    assert await status() == "missing"


async def test_a_variant_that_answers_nonsense_costs_only_its_own_vote():
    async def nonsense(values, schema_id):
        return "scores"

    votes = await FanOut(Pools(good=good, odd=nonsense)).ask(
        calls_to("good", "odd", deadline_ms=1000), FEATURES
    )
    assert [vote.status for vote in votes] == ["ok", "failed"]
