"""The bars of a job that is run on the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bulk.engine.progress import Progress
from cluster.terminal.bars import StageBars

_TITLES = {"reading": "Read", "scoring": "Score", "finishing": "Combine"}


@contextmanager
def job_bars() -> Iterator[Callable[[Progress], None]]:
    """Yield what shows the progress of a job, a bar for each phase."""
    with StageBars(_TITLES) as bars:

        def show(told: Progress) -> None:
            if told.state in _TITLES:
                bars.show(told.state, told.rows_done, told.rows_total or 0)

        yield show
