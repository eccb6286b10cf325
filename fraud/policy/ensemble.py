"""The policy under which every variant of the plan votes on every row."""

from __future__ import annotations

from collections.abc import Sequence

from fraud.policy.interface import VariantCall


class Ensemble:
    """Asks every voter, and the anomaly variant if there is one, about every row."""

    def __init__(self, voters: Sequence[str], anomaly: str | None) -> None:
        asked = voters if anomaly is None else (*voters, anomaly)
        self._calls = tuple(VariantCall(variant) for variant in asked)

    def calls(self, n: int) -> tuple[VariantCall, ...]:
        """See `Policy`."""
        return self._calls if n else ()


def single(voters: Sequence[str], anomaly: str | None) -> Ensemble:
    """Return the ensemble of one voter.

    Raises:
        ValueError: there is more than one voter.
    """
    if len(voters) != 1:
        raise ValueError("members: expected one variant in a single plan")
    return Ensemble(voters, anomaly)
