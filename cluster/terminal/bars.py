"""Progress bars of long commands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cluster.terminal.console import progress

if TYPE_CHECKING:
    from rich.progress import TaskID

    from data.load.loader import LoadReport


class StageBars:
    """A bar on stderr for each stage of a command. The bar of a finished stage stays.

    Args:
        titles: stage -> title of its bar.
    """

    def __init__(self, titles: Mapping[str, str]) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._titles = titles
        self._bars = Progress(
            TextColumn("{task.description:<20}"),
            BarColumn(30),
            TextColumn("{task.fields[count]}"),
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
        """Update the bar of a stage: `done` of `total`, where 0 means that the total is unknown."""
        if stage not in self._tasks:
            self._tasks[stage] = self._bars.add_task(self._titles[stage], total=None, count="")
        count = f"{done:,}/{total:,}" if total else f"{done:,}"
        self._bars.update(self._tasks[stage], completed=done, total=total or None, count=count)


class LoadBar:
    """The bar of a load on stderr: share of the file, rows, rows a second.

    Args:
        name: name of the file.
    """

    def __init__(self, name: str) -> None:
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

        self._bar = Progress(
            TextColumn("Load {task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[rows]:,} rows, {task.fields[speed]:,.0f}/s"),
            console=progress,
            transient=True,
        )
        self._task = self._bar.add_task(name, total=1.0, rows=0, speed=0.0)

    def __enter__(self) -> LoadBar:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, report: LoadReport, share: float) -> None:
        """Update the bar; `share` of the file is read, in [0, 1]."""
        self._bar.update(self._task, completed=share, rows=report.rows, speed=report.rows_per_s)
