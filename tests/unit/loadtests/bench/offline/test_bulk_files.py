from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from bulk.jobs.paths import JobPaths
from loadtests.bench.offline.bulk_files import COLUMNS, SCORES, _one, write_csv


def test_every_step_is_measured_on_the_same_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = JobPaths(tmp_path)
    _one(paths, 50, quoted=True)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line[2] for line in lines] == ["sample", "split", "result", "csv"]
    assert all(float(figure) > 0 for line in lines for figure in (line[3], line[5]))
    result = pq.read_table(paths.result)
    assert (result.num_rows, result.num_columns) == (50, COLUMNS + SCORES)


def test_quoted_cells_hold_the_delimiter(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    write_csv(path, 2, quoted=True)
    header, row, _ = path.read_text().splitlines()
    assert header.count(",") == COLUMNS - 1
    assert row.count('"x, ') == 10
