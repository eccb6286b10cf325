"""The steward: it looks at arms of active plans, and changes plans by itself.

Every change is a new version of the plan, stored and activated under its author and with a reason.
It takes effect only if the version that was looked at still decides, so that it never undoes what a
person has changed meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from deciding.steward.changes import (
    Change,
    Side,
    at_end,
    breaches,
    canaries,
    changed,
    may_step,
    next_steps,
    sides,
    taken_out,
)
from deciding.steward.gauges import ArmGauges, plan_label
from decision_log.readers.arm_counts import ArmCounts, Wanted, health_of
from fraud.plan import Plan
from fraud.policy.canary import PROMOTE, Canary
from fraud.policy.guard import Breach
from fraud.policy.health import Health
from fraud.variant import HOUSE
from telemetry import metrics

logger = logging.getLogger(__name__)

GUARD_RAIL: Final = "guard-rail"
CANARY_RAMP: Final = "canary"
"""Authors of the versions that the steward stores."""

REPORT_EVERY = timedelta(minutes=10)
"""A canary that waits for its report has one made so often: it reads many decisions."""

_Key = tuple[str, Plan, str]
"""Owner, plan, and the message or question about it."""

Recommend = Callable[[str, Plan, str], Coroutine[Any, Any, str | None]]
"""(owner, plan, arm of a canary) -> what its report recommends; None: no recommendation yet."""


class Counts(Protocol):
    """Counts what arms did; see `decision_log.readers.arm_counts.ArmCountsReader`."""

    async def counts(self, wanted: Wanted, now: datetime) -> dict[str, ArmCounts]:
        """Return arm -> what it did in the window that ends now."""
        ...

    def forget_others(self, wanted: list[Wanted]) -> None:
        """Forget what was read for anything else."""
        ...

    async def close(self) -> None:
        """Drop the connection, if there is one."""
        ...


class Table(Protocol):
    """The table of plans; see `deciding.steward.table.StewardTable`. Without PostgreSQL all methods
    raise StoreUnavailable."""

    async def all_tenants(self) -> list[str]:
        """Return every tenant that may send payments."""
        ...

    async def active_since(self, owner: str, plan: Plan) -> datetime | None:
        """Return since when a plan decides for its owner; None if another one does by now."""
        ...

    async def replace(
        self, owner: str, before: Plan, after: Plan, *, author: str, reason: str
    ) -> Plan | None:
        """Let a plan decide as the next version; None if another plan than `before` does by now."""
        ...

    async def close(self) -> None:
        """Drop the connection, if there is one."""
        ...


@dataclass(frozen=True, slots=True)
class _Watched:
    """An active plan with arms to look at.

    Attributes:
        wanted: for each arm the decisions that count.
    """

    owner: str
    plan: Plan
    since: datetime
    wanted: dict[Side, Wanted]


class Steward:
    """Takes out arms that have left their band, and moves canaries on.

    Args:
        plans: returns owner -> its active plan.
        table: where plans are replaced.
        counts: what arms did.
        recommend: makes the report that a canary with `"advance": {"on": "promote"}` waits for.
        now: the time.
    """

    def __init__(
        self,
        plans: Callable[[], Mapping[str, Plan]],
        table: Table,
        counts: Counts,
        recommend: Recommend,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._plans = plans
        self._table = table
        self._counts = counts
        self._recommend = recommend
        self._now = now
        self._gauges = ArmGauges()
        self._said: set[_Key] = set()
        self._asked: dict[_Key, datetime] = {}
        self._reports: dict[_Key, asyncio.Task[str | None]] = {}

    @property
    def has_work(self) -> bool:
        """Whether any active plan has arms to look at, or a canary, even if it is stopped."""
        return any(sides(plan) or canaries(plan) for plan in self._plans().values())

    def rest(self) -> None:
        """Show nothing any more: there is nothing to look at, or another replica looks."""
        self._gauges.end_turn()

    async def close(self) -> None:
        """Drop all connections, and give up reports."""
        for task in self._reports.values():
            task.cancel()
        await asyncio.gather(*self._reports.values(), return_exceptions=True)
        await self._table.close()
        await self._counts.close()

    async def look(self) -> list[Plan]:
        """Look at every arm once.

        Returns:
            The plans that decide from now on, in place of others.

        Raises:
            StoreUnavailable: PostgreSQL does not answer.
            Exception: a defect, after all other plans were looked at.
        """
        plans = dict(self._plans())
        self._forget(plans)
        for owner, plan in plans.items():
            self._gauges.show_shares(owner, plan)
        made, failed = [], []
        watched = [w for w in [await self._watched(o, plans) for o in plans] if w is not None]
        self._counts.forget_others([wanted for w in watched for wanted in w.wanted.values()])
        for one in watched:
            try:
                plan_now = await self._look_at(one)
            except Exception as error:  # one plan must not keep others without guard rails
                failed.append(error)
            else:
                made += [] if plan_now is None else [plan_now]
        self._gauges.end_turn()
        if failed:
            raise failed[0]
        return made

    async def _watched(self, owner: str, plans: Mapping[str, Plan]) -> _Watched | None:
        """None if the plan has no arms to look at, or another one decides by now."""
        plan = plans[owner]
        found = sides(plan)
        if not found:
            return None
        since = await self._table.active_since(owner, plan)
        if since is None:
            return None
        tenants = [owner]
        if owner == HOUSE:
            tenants = [t for t in await self._table.all_tenants() if t not in plans]
        return _Watched(
            owner,
            plan,
            since,
            {
                side: Wanted(
                    tuple(tenants), plan.name, plan.version, since, side.guard.window_minutes * 60
                )
                for side in found
            },
        )

    async def _look_at(self, one: _Watched) -> Plan | None:
        now = self._now()
        health = await self._health(one, now)
        self._gauges.show_health(one.owner, one.plan, health)
        found = breaches(health)
        if changes := taken_out(found):
            plan = await self._replace(one, changes, GUARD_RAIL)
        else:
            promoted = [s for s in health if self._is_promoted(one, s, health[s], now)]
            changes = next_steps(health, now - one.since, lambda side: side in promoted)
            plan = await self._replace(one, changes, CANARY_RAMP)
        self._report_controls(one, found)
        self._report_ends(one, health)
        return plan

    async def _health(self, one: _Watched, now: datetime) -> dict[Side, Health]:
        counts = {w: await self._counts.counts(w, now) for w in set(one.wanted.values())}
        return {side: health_of(counts[w], side.arm) for side, w in one.wanted.items()}

    def _is_promoted(self, one: _Watched, side: Side, health: Health, now: datetime) -> bool:
        """Whether a canary waits for its report, and the report recommends it. A report takes its
        time: it is begun at one look, and read at a later one."""
        split = side.split
        if not isinstance(split, Canary) or not split.advance.on_promote:
            return False
        if not may_step(side, health):
            return False
        key = (one.owner, one.plan, side.arm)
        task, asked = self._reports.get(key), self._asked.get(key)
        if task is not None:
            return task.done() and self._reports.pop(key).result() == PROMOTE
        if asked is None or now - asked >= REPORT_EVERY:
            self._asked[key] = now
            self._reports[key] = asyncio.create_task(self._recommend(*key))
        return False

    async def _replace(self, one: _Watched, changes: list[Change], author: str) -> Plan | None:
        if not changes:
            return None
        after = changed(one.plan, changes)
        reason = "; ".join(change.reason for change in changes)
        plan = await self._table.replace(one.owner, one.plan, after, author=author, reason=reason)
        label = plan_label(one.owner, one.plan)
        if plan is None:
            logger.info("plan %s was changed meanwhile and stays so, despite: %s", label, reason)
            return None
        for change in changes:
            if change.band:
                metrics.PLAN_GUARD_RAIL.labels(label, change.side.arm, change.band).inc()
            logger.warning("plan %s version %d: %s", label, plan.version, change.reason)
        return plan

    def _report_controls(self, one: _Watched, found: Iterable[tuple[Side, Breach]]) -> None:
        """Say that a control has left its band; nothing is safer than the control."""
        label = plan_label(one.owner, one.plan)
        for side, breach in found:
            if side.is_control and self._begins(one, f"{side.arm}: {breach.band}"):
                metrics.PLAN_GUARD_RAIL.labels(label, side.arm, breach.band).inc()
                logger.warning(
                    "plan %s: %s: %s; it is the control and stays", label, side.arm, breach
                )

    def _report_ends(self, one: _Watched, health: Mapping[Side, Health]) -> None:
        """Say that a canary has taken its last step, once it is proven there."""
        for side, own in health.items():
            proven = side.guard.suffices(own) and side.guard.breach(own) is None
            if side.is_control or not isinstance(side.split, Canary) or not at_end(side):
                continue
            if proven and self._begins(one, f"{side.arm}: at its last step"):
                logger.warning(
                    "plan %s: %s is at its last step, %g %%: apply its plan as the baseline",
                    plan_label(one.owner, one.plan),
                    side.arm,
                    side.share,
                )

    def _begins(self, one: _Watched, what: str) -> bool:
        """Whether this message about a version is new."""
        key = (one.owner, one.plan, what)
        begins = key not in self._said
        self._said.add(key)
        return begins

    def _forget(self, plans: Mapping[str, Plan]) -> None:
        """Forget messages and questions about plans that are no longer active."""
        self._said = {key for key in self._said if plans.get(key[0]) == key[1]}
        for key in [key for key in self._asked if plans.get(key[0]) != key[1]]:
            del self._asked[key]
            task = self._reports.pop(key, None)
            if task is not None:
                task.cancel()
