"""Runs against nodes that run already: here servers that answer like Quorum."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from loadtests.capacity.measure.real_run import real_runs
from loadtests.capacity.runs import CLOSED, OPEN
from loadtests.target import NoTarget

Serve = Callable[[str], str]
pytestmark = pytest.mark.usefixtures("short")


@pytest.fixture(autouse=True)
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = "transaction_id,customer_id,timestamp,amount,currency,type,is_fraud\n"
    rows = [f"t{i},c{i % 7},2026-01-05T11:00:{i:02d}Z,1.00,EUR,purchase,0\n" for i in range(60)]
    path = tmp_path / "payments.csv"
    path.write_text(head + "".join(rows))
    monkeypatch.setenv("QUORUM_LOAD_FILE", str(path))
    monkeypatch.setenv("QUORUM_API_KEY", "key")


def test_loads_are_spread_over_the_nodes(serve: Serve) -> None:
    urls = [serve("right"), serve("right") + "/"]
    runs = real_runs(urls, connections=[2], rates=[40], seconds=0.5)
    assert [(run.mode, run.amount, run.nodes) for run in runs] == [(CLOSED, 2, 2), (OPEN, 40, 2)]
    assert all(run.per_s > 0 for run in runs)


def test_a_node_that_does_not_answer_is_an_error(serve: Serve) -> None:
    with pytest.raises(OSError):  # noqa: PT011 - whichever way the connection fails
        real_runs([serve("right"), "http://127.0.0.1:9"], [2], [], 0.2)


def test_a_key_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QUORUM_API_KEY")
    with pytest.raises(NoTarget, match="QUORUM_API_KEY not set"):
        real_runs(["http://127.0.0.1:9"], [1], [], 0.2)
