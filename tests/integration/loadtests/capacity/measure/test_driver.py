"""Loads on nodes, against servers that answer like Quorum."""

from __future__ import annotations

from collections.abc import Callable

import psutil
import pytest

from loadtests.capacity.measure.driver import Driver
from loadtests.capacity.measure.usage import CLIENT
from loadtests.capacity.runs import CLOSED, OPEN
from loadtests.payments import Payment
from tests.integration.loadtests.capacity.measure.conftest import node

Serve = Callable[[str], str]
pytestmark = pytest.mark.usefixtures("short")


@pytest.mark.parametrize(("mode", "amount"), [(CLOSED, 7), (OPEN, 100)])
async def test_a_load_is_spread_over_the_nodes(
    mode: str, amount: int, serve: Serve, payments: list[Payment]
) -> None:
    nodes = [node(serve("right"), payments) for _ in range(3)]
    found = Driver(nodes, lambda: [psutil.Process()])
    await found.learn_idle()
    run = await found.run(mode, amount, 1.0)
    assert (run.mode, run.amount, run.nodes) == (mode, amount, 3)
    assert run.rows == 2.0
    assert run.stage_ms == {"log": pytest.approx(10.0)}
    assert 0 < run.p50_ms <= run.p90_ms <= run.p99_ms
    assert run.cpu_ms[CLIENT] > 0
    if mode == OPEN:
        assert run.per_s == pytest.approx(100, rel=0.3)
    else:
        assert run.per_s > 10


async def test_a_failure_is_none_of_the_figures(serve: Serve, payments: list[Payment]) -> None:
    found = Driver([node(serve("failing"), payments)], list)
    with pytest.raises(RuntimeError, match=r"closed 2: failures .*status 500"):
        await found.run(CLOSED, 2, 0.2)
