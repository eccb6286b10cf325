"""Runs against nodes that run already, wherever their processes are on this computer."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import psutil
import uvloop

from loadtests.bench.app import App
from loadtests.capacity.measure.driver import Driver, Node
from loadtests.capacity.runs import CLOSED, OPEN, MeasuredRun
from loadtests.history import history_file
from loadtests.memory import role_of
from loadtests.payments import Playlist, read_payments
from loadtests.target import NoTarget

_PAYMENTS = 5_000


def real_runs(
    urls: Sequence[str], connections: Sequence[int], rates: Sequence[int], seconds: float
) -> list[MeasuredRun]:
    """Measure the nodes at `urls` under each load, spread over them.

    All processes of Quorum and its stores on this computer count, so nothing else of the kind may
    run here.

    Raises:
        NoTarget: QUORUM_API_KEY is not set.
        OSError: a node does not answer.
        RuntimeError: a request failed.
    """
    key = os.environ.get("QUORUM_API_KEY")
    home = Path(os.environ.get("QUORUM_HOME", ".quorum"))
    if not key:
        raise NoTarget("QUORUM_API_KEY not set: a key of the nodes at --nodes")
    payments = read_payments(history_file(home), _PAYMENTS)
    nodes = [
        Node(
            App(url, f"{url}/v1/decisions", key, list, Playlist(payments, passes=100), url),
            url,
        )
        for url in (url.rstrip("/") for url in urls)
    ]

    async def run() -> list[MeasuredRun]:
        driver = Driver(nodes, _processes)
        await driver.learn_idle()
        loads = [*((CLOSED, n) for n in connections), *((OPEN, n) for n in rates)]
        return [await driver.run(mode, amount, seconds) for mode, amount in loads]

    return uvloop.run(run())


def _processes() -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["name", "cmdline"]):
        command = " ".join(process.info["cmdline"] or ())
        if role_of(process.info["name"] or "", command) is not None:
            found.append(process)
    return found
