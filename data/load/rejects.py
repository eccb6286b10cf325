"""The CSV file of rejected rows, in step with the progress of the load."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from pathlib import Path

from data.files.source import BadRow

_HEADER = ("row", "line", "field", "code", "reason")


class Rejects:
    """Appends rejected rows to a file: their numbers, lines and reasons, not their values.

    The file is created with the first row.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def resume(self, rows_done: int) -> None:
        """Remove rows after `rows_done`: their chunk was never committed."""
        if not self.path.exists():
            return
        if rows_done == 0:
            self.path.unlink()
            return
        kept = self.path.with_suffix(".tmp")
        with self.path.open(newline="", encoding="utf-8") as old:
            rows = csv.reader(old)
            next(rows, None)
            # The last line may be torn; it belongs to the chunk that is removed.
            whole = [r for r in rows if len(r) == len(_HEADER) and r[0].isdigit()]
        with kept.open("w", newline="", encoding="utf-8") as new:
            writer = csv.writer(new)
            writer.writerow(_HEADER)
            writer.writerows(r for r in whole if int(r[0]) <= rows_done)
        kept.replace(self.path)

    def add(self, bad: Iterable[BadRow]) -> None:
        """Write rows to the disk, before their chunk is committed."""
        rows = [(b.row, b.line, b.field, b.code, b.detail) for b in bad]
        if not rows:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = not self.path.exists()
        with self.path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            if fresh:
                writer.writerow(_HEADER)
            writer.writerows(rows)
            file.flush()
            os.fsync(file.fileno())
