"""The context of one run of `quorum train`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

from fraud.variant import HOUSE
from settings.settings import Settings
from training.config import TrainConfig
from training.finding import Finding
from training.guard.findings import GuardFindings
from training.progress import Progress, Stopwatch

RECIPE = "recipe"
"""Key in `Manifest.training` of what the training set was made by."""


class RunOptions(TypedDict, total=False):
    """What a caller may choose about any training.

    Attributes:
        ray_address: a running Ray; None for a private one on this machine, stopped at the end.
        for_every_tenant: the models become the house's, whichever tenant they learnt from.
        predictions: Parquet file for the scores of each row of the test part.
        force: the reason for making models champions that beat neither chance nor a baseline; it
            is stored with them. None: such models are refused.
        recipe: what the set was made by, kept in the models' manifests; "" if nothing made it.
    """

    ray_address: str | None
    for_every_tenant: bool
    predictions: Path | None
    force: str | None
    recipe: str


@dataclass(frozen=True, slots=True)
class Run:
    """What every stage of a training needs.

    Attributes:
        tabular: the run trains on a table's own columns.
        one_file: it trains on the payments of one file, not on a tenant's history.
        ray_address, for_every_tenant, predictions, force, recipe: see RunOptions.
        watch: measures the time of each stage.
        findings: of the leak guard so far.
    """

    settings: Settings
    config: TrainConfig
    progress: Progress
    tabular: bool = False
    one_file: bool = False
    ray_address: str | None = None
    for_every_tenant: bool = False
    predictions: Path | None = None
    force: str | None = None
    recipe: str = ""
    watch: Stopwatch = field(default_factory=Stopwatch)
    findings: GuardFindings = field(init=False)

    def __post_init__(self) -> None:
        findings = GuardFindings(self.config.allow_leaks, self.config.honest)
        object.__setattr__(self, "findings", findings)

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
