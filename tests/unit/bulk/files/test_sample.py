"""Samples: spread over the file, in its order, reproducible."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bulk.files import sample
from bulk.files.opening import open_upload
from bulk.files.sample import sample_upload
from bulk.files.upload import Upload
from bulk.jobs.paths import SAMPLED_ROWS, JobPaths

N = 60_000


def upload_of(folder: Path, content: bytes) -> Upload:
    path = folder / "upload"
    path.write_bytes(content)
    return open_upload(path, "x", max_unpacked_bytes=1 << 30)


def text(rows: int) -> bytes:
    return b"n,t\n" + b"".join(b'%d,"v%d\n"\n' % (i, i) for i in range(rows))


def numbers(rows: pa.Table) -> list[int]:
    return [int(n) for n in rows["n"].to_pylist()]


@pytest.mark.parametrize("packed", [False, True])
def test_a_small_file_is_sampled_evenly(tmp_path: Path, packed: bool) -> None:
    content = text(N)
    upload = upload_of(tmp_path, gzip.compress(content) if packed else content)
    rows = sample_upload(upload, JobPaths(tmp_path), 1)
    found = numbers(rows)
    assert len(found) == SAMPLED_ROWS
    assert found == sorted(set(found))
    assert abs(sum(found) / len(found) - N / 2) < N / 100
    assert rows["t"][0].as_py() == f"v{found[0]}\n"
    assert pq.read_table(JobPaths(tmp_path).sample) == rows
    assert sample_upload(upload, JobPaths(tmp_path), 1) == rows
    assert sample_upload(upload, JobPaths(tmp_path), 2) != rows


def test_all_rows_of_a_few(tmp_path: Path) -> None:
    rows = sample_upload(upload_of(tmp_path, text(50)), JobPaths(tmp_path), 0)
    assert numbers(rows) == list(range(50))


def test_a_large_text_is_entered_in_many_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample, "_READ_BYTES", 1000)
    monkeypatch.setattr(sample, "_PLACE_BYTES", 2000)
    upload = upload_of(tmp_path, text(N))
    found = numbers(sample_upload(upload, JobPaths(tmp_path), 1))
    assert 1000 < len(found) < 10_000
    assert found == sorted(set(found))
    assert len({n * 16 // N for n in found}) == 16


def test_of_a_packed_file_the_beginning_is_sampled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample, "_READ_BYTES", 1000)
    upload = upload_of(tmp_path, gzip.compress(text(10 * N)))
    found = numbers(sample_upload(upload, JobPaths(tmp_path), 1))
    assert 0 < max(found) < 5 * N


def test_broken_rows_are_left_out(tmp_path: Path) -> None:
    content = b"n,t\n" + b'1,a\n2\n3,"b\n4,c\n' * 10
    rows = sample_upload(upload_of(tmp_path, content), JobPaths(tmp_path), 0)
    assert set(numbers(rows)) == {1, 4}


def test_a_table_is_sampled_from_its_row_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample, "_READ_ROWS", 1000)
    path = tmp_path / "upload"
    pq.write_table(pa.table({"n": range(N), "t": ["x"] * N}), path, row_group_size=1000)
    upload = open_upload(path, "x", max_unpacked_bytes=1 << 30)
    rows = sample_upload(upload, JobPaths(tmp_path), 1)
    found = numbers(rows)
    assert rows.schema.field("n").type == pa.int64()
    assert len(found) == 1000
    assert {n // 1000 for n in found} >= {0, 59}
    assert len({n // 1000 for n in found}) == 10
