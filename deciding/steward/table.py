"""What the steward reads and writes in the table of plans."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from deciding.plans.activations import activate, history
from deciding.plans.versions import MAX_REASON_CHARS, PlanId, only_writer, read_document, store
from deciding.steward.changes import canaries
from fraud.errors import Conflict, InvalidInput
from fraud.plan import Plan
from fraud.policy.canary import Canary
from fraud.policy.interface import Policy
from stores.postgres.connect import connect, connection
from stores.postgres.errors import translate_outages
from stores.postgres.session import Session
from stores.statements import statement

_TENANTS = statement("decision_log/readers/sql/tenants.sql")
_ACTIVATED = statement("deciding/steward/sql/activated_plans.sql")
_MOST_ACTIVATIONS = 500


class StewardTable:
    """See `deciding.steward.steward.Table`. It keeps one connection, and connects again when it is
    lost.

    Args:
        url: PostgreSQL; it must accept writes.
        timeout_s: longest wait for it.
        tenant: the home tenant.
    """

    def __init__(self, url: str, timeout_s: float, tenant: str) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._tenant = tenant
        self._kept: Session | None = None

    async def all_tenants(self) -> list[str]:
        """Return every tenant that may send payments."""
        async with self._session() as session:
            return [row[0] for row in await session.fetch(_TENANTS, self._tenant)]

    async def active_since(self, owner: str, plan: Plan) -> datetime | None:
        """Return since when a plan decides for its owner; None if another one does by now."""
        async with self._session() as session:
            last = await history(session, owner, 1)
        now = PlanId(plan.name, plan.version)
        return last[0].activated_at if last and last[0].plan == now else None

    async def beside_baseline_since(self, owner: str, plan: Plan, arm: str) -> datetime | None:
        """Return since when a canary has decided beside its present baseline, whatever its share
        was; None if it does not decide now. It looks back over 500 activations at most.

        It has a connection of its own: it is called while other methods are.
        """
        async with (
            translate_outages(),
            connection(
                self._url,
                timeout_s=self._timeout_s,
                command_timeout_s=self._timeout_s,
                name="quorum-steward",
            ) as session,
        ):
            rows = await session.fetch(_ACTIVATED, owner, _MOST_ACTIVATIONS)
        wanted, since = _sub_policies(plan, arm), None
        for row in rows:
            if wanted is None or _of_document(row["document"], plan.name, arm) != wanted:
                break
            since = row["activated_at"]
        return since

    async def replace(
        self, owner: str, before: Plan, after: Plan, *, author: str, reason: str
    ) -> Plan | None:
        """Store a plan as the next version and let it decide, if `before` still decides.

        Returns:
            The plan with its version; None if another plan than `before` decides by now: then
            nothing is stored.
        """
        why = reason if len(reason) <= MAX_REASON_CHARS else f"{reason[: MAX_REASON_CHARS - 3]}..."
        expected = PlanId(before.name, before.version)
        async with self._session() as session:
            try:
                async with only_writer(session):
                    stored = await store(
                        session, owner, after, author=author, reason=why, before=before
                    )
                    await activate(
                        session,
                        owner,
                        PlanId(stored.name, stored.version),
                        author=author,
                        reason=why,
                        automatic=True,
                        expected=expected,
                    )
            except Conflict:
                return None
        return stored

    async def close(self) -> None:
        """Drop the connection, if there is one."""
        session, self._kept = self._kept, None
        if session is not None:
            session.terminate()

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[Session]:
        try:
            async with translate_outages():
                if self._kept is None or self._kept.is_closed():
                    self._kept = await connect(
                        self._url,
                        timeout_s=self._timeout_s,
                        command_timeout_s=self._timeout_s,
                        name="quorum-steward",
                    )
                yield self._kept
        except Exception:
            await self.close()
            raise


def _sub_policies(plan: Plan, arm: str) -> tuple[Policy, Policy] | None:
    """The baseline and the canary of an arm; None if the plan has no such canary."""
    found = (side.split for side in canaries(plan) if side.arm == arm)
    return next(((s.baseline, s.canary) for s in found if isinstance(s, Canary)), None)


def _of_document(document: str | None, name: str, arm: str) -> tuple[Policy, Policy] | None:
    """`_sub_policies` of a stored document; None if it is no plan of this name."""
    if document is None:
        return None
    try:
        plan = read_document(json.loads(document))
    except InvalidInput:
        return None
    return _sub_policies(plan, arm) if plan.name == name else None
