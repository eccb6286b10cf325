"""Which policy a plan wants."""

from __future__ import annotations

from collections.abc import Callable

from fraud.plan import Plan
from fraud.policy.ensemble import Ensemble
from fraud.policy.policy import Policy
from fraud.policy.single import Single

_KINDS: dict[str, Callable[[Plan], Policy]] = {"ensemble": Ensemble, "single": Single}


def policy_of(plan: Plan) -> Policy:
    """The policy of a plan's kind.

    Raises:
        ValueError: no policy is of that kind.
    """
    if plan.kind not in _KINDS:
        raise ValueError(f"no policy for plans of kind {plan.kind!r}")
    return _KINDS[plan.kind](plan)
