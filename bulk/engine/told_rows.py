"""How many rows a step has done, told from its process to the engine's through a small file."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bulk.jobs.paths import JobPaths
from stores.whole_file import whole_file

PERIOD_S: Final = 1.0

_NAME = "rows"


class RowTeller:
    """Tells rows, once a second at most.

    Args:
        paths: of the job.
        clock_s: seconds that never fall.
    """

    def __init__(self, paths: JobPaths, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._path = _path(paths)
        self._clock_s = clock_s
        self._told_s: float | None = None

    def tell(self, rows: int) -> None:
        """So many rows are done; now and then somebody learns it."""
        now_s = self._clock_s()
        if self._told_s is not None and now_s - self._told_s < PERIOD_S:
            return
        self._told_s = now_s
        with whole_file(self._path) as made:
            made.write_text(str(rows))

    def end(self) -> None:
        """The step is over: no other's rows are taken for its own."""
        self._path.unlink(missing_ok=True)


def told_rows(paths: JobPaths) -> int | None:
    """Return what was told last; None if nothing was."""
    try:
        return int(_path(paths).read_text())
    except (OSError, ValueError):  # a figure, and no more
        return None


def _path(paths: JobPaths) -> Path:
    return paths.folder / _NAME
