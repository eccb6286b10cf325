"""The guard at work in a training run: what its rounds found, said at once and kept."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable

from training.guard.finding import Finding, settle

logger = logging.getLogger(__name__)


class Rounds:
    """Findings of a run, of one round after the other.

    Args:
        allowed: codes that are let through.
    """

    def __init__(self, allowed: Collection[str] = ()) -> None:
        self._allowed = allowed
        self.findings: tuple[Finding, ...] = ()

    def take(self, findings: Iterable[Finding]) -> None:
        """Say and keep what a round found.

        Raises:
            LeakFound: something is refused.
        """
        for finding in settle(tuple(findings), self._allowed):
            logger.warning("leak guard: %s: %s", finding.code, finding.sentence)
            self.findings += (finding,)

    def tags(self) -> dict[str, str]:
        """For the registry: `leak_guard`, the codes found or `clean`, and `allowed_leaks`."""
        codes = sorted({f.code for f in self.findings})
        tags = {"leak_guard": " ".join(codes) or "clean"}
        allowed = sorted({f.code for f in self.findings if f.allowed})
        return tags | ({"allowed_leaks": " ".join(allowed)} if allowed else {})
