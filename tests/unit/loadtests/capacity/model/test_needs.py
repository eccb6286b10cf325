"""Needs of a load."""

from __future__ import annotations

from dataclasses import replace

import pytest

from loadtests.capacity.constants import Constants
from loadtests.capacity.model.demand import Demand, Hardware
from loadtests.capacity.model.needs import Plan, needs_of, redis_bytes, saturations

DEMAND = Demand(1000.0)


def amount(plan: Plan, what: str) -> float:
    [found] = [need.amount for need in plan.needs if need.what == what]
    return found


def test_more_load_needs_more_of_everything_that_counts(constants: Constants) -> None:
    one, ten = (needs_of(Demand(rate), Hardware(), constants) for rate in (1000.0, 10_000.0))
    assert ten.nodes > one.nodes
    assert ten.rows > one.rows
    for what in ("write-ahead log", "disk", "growth of its disk", "memory of its data"):
        assert amount(ten, what) > amount(one, what)
    # Larger micro-batches: less than ten times as much.
    assert amount(ten, "its one processor") < 10 * amount(one, "its one processor")


def test_a_node_may_be_lost(constants: Constants) -> None:
    plan = needs_of(Demand(10_000.0), Hardware(), constants)
    assert (plan.nodes - 1) * plan.node_per_s >= 10_000.0
    assert (plan.nodes - 2) * plan.node_per_s < 10_000.0


def test_disk_is_kept_as_long_as_asked(constants: Constants) -> None:
    year, month = (
        needs_of(replace(DEMAND, retention_days=days), Hardware(), constants) for days in (360, 30)
    )
    assert amount(year, "disk") == pytest.approx(12 * amount(month, "disk"))
    bytes_each = constants.postgres.table_bytes + constants.postgres.index_bytes
    assert amount(month, "growth of its disk") == pytest.approx(DEMAND.per_day * bytes_each / 1e9)


def test_a_day_a_partition_keeps_indexes_in_memory(constants: Constants) -> None:
    what = "random pages of indexes, at most"
    by_month, by_day = (
        needs_of(Demand(3500.0), Hardware(partition_days=days), constants) for days in (30, 1)
    )
    assert amount(by_month, what) > 10_000
    assert amount(by_day, what) == 0


def test_memory_of_redis_is_that_of_what_it_holds(constants: Constants) -> None:
    bare = Demand(1e-6, customers=1, merchants=1)
    many = replace(bare, customers=1_000_001)
    each = (redis_bytes(many, constants) - redis_bytes(bare, constants)) / 1e6
    states = constants.redis.kind_bytes
    assert states["customer"] < each < 4 * states["customer"]
    seen = redis_bytes(replace(bare, peak_per_s=300.0), constants)
    assert seen > 300 / 3 * 86_400 * states["marker"]


def test_tenants_help_until_one_is_too_large(constants: Constants) -> None:
    load = Demand(50_000.0, tenants=100, largest_tenant=0.01)
    assert needs_of(load, Hardware(), constants).redis > 1
    assert needs_of(load, Hardware(redis_gib=4096), constants).by_tenant("Redis")
    one = replace(load, largest_tenant=1.0)
    assert not needs_of(one, Hardware(redis_gib=4096), constants).by_tenant("Redis")


def test_a_store_saturates_where_its_share_is_one(constants: Constants) -> None:
    found = saturations(DEMAND, Hardware(), constants)
    assert [per_s for per_s, _ in found] == sorted(per_s for per_s, _ in found)
    for per_s, need in found:
        customers = round(DEMAND.customers * per_s / DEMAND.peak_per_s)
        at = replace(DEMAND, peak_per_s=per_s, customers=customers)
        shares = {
            n.what: n.share for n in needs_of(at, Hardware(), constants).needs if n.of == need.of
        }
        assert shares[need.what] == pytest.approx(1.0, abs=0.05)
    assert {need.what for _, need in found} >= {"disk", "its one processor", "memory of its data"}
