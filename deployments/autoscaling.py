"""How many replicas a variant's pool needs. Runs in Serve's controller: standard library only."""

from __future__ import annotations

import math
from typing import Any

ROWS_IN_FLIGHT = "rows_in_flight"
"""Key under which a replica reports its mean rows in flight."""
PROCESSORS = "processors"
"""Key under which a replica reports the processors it uses on average; 1.0 is one core."""


class LoadPolicy:
    """Enough replicas that none exceeds its target of rows in flight or of processor time.

    Serve applies the delays and bounds of the autoscaling configuration to what this returns.

    Args:
        target_rows: mean rows in flight of one replica at most, > 0.
        target_processors: mean processors used by one replica at most, > 0. A replica scores on one
            core, so 1.0 is its limit.
    """

    def __init__(self, target_rows: float = 128.0, target_processors: float = 0.7) -> None:
        if not (target_rows > 0 and target_processors > 0):
            raise ValueError("targets must be above zero")
        self._targets = {ROWS_IN_FLIGHT: target_rows, PROCESSORS: target_processors}

    def __call__(self, ctx: Any) -> tuple[int, dict[str, Any]]:
        """Return the number of replicas needed, and an empty state.

        Args:
            ctx: Serve's AutoscalingContext.
        """
        metrics = ctx.aggregated_metrics or {}
        if not any(metrics.get(key) for key in self._targets):
            # No replica has reported yet: keep the present number until one does.
            return ctx.target_num_replicas, {}
        needed = (
            math.ceil(sum(metrics.get(key, {}).values()) / target)
            for key, target in self._targets.items()
        )
        return max(1, *needed), {}
