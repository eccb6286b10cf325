"""The findings of a run's leak guard: logged as each round ends, and kept for the registry."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Iterable, Mapping

from training.finding import Finding, settle

logger = logging.getLogger(__name__)


class GuardFindings:
    """The findings of one run, round after round.

    Args:
        allowed: codes that only warn.
        honest: column -> why it is honest, see `training.config.TrainConfig.honest`.
    """

    def __init__(
        self, allowed: Collection[str] = (), honest: Mapping[str, str] | None = None
    ) -> None:
        self._allowed = allowed
        self._honest = dict(honest or {})
        self.all: tuple[Finding, ...] = ()

    def take(self, findings: Iterable[Finding]) -> None:
        """Log and keep the findings of a round.

        Raises:
            LeakFound: a finding refuses the data.
        """
        for finding in settle(tuple(findings), self._allowed, self._honest):
            logger.warning("leak guard: %s: %s", finding.code, finding.sentence)
            self.all += (finding,)

    def tags(self) -> dict[str, str]:
        """Tags for the registry: `leak_guard`, the codes found or `clean`; `allowed_leaks`; and
        `honest_columns` with their reasons, a JSON object."""
        codes = sorted({f.code for f in self.all})
        tags = {"leak_guard": " ".join(codes) or "clean"}
        allowed = sorted({f.code for f in self.all if f.allowed})
        if allowed:
            tags["allowed_leaks"] = " ".join(allowed)
        if self._honest:
            tags["honest_columns"] = json.dumps(self._honest, ensure_ascii=False)
        return tags
