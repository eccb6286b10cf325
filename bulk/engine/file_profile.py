"""What a job knows about its file besides its rows."""

from __future__ import annotations

import json
from dataclasses import dataclass

from bulk.jobs.paths import JobPaths
from references.profile.column import ColumnProfile
from stores.whole_file import replace_file


@dataclass(frozen=True, slots=True)
class FileProfile:
    """What is known about a file before its rows are scored: `JobPaths.profile`.

    Attributes:
        decimal: the decimal sign of numbers in texts.
        columns: profiles, in the order of the file; of the sample until the file was read.
        notes: what its sender should know, one sentence each.
    """

    decimal: str
    columns: tuple[ColumnProfile, ...]
    notes: tuple[str, ...] = ()

    def write(self, paths: JobPaths) -> None:
        """Write it as a whole."""
        document = {
            "decimal": self.decimal,
            "columns": [column.to_document() for column in self.columns],
            "notes": self.notes,
        }
        replace_file(paths.profile, json.dumps(document).encode())

    @classmethod
    def read(cls, paths: JobPaths) -> FileProfile:
        """Invert `write`.

        Raises:
            FileNotFoundError: it was never written.
        """
        document = json.loads(paths.profile.read_bytes())
        columns = tuple(ColumnProfile.from_document(column) for column in document["columns"])
        return cls(document["decimal"], columns, tuple(document["notes"]))
