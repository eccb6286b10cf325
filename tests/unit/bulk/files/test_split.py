"""A file as parts: every row once, in order, bad ones apart."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bulk.files import split as room
from bulk.files.opening import open_upload
from bulk.files.refused import FileRefused
from bulk.files.split import split_upload
from bulk.jobs.file_read import FileRead
from bulk.jobs.paths import LINE, ROW, JobPaths
from bulk.output.error_file import ERROR_SCHEMA


def split(
    folder: Path,
    content: bytes | None = None,
    dialect: dict[str, Any] | None = None,
    **asked: Any,
) -> FileRead:
    paths = JobPaths(folder)
    if content is not None:
        paths.upload.write_bytes(content)
    upload = open_upload(paths.upload, "x", max_unpacked_bytes=1 << 30, dialect=dialect)
    calls: dict[str, Any] = {
        "progress": lambda rows: None,
        "add": lambda columns: None,
    }
    return split_upload(upload, paths, **{**calls, **asked})


def parts(folder: Path, found: FileRead) -> list[pa.Table]:
    return [pq.read_table(JobPaths(folder).part(i)) for i in range(len(found.parts))]


def test_rows_keep_their_numbers_lines_and_cells(tmp_path: Path) -> None:
    content = b'a,b\n1,"x\ny"\n2\n3,z\n"4,w\n5,\xff\n6,v\n'
    found = split(tmp_path, content, {"encoding": "utf-8"})
    assert found == FileRead(6, 3, (3,))
    [part] = parts(tmp_path, found)
    assert part.column_names == [ROW, LINE, "a", "b"]
    assert part.to_pylist() == [
        {ROW: 1, LINE: 2, "a": "1", "b": "x\ny"},
        {ROW: 3, LINE: 5, "a": "3", "b": "z"},
        {ROW: 6, LINE: 8, "a": "6", "b": "v"},
    ]
    errors = pq.read_table(JobPaths(tmp_path).errors)
    assert errors.schema.equals(ERROR_SCHEMA)
    assert [(e[ROW], e["line"], e["code"]) for e in errors.to_pylist()] == [
        (2, 4, "wrong-number-of-values"),
        (4, 6, "not-csv"),
        (5, 7, "undecodable"),
    ]


def test_a_table_keeps_its_types(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1, 2], "b": [1.5, None]}), JobPaths(tmp_path).upload)
    found = split(tmp_path)
    assert parts(tmp_path, found)[0].to_pylist() == [
        {ROW: 1, LINE: 1, "a": 1, "b": 1.5},
        {ROW: 2, LINE: 2, "a": 2, "b": None},
    ]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.booleans(), min_size=1), size=st.integers(1, 7))
def test_parts_are_full_and_hold_every_good_row_once(
    tmp_path: Path, rows: list[bool], size: int
) -> None:
    content = b"a,b\n" + b"".join(
        b"%d,x\n" % i if good else b"%d\n" % i for i, good in enumerate(rows)
    )
    sound = [i for i, good in enumerate(rows) if good]
    added: list[Mapping[str, pa.Array]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "ROWS_PER_PART", size)
        if not sound:
            with pytest.raises(FileRefused):
                split(tmp_path, content, {"delimiter": ","})
            return
        found = split(tmp_path, content, {"delimiter": ","}, add=added.append)
    assert (found.rows_total, found.rows_failed) == (len(rows), len(rows) - len(sound))
    assert set(found.parts[:-1]) <= {size}
    whole = pa.concat_tables(parts(tmp_path, found))
    assert whole["a"].to_pylist() == [str(i) for i in sound]
    assert whole[ROW].to_pylist() == [i + 1 for i in sound]
    assert [len(columns["a"]) for columns in added] == list(found.parts)
    assert [list(columns) for columns in added] == [["a", "b"]] * len(added)


def test_long_rows_make_smaller_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_PART_BYTES", 1 << 20)
    found = split(
        tmp_path, b"a,b\n" + b"".join(b"%d,%s\n" % (i, b"x" * 10_000) for i in range(500))
    )
    assert len(found.parts) > 2
    assert sum(found.parts) == found.rows_total == 500


def test_progress_never_falls_and_ends_with_the_file(tmp_path: Path) -> None:
    told: list[tuple[int, int, float]] = []
    content = b"a,b\n" + b"".join(b"%d,%d\n" % (i, i) for i in range(200_000)) + b"1\n"
    split(tmp_path, content, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 200_001
    assert len(told) > 2


def test_repeating_it_gives_the_same_files(tmp_path: Path) -> None:
    content = b"a,b\n" + b"1,2\n3\n" * 5
    first = split(tmp_path, content)
    before = [*parts(tmp_path, first), pq.read_table(JobPaths(tmp_path).errors)]
    assert split(tmp_path) == first
    assert [*parts(tmp_path, first), pq.read_table(JobPaths(tmp_path).errors)] == before


def test_a_refused_file_leaves_no_half_of_a_file(tmp_path: Path) -> None:
    content = b"a,b\n" + b"1,2\n" * 60_000 + b"1," + b"x" * (2 << 20)
    with pytest.raises(FileRefused) as caught:
        split(tmp_path, content)
    assert (caught.value.code, caught.value.line) == ("too-long", 60_002)
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.name for path in left} == {"upload", "000000.parquet"}
