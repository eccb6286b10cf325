"""One run of `quorum train`, as its stages know it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from settings.settings import Settings
from training.config import TrainConfig
from training.finding import Finding
from training.guard.rounds import Rounds
from training.progress import Progress, Stopwatch


@dataclass(frozen=True, slots=True)
class Run:
    """What every stage of a training is told.

    Attributes:
        ray_address: of a running Ray; None: a private one.
        tabular: it is a table's own columns that are trained on.
        for_every_tenant, predictions, force: see `training.pipeline.train`.
        watch: the time of each stage.
        rounds: what the leak guard has found so far.
    """

    settings: Settings
    config: TrainConfig
    progress: Progress
    ray_address: str | None
    tabular: bool = False
    for_every_tenant: bool = False
    predictions: Path | None = None
    watch: Stopwatch = field(default_factory=Stopwatch)
    rounds: Rounds = field(default_factory=Rounds)
    force: str | None = None

    def guard(self, inspect: Callable[[], list[Finding]]) -> None:
        """One round of the leak guard. Raises LeakFound."""
        with self.watch.stage("guard"):
            self.progress("guard", 0, 1)
            self.rounds.take(inspect())
            self.progress("guard", 1, 1)

    @property
    def crosses(self) -> bool:
        """Whether variants are fitted several times over time, not once beside slices."""
        use = self.config.cross_fit.use
        return use == "always" or (use == "tables" and self.tabular)

    @property
    def fits_here(self) -> bool:
        """Whether that is done in this process: tables are small, and starting Ray is not."""
        alone = self.config.xgboost.workers == 1 and not self.config.search.wanted
        return self.tabular and alone
