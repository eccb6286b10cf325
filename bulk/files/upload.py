"""A file of a job that was opened: what it is, and its columns."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bulk.files.csv_text import CsvText
from bulk.files.parquet_table import ParquetTable

UploadKind = Literal["csv", "parquet", "workbook"]


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that can be read as a table.

    Attributes:
        kind: by its content, whatever its name says.
        names: of its columns, in its order; distinct, not empty, none of `RESERVED`.
        table: what reads its rows; of a workbook, the copy of its sheet.
        decimal: the decimal sign of numbers in texts.
        sheet: name of the sheet of a workbook that is read, its first; "" for others.
        notes: what a sender should know, one sentence each.
    """

    path: Path
    kind: UploadKind
    names: tuple[str, ...]
    table: CsvText | ParquetTable
    decimal: str = "."
    sheet: str = ""
    notes: tuple[str, ...] = ()

    @property
    def is_text(self) -> bool:
        """Whether all cells are texts."""
        return self.kind == "csv"
