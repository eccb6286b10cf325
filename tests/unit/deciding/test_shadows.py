"""Shadows: recorded, never awaited, dropped first."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from deciding.fan_out import FanOut
from deciding.shadows import ShadowRunner
from fraud.asking import Asking
from fraud.policy.shadow import Shadow, ShadowPolicy
from fraud.score import VariantScores
from telemetry import metrics
from tests.contracts.decisions import decided, transactions
from tests.contracts.plans import leaf

pytestmark = pytest.mark.virtual_time


class Pools:
    """One variant that scores 0.6 after some time."""

    def __init__(self, after_s: float = 0.0, error: Exception | None = None) -> None:
        self.after_s, self.error, self.rows = after_s, error, []

    def scorer(self, variant):
        return self.score

    async def score(self, values, schema_id):
        self.rows.append(len(values))
        await asyncio.sleep(self.after_s)
        if self.error is not None:
            raise self.error
        return VariantScores("v9", "9" * 64, np.full(len(values), 0.6))


class Sink:
    def __init__(self) -> None:
        self.kept = []

    def offer(self, decisions):
        self.kept += decisions


def launch(runner: ShadowRunner, n: int = 3, share: float = 100.0, of_house: bool = True):
    """Launch the shadow of a micro-batch of n rows, and return the decisions on it."""
    batch = transactions(n)
    features, decisions = decided(batch)
    asking = Asking(batch)
    policy = Shadow(leaf("live"), (ShadowPolicy("dark", leaf("new"), share),))
    next(policy.run(asking, None, ""))
    runner.launch(asking, features, [decisions], [list(range(n))], [of_house])
    return decisions


async def test_what_a_shadow_says_is_kept_beside_the_decision():
    sink = Sink()
    decisions = launch(ShadowRunner(FanOut(Pools()), sink))
    assert sink.kept == []
    await asyncio.sleep(0.01)
    assert [kept.decision_id for kept in sink.kept] == decisions.decision_id
    first = sink.kept[0]
    assert (first.shadow, first.plan, first.plan_version) == ("dark", "default", 3)
    assert (first.outcome, first.probability, first.tenant) == (2, 0.6, "default")
    [vote] = first.votes
    assert (vote["variant"], vote["version"], vote["score"]) == ("new", "v9", 0.6)


async def test_it_is_not_awaited():
    began = asyncio.get_running_loop().time()
    launch(ShadowRunner(FanOut(Pools(after_s=20)), Sink()))
    assert asyncio.get_running_loop().time() == began


async def test_rows_past_the_cap_are_dropped_and_later_ones_asked_again():
    pools, sink = Pools(after_s=0.01), Sink()
    runner = ShadowRunner(FanOut(pools), sink, most_rows=5)
    launch(runner, 3)
    launch(runner, 3)
    await asyncio.sleep(0.02)
    assert len(sink.kept) == 3
    launch(runner, 5)
    await asyncio.sleep(0.02)
    assert (pools.rows, len(sink.kept)) == ([3, 5], 8)


async def test_while_decisions_need_all_there_is_every_shadow_is_dropped():
    pools = Pools()
    launch(ShadowRunner(FanOut(pools), Sink(), is_busy=lambda: True))
    await asyncio.sleep(0.01)
    assert pools.rows == []


@pytest.mark.parametrize("pools", [Pools(error=RuntimeError("secret 4111")), Pools(after_s=30)])
async def test_a_shadow_that_fails_or_is_late_leaves_no_trace(pools, caplog):
    sink = Sink()
    launch(ShadowRunner(FanOut(pools), sink))
    await asyncio.sleep(1)
    assert sink.kept == []
    assert "4111" not in caplog.text


async def test_closing_drops_what_is_in_flight():
    runner = ShadowRunner(FanOut(Pools(after_s=30)), Sink())
    launch(runner)
    await asyncio.sleep(0)
    await runner.close()
    assert len(asyncio.all_tasks()) == 1


async def test_shadows_of_tenants_plans_are_no_labels(monkeypatch):
    seen = []
    monkeypatch.setattr(metrics, "observe_shadow", lambda *args: seen.append(args[:3]))
    for of_house in (True, False):
        sink = Sink()
        launch(ShadowRunner(FanOut(Pools()), sink), of_house=of_house)
        await asyncio.sleep(0.01)
        assert {kept.shadow for kept in sink.kept} == {"dark"}
        launch(ShadowRunner(FanOut(Pools()), Sink(), most_rows=0), of_house=of_house)
    asked, dropped = ("asked", 3), ("dropped", 3)
    assert seen == [(label, *what) for label in ("dark", "") for what in (asked, dropped)]
