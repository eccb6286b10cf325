"""The labelled payments on which models are measured, as columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fraud.payment.batch import Float64, Int64
from training.sets.split import DAY_MS

_HOUR_MS = 3_600_000
_ENOUGH = 20
"""The least number of clusters for resampling; with fewer it says little."""

Texts = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Cases:
    """n labelled payments.

    Attributes:
        fraud: float64[n], 1 for fraud, else 0; both occur.
        timestamp_ms: int64[n].
        customer: int64[n] codes 0 .. n_customers - 1 in the order of the ids; None if payments
            name no customer.
        amount: float64[n] currency units, >= 0; None if the amount of some fraud is unknown.
        segments: field -> object[n] of str or None, by which figures are broken down.
        cluster: int64[n] codes 0 .. n_clusters - 1 of the clusters that are resampled whole.
        cluster_of: what a cluster is: `customer`, `day`, `hour` or `payment`.
    """

    fraud: Float64
    timestamp_ms: Int64
    customer: Int64 | None
    amount: Float64 | None
    segments: Mapping[str, Texts]
    cluster: Int64
    cluster_of: str
    n_clusters: int = field(init=False)

    def __post_init__(self) -> None:
        count = int(self.cluster.max()) + 1 if self.cluster.size else 0
        object.__setattr__(self, "n_clusters", count)

    def __len__(self) -> int:
        return self.fraud.size

    def take(self, rows: Int64) -> Cases:
        """The payments `rows` int64[m], with customers and clusters renumbered."""
        return Cases(
            fraud=self.fraud[rows],
            timestamp_ms=self.timestamp_ms[rows],
            customer=None if self.customer is None else renumbered(self.customer[rows]),
            amount=None if self.amount is None else self.amount[rows],
            segments={name: values[rows] for name, values in self.segments.items()},
            cluster=renumbered(self.cluster[rows]),
            cluster_of=self.cluster_of,
        )


def cases(
    fraud: NDArray[np.generic],
    customer_id: Sequence[str | None] | None,
    timestamp_ms: Int64,
    amount: Float64 | None = None,
    segments: Mapping[str, Sequence[str | None]] | None = None,
) -> Cases:
    """Columns of n payments.

    Clusters are customers, whose payments resemble each other. With fewer than 20 customers
    clusters are days, with fewer than 20 days hours, and with fewer than 20 hours single payments.

    Args:
        fraud: number or bool[n], 1 for fraud, else 0.
        customer_id: n ids; None, or one id throughout, if payments name no customer.
        amount: float64[n] currency units, NaN where unknown.
    """
    labels = np.asarray(fraud, np.float64)
    if amount is not None and not np.isfinite(amount[labels > 0]).all():
        amount = None
    at = np.asarray(timestamp_ms, np.int64)
    customer = None if customer_id is None else codes(customer_id)
    if customer is not None and int(customer.max(initial=0)) == 0:
        customer = None
    cluster, cluster_of = _clusters(customer, at)
    return Cases(
        fraud=labels,
        timestamp_ms=at,
        customer=customer,
        amount=None if amount is None else np.asarray(amount, np.float64),
        segments={k: np.asarray(v, dtype=object) for k, v in (segments or {}).items()},
        cluster=cluster,
        cluster_of=cluster_of,
    )


def codes(ids: Sequence[str | None]) -> Int64:
    """The number of each id in the order of all ids: int64[n]; None counts as the id ''."""
    return renumbered(np.array(["" if i is None else i for i in ids], dtype=np.str_))


def renumbered(values: NDArray[np.generic]) -> Int64:
    """The number of each value in the order of all distinct values: int64[n]."""
    numbers: Int64 = np.unique(values, return_inverse=True)[1].reshape(-1).astype(np.int64)
    return numbers


def _clusters(customer: Int64 | None, timestamp_ms: Int64) -> tuple[Int64, str]:
    if customer is not None and int(customer.max(initial=-1)) + 1 >= _ENOUGH:
        return customer, "customer"
    for name, span_ms in (("day", DAY_MS), ("hour", _HOUR_MS)):
        span = renumbered(timestamp_ms // span_ms)
        if int(span.max(initial=-1)) + 1 >= _ENOUGH:
            return span, name
    return np.arange(timestamp_ms.size, dtype=np.int64), "payment"
