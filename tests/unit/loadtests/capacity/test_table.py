"""Tables of needs and runs."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

from rich.console import Console

from loadtests.capacity.compare import P99, Comparison
from loadtests.capacity.constants import Constants
from loadtests.capacity.model.demand import Demand, Hardware
from loadtests.capacity.model.needs import needs_of
from loadtests.capacity.table import comparison_rows, markdown, plan_rows, rich_table


def test_a_share_stands_behind_what_has_a_limit(constants: Constants) -> None:
    plan = needs_of(Demand(1000.0), Hardware(), constants)
    cells = {row[0]: row[1] for row in plan_rows([plan])[1]}
    assert cells["PostgreSQL: disk"].endswith("%)")
    assert cells["growth of its disk"].endswith("GB/day")
    assert cells["decisions/s, mean and peak"] == "333, 1,000"


def test_a_tenant_that_is_too_large_for_one_server_is_told(constants: Constants) -> None:
    demand = Demand(50_000.0, tenants=100, largest_tenant=0.01)
    small, large = (
        dict(plan_rows([needs_of(one, Hardware(redis_gib=2048), constants)])[1])
        for one in (demand, replace(demand, largest_tenant=1.0))
    )
    assert "several" not in small["Redis servers"]
    assert large["Redis servers"].endswith(", a tenant over several")


def test_what_lies_outside_is_marked() -> None:
    rows = comparison_rows([Comparison("8 connections", P99, 10.0, 40.0)])
    assert markdown(rows).endswith("| 8 connections | p99 ms | 10 | 40 | 4.00 | OUTSIDE |")
    console = Console(file=StringIO(), width=100)
    console.print(rich_table(rows))
    assert "OUTSIDE" in console.file.getvalue()  # type: ignore[attr-defined]
