"""Plans in memory, and models that plans may name."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from deciding.plans.activations import Activation, Expected
from deciding.plans.submitted import read_submitted
from deciding.plans.versions import PlanId, StoredPlan
from fraud.errors import Conflict, NotFound
from fraud.plan import Plan
from fraud.variant import HOUSE, VariantRef
from serve_app.gateway.plans import Activated

SCHEMA = "served"
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


class KnownModels:
    """Models by name, all of one feature schema."""

    def __init__(self, *names: str, schema: str = SCHEMA) -> None:
        self.names = set(names)
        self.schema = schema

    def schema_of(self, ref: VariantRef) -> str | None:
        return self.schema if str(ref) in self.names else None


class FakePlans:
    """Like `serve_app.gateway.plans.Plans` for tenants that own no plan; raises `error` if there
    is one."""

    def __init__(self, plan: Plan) -> None:
        self.plan: Plan | None = plan
        self.models = KnownModels("xgboost", "logistic")
        self.stored: list[StoredPlan] = []
        self.activated: list[tuple[Any, ...]] = []
        self.error: Exception | None = None

    async def deciding(self, tenant: str) -> StoredPlan | None:
        self._fail()
        return None if self.plan is None else self._version(HOUSE, self.plan, active=True)

    async def versions(self, tenant: str, name: str | None, limit: int) -> list[StoredPlan]:
        self._fail()
        found = [p for p in self.stored if name in (None, p.name)]
        return [replace(p, document=None) for p in found[:limit]]

    async def read(self, tenant: str, name: str, version: int, of_house: bool) -> StoredPlan:
        self._fail()
        for stored in self.stored:
            if stored.id == (name, version) and not of_house:
                return stored
        raise NotFound("no such plan")

    async def checked(self, tenant: str, document: Any) -> Plan:
        self._fail()
        return read_submitted(document, tenant, self.models, SCHEMA)

    async def store(
        self, tenant: str, document: Any, author: str, reason: str
    ) -> tuple[StoredPlan, tuple[str, ...]]:
        plan = await self.checked(tenant, document)
        plan = replace(plan, version=len(self.stored) + 1)
        stored = replace(self._version(tenant, plan), author=author, reason=reason)
        self.stored.append(stored)
        return stored, tuple(v for v in plan.variants if v != "xgboost")

    async def activate(
        self, tenant: str, plan: PlanId, author: str, reason: str, expected: Expected = ...
    ) -> Activated:
        await self.read(tenant, *plan, False)
        if expected not in (..., None):
            raise Conflict("no plan is active by now")
        self.activated.append((tenant, plan, author, reason, expected))
        return Activated(Activation(tenant, plan, None, AT, author, reason), ())

    def _fail(self) -> None:
        if self.error is not None:
            raise self.error

    @staticmethod
    def _version(owner: str, plan: Plan, active: bool = False) -> StoredPlan:
        document = plan.to_document()
        return StoredPlan(
            *(owner, plan.name, plan.version, plan.kind, active, "training", "", AT, document)
        )
