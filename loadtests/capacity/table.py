"""Needs and simulated runs as tables, for a terminal or as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from loadtests.bench.table import table as markdown_table
from loadtests.capacity.compare import Comparison
from loadtests.capacity.model.needs import Need, Plan
from loadtests.capacity.simulation.run import SimulatedRun

Rows = tuple[list[str], list[list[str]]]
"""Titles, and cells."""


def plan_rows(plans: Sequence[Plan]) -> Rows:
    """Return the needs of some loads, one a column."""
    titles = ["", *(_load(plan) for plan in plans)]
    facts = {
        "decisions/s, mean and peak": [
            f"{p.demand.mean_per_s:,.0f}, {p.demand.peak_per_s:,.0f}" for p in plans
        ],
        "serving nodes, one to spare": [f"{p.nodes}" for p in plans],
        "one node decides, at most": [f"{p.node_per_s:,.0f}/s" for p in plans],
        "limited by": [p.node_limit for p in plans],
        "rows of a micro-batch": [_short(p.rows) for p in plans],
    }
    rows = [[what, *cells] for what, cells in facts.items()]
    for needs in zip(*(plan.needs for plan in plans), strict=True):
        owner = f"{needs[0].of}: " if needs[0].of and needs[0].of not in needs[0].what else ""
        rows.append([f"{owner}{needs[0].what}", *map(_cell, needs)])
    rows.append(["Redis servers", *(_servers(p, "Redis", p.redis) for p in plans)])
    rows.append(["PostgreSQL servers", *(_servers(p, "PostgreSQL", p.postgres) for p in plans)])
    rows.append(
        ["the same, old partitions elsewhere", *(f"{p.postgres_without_disk}" for p in plans)]
    )
    return titles, rows


def saturation_rows(found: Sequence[tuple[float, Need]]) -> Rows:
    """Return where one store saturates."""
    return (
        ["limit", "peak decisions/s", "one gives"],
        [
            [
                f"{need.of}: {need.what}",
                f"{per_s:,.0f}",
                f"{_short(need.one or 0)} {need.unit}",
            ]
            for per_s, need in found
        ],
    )


def run_rows(runs: Sequence[tuple[str, SimulatedRun]]) -> Rows:
    """Return simulated runs."""
    titles = [
        *("load", "decisions/s", "p50 ms", "p90 ms", "p99 ms", "rows", "busiest", "queue"),
        *("refused", "not shipped"),
    ]
    rows = []
    for name, run in runs:
        share = {**run.processes, **run.busy}[run.busiest]
        rows.append(
            [
                name,
                f"{run.per_s:,.0f}",
                *(f"{ms:.1f}" for ms in (run.p50_ms, run.p90_ms, run.p99_ms)),
                f"{run.rows:.1f}",
                f"{run.busiest} {share:.0%}",
                *(f"{n:,}" for n in (run.most_queued, run.refused, run.backlog)),
            ]
        )
    return titles, rows


def comparison_rows(found: Sequence[Comparison]) -> Rows:
    """Return measured runs beside simulated ones."""
    titles = ["load", "measure", "measured", "simulated", "ratio", ""]
    rows = [
        [c.load, c.measure, _short(c.measured), _short(c.simulated), f"{c.ratio:.2f}", c.verdict]
        for c in found
    ]
    return titles, rows


def markdown(rows: Rows) -> str:
    """Return a table in Markdown."""
    return markdown_table(*rows)


def rich_table(rows: Rows) -> Table:
    """Return a table for a terminal."""
    titles, cells = rows
    shown = Table(box=None, pad_edge=False)
    for i, title in enumerate(titles):
        shown.add_column(title, justify="right" if i else "left")
    for row in cells:
        shown.add_row(*row)
    return shown


def _load(plan: Plan) -> str:
    return f"{plan.demand.per_day / 1e6:,.0f} M a day"


def _servers(plan: Plan, of: str, number: int) -> str:
    if number == 1 or plan.by_tenant(of):
        return f"{number}"
    return f"{number}, a tenant over several"


def _cell(need: Need) -> str:
    text = f"{_short(need.amount)} {need.unit}"
    return f"{text} ({need.share:.0%})" if need.one is not None else text


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
