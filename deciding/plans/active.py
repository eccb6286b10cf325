"""The active plan in memory, replaced by a newer one while decisions are made."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from deciding.plans.local_copy import LocalCopy
from fraud.errors import StoreUnavailable
from fraud.plan import Plan
from stores.poll import Poll
from telemetry import metrics

logger = logging.getLogger(__name__)

POLL_S = 2.0


@dataclass(frozen=True, slots=True)
class ActivePlan:
    """The plan that decides.

    Attributes:
        is_local: it is this machine's copy, and PostgreSQL has not confirmed it yet.
    """

    plan: Plan
    is_local: bool = False


class PlanFeed:
    """Keeps the active plan in memory. Reading `current` costs nothing.

    When the source fails or its document is wrong, the last plan goes on deciding. If the source
    does not answer at the start, this machine's copy decides until it does.

    Args:
        load: reads the active plan, e.g. `PlanReader.active`.
        interval_s: time between reads.
        copy: where the plan is kept for the next start, None for nowhere.
    """

    def __init__(
        self,
        load: Callable[[], Awaitable[Plan | None]],
        interval_s: float = POLL_S,
        copy: LocalCopy | None = None,
    ) -> None:
        self._load = load
        self._copy = copy
        self._saved: Plan | None = None
        self._save_failed = False
        self._poll = Poll("plan-feed", self.refresh, interval_s)
        self._answered = False
        self._last_error = ""
        self.current: ActivePlan | None = None

    async def start(self) -> None:
        """Read once, then go on reading. Never raises: see `current`."""
        await self.refresh()
        if not self._answered:
            self._take_copy()
        self._poll.start_later()

    async def refresh(self) -> None:
        """Read once."""
        try:
            self._take(await self._load())
            self._answered = True
            self._last_error = ""
        except (StoreUnavailable, ValueError) as error:
            self._answered = self._answered or not isinstance(error, StoreUnavailable)
            metrics.PLAN_ERRORS.inc()
            if str(error) != self._last_error:
                logger.error("the plan stays as it is: %s", error)
            self._last_error = str(error)
        else:
            await self._save()

    def _take(self, plan: Plan | None) -> None:
        """Make the plan that the table names current."""
        metrics.PLAN_KEPT.set(0)
        current = self.current
        if plan is None:
            if current is not None and current.is_local:
                self.current = None
            raise ValueError("no plan is active")
        if current is None or current.is_local or plan != current.plan:
            self.current = ActivePlan(plan)
            metrics.PLAN_VERSION.labels(plan.name).set(plan.version)
            logger.warning("plan %s version %d decides now", plan.name, plan.version)

    def _take_copy(self) -> None:
        plan = None if self._copy is None else self._copy.load()
        if plan is None:
            return
        self.current = ActivePlan(plan, is_local=True)
        metrics.PLAN_VERSION.labels(plan.name).set(plan.version)
        metrics.PLAN_KEPT.set(1)
        logger.warning(
            "plan %s version %d, this machine's copy, decides until PostgreSQL answers",
            plan.name,
            plan.version,
        )

    async def _save(self) -> None:
        """Copy the current plan to disk if it has changed: the next start may need it."""
        if self._copy is None or self.current is None or self.current.plan == self._saved:
            return
        plan = self.current.plan
        try:
            await asyncio.to_thread(self._copy.save, plan)
        except OSError as error:
            if not self._save_failed:
                logger.warning("the plan is not copied to disk: %s", error.strerror)
            self._save_failed = True
        else:
            self._saved, self._save_failed = plan, False

    @property
    def alive(self) -> bool:
        """Whether it goes on reading."""
        return self._poll.alive

    async def close(self) -> None:
        """Stop reading."""
        await self._poll.close()
