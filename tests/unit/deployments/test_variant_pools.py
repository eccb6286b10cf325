"""Pools come and go while decisions are made."""

from __future__ import annotations

import asyncio
import threading
import time

from deployments.links.switchboard import Switchboard
from deployments.variant_pools import VariantPools
from tests.contracts.waiting import until


class Handle:
    """Stands in for a Serve handle."""

    app_name, deployment_name = "variant-a", "Variant"

    def __init__(self, error=None):
        self.error = error
        self.called = 0
        self.cancelled = 0
        self.warmed = 0

    def options(self, *, method_name, **_):
        other = Handle(self.error)
        other.method, other.root = method_name, self
        return other

    def remote(self, *args):
        return Response(self)


class Response:
    def __init__(self, handle):
        self.handle = handle

    def __await__(self):
        return self._run().__await__()

    async def _run(self):
        if self.handle.method == "describe":
            self.handle.root.warmed += 1
        if self.handle.error is not None:
            raise self.handle.error
        if self.handle.method == "score":
            self.handle.root.called += 1
            await asyncio.sleep(30)

    def cancel(self):
        self.handle.root.cancelled += 1


async def test_a_pool_is_found_warmed_used_and_forgotten():
    there = {}
    pools = VariantPools(lambda: ("a", "b"), Switchboard(None), there.get)
    await pools.refresh()
    assert (pools.scorer("a"), pools.missing) == (None, ("a", "b"))
    there["a"] = Handle()
    await pools.refresh()
    await pools.refresh()
    assert pools.scorer("a") is not None
    assert pools.explainer("a") is not None
    assert pools.missing == ("b",)
    assert there["a"].warmed == 1
    there.clear()
    await pools.refresh()
    assert pools.scorer("a") is None


async def test_a_pool_that_does_not_answer_is_not_used():
    pools = VariantPools(lambda: ("a",), Switchboard(None), lambda _: Handle(RuntimeError("no")))
    await pools.refresh()
    assert pools.missing == ("a",)


async def test_a_controller_that_does_not_answer_changes_nothing():
    handle, broken = Handle(), []

    def find(variant):
        if broken:
            raise ConnectionError
        return handle

    pools = VariantPools(lambda: ("a",), Switchboard(None), find)
    await pools.refresh()
    broken.append(1)
    await pools.refresh()
    assert pools.scorer("a") is not None


async def test_cancelling_a_call_cancels_it_at_the_other_end():
    handle = Handle()
    pools = VariantPools(lambda: ("a",), Switchboard(None), lambda _: handle)
    await pools.refresh()
    task = asyncio.ensure_future(pools.scorer("a")(None, ""))
    await until(lambda: handle.called == 1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert handle.cancelled == 1


async def test_it_looks_by_itself():
    there = {}
    pools = VariantPools(lambda: ("a",), Switchboard(None), there.get, interval_s=0.01)
    await pools.start()
    there["a"] = Handle()
    await until(lambda: not pools.missing)
    assert pools.missing == ()
    assert pools.alive
    await pools.close()
    assert not pools.alive


async def test_pools_are_found_before_a_plan_asks_them():
    there = {"a": Handle(), "b": Handle()}
    pools = VariantPools(lambda: (), Switchboard(None), there.get)
    await pools.prepare(("a", "c"))
    assert pools.scorer("a") is not None
    assert there["a"].warmed == 1
    assert pools.scorer("b") is None


async def test_a_new_plan_waits_for_its_pools_only_so_long():
    asked = threading.Event()

    def find(variant):
        asked.set()
        time.sleep(0.5)

    pools = VariantPools(lambda: (), Switchboard(None), find)
    began_s = time.monotonic()
    await pools.prepare(("a",), timeout_s=0.05)
    assert asked.is_set()
    assert time.monotonic() - began_s < 0.4
