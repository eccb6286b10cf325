"""The strangest rows, wherever in the file they are."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from bulk.scoring.summary.unusual_rows import COLUMNS, ROWS, unusual_rows
from tests.contracts.scored_jobs import plan, write_job

N = 1000


def found(folder, anomaly, rows_per_part=300):
    rng = np.random.default_rng(0)
    names = ["a", "b", "c", "d"]
    table = pa.table({name: rng.normal(size=N) for name in names})
    paths = write_job(folder, table, rows_per_part)
    starts = np.arange(0, N, rows_per_part)
    probability = np.full(N, np.nan, np.float32)
    probability[::2] = 0.25
    return unusual_rows(paths, plan([], names), anomaly, probability, starts)


def test_the_strangest_first_from_every_part(tmp_path):
    anomaly = np.full(N, 0.4, np.float32)
    for place, score in ((999, 0.9), (0, 0.8), (300, 0.7), (299, 0.6)):
        anomaly[place] = score
    rows = found(tmp_path / "job", anomaly)
    assert [one["row"] for one in rows[:4]] == [1000, 1, 301, 300]
    assert [one["line"] for one in rows[:4]] == [1001, 2, 302, 301]
    assert [one["probability"] for one in rows[:2]] == [None, 0.25]
    assert len(rows) == ROWS
    # Of equally strange rows those that come first.
    assert [one["row"] for one in rows[4:]] == list(range(2, 18))


def test_the_rarest_columns_are_told_by_their_share(tmp_path):
    rows = found(tmp_path / "job", np.linspace(0.3, 0.9, N, dtype=np.float32))
    for one in rows:
        shares = [c["share"] for c in one["columns"]]
        assert len(shares) == COLUMNS
        assert shares == sorted(shares)
        assert set(one["columns"][0]) == {"column", "share"}
