"""Where a training run is, and how long its stages took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Progress(Protocol):
    """Told where a training run is."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Args:
        stage: `history`, `features`, `guard`, `search`, `fit`, `judge`, `report` or `publish`.
        done, total: rows, models or steps of the stage; done == total: the stage has ended.
        """
        ...


def quiet(stage: str, done: int, total: int) -> None:
    """Progress that tells nobody."""


class Stopwatch:
    """Seconds by stage; a stage that is entered again adds to its own."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time the block."""
        started = time.monotonic()
        yield
        spent = self.seconds.get(name, 0.0) + time.monotonic() - started
        self.seconds[name] = round(spent, 2)
