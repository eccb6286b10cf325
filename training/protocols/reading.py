"""A protocol's file as a data set, past the leak guard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from data.layout.layout import load_layout
from data.load.payment_reader import read_payments
from training.finding import Finding
from training.guard.guard import inspect_history, inspect_layout, inspect_replay
from training.guard.rounds import Rounds
from training.progress import Progress
from training.sets.dataset import Dataset, build_dataset
from training.sets.tabular import read_table


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading a file is told.

    Attributes:
        cache: folder for feature matrices.
        progress: stages `features` and `guard`.
        rounds: what the leak guard found so far.
        seed: of the rows that it draws.
    """

    cache: Path
    progress: Progress
    rounds: Rounds = field(default_factory=Rounds)
    seed: int = 7

    def history(self, layout: str, path: Path) -> Dataset:
        """Every payment of a file with its features.

        Raises:
            LeakFound: the layout, a payment's own columns, or the features leak.
            SourceUnreadable, LayoutInvalid: the file is not what the layout says.
        """
        self.inspect(lambda: inspect_layout(load_layout(layout)))
        history = read_payments(path, layout).history()
        self.inspect(lambda: inspect_history(history, self.seed))
        dataset = build_dataset(history, self.cache, self._features)
        self.inspect(lambda: inspect_replay(history, dataset, self.seed))
        return dataset

    def table(self, layout: str, path: Path) -> Dataset:
        """The own columns of a table; nothing of it is worth a cache. Raises as `history`."""
        found = load_layout(layout)
        self.inspect(lambda: inspect_layout(found))
        return read_table(path, found, self._features)

    def inspect(self, look: Callable[[], list[Finding]]) -> None:
        """One round of the leak guard.

        Raises:
            LeakFound: something is refused.
        """
        self.progress("guard", 0, 1)
        self.rounds.take(look())
        self.progress("guard", 1, 1)

    def _features(self, done: int, total: int) -> None:
        self.progress("features", done, total)
