"""What all nodes of one Quorum must have in common."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from cluster.errors import CommandFailed
from cluster.home.connection import pepper
from fraud.record import CODE_VERSION

if TYPE_CHECKING:
    from settings.settings import Settings

CLOCK_MS = 1_000
"""Largest difference between the clocks of two nodes. Windows of features are cut by time."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a node must have in common with the others. No secret can be read from it.

    Attributes:
        quorum, ray, python: versions.
        features: id of the feature schema.
        pepper: SHA-256 of the secret that API keys are hashed with.
        artifacts: identity of the artifact store; "" if none was made yet.
        clock_ms: how far the node's clock is ahead of PostgreSQL's.
    """

    quorum: str
    ray: str
    python: str
    features: str
    pepper: str
    artifacts: str
    clock_ms: int

    def document(self) -> dict[str, Any]:
        """Return it as JSON-ready values."""
        return asdict(self)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Facts:
        """Return facts from a document, of this or another version of Quorum."""
        texts = {name: str(document.get(name, "")) for name in cls.__slots__ if name != "clock_ms"}
        return cls(**texts, clock_ms=int(document.get("clock_ms", 0)))

    def require_same(self, head: Facts) -> None:
        """Do nothing if this node may be beside the head.

        Raises:
            CommandFailed: something differs; names the first.
        """
        for name, (what, hint) in _COMPARED.items():
            own, other = getattr(self, name), getattr(head, name)
            if own != other:
                shown = "" if name in _HIDDEN else f": {own} here, {other} at the head"
                raise CommandFailed(f"{what} differs from the head's{shown}", hint)
        ahead_s = (self.clock_ms - head.clock_ms) / 1000
        if abs(ahead_s) * 1000 > CLOCK_MS:
            way = "ahead of" if ahead_s > 0 else "behind"
            raise CommandFailed(
                f"the clock of this machine is {abs(ahead_s):,.1f} s {way} the head's",
                "set it, for example with chrony: nodes may differ by a second",
            )


_COMPARED = {
    "quorum": ("the version of Quorum", "install the head's version here"),
    "ray": ("the version of Ray", "install the head's version here: see constraints.txt"),
    "python": ("the version of Python", "use the head's version here"),
    "features": ("the feature schema", "install the head's version of Quorum here"),
    "pepper": ("QUORUM_KEY_PEPPER", "set it to the head's value: API keys are hashed with it"),
    "artifacts": (
        "the artifact store",
        "set QUORUM_ARTIFACTS to the head's bucket, or to the shared folder as mounted here",
    ),
}
_HIDDEN = ("pepper", "artifacts")


def own_facts(settings: Settings, artifacts: str, clock_ms: int) -> Facts:
    """Return the facts of this node.

    Args:
        artifacts: see `Facts`.
        clock_ms: see `Facts`.

    Raises:
        CommandFailed: QUORUM_KEY_PEPPER is not set.
    """
    from importlib.metadata import version

    from features.definitions import SCHEMA_ID

    return Facts(
        quorum=CODE_VERSION,
        ray=version("ray"),
        python=f"{sys.version_info[0]}.{sys.version_info[1]}",
        features=SCHEMA_ID,
        pepper=hashlib.sha256(f"quorum pepper {pepper(settings)}".encode()).hexdigest(),
        artifacts=artifacts,
        clock_ms=clock_ms,
    )
