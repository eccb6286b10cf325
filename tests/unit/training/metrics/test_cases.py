from __future__ import annotations

import numpy as np
import pytest

from training.metrics.cases import cases, codes
from training.sets.split import DAY_MS


def test_codes_follow_the_order_of_ids() -> None:
    assert codes(["b", "a", None, "b", "ä"]).tolist() == [2, 1, 0, 2, 3]


@pytest.mark.parametrize(
    ("customers", "span_ms", "cluster_of", "n_clusters"),
    [
        ([f"c{i % 25}" for i in range(400)], DAY_MS, "customer", 25),
        ([f"c{i % 5}" for i in range(400)], 30 * DAY_MS, "day", 30),
        (None, 30 * DAY_MS, "day", 30),
        (["x"] * 400, 2 * DAY_MS, "hour", 48),
        (None, DAY_MS // 24, "payment", 400),
    ],
)
def test_what_is_resampled_as_a_whole(
    customers: list[str] | None, span_ms: int, cluster_of: str, n_clusters: int
) -> None:
    at = np.arange(400, dtype=np.int64) * span_ms // 400
    fraud = np.arange(400) % 10 == 0
    found = cases(fraud, customers, at)
    assert (found.cluster_of, found.n_clusters, len(found)) == (cluster_of, n_clusters, 400)
    assert (found.customer is None) == (customers is None or len(set(customers)) == 1)
    assert np.unique(found.cluster).tolist() == list(range(n_clusters))
