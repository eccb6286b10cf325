"""What a job knows about its file."""

from __future__ import annotations

from pathlib import Path

import pytest

from bulk.engine.file_profile import FileProfile
from bulk.jobs.paths import JobPaths
from references.profile.column import ColumnKind, ColumnProfile


def test_it_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    paths = JobPaths(tmp_path)
    with pytest.raises(FileNotFoundError):
        FileProfile.read(paths)
    columns = (
        ColumnProfile("montant", ColumnKind.NUMBER, 10, 9, quantiles=(0.0, 1.5), mean=1.0),
        ColumnProfile("pays", ColumnKind.CATEGORY, 10, 10, categories=(("FR", 0.9),)),
    )
    profile = FileProfile(",", columns, ("the first sheet is read",))
    profile.write(paths)
    assert FileProfile.read(paths) == profile
