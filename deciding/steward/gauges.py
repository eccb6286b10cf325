"""The gauges of arms: what a steward has measured, and nothing that is not measured any more."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from deciding.steward.changes import Side, canaries
from fraud.plan import Plan
from fraud.policy.health import Health
from telemetry import metrics


def plan_label(owner: str, plan: Plan) -> str:
    """Return a plan's name in metrics and the log: `<name>`, or `<tenant>/<name>`."""
    return f"{owner}/{plan.name}" if owner else plan.name


class ArmGauges:
    """Sets gauges, turn by turn. A gauge that a turn has not set becomes NaN: a value that is not
    measured any more must not look like a current one."""

    def __init__(self) -> None:
        self._before: set[tuple[Any, str, str]] = set()
        self._now: set[tuple[Any, str, str]] = set()

    def show_shares(self, owner: str, plan: Plan) -> None:
        """Show how many customers each canary has."""
        for side in canaries(plan):
            self._set(metrics.CANARY_SHARE, owner, plan, side.arm, side.share / 100)

    def show_health(self, owner: str, plan: Plan, health: Mapping[Side, Health]) -> None:
        """Show the figures of each arm."""
        for side, own in health.items():
            p95_s = None if own.p95_ms is None else own.p95_ms / 1000
            self._set(metrics.ARM_ERROR_RATE, owner, plan, side.arm, own.error_rate)
            self._set(metrics.ARM_BLOCK_RATE, owner, plan, side.arm, own.block_rate)
            self._set(metrics.ARM_P95, owner, plan, side.arm, p95_s)

    def end_turn(self) -> None:
        """Make NaN what this turn has not set."""
        for gauge, plan, arm in self._before - self._now:
            gauge.labels(plan, arm).set(math.nan)
        self._before, self._now = self._now, set()

    def _set(self, gauge: Any, owner: str, plan: Plan, arm: str, value: float | None) -> None:
        if value is not None:
            label = plan_label(owner, plan)
            gauge.labels(label, arm).set(value)
            self._now.add((gauge, label, arm))
