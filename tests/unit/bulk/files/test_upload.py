"""An opened file."""

from __future__ import annotations

from pathlib import Path

import pytest

from bulk.files.parquet_table import ParquetTable
from bulk.files.upload import Upload, UploadKind


@pytest.mark.parametrize(
    ("kind", "is_text"), [("csv", True), ("parquet", False), ("workbook", False)]
)
def test_only_cells_of_text_files_are_all_texts(kind: UploadKind, is_text: bool) -> None:
    path = Path("x")
    assert Upload(path, kind, ("a", "b"), ParquetTable(path, 1)).is_text is is_text
