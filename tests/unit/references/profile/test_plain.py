"""Cells of every type become ones on which all functions of Arrow work, with the same values."""

from __future__ import annotations

from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from references.profile.plain import plain

CASES = {
    "dictionary": pa.array(["a", "b", None, "a"]).dictionary_encode(),
    "dictionary of views": pa.DictionaryArray.from_arrays(
        pa.array([0, 1, None, 0]), pa.array(["a", "b"]).cast(pa.string_view())
    ),
    "large": pa.array(["a", "b", None, "a"], pa.large_string()),
    "view": pa.array(["a", "b", None, "a"]).cast(pa.string_view()),
    "runs": pc.run_end_encode(pa.array(["a", "b", None, "a"])),
    "chunks": pa.chunked_array([["a", "b"], [None, "a"]]),
}


@pytest.mark.parametrize("kind", CASES)
def test_texts_become_strings(kind: str) -> None:
    found = plain(CASES[kind])
    assert isinstance(found, pa.Array)
    assert found.type == pa.string()
    assert found.to_pylist() == ["a", "b", None, "a"]
    assert found.take(pa.array([3])).to_pylist() == ["a"]


def test_numbers_and_times_stay() -> None:
    for cells in (pa.array([1.5]), pa.array([7]), pa.array([0], pa.timestamp("s"))):
        assert plain(cells).equals(cells)
    assert plain(pa.chunked_array([], pa.int64())).type == pa.int64()


def test_unique_ids_are_texts() -> None:
    one = UUID(int=7)
    cells = pa.ExtensionArray.from_storage(pa.uuid(), pa.array([one.bytes], pa.binary(16)))
    assert plain(cells).to_pylist() == [str(one)]
