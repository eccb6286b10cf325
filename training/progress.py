"""The progress of a training run, and the time of its stages."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Progress(Protocol):
    """Called as a training run advances."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Args:
        stage: `history`, `features`, `guard`, `search`, `fit`, `judge`, `report` or `publish`.
        done, total: rows, models or steps of the stage; equal when the stage has ended.
        """
        ...


def quiet(stage: str, done: int, total: int) -> None:
    """Ignore progress."""


class Stopwatch:
    """Seconds by stage; a repeated stage adds up."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure the time of the block."""
        started = time.monotonic()
        yield
        spent = self.seconds.get(name, 0.0) + time.monotonic() - started
        self.seconds[name] = round(spent, 2)
