"""Costs of a node, against a server that answers like Quorum."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from loadtests.capacity.measure.node_costs import measure_node, one_exchange
from loadtests.capacity.measure.usage import CLIENT
from loadtests.capacity.runs import CLOSED, OPEN
from loadtests.payments import Payment
from loadtests.target import Target
from tests.integration.loadtests.capacity.measure.conftest import node

Serve = Callable[[str], str]


async def test_an_exchange_counts_heads_and_bodies(serve: Serve, payments: list[Payment]) -> None:
    asked, answered = await one_exchange(node(serve("right"), payments).app)
    assert 300 < asked < 600
    assert 200 < answered < 500


@pytest.mark.usefixtures("short")
async def test_each_load_is_a_run(serve: Serve, payments: list[Payment], tmp_path: Path) -> None:
    url = serve("right")
    loads = [(CLOSED, 2), (OPEN, 50)]
    found = await measure_node(
        node(url, payments).app, Target(url, "key", tmp_path), loads, seconds=0.5
    )
    assert [(run.mode, run.amount) for run in found.runs] == loads
    assert all(run.per_s > 0 and run.nodes == 1 for run in found.runs)
    assert set(found.idle_cores) == {CLIENT}
    assert found.request_bytes > 300
    assert found.answer_bytes > 200
