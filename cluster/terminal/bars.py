"""Bars of a command that works in stages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cluster.terminal.terminal import progress

if TYPE_CHECKING:
    from rich.progress import TaskID


class StageBars:
    """One bar a stage on stderr; a stage that is done stays on its line with its seconds.

    Args:
        titles: stage -> what is shown for it.
    """

    def __init__(self, titles: Mapping[str, str]) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._titles = titles
        self._bars = Progress(
            TextColumn("{task.description:<20}"),
            BarColumn(30),
            TextColumn("{task.fields[said]}"),
            TimeElapsedColumn(),
            console=progress,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> StageBars:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def show(self, stage: str, done: int, total: int) -> None:
        """How much of a stage is done, and of how much in all; 0: not known."""
        if stage not in self._tasks:
            self._tasks[stage] = self._bars.add_task(self._titles[stage], total=None, said="")
        said = f"{done:,}/{total:,}" if total else f"{done:,}"
        self._bars.update(self._tasks[stage], completed=done, total=total or None, said=said)
