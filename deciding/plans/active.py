"""The active plans in memory, replaced by newer ones while decisions are made."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from deciding.plans.local_copy import LocalCopy
from deciding.plans.reader import ActiveRow
from deciding.plans.versions import read_document
from fraud.errors import InvalidInput, StoreUnavailable
from fraud.plan import Plan
from fraud.variant import HOUSE
from stores.poll import Poll
from telemetry import metrics

logger = logging.getLogger(__name__)

POLL_S = 1.0
"""Seconds between reads. Where nothing is announced, a change decides after this and a read: within
two seconds."""

_NO_PLAN = "no plan is active"

Changes = Callable[[Mapping[str, str]], Awaitable[Sequence[ActiveRow]]]
"""See `PlanReader.changes`."""


@dataclass(frozen=True, slots=True)
class ActivePlan:
    """The plan that decides for an owner.

    Attributes:
        is_local: it is this machine's copy, and PostgreSQL has not confirmed it yet.
    """

    plan: Plan
    is_local: bool = False


class PlanFeed:
    """Keeps the active plan of each owner in memory. Looking one up costs a dict access.

    When the source fails or a document is wrong, that owner's last plan goes on deciding, and the
    others change as they should. What cannot be read at the start comes from this machine's copy.

    Args:
        changes: reads what has changed, e.g. `PlanReader.changes`.
        interval_s: seconds between reads.
        copy: where the plans are kept for the next start, None for nowhere.
        home: the home tenant: the house's plan is its own.
    """

    def __init__(
        self,
        changes: Changes,
        interval_s: float = POLL_S,
        copy: LocalCopy | None = None,
        home: str = HOUSE,
    ) -> None:
        self._changes = changes
        self._copy = copy
        self._home = home
        self._plans: dict[str, ActivePlan] = {}
        self._revisions: dict[str, str] = {}
        self._kept: dict[str, Plan] = {}
        self._saved: dict[str, Plan] = {}
        self._save_failed = False
        self._poll = Poll("plan-feed", self.refresh, interval_s)
        self._wrong: dict[str, str] = {}
        self._last_error = ""
        self.variants: tuple[str, ...] = ()

    @property
    def current(self) -> ActivePlan | None:
        """The house's plan."""
        return self._plans.get(HOUSE)

    def current_for(self, tenant: str) -> ActivePlan | None:
        """Return the plan that decides for a tenant: its own, or else the house's; None if neither
        has been loaded."""
        return self._plans.get(tenant) or self._plans.get(HOUSE)

    @property
    def active(self) -> Mapping[str, ActivePlan]:
        """Owner -> its plan. It is replaced, never changed."""
        return self._plans

    async def start(self) -> None:
        """Read once, then go on reading. Never raises: see `current`."""
        if self._copy is not None:
            self._kept = await asyncio.to_thread(self._copy.load)
        if not await self._read():
            self._take_copy()
        self._kept = {}
        self._poll.start_later()

    async def refresh(self) -> None:
        """Read once."""
        await self._read()

    def wake(self) -> None:
        """Read now: something has changed."""
        self._poll.wake()

    async def _read(self) -> bool:
        """Read what has changed. Returns whether the source answered."""
        try:
            rows = await self._changes(self._revisions)
        except StoreUnavailable as error:
            self._complain(str(error))
            return False
        self._take(rows)
        self._complain("; ".join(self._wrong.values()))
        await self._save()
        return True

    def _complain(self, error: str) -> None:
        """Count what is wrong at every read, and log it when it changes."""
        if error:
            metrics.PLAN_ERRORS.inc()
            if error != self._last_error:
                logger.error("plans stay as they are: %s", error)
        self._last_error = error

    def _take(self, rows: Sequence[ActiveRow]) -> None:
        """Make the plans that the table names current."""
        # As in the table: with the rows of the copy that it has confirmed, and no others.
        plans = {o: p for o, p in self._plans.items() if not p.is_local or o in self._wrong}
        for row in rows:
            if row.revision is None or row.document is None:
                self._lose(row.owner, plans)
                continue
            self._revisions[row.owner] = row.revision
            # Else it is from days when another tenant was at home: now the house's plan is its own.
            if row.owner != self._home or row.owner == HOUSE:
                self._take_document(row.owner, row.document, plans)
        if HOUSE in self._revisions:
            if self._wrong.get(HOUSE) == _NO_PLAN:
                del self._wrong[HOUSE]
        else:
            self._wrong[HOUSE] = _NO_PLAN
        self._replace(plans)

    def _lose(self, owner: str, plans: dict[str, ActivePlan]) -> None:
        """Forget a plan of a tenant's own. The house's is kept: without one, nothing decides."""
        self._revisions.pop(owner, None)
        self._wrong.pop(owner, None)
        if owner != HOUSE:
            plans.pop(owner, None)

    def _take_document(self, owner: str, document: str, plans: dict[str, ActivePlan]) -> None:
        self._wrong.pop(owner, None)
        try:
            plan = read_document(json.loads(document))
        except InvalidInput as error:
            whose = f"tenant {owner}'s" if owner else "the house's"
            self._wrong[owner] = f"{whose} active plan cannot be read: {error.detail}"
            last = self._plans.get(owner)
            if last is None and owner in self._kept:
                last = _local(self._kept[owner])
            if last is not None:
                plans[owner] = last
            return
        current = plans.get(owner)
        if current is None or current.is_local or plan != current.plan:
            plans[owner] = ActivePlan(plan)

    def _take_copy(self) -> None:
        self._replace({owner: _local(plan) for owner, plan in self._kept.items()})
        if self._plans:
            logger.warning("this machine's copy of the plans decides until PostgreSQL answers")

    def _replace(self, plans: dict[str, ActivePlan]) -> None:
        """Let these plans decide from now on, all in one assignment."""
        before, self._plans = self._plans, plans
        metrics.PLAN_KEPT.set(any(p.is_local for p in plans.values()))
        metrics.PLAN_UNREADABLE.set(sum(wrong != _NO_PLAN for wrong in self._wrong.values()))
        metrics.PLAN_OWNERS.set(len(plans))
        if all(plans.get(owner) is before.get(owner) for owner in plans.keys() | before.keys()):
            return
        self.variants = tuple(dict.fromkeys(v for p in plans.values() for v in p.plan.variants))
        for owner in plans.keys() | before.keys():
            _announce(owner, before.get(owner), plans.get(owner))

    async def _save(self) -> None:
        """Copy the plans to disk if they have changed: the next start may need them."""
        plans = {owner: active.plan for owner, active in self._plans.items()}
        if self._copy is None or not plans or plans == self._saved:
            return
        try:
            await asyncio.to_thread(self._copy.save, plans)
        except OSError as error:
            if not self._save_failed:
                logger.warning("the plans are not copied to disk: %s", error.strerror)
            self._save_failed = True
        else:
            self._saved, self._save_failed = plans, False

    @property
    def alive(self) -> bool:
        """Whether it goes on reading."""
        return self._poll.alive

    async def close(self) -> None:
        """Stop reading."""
        await self._poll.close()


def _local(plan: Plan) -> ActivePlan:
    return ActivePlan(plan, is_local=True)


def _announce(owner: str, before: ActivePlan | None, now: ActivePlan | None) -> None:
    """Say in the log and in the metrics that an owner's plan is another one."""
    if before is not None and now is not None and before.plan is now.plan:
        return
    if owner == HOUSE:
        # Names of tenants' plans are no labels: there is no end to them.
        if before is not None and (now is None or now.plan.name != before.plan.name):
            metrics.PLAN_VERSION.labels(before.plan.name).set(0)
        if now is not None:
            metrics.PLAN_VERSION.labels(now.plan.name).set(now.plan.version)
    whom = f"tenant {owner}" if owner else "the house"
    if now is None:
        logger.warning("%s has no plan of its own any more", whom)
        return
    metrics.PLAN_CHANGES.inc()
    logger.warning(
        "plan %s version %d decides for %s now%s",
        now.plan.name,
        now.plan.version,
        whom,
        " (this machine's copy)" if now.is_local else "",
    )
