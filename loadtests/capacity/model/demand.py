"""What is asked of a cluster, and the machines that it may have."""

from __future__ import annotations

from dataclasses import dataclass

DAY_S = 86_400
GIB = 2**30


@dataclass(frozen=True, slots=True)
class Demand:
    """A load.

    Attributes:
        peak_per_s: decisions a second in the busiest hour, > 0.
        peak_to_mean: that rate over the mean of the day, >= 1.
        customers: customers with a payment within two weeks.
        merchants: merchants with one.
        retention_days: how long decisions stay in PostgreSQL.
        variants: variants that a plan asks.
        tenants: tenants; the largest has a share of `largest_tenant` of the load, in (0, 1].
        largest_tenant: see `tenants`.
    """

    peak_per_s: float
    peak_to_mean: float = 3.0
    customers: int = 2_000_000
    merchants: int = 100_000
    retention_days: int = 365
    variants: int = 4
    tenants: int = 1
    largest_tenant: float = 1.0

    def __post_init__(self) -> None:
        checks = {
            "peak_per_s": self.peak_per_s > 0,
            "peak_to_mean": self.peak_to_mean >= 1,
            "customers": self.customers > 0,
            "merchants": self.merchants > 0,
            "retention_days": self.retention_days > 0,
            "variants": self.variants > 0,
            "tenants": self.tenants > 0,
            "largest_tenant": 1 / max(1, self.tenants) <= self.largest_tenant <= 1,
        }
        for name, is_good in checks.items():
            if not is_good:
                raise ValueError(f"{name}: {_EXPECTED[name]}")

    @property
    def mean_per_s(self) -> float:
        """Decisions a second over the day."""
        return self.peak_per_s / self.peak_to_mean

    @property
    def per_day(self) -> float:
        """Decisions a day."""
        return self.mean_per_s * DAY_S


_EXPECTED = {
    "peak_per_s": "expected more than 0",
    "peak_to_mean": "expected 1 or more",
    "customers": "expected 1 or more",
    "merchants": "expected 1 or more",
    "retention_days": "expected 1 or more",
    "variants": "expected 1 or more",
    "tenants": "expected 1 or more",
    "largest_tenant": "expected a share between 1 / tenants and 1",
}


@dataclass(frozen=True, slots=True)
class Hardware:
    """The machines: assumptions, not measurements.

    Attributes:
        node_cores: processors of a serving node.
        use: highest planned use of a processor, a network or a disk, in (0, 1).
        network_gbit_s: of each machine.
        redis_gib: memory of Redis' machine. Half of it is for data: a fork of the server may copy
            all of it.
        postgres_cores: processors of PostgreSQL's machine.
        postgres_tib: its disk.
        postgres_mb_s: what that disk writes steadily, megabytes a second.
        postgres_iops: random pages that it reads or writes a second.
        postgres_gib: memory of PostgreSQL's machine, of which half holds indexes.
        partition_days: days of one partition of its tables; Quorum's have a month.
        factor: speed of a processor relative to those that the constants were measured on.
    """

    node_cores: int = 8
    use: float = 0.7
    network_gbit_s: float = 10.0
    redis_gib: float = 64.0
    postgres_cores: int = 16
    postgres_tib: float = 16.0
    postgres_mb_s: float = 500.0
    postgres_iops: float = 50_000.0
    postgres_gib: float = 128.0
    partition_days: float = 30.0
    factor: float = 1.0
