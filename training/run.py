"""The context of one run of `quorum train`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from fraud.variant import HOUSE
from settings.settings import Settings
from training.config import TrainConfig
from training.finding import Finding
from training.guard.findings import GuardFindings
from training.progress import Progress, Stopwatch

RECIPE = "recipe"
"""Key in `Manifest.training` of what the training set was made by."""


@dataclass(frozen=True, slots=True)
class Run:
    """What every stage of a training needs.

    Attributes:
        ray_address: a running Ray; None for a private one.
        tabular: the run trains on a table's own columns.
        one_file: it trains on the payments of one file, not on a tenant's history.
        for_every_tenant, predictions, force: see `training.pipeline.train`.
        watch: measures the time of each stage.
        findings: of the leak guard so far.
        recipe: what the set was made by, kept in the models' manifests; "" if nothing made it.
    """

    settings: Settings
    config: TrainConfig
    progress: Progress
    ray_address: str | None
    tabular: bool = False
    one_file: bool = False
    for_every_tenant: bool = False
    predictions: Path | None = None
    watch: Stopwatch = field(default_factory=Stopwatch)
    findings: GuardFindings = field(default_factory=GuardFindings)
    force: str | None = None
    recipe: str = ""

    def guard(self, inspect: Callable[[], list[Finding]]) -> None:
        """Run one round of the leak guard. Raises LeakFound."""
        with self.watch.stage("guard"):
            self.progress("guard", 0, 1)
            self.findings.take(inspect())
            self.progress("guard", 1, 1)

    @property
    def owner(self) -> str:
        """Whose champions the models become, and whose plan theirs: a tenant, or `HOUSE`."""
        return HOUSE if self.for_every_tenant else self.settings.owner

    @property
    def cross_fits(self) -> bool:
        """Whether variants are cross-fitted instead of holding slices back."""
        use = self.config.cross_fit.use
        return use == "always" or (use == "tables" and self.tabular)

    @property
    def fits_here(self) -> bool:
        """Whether variants are fitted in this process: files are small, starting Ray is slow."""
        alone = self.config.xgboost.workers == 1 and not self.config.search.has_budget
        return (self.tabular or self.one_file) and alone
