"""A result is whole or absent."""

from __future__ import annotations

from contextlib import suppress

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bulk.output.result_writer import ResultWriter


def part(*values):
    return pa.table({"x": list(values)})


def test_parts_become_one_file_with_the_added_columns(tmp_path):
    path = tmp_path / "result.parquet"
    with ResultWriter(path) as writer:
        writer.add(part("a", "b"), {"score": pa.array([0.5, None], pa.float32())})
        assert not path.exists()
        writer.add(part("c"), {"score": pa.array([0.25], pa.float32())})
        writer.commit()
    assert pq.read_table(path).to_pydict() == {"x": ["a", "b", "c"], "score": [0.5, None, 0.25]}
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_not_committed_leaves_nothing_and_harms_nothing(tmp_path):
    path = tmp_path / "result.parquet"
    path.write_bytes(b"the result of an earlier run")
    with ResultWriter(path) as writer, suppress(RuntimeError):
        writer.add(part("a"), {})
        raise RuntimeError("a failure")
    assert path.read_bytes() == b"the result of an earlier run"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_writer_left_is_replaced(tmp_path):
    path = tmp_path / "result.parquet"
    (tmp_path / "result.parquet.0f.writing").write_bytes(b"half a fi")
    with ResultWriter(path) as writer:
        writer.add(part("a"), {})
        writer.commit()
    assert pq.read_table(path).num_rows == 1
    assert list(tmp_path.iterdir()) == [path]


def test_of_two_writers_the_result_is_that_of_one(tmp_path):
    path = tmp_path / "result.parquet"
    with ResultWriter(path) as late, ResultWriter(path) as writer:
        late.add(part("a", "b"), {})
        writer.add(part("a"), {})
        with pytest.raises(FileNotFoundError):
            late.commit()
        writer.commit()
    assert pq.read_table(path).num_rows == 1
    assert list(tmp_path.iterdir()) == [path]


def test_a_part_whose_column_is_empty_has_the_type_of_the_others(tmp_path):
    path = tmp_path / "result.parquet"
    with ResultWriter(path) as writer:
        writer.add(part("a"), {})
        writer.add(pa.table({"x": pa.nulls(2)}), {})
        writer.commit()
    assert pq.read_table(path)["x"].to_pylist() == ["a", None, None]
