"""`make bench-nodes`: processor time of a decision at one, two and three nodes.

    python -m loadtests.bench.nodes --nodes 1,2,3 --connections 48

The nodes are machines out of Linux namespaces on this computer, with one full set of replicas each,
two small models, and one PostgreSQL and Redis for all. They share its processors: throughput cannot
grow, but the processor time of a decision can be told. With as many connections on each node it
must be flat. Needs root and iproute2.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec
import psutil
import pytest
import uvloop

from loadtests.bench.__main__ import interrupt
from loadtests.bench.app import App
from loadtests.bench.rounds import give_history, say
from loadtests.bench.table import table
from loadtests.capacity.measure.driver import Driver, Node
from loadtests.capacity.measure.usage import CLIENT, STORES
from loadtests.capacity.runs import CLOSED, MeasuredRun
from loadtests.history import history_file
from loadtests.payments import Payment, Playlist, read_payments
from tests.contracts.machines import Machine
from tests.contracts.several_machines import SeveralMachines, several_machines, url_of

FLAT = 1.15
"""Largest growth of the processor time of a decision, from the fewest nodes to the most."""
OWN_PORT = 8001
_PAYMENTS = 4_000


@dataclass(frozen=True, slots=True)
class NodesRun:
    """One number of nodes.

    Attributes:
        spread: `total`: the same connections are spread over the nodes; `each`: each node has as
            many.
        connections: of all nodes together.
        run: what was measured: of several rounds the one with the median processor time.
    """

    spread: str
    connections: int
    run: MeasuredRun

    @property
    def cpu_ms(self) -> float:
        """Processor time of a decision on all nodes and stores, milliseconds."""
        return sum(ms for role, ms in self.run.cpu_ms.items() if role != CLIENT)

    @property
    def stores_ms(self) -> float:
        """The part of PostgreSQL and Redis."""
        return sum(self.run.cpu_ms.get(role, 0.0) for role in STORES)


def main(arguments: list[str] | None = None) -> int:
    """Measure and report. Returns 1 if the cost grows, 2 if nothing can be measured."""
    chosen = _options(arguments)
    try:
        found = _measure(chosen)
    except pytest.skip.Exception as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except (OSError, RuntimeError, AssertionError, psutil.Error) as error:
        print(f"error: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    if chosen.runs:
        runs = [nodes.run for nodes in found]
        chosen.runs.write_bytes(msgspec.json.format(msgspec.json.encode(runs)))
    print(json.dumps([asdict(nodes) for nodes in found], indent=2) if chosen.json else text(found))
    # The same connections on more nodes make smaller micro-batches, which cost more anywhere.
    return 0 if growth(found, "each") <= FLAT else 1


def text(found: Sequence[NodesRun]) -> str:
    """Return the runs as Markdown, and whether the cost is flat."""
    titles = [
        *("connections", "nodes", "decisions/s", "p50 ms", "p99 ms", "rows of a micro-batch"),
        *("CPU ms a decision", "of it stores"),
    ]
    rows = [
        [
            f"{nodes.connections}, {_SPREADS[nodes.spread]}",
            str(nodes.run.nodes),
            f"{nodes.run.per_s:,.0f}",
            *(f"{ms:.1f}" for ms in (nodes.run.p50_ms, nodes.run.p99_ms, nodes.run.rows)),
            *(f"{ms:.3f}" for ms in (nodes.cpu_ms, nodes.stores_ms)),
        ]
        for nodes in found
    ]
    verdicts = [
        f"{_SPREADS[spread]}: {'flat' if growth(found, spread) <= FLAT else 'GROWS'}, "
        f"x {growth(found, spread):.2f}"
        for spread in dict.fromkeys(nodes.spread for nodes in found)
    ]
    return table(titles, rows) + "\n\n" + "; ".join(verdicts)


def growth(found: Sequence[NodesRun], spread: str) -> float:
    """Return the cost of a decision at the most nodes over that at the fewest; 1.0 if there is only
    one number of nodes."""
    those = sorted((n for n in found if n.spread == spread), key=lambda nodes: nodes.run.nodes)
    return those[-1].cpu_ms / those[0].cpu_ms if len(those) > 1 else 1.0


_SPREADS = {"total": "the same in all", "each": "the same on each node"}


def _measure(chosen: argparse.Namespace) -> list[NodesRun]:
    found: list[NodesRun] = []
    with several_machines(min(chosen.nodes)) as quorum:
        key = quorum.key()
        payments = _payments(quorum)
        for number in sorted(chosen.nodes):
            quorum.grow(number)
            say(f"{number} nodes run")
            nodes = [_node(machine, key, payments) for machine in quorum.nodes]
            found += uvloop.run(_runs(chosen, nodes, _store_processes(quorum)))
    return sorted(found, key=lambda nodes: (nodes.spread != "total", nodes.run.nodes))


async def _runs(
    chosen: argparse.Namespace, nodes: Sequence[Node], stores: Callable[[], list[psutil.Process]]
) -> list[NodesRun]:
    for node in nodes:
        await give_history(node.app, _PAYMENTS)
    driver, found = Driver(nodes, stores), []
    await driver.learn_idle()
    for spread in chosen.spread:
        total = chosen.connections * (len(nodes) if spread == "each" else 1)
        runs = [
            NodesRun(spread, total, await driver.run(CLOSED, total, chosen.seconds))
            for _ in range(chosen.rounds)
        ]
        # The one in the middle: a whole run, so that its figures belong together.
        found.append(sorted(runs, key=lambda nodes: nodes.cpu_ms)[len(runs) // 2])
        say(f"{found[-1].run.per_s:,.0f}/s, {found[-1].cpu_ms:.3f} ms CPU a decision")
    return found


def _node(machine: Machine, key: str, payments: list[Payment]) -> Node:
    app = App(
        machine.name,
        f"{url_of(machine)}/v1/decisions",
        key,
        machine.processes,
        Playlist(payments, passes=400),
        machine.name,
    )
    return Node(app, f"http://{machine.address}:{OWN_PORT}")


def _payments(quorum: SeveralMachines) -> list[Payment]:
    return read_payments(history_file(quorum.hub.folder), _PAYMENTS)


def _store_processes(quorum: SeveralMachines) -> Callable[[], list[psutil.Process]]:
    def found() -> list[psutil.Process]:
        servers = [psutil.Process(store.pid) for store in (quorum.postgres, quorum.redis)]
        return [p for server in servers for p in (server, *server.children(recursive=True))]

    return found


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.bench.nodes",
        description="Processor time of a decision at one, two and three nodes.",
    )
    parser.add_argument("--nodes", type=_numbers, default=[1, 2, 3], metavar="N,N,...")
    parser.add_argument("--connections", type=int, default=48)
    parser.add_argument(
        "--spread",
        type=_spreads,
        default=["total", "each"],
        help="total: as many connections whatever the nodes; each: as many on each node",
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--runs", type=Path, help="file for the runs, for `python -m loadtests.capacity check`"
    )
    return parser.parse_args(arguments)


def _numbers(text: str) -> list[int]:
    numbers = [int(part) for part in text.split(",")]
    if min(numbers) < 1:
        raise argparse.ArgumentTypeError("expected 1 or more nodes")
    return numbers


def _spreads(text: str) -> list[str]:
    named = text.split(",")
    if unknown := sorted(set(named) - set(_SPREADS)):
        raise argparse.ArgumentTypeError(f"{unknown[0]}: expected total or each")
    return named


if __name__ == "__main__":
    # By default, this signal would leave machines running.
    signal.signal(signal.SIGTERM, interrupt)
    sys.exit(main())
