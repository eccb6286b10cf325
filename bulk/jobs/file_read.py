"""What became of a job's file. Light: the engine's own process has it without Arrow."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileRead:
    """A file that became parts.

    Attributes:
        rows_total: rows of the file, those that could not be read included.
        rows_failed: rows that could not be read; they are in `JobPaths.errors`.
        parts: rows of each part, by its number from 0.
    """

    rows_total: int
    rows_failed: int
    parts: tuple[int, ...]
