"""The needs of a load: nodes, Redis, PostgreSQL, network; and what saturates first."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from loadtests.capacity.constants import Constants
from loadtests.capacity.model.demand import GIB, Demand, Hardware
from loadtests.capacity.model.node import NodeModel
from loadtests.capacity.model.roles import Roles

_ROWS_OF_SHIPMENT, _SHIP_EVERY_S = 500, 0.25
_KEEP_FEATURES_S, _LIMIT_WINDOW_S = 900, 60
DISK = "disk"
STORES = ("Redis", "PostgreSQL")
_TERA = 1e12


@dataclass(frozen=True, slots=True)
class Need:
    """One need.

    Attributes:
        what: of what.
        amount, unit: how much, at the peak.
        one: how much one machine or process gives as planned; None: it is only told.
        of: the machine or process.
    """

    what: str
    amount: float
    unit: str
    one: float | None = None
    of: str = ""

    @property
    def share(self) -> float:
        """How many of them are needed, 0.0 if that is not counted."""
        return 0.0 if self.one is None else self.amount / self.one


@dataclass(frozen=True, slots=True)
class Plan:
    """All needs of a load.

    Attributes:
        demand: the load.
        nodes: serving nodes, with one to spare.
        node_limit: what limits a node.
        node_per_s: decisions a second of a node as planned.
        rows: mean rows of a micro-batch at the peak.
        needs: everything else.
    """

    demand: Demand
    nodes: int
    node_limit: str
    node_per_s: float
    rows: float
    needs: tuple[Need, ...]

    @property
    def redis(self) -> int:
        """Redis servers (primaries) that the load needs."""
        return self._most("Redis")

    @property
    def postgres(self) -> int:
        """PostgreSQL servers (primaries) that the load needs."""
        return self._most("PostgreSQL")

    @property
    def postgres_without_disk(self) -> int:
        """The same if old partitions are kept elsewhere."""
        needs = [n.share for n in self.needs if n.of == "PostgreSQL" and n.what != DISK]
        return math.ceil(max(needs))

    @property
    def first(self) -> Need:
        """The store's need that is nearest to its limit, or furthest past it."""
        return max(self.needs, key=lambda need: need.share)

    def by_tenant(self, of: str) -> bool:
        """Return whether a server for each tenant, or for several, is enough: whether the largest
        tenant alone fits on one."""
        largest = self.demand.largest_tenant
        return all(need.share * largest <= 1 for need in self.needs if need.of == of)

    def _most(self, of: str) -> int:
        return max(math.ceil(need.share) for need in self.needs if need.of == of)


def needs_of(demand: Demand, hardware: Hardware, constants: Constants) -> Plan:
    """Return the needs of a load on some machines."""
    node = NodeModel(Roles.of(constants), hardware, demand.variants)
    most, limit = node.most()
    serving = max(1, math.ceil(demand.peak_per_s / most.per_s))
    # As many as needed, and one that may be lost.
    nodes = serving + 1
    use = node.at(demand.peak_per_s / nodes)
    wire = hardware.network_gbit_s * 1e9 / 8 * hardware.use
    return Plan(
        demand,
        nodes,
        limit,
        most.per_s,
        use.rows,
        (
            Need("processors in use on all nodes", use.cores * nodes, "cores"),
            *_redis(demand, hardware, constants, use.rows, wire),
            *_postgres(demand, hardware, constants, nodes, wire),
            *_network(demand, constants, nodes, use.rows, wire),
        ),
    )


def _redis(
    demand: Demand, hardware: Hardware, constants: Constants, rows: float, wire: float
) -> list[Need]:
    costs = constants.redis
    cores = demand.peak_per_s * costs.cpu_us.each(rows) / 1e6 / hardware.factor
    traffic = demand.peak_per_s * (costs.in_bytes.each(rows) + costs.out_bytes.each(rows))
    return [
        # It runs scripts on one thread, whatever the machine has.
        Need("its one processor", cores, "cores", hardware.use, "Redis"),
        Need(
            "memory of its data",
            redis_bytes(demand, constants) / GIB,
            "GiB",
            hardware.redis_gib / 2,
            "Redis",
        ),
        Need("its network", traffic / 1e6, "MB/s", wire / 1e6, "Redis"),
        Need("scripts that Redis runs", demand.peak_per_s * costs.scripts.each(rows), "/s"),
    ]


def saturations(
    demand: Demand, hardware: Hardware, constants: Constants
) -> list[tuple[float, Need]]:
    """Return (peak decisions a second, need) for each limit of a single store: where one of it
    reaches its planned use. The lowest rate first; needs that 10 M/s do not reach are left out.

    Args:
        demand: everything but the rate.
    """
    found: list[tuple[float, Need]] = []
    limited = [n for n in needs_of(demand, hardware, constants).needs if n.of in STORES]
    for need in limited:
        low, high = 1.0, 1e7

        def share(per_s: float, what: Need = need) -> float:
            # As many payments of each customer at any rate.
            customers = max(1, round(demand.customers * per_s / demand.peak_per_s))
            at = replace(demand, peak_per_s=per_s, customers=customers)
            return next(
                other.share
                for other in needs_of(at, hardware, constants).needs
                if (other.of, other.what) == (what.of, what.what)
            )

        if share(high) < 1:
            continue
        while high / low > 1.001:
            middle = math.sqrt(low * high)
            low, high = (middle, high) if share(middle) < 1 else (low, middle)
        found.append((low, need))
    return sorted(found, key=lambda pair: pair[0])


def redis_bytes(demand: Demand, constants: Constants) -> float:
    """Return the memory of Redis' data, bytes: states of two weeks, a day of payments that were
    seen, a quarter of an hour of features at the peak, a minute of limits."""
    size, kinds = constants.redis.kind_bytes, constants.redis.kinds
    # Devices, counterparties and accounts are told by customers, as in the history.
    per_customer = sum(
        size[kind] * kinds[kind] / kinds["customer"]
        for kind in kinds
        if kind not in ("merchant", "marker", "features", "limit")
    )
    data = (
        demand.customers * per_customer
        + demand.merchants * size["merchant"]
        + demand.per_day * size["marker"]
        + demand.peak_per_s * _KEEP_FEATURES_S * size["features"]
        + min(demand.customers, demand.peak_per_s * _LIMIT_WINDOW_S) * size["limit"]
    )
    return data * constants.redis.overhead


def _postgres(
    demand: Demand, hardware: Hardware, constants: Constants, nodes: int, wire: float
) -> list[Need]:
    costs = constants.postgres
    rows = min(_ROWS_OF_SHIPMENT, max(1.0, demand.peak_per_s / nodes * _SHIP_EVERY_S))
    cores = demand.peak_per_s * costs.cpu_us.each(rows) / 1e6 / hardware.factor
    wal = demand.peak_per_s * costs.wal_bytes.each(rows)
    day = demand.per_day * (costs.table_bytes + costs.index_bytes)
    index_gib = demand.per_day * hardware.partition_days * costs.index_bytes / GIB
    # Pages of indexes that do not fit into memory are read and written one by one.
    missing = max(0.0, 1 - hardware.postgres_gib / 2 / index_gib)
    pages = demand.peak_per_s * costs.random_indexes * missing * 2
    alone_s = costs.took_ms.each(_ROWS_OF_SHIPMENT) / 1000
    return [
        Need(
            *("its processors", cores, "cores"),
            *(hardware.use * hardware.postgres_cores, "PostgreSQL"),
        ),
        Need(
            *("write-ahead log", wal / 1e6, "MB/s"),
            *(hardware.use * hardware.postgres_mb_s, "PostgreSQL"),
        ),
        Need(
            *("random pages of indexes, at most", pages, "/s"),
            *(hardware.use * hardware.postgres_iops, "PostgreSQL"),
        ),
        Need(
            *(DISK, day * demand.retention_days / _TERA, "TB"),
            *(hardware.use * hardware.postgres_tib * 2**40 / _TERA, "PostgreSQL"),
        ),
        Need(
            *("its network", demand.peak_per_s * costs.sent_bytes.each(rows) / 1e6, "MB/s"),
            *(wire / 1e6, "PostgreSQL"),
        ),
        Need("growth of its disk", day / 1e9, "GB/day"),
        Need("indexes that are written to", index_gib, "GiB"),
        Need("shipper of a node", demand.peak_per_s / nodes, "rows/s", 1 / alone_s, "a shipper"),
        Need("log on a node's disk", demand.peak_per_s / nodes * costs.log_bytes / 1e6, "MB/s"),
        Need(
            "log on a node's disk if PostgreSQL is away for an hour",
            demand.peak_per_s / nodes * costs.log_bytes * 3600 / 1e9,
            "GB",
        ),
    ]


def _network(
    demand: Demand, constants: Constants, nodes: int, rows: float, wire: float
) -> list[Need]:
    links, per_s = constants.links, demand.peak_per_s
    http = per_s * (constants.node.request_bytes + constants.node.answer_bytes)
    stores = per_s * (
        constants.redis.in_bytes.each(rows)
        + constants.redis.out_bytes.each(rows)
        + constants.postgres.sent_bytes.row
    )
    across = per_s * (links.decide.each(rows) + links.fetch.each(rows) + links.variants.each(rows))
    each = (http + stores) / nodes
    return [
        Need("network of a node", each / 1e6, "MB/s", wire / 1e6, "a node"),
        Need("more on it if all calls go to other nodes", 2 * across / nodes / 1e6, "MB/s"),
        Need("load balancer", http / 1e6, "MB/s"),
    ]
