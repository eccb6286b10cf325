"""The file that is matched, and what its sender said about it."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa

from data.cells.texts import DEFAULT_MISSING
from references.profile.column import ColumnProfile


@dataclass(frozen=True, slots=True)
class FileSample:
    """A sample of a file, and what its columns look like.

    Attributes:
        profiles: of every column, in the order of the file; of the whole file where it was read
            as a whole, else of the sample.
        rows: at most 20,000 rows, spread over the file, in its order: texts from a text file, else
            with their own types.
        decimal: the decimal sign of numbers in texts.
        missing: texts that mean a missing value.
    """

    profiles: tuple[ColumnProfile, ...]
    rows: pa.Table
    decimal: str = "."
    missing: tuple[str, ...] = tuple(DEFAULT_MISSING)

    def profile(self, name: str) -> ColumnProfile:
        """Return the profile of a column; KeyError if there is none."""
        for profile in self.profiles:
            if profile.name == name:
                return profile
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class MatchOptions:
    """What the sender of a file said. See `bulk.jobs.options.JobOptions` for the meanings."""

    models: int = 3
    model: tuple[str, ...] = ()
    columns: dict[str, str] = field(default_factory=dict)
    convert: dict[str, str] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()
