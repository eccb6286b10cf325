"""How many replicas a deployment needs. Runs in Serve's controller: no imports beyond need."""

from __future__ import annotations

import math
from typing import Any

from deployments.spread import needed_everywhere, serving_nodes

ROWS_IN_FLIGHT = "rows_in_flight"
"""Key under which a replica reports its mean rows in flight."""
PROCESSORS = "processors"
"""Key under which a replica reports the processors it uses on average; 1.0 is one core."""


class NodePolicy:
    """One replica a node, so that calls between replicas stay on one machine.

    Args:
        at_least: fewest replicas, > 0.
    """

    def __init__(self, at_least: int = 1) -> None:
        if at_least < 1:
            raise ValueError("at_least must be above zero")
        self._at_least = at_least

    def __call__(self, ctx: Any) -> tuple[int, dict[str, Any]]:
        """Return the number of replicas needed, and an empty state.

        Args:
            ctx: Serve's AutoscalingContext.
        """
        return max(self._at_least, serving_nodes(), needed_everywhere(ctx.deployment_id)), {}


class LoadPolicy:
    """One replica a node, and enough that none exceeds its target of rows in flight or of processor
    time.

    Serve applies the delays and bounds of the autoscaling configuration to what this returns.

    Args:
        target_rows: mean rows in flight of one replica at most, > 0.
        target_processors: mean processors used by one replica at most, > 0. A replica scores on one
            core, so 1.0 is its limit.
        most_per_node: most replicas for each node, > 0.
    """

    def __init__(
        self,
        target_rows: float = 128.0,
        target_processors: float = 0.7,
        most_per_node: int = 4,
    ) -> None:
        if not (target_rows > 0 and target_processors > 0 and most_per_node > 0):
            raise ValueError("targets must be above zero")
        self._most_per_node = most_per_node
        self._targets = {ROWS_IN_FLIGHT: target_rows, PROCESSORS: target_processors}

    def __call__(self, ctx: Any) -> tuple[int, dict[str, Any]]:
        """Return the number of replicas needed, and an empty state.

        Args:
            ctx: Serve's AutoscalingContext.
        """
        nodes = serving_nodes()
        spread = max(nodes, needed_everywhere(ctx.deployment_id))
        metrics = ctx.aggregated_metrics or {}
        if not any(metrics.get(key) for key in self._targets):
            # No replica has reported yet: keep the present number until one does.
            return max(spread, ctx.target_num_replicas), {}
        needed = (
            math.ceil(sum(metrics.get(key, {}).values()) / target)
            for key, target in self._targets.items()
        )
        return max(spread, min(max(needed), self._most_per_node * nodes)), {}
