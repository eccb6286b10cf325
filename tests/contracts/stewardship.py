"""What a steward looks at: active plans, what their arms did, and a clock, in memory; and decisions
of arms, as the decision log writes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from deciding.steward.steward import Steward
from decision_log.readers.arm_counts import ArmCounts, Wanted
from fraud.decision import OUTCOMES
from fraud.plan import Plan
from fraud.record import RecordBatch, records
from tests.contracts.decisions import decided, transactions

START = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)


class World:
    """Plans, arms and time, as a steward sees them.

    Attributes:
        active: owner -> plan that decides, as the table has it.
        seen: owner -> plan, as the steward's process has it.
        did: (plan, version, arm) -> what the arm did.
        tenants: that may send payments.
        stored: (owner, author, reason, plan) of every version that was stored.
        wanted: everything that was counted.
        report: what every report recommends.
        reports: (owner, plan, arm) of the reports that were asked for.
        now: the time.
    """

    def __init__(self, **plans: Plan) -> None:
        self.active = {"" if owner == "house" else owner: plan for owner, plan in plans.items()}
        self.seen = dict(self.active)
        self.since = dict.fromkeys(self.active, START)
        self.did: dict[tuple[str, int, str], ArmCounts] = {}
        self.tenants = ["default", "acme"]
        self.stored: list[tuple[str, str, str, Plan]] = []
        self.wanted: list[Wanted] = []
        self.report: str | None = None
        self.reports: list[tuple[str, str, str]] = []
        self.now = START + timedelta(minutes=1)
        self.steward = Steward(lambda: self.seen, self, self, self.recommend, lambda: self.now)

    def pass_time(self, **span: float) -> None:
        """Let time pass, in which the steward's process hears of the plans that decide."""
        self.now += timedelta(**span)
        self.seen = dict(self.active)

    def do(self, plan: str, version: int, arm: str, decisions: int = 500, **counts: int) -> None:
        """Let an arm decide payments."""
        self.did[plan, version, arm] = ArmCounts(decisions, **counts)

    def take(self, owner: str, plan: Plan) -> None:
        """Let an operator's plan decide."""
        self.active[owner], self.since[owner] = plan, self.now

    # What the steward calls.

    async def all_tenants(self) -> list[str]:
        return self.tenants

    async def active_since(self, owner: str, plan: Plan) -> datetime | None:
        return self.since[owner] if self.active[owner] == plan else None

    async def replace(
        self, owner: str, before: Plan, after: Plan, *, author: str, reason: str
    ) -> Plan | None:
        if self.active[owner] != before:
            return None
        plan = replace(after, version=before.version + 1)
        self.stored.append((owner, author, reason, plan))
        self.take(owner, plan)
        return plan

    async def counts(self, wanted: Wanted, now: datetime) -> dict[str, ArmCounts]:
        self.wanted.append(wanted)
        return {
            arm: counts
            for (plan, version, arm), counts in self.did.items()
            if (plan, version) == (wanted.plan, wanted.version)
        }

    def forget_others(self, wanted: Sequence[Wanted]) -> None:
        self.kept = list(wanted)

    async def close(self) -> None:
        self.closed = True

    async def recommend(self, owner: str, plan: Plan, arm: str) -> str | None:
        self.reports.append((owner, plan.name, arm))
        return self.report


def arm_records(
    plan: Plan,
    arm: str,
    at: datetime,
    n: int,
    *,
    blocks: int = 0,
    errors: int = 0,
    votes_ms: float = 10.0,
    tenant: str = "default",
) -> RecordBatch:
    """n decisions of an arm; the first ones block, the last ones lack a vote."""
    at_ms = round(at.timestamp() * 1000)
    batch = transactions(n, f"{plan.name}-{uuid4().hex}-", at_ms)
    batch.tenant = [tenant] * n
    leaf = dict(plan.leaves())[arm]
    deciding = Plan(plan.name, plan.version, leaf)
    features, decisions = decided(batch, at_ms=at_ms, plan=deciding)
    decisions.arm = arm
    decisions.outcome = [len(OUTCOMES) - 1] * blocks + [0] * (n - blocks)
    lacking = ("features_unavailable", f"variant_late:{leaf.variants[0]}")
    decisions.degraded = [("history_unavailable",)] * (n - errors) + [lacking] * errors
    decisions.stage_ms = {"features": 1.0, "votes": votes_ms, "log": 3.0}
    return records(batch, features, decisions, plan)
