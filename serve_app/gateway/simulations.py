"""Simulations of plans on a tenant's recorded decisions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from deciding.plans.versions import PlanId
from fraud.plan import Plan
from serve_app.gateway.plans import Plans

MOST_DECISIONS: Final = 20_000
"""Most decisions that one request may simulate."""
USUAL_DECISIONS: Final = 5_000

Run = Callable[[str, Plan, int], Awaitable[dict[str, Any]]]
"""(tenant, plan, last) -> `deciding.simulation.result.Result.to_document()`."""


@dataclass(frozen=True, slots=True)
class Simulations:
    """Simulates plans.

    Attributes:
        plans: of tenants and of the house.
        run: runs a simulation; raises Overloaded while another one runs, and Unavailable.
    """

    plans: Plans
    run: Run

    async def of_document(self, tenant: str, document: Any, last: int) -> dict[str, Any]:
        """Simulate a plan that is not stored.

        Raises:
            InvalidInput: the document is wrong; its errors name the places.
            Overloaded, Unavailable: see `run` and `Plans.checked`.
        """
        return await self.run(tenant, await self.plans.checked(tenant, document), last)

    async def of_version(
        self, tenant: str, plan: PlanId, last: int, of_house: bool
    ) -> dict[str, Any]:
        """Simulate a stored plan, which `Plans.read` finds.

        Raises:
            NotFound: there is no such plan.
            InvalidInput: its document cannot be read any more.
            Overloaded, Unavailable: see `run`.
        """
        stored = await self.plans.read(tenant, *plan, of_house)
        return await self.run(tenant, stored.plan(), last)
