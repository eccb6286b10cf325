"""The tables of docs/scaling.md, between marks in its text."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable

from loadtests.bench.table import table
from loadtests.capacity.compare import TOLERANCE, compare
from loadtests.capacity.constants import FILE, Constants
from loadtests.capacity.measure.fit import Line
from loadtests.capacity.measure.usage import CLIENT
from loadtests.capacity.model.demand import Demand, Hardware
from loadtests.capacity.model.needs import needs_of, saturations
from loadtests.capacity.model.roles import Roles
from loadtests.capacity.runs import OPEN, read_runs
from loadtests.capacity.simulation.cluster import Layout
from loadtests.capacity.simulation.run import simulate
from loadtests.capacity.table import (
    comparison_rows,
    markdown,
    plan_rows,
    run_rows,
    saturation_rows,
)

RATES = (10e6 / 86_400 * 3, 100e6 / 86_400 * 3, 10_000.0)
"""Peaks of 10 and 100 million decisions a day, and ten thousand a second."""
NODES_RUNS = FILE.with_name("nodes_runs.json")
"""What `make bench-nodes` has measured."""
_SIMULATED = (
    *((1, 500), (1, 1500), (1, 2500), (1, 3500)),
    *((4, 10_000), (6, 10_000), (8, 10_000)),
)
_BLOCK = re.compile(r"<!-- begin (\w+) -->\n.*?<!-- end \1 -->", re.DOTALL)
QUICK = ("constants", "plan", "saturation")
"""Tables in closed form; the others are simulated."""


def with_tables(page: str, constants: Constants, only: tuple[str, ...] = ()) -> str:
    """Return the page with new tables.

    Args:
        page: has `<!-- begin NAME -->` and `<!-- end NAME -->` around each table.
        constants: what the tables are computed from.
        only: names of the tables to make; the others stay. (): all.

    Raises:
        KeyError: there is no such table.
    """

    def made(block: re.Match[str]) -> str:
        name = block[1]
        if only and name not in only:
            return block[0]
        return f"<!-- begin {name} -->\n{_TABLES[name](constants)}\n<!-- end {name} -->"

    return _BLOCK.sub(made, page)


def demand_of(peak_per_s: float) -> Demand:
    """Return a load with one payment of each customer a day."""
    return Demand(peak_per_s, customers=round(Demand(peak_per_s).per_day))


def _constants(constants: Constants) -> str:
    roles, redis, postgres = Roles.of(constants), constants.redis, constants.postgres
    links, sources = constants.links, constants.sources
    node = (
        sum(roles.ms[role].call for role in roles.on_node),
        sum(roles.ms[role].row for role in roles.on_node),
    )
    lines: list[tuple[str, Line, str]] = [
        ("node: processor time, ms", Line(*node), "node"),
        ("Redis: processor time, ms", _scaled(redis.cpu_us, 1e-3), "redis"),
        ("Redis: received, KB", _scaled(redis.in_bytes, 1e-3), "redis"),
        ("Redis: sent, KB", _scaled(redis.out_bytes, 1e-3), "redis"),
        ("PostgreSQL: processor time, ms", _scaled(postgres.cpu_us, 1e-3), "postgres"),
        ("PostgreSQL: write-ahead log, KB", _scaled(postgres.wal_bytes, 1e-3), "postgres"),
        ("PostgreSQL: received, KB", _scaled(postgres.sent_bytes, 1e-3), "postgres"),
        ("shipper: duration, ms", postgres.took_ms, "postgres"),
        (
            "links, all calls, KB",
            _scaled(_sum(links.decide, links.fetch, links.variants), 1e-3),
            "links",
        ),
    ]
    rows = [
        [what, f"{cost.call:.3g}", f"{cost.row:.3g}", sources[part].measured[:10], f"`{part}`"]
        for what, cost, part in lines
    ]
    sizes = ", ".join(
        f"{name} {redis.kind_bytes[kind]:,.0f}"
        for name, kind in (
            *(("a customer's state", "customer"), ("a merchant's", "merchant")),
            *(("a device's", "device"), ("an account's", "account")),
            *(("a payment seen today", "marker"), ("features of one payment, 15 min", "features")),
        )
    )
    facts = (
        f"Bytes in Redis: {sizes}.",
        f"Bytes in PostgreSQL: {postgres.table_bytes:,.0f} of tables and "
        f"{postgres.index_bytes:,.0f} of indexes a decision, at "
        f"{postgres.random_indexes:.0f} random places. In a node's log: "
        f"{postgres.log_bytes:,.0f}. Over HTTP: {constants.node.request_bytes:,} in and "
        f"{constants.node.answer_bytes:,} out. An idle node uses "
        f"{roles.node_idle_cores():.2f} cores.",
        f"Machine: {sources['node'].machine}.",
    )
    costs = table(["cost", "a call", "and each row", "measured", "part"], rows)
    return "\n\n".join([costs, *(textwrap.fill(fact, 100) for fact in facts)])


def _scaled(line: Line, factor: float) -> Line:
    return Line(line.call * factor, line.row * factor)


def _sum(*lines: Line) -> Line:
    return Line(sum(line.call for line in lines), sum(line.row for line in lines))


def _plan(constants: Constants) -> str:
    plans = [needs_of(demand_of(rate), Hardware(), constants) for rate in RATES]
    return markdown(plan_rows(plans))


def _saturation(constants: Constants) -> str:
    return markdown(saturation_rows(saturations(demand_of(RATES[-1]), Hardware(), constants)))


def _simulated(constants: Constants) -> str:
    runs = []
    for nodes, rate in _SIMULATED:
        layout = Layout(nodes, 8, shared=False, store_cores=16, lanes=2)
        name = f"{nodes} node{'s' * (nodes > 1)}, {rate:,} req/s"
        runs.append((name, simulate(constants, layout, OPEN, rate, 3.0)))
    return markdown(run_rows(runs))


def _check(constants: Constants) -> str:
    return markdown(comparison_rows(compare(constants.node.runs, constants)))


def _nodes(constants: Constants) -> str:
    runs = read_runs(NODES_RUNS.read_bytes())
    measured = [
        [
            f"{run.amount}",
            f"{run.nodes}",
            f"{run.per_s:,.0f}",
            f"{run.p50_ms:.1f}",
            f"{run.p99_ms:.1f}",
            f"{run.rows:.1f}",
            f"{sum(ms for role, ms in run.cpu_ms.items() if role != CLIENT):.2f}",
            *(f"{c.ratio:.2f}{'' if c.holds else ', outside'}" for c in compare([run], constants)),
        ]
        for run in runs
    ]
    titles = ["connections", "nodes", "decisions/s", "p50 ms", "p99 ms", "rows", "CPU ms"]
    return table([*titles, *(f"simulated / measured {name}" for name in TOLERANCE)], measured)


_TABLES: dict[str, Callable[[Constants], str]] = {
    "constants": _constants,
    "plan": _plan,
    "saturation": _saturation,
    "simulated": _simulated,
    "check": _check,
    "nodes": _nodes,
}
