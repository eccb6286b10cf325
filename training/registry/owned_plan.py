"""The plan of an owner: it asks the owner's champions."""

from __future__ import annotations

from dataclasses import replace

from fraud.ensemble import Ensemble
from fraud.plan import Plan
from fraud.policy.cascade import Cascade
from fraud.variant import VariantRef, base_variant


def owned_plan(plan: Plan, owner: str) -> Plan:
    """The same plan over the champions of an owner: `xgboost` is the house's, `mine/xgboost` that
    of tenant `mine`.

    Raises:
        ValueError: the plan is neither one ensemble nor a cascade, and training makes no other.
    """

    def owned(ensemble: Ensemble) -> Ensemble:
        return ensemble.renamed(lambda variant: owned_name(variant, owner))

    if isinstance(plan.policy, Cascade):
        return replace(plan, policy=plan.policy.mapped(owned))
    return replace(plan, policy=owned(plan.ensemble))


def owned_name(variant: str, owner: str) -> str:
    """The name under which a plan of the owner asks for a variant."""
    return str(VariantRef(base_variant(variant), owner))
