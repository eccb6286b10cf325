"""Reading a protocol's file as a data set, with the rounds of the leak guard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from data.layout.layout import load_layout
from data.load.payment_reader import read_payments
from training.finding import Finding
from training.guard.findings import GuardFindings
from training.guard.guard import inspect_backfill, inspect_history, inspect_layout
from training.progress import Progress
from training.sets.dataset import Dataset, build_dataset
from training.sets.tabular import read_table


@dataclass(frozen=True, slots=True)
class ProtocolReader:
    """Reads the file of a protocol.

    Attributes:
        cache: folder for feature matrices.
        progress: stages `features` and `guard`.
        findings: of the leak guard so far.
        seed: for the rows that the guard draws.
    """

    cache: Path
    progress: Progress
    findings: GuardFindings = field(default_factory=GuardFindings)
    seed: int = 7

    def history(self, layout: str, path: Path) -> Dataset:
        """Every payment of a file with its features.

        Raises:
            LeakFound: the layout, the payments' own fields, or the features leak.
            SourceUnreadable, LayoutInvalid: the file does not match the layout.
        """
        self.inspect(lambda: inspect_layout(load_layout(layout)))
        history = read_payments(path, layout).history()
        self.inspect(lambda: inspect_history(history, self.seed))
        dataset = build_dataset(history, self.cache, self._features)
        self.inspect(lambda: inspect_backfill(history, dataset, self.seed))
        return dataset

    def table(self, layout: str, path: Path) -> Dataset:
        """A table's own columns, not cached. Raises like `history`."""
        found = load_layout(layout)
        self.inspect(lambda: inspect_layout(found))
        return read_table(path, found, self._features)

    def inspect(self, check: Callable[[], list[Finding]]) -> None:
        """Run one round of the leak guard.

        Raises:
            LeakFound: a finding refuses the data.
        """
        self.progress("guard", 0, 1)
        self.findings.take(check())
        self.progress("guard", 1, 1)

    def _features(self, done: int, total: int) -> None:
        self.progress("features", done, total)
