"""The active plan, and its exchange for a newer one while decisions are made. Knows no Ray."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from deciding.plans.kept import KeptPlan
from fraud.errors import StoreUnavailable
from fraud.plan import Plan
from fraud.policy.interface import Policy
from telemetry import metrics

logger = logging.getLogger(__name__)

POLL_S = 2.0


@dataclass(frozen=True, slots=True)
class ActivePlan:
    """A plan and the policy that runs it.

    Attributes:
        kept: it is this machine's copy, and the table has not said yet whether it is still active.
    """

    plan: Plan
    policy: Policy
    kept: bool = False


class PlanFeed:
    """Keeps the active plan at hand. Reading `current` costs nothing.

    When the source fails or its document is wrong, the last plan goes on deciding. One that does
    not answer at the start leaves the plan that was kept, until it answers.

    Args:
        load: reads the active plan, e.g. `PlanReader.active`.
        interval_s: how often.
        kept: where the plan is kept for the next start, None for nowhere.
    """

    def __init__(
        self,
        load: Callable[[], Awaitable[Plan | None]],
        interval_s: float = POLL_S,
        kept: KeptPlan | None = None,
    ) -> None:
        self._load = load
        self._interval_s = interval_s
        self._kept = kept
        self._on_disk: Plan | None = None
        self._task: asyncio.Task[None] | None = None
        self._answered = False
        self._complaint = ""
        self._unkept = False
        self.current: ActivePlan | None = None

    async def start(self) -> None:
        """Read once, then go on reading. Never raises: see `current`."""
        await self.refresh()
        if not self._answered:
            self._take_kept()
        self._task = asyncio.create_task(self._run(), name="plan-feed")

    async def refresh(self) -> None:
        """Read once."""
        try:
            self._take(await self._load())
            self._answered = True
            self._complaint = ""
        except (StoreUnavailable, ValueError) as error:
            self._answered = self._answered or not isinstance(error, StoreUnavailable)
            metrics.PLAN_ERRORS.inc()
            if str(error) != self._complaint:
                logger.error("the plan stays as it is: %s", error)
            self._complaint = str(error)
        else:
            await self._keep()

    def _take(self, plan: Plan | None) -> None:
        """Let the plan decide that the table names."""
        metrics.PLAN_KEPT.set(0)
        current = self.current
        if plan is None:
            if current is not None and current.kept:
                self.current = None
            raise ValueError("no plan is active")
        if current is None or current.kept or plan != current.plan:
            self.current = ActivePlan(plan, plan.policy())
            metrics.PLAN_VERSION.labels(plan.name).set(plan.version)
            logger.warning("plan %s version %d decides now", plan.name, plan.version)

    def _take_kept(self) -> None:
        plan = None if self._kept is None else self._kept.load()
        if plan is None:
            return
        self.current = ActivePlan(plan, plan.policy(), kept=True)
        metrics.PLAN_VERSION.labels(plan.name).set(plan.version)
        metrics.PLAN_KEPT.set(1)
        logger.warning(
            "plan %s version %d decides until PostgreSQL answers: it did when it last answered",
            plan.name,
            plan.version,
        )

    async def _keep(self) -> None:
        """Keep the current plan if it has changed. Without it the next start may have none."""
        if self._kept is None or self.current is None or self.current.plan == self._on_disk:
            return
        plan = self.current.plan
        try:
            await asyncio.to_thread(self._kept.save, plan)
        except OSError as error:
            if not self._unkept:
                logger.warning("the plan is not kept: %s", error.strerror)
            self._unkept = True
        else:
            self._on_disk, self._unkept = plan, False

    @property
    def alive(self) -> bool:
        """Whether it goes on reading."""
        return self._task is not None and not self._task.done()

    async def close(self) -> None:
        """Stop reading."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._interval_s)
            await self.refresh()
