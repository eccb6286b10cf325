"""Health: how an arm has done lately."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Health:
    """Figures of an arm over its guard's window.

    Attributes:
        decisions: that it made.
        errors: of those, the ones that lack a vote of a variant that was asked.
        blocks: of those, the ones whose outcome is `block`.
        p95_ms: 95 % quantile of the wait for votes, milliseconds; None: not known.
    """

    decisions: int = 0
    errors: int = 0
    blocks: int = 0
    p95_ms: float | None = None

    @property
    def error_rate(self) -> float:
        """Share of decisions with errors; NaN without decisions."""
        return self.errors / self.decisions if self.decisions else math.nan

    @property
    def block_rate(self) -> float:
        """Share of blocked payments; NaN without decisions."""
        return self.blocks / self.decisions if self.decisions else math.nan
