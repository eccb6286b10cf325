"""The file of a part's scores is whole or counts as absent."""

from __future__ import annotations

import numpy as np

from bulk.scoring.score_file import ANOMALY, COUNTS, MODEL, read_scores, write_scores

ARRAYS = {
    ANOMALY: np.array([0.4, 0.6], np.float32),
    f"{MODEL}cards@0123456789ab": np.array([0.1, np.nan], np.float32),
    f"{COUNTS}cards@0123456789ab": np.arange(33).reshape(3, 11),
}


def test_arrays_come_back_with_their_types(tmp_path):
    path = tmp_path / "scores" / "000000.npz"
    write_scores(path, ARRAYS)
    found = read_scores(path, 2)
    assert found is not None
    assert found.keys() == ARRAYS.keys()
    for name, values in ARRAYS.items():
        assert found[name].dtype == values.dtype
        np.testing.assert_array_equal(found[name], values)
    assert [p.name for p in path.parent.iterdir()] == ["000000.npz"]


def test_every_prefix_of_a_file_counts_as_absent(tmp_path):
    path = tmp_path / "000000.npz"
    write_scores(path, ARRAYS)
    body = path.read_bytes()
    for size in range(0, len(body), 97):
        path.write_bytes(body[:size])
        assert read_scores(path) is None


def test_a_changed_byte_of_an_array_counts_as_absent(tmp_path):
    path = tmp_path / "000000.npz"
    write_scores(path, ARRAYS)
    body = bytearray(path.read_bytes())
    at = body.index(ARRAYS[ANOMALY].tobytes())
    body[at] ^= 1
    path.write_bytes(body)
    assert read_scores(path) is None


def test_pickles_are_never_read(tmp_path):
    path = tmp_path / "000000.npz"
    np.savez(path, anomaly=np.array([{"a": 1}, None], dtype=object))
    assert read_scores(path, 2) is None


def test_scores_of_another_number_of_rows_count_as_absent(tmp_path):
    path = tmp_path / "000000.npz"
    write_scores(path, ARRAYS)
    assert read_scores(path, 3) is None
    assert read_scores(tmp_path / "none.npz", 3) is None
