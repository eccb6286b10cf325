"""Every kind of policy that a plan may name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fraud.policy.ensemble import Ensemble, single
from fraud.policy.interface import Policy

POLICIES: dict[str, Callable[[Sequence[str], str | None], Policy]] = {
    "single": single,
    "ensemble": Ensemble,
}
"""`kind` in a plan's document -> factory of the policy, from voters and anomaly variant."""


def policy_of(kind: str, voters: Sequence[str], anomaly: str | None) -> Policy:
    """Return the policy of a kind.

    Raises:
        ValueError: there is no such kind, or it cannot ask these variants.
    """
    if kind not in POLICIES:
        raise ValueError(f"kind must be one of {', '.join(POLICIES)}")
    return POLICIES[kind](voters, anomaly)
