"""How many replicas a variant's pool wants. Runs in Serve's controller: standard library only."""

from __future__ import annotations

import math
from typing import Any

ROWS_IN_FLIGHT = "rows_in_flight"
"""Key under which a replica reports its mean rows in flight."""
PROCESSORS = "processors"
"""Key under which a replica reports the processors it uses on average; 1.0 is one core."""


class LoadPolicy:
    """Enough replicas that none has more than its share of rows in flight or of a core.

    Serve applies the delays and bounds of the autoscaling configuration to what this returns.

    Args:
        target_rows: rows in flight that one replica is to have at most on average, > 0.
        target_processors: processors that one replica is to use at most on average, > 0. A
            replica scores on one core, so that 1.0 is its limit.
    """

    def __init__(self, target_rows: float = 128.0, target_processors: float = 0.7) -> None:
        if not (target_rows > 0 and target_processors > 0):
            raise ValueError("targets must be above zero")
        self._targets = {ROWS_IN_FLIGHT: target_rows, PROCESSORS: target_processors}

    def __call__(self, ctx: Any) -> tuple[int, dict[str, Any]]:
        """The replicas wanted, and no state of our own.

        Args:
            ctx: Serve's AutoscalingContext.
        """
        metrics = ctx.aggregated_metrics or {}
        if not any(metrics.get(key) for key in self._targets):
            # Nobody has reported yet: whatever runs is right until somebody does.
            return ctx.target_num_replicas, {}
        wanted = (
            math.ceil(sum(metrics.get(key, {}).values()) / target)
            for key, target in self._targets.items()
        )
        return max(1, *wanted), {}
