"""Memory growth, without the stores."""

from __future__ import annotations

from loadtests.bench.growth import Growth, compare, total_mib
from loadtests.memory import RoleMemory


def test_growth_leaves_out_what_keeps_decisions_by_design() -> None:
    before = [RoleMemory("Ingress", 1, 100.0, None), RoleMemory("Redis", 1, 10.0, None)]
    after = [RoleMemory("Redis", 1, 500.0, None), RoleMemory("Ingress", 1, 103.0, None)]
    growth = compare(before, after)
    assert growth == [Growth("Ingress", 100.0, 103.0), Growth("Redis", 10.0, 500.0)]
    assert total_mib(growth) == 3.0
