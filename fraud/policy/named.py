"""A sub-plan that stands under a name in its plan's document, to be used in several places."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fraud.asking import Asking, Rows, Run
from fraud.ensemble import Settled
from fraud.policy.interface import Policy


@dataclass(frozen=True, slots=True)
class Named:
    """Stands for a named sub-plan.

    Attributes:
        name: its name among the `plans` of the document.
        policy: the sub-plan.
    """

    name: str
    policy: Policy

    @property
    def kind(self) -> str:
        """The kind of the sub-plan."""
        return self.policy.kind

    def run(self, asking: Asking, rows: Rows, arm: str) -> Run[list[Settled]]:
        """See `Policy`."""
        return self.policy.run(asking, rows, arm)

    def children(self) -> Sequence[tuple[str, Policy]]:
        """See `Policy`. The name is no step."""
        return [("", self.policy)]

    def mapped(self, change: Callable[[Any], Any]) -> Policy:
        """See `Policy`. What is changed no longer stands under the name."""
        changed: Policy = change(self.policy)
        return self if changed == self.policy else changed

    def to_document(self) -> str:
        """See `Policy`."""
        return self.name


def unnamed(policy: Policy) -> Policy:
    """Return the policy that a chain of names stands for."""
    while isinstance(policy, Named):
        policy = policy.policy
    return policy
