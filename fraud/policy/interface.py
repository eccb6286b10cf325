"""The interface of policies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from fraud.asking import Asking, Rows, Run
from fraud.ensemble import Settled

STEP = " > "
"""Between the names on the way from a plan's root to an ensemble."""


class Policy(Protocol):
    """Decides which variants are asked about which rows, and which ensemble decides each row.

    A policy is a frozen dataclass, and pure: it may ask in several stages, and what it has heard
    decides whom it asks next.

    Attributes:
        kind: names it in a plan's document.
    """

    @property
    def kind(self) -> str:
        """Name of its kind in a plan's document."""
        ...

    def run(self, asking: Asking, rows: Rows, arm: str) -> Run[list[Settled]]:
        """Ask about some rows of a micro-batch.

        Args:
            asking: the micro-batch and the answers so far.
            rows: the rows.
            arm: the way to this policy from the root; "" at the root.

        Returns:
            Groups of rows, together all of `rows`, each row once.
        """
        ...

    def children(self) -> Sequence[tuple[str, Policy]]:
        """Return (name of the step, sub-policy) of each sub-policy that decides payments."""
        ...

    def mapped(self, change: Callable[[Any], Any]) -> Policy:
        """Return the policy with `change(sub-policy)` in place of each sub-policy."""
        ...

    def to_document(self) -> dict[str, Any] | str:
        """Return its document, JSON-ready; a name, if it is one of the plan's named sub-plans."""
        ...


def step(arm: str, name: str) -> str:
    """Return the way to a sub-policy: `arm`, then `name`."""
    return f"{arm}{STEP}{name}" if arm and name else arm or name
