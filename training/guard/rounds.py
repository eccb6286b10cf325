"""The guard at work in a training run: what its rounds found, said at once and kept."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Iterable, Mapping

from training.finding import Finding, settle

logger = logging.getLogger(__name__)


class Rounds:
    """Findings of a run, of one round after the other.

    Args:
        allowed: codes that are let through.
        honest: column -> why it is honest, see `training.config.TrainConfig.honest`.
    """

    def __init__(
        self, allowed: Collection[str] = (), honest: Mapping[str, str] | None = None
    ) -> None:
        self._allowed = allowed
        self._honest = dict(honest or {})
        self.findings: tuple[Finding, ...] = ()

    def take(self, findings: Iterable[Finding]) -> None:
        """Say and keep what a round found.

        Raises:
            LeakFound: something is refused.
        """
        for finding in settle(tuple(findings), self._allowed, self._honest):
            logger.warning("leak guard: %s: %s", finding.code, finding.sentence)
            self.findings += (finding,)

    def tags(self) -> dict[str, str]:
        """For the registry: `leak_guard`, the codes found or `clean`, `allowed_leaks`, and
        `honest_columns` with their reasons, a JSON object."""
        codes = sorted({f.code for f in self.findings})
        tags = {"leak_guard": " ".join(codes) or "clean"}
        allowed = sorted({f.code for f in self.findings if f.allowed})
        if allowed:
            tags["allowed_leaks"] = " ".join(allowed)
        if self._honest:
            tags["honest_columns"] = json.dumps(self._honest, ensure_ascii=False)
        return tags
