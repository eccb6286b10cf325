"""The result of a job as a file of the user's."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest

from bulk.jobs.store import JobStore
from cluster.errors import CommandFailed
from cluster.scoring.result_file import write_result
from tests.contracts.jobs import new_job

TABLE = pa.table({"note": ["=1+1", "plain"], "quorum_probability": [0.5, 0.25]})


@pytest.mark.parametrize("name", ["out.csv", "out.parquet", "out"])
def test_its_name_says_what_it_is(tmp_path: Path, name: str) -> None:
    store, job = JobStore(tmp_path / "jobs"), new_job()
    pq.write_table(TABLE, store.make(job.job_id).result)
    out = tmp_path / name
    out.write_text("older")
    write_result(store, job, out)
    if name == "out.parquet":
        assert pq.read_table(out).equals(TABLE)
    else:
        read = pc.read_csv(out)
        assert read.column("note").to_pylist() == ["'=1+1", "plain"]
        assert read.column("quorum_probability").to_pylist() == [0.5, 0.25]


def test_a_result_that_is_gone_leaves_the_file_alone(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    out.write_text("older")
    with pytest.raises(CommandFailed, match="files of this job are not here"):
        write_result(JobStore(tmp_path / "jobs"), new_job(), out)
    assert out.read_text() == "older"
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]
