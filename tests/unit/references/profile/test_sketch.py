"""A sketch shows how a table looks and names nobody."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fraud.errors import ArtifactRefused
from references.profile.column import ColumnKind
from references.profile.measure import measure
from references.profile.sketch import SKETCH_ROWS, sketch, sketch_bytes, sketch_from

N = 5_000
COLUMNS = {
    "who": pa.array([f"C{i:07d}" for i in range(N)]),
    "amount": pa.array([f"{i % 97}.{i % 89:02d}" for i in range(N)]),
    "at": pa.array([f"2024-01-{i % 28 + 1:02d} 10:00:00" for i in range(N)]),
    "how": pa.array([("pos", "online", None)[i % 3] for i in range(N)]),
    "note": pa.array([f"{'paid ' * (i % 4)}by {chr(97 + i % 26)}{i * 7919}" for i in range(N)]),
    "card": pa.array(["4111111111111111"] * N),
}  # fmt: skip


@pytest.fixture(scope="module")
def drawn() -> pa.Table:
    return sketch(COLUMNS, measure(COLUMNS))


def test_it_has_at_most_2000_rows_that_belong_together(drawn: pa.Table) -> None:
    assert drawn.num_rows == SKETCH_ROWS
    assert drawn.column_names == list(COLUMNS)
    pairs = set(zip(COLUMNS["amount"].to_pylist(), COLUMNS["how"].to_pylist(), strict=True))
    found = zip(drawn["amount"].to_pylist(), drawn["how"].to_pylist(), strict=True)
    assert set(found) <= pairs


def test_ids_and_texts_are_only_shapes(drawn: pa.Table) -> None:
    assert set(drawn["who"].to_pylist()) == {"A1{7}"}
    assert set(drawn["card"].to_pylist()) == {"1{16}"}, "one id in every row is an id all the same"
    assert not any("paid" in text for text in drawn["note"].to_pylist())
    assert max(len(text) for text in drawn["note"].to_pylist()) <= 60


def test_numbers_times_and_categories_stay_as_they_are(drawn: pa.Table) -> None:
    assert set(drawn["amount"].to_pylist()) <= set(COLUMNS["amount"].to_pylist())
    assert set(drawn["at"].to_pylist()) <= set(COLUMNS["at"].to_pylist())
    assert set(drawn["how"].to_pylist()) == {"pos", "online", None}


def test_only_the_asked_columns_are_kept_in_their_order() -> None:
    profiles = {p.name: p for p in measure(COLUMNS)}
    chosen = [profiles["how"], profiles["amount"]]
    assert sketch(COLUMNS, chosen).column_names == ["how", "amount"]
    assert profiles["card"].kind is ColumnKind.CONSTANT


def test_it_survives_its_file_bit_by_bit(drawn: pa.Table) -> None:
    body = sketch_bytes(drawn)
    assert sketch_from(body).equals(drawn)
    assert sketch_bytes(sketch_from(body)) == body


def test_a_file_that_is_no_sketch_is_refused(tmp_path) -> None:
    for body in (b"", b"PAR1", b"not parquet at all", sketch_bytes(pa.table(COLUMNS))):
        with pytest.raises(ArtifactRefused):
            sketch_from(body)
    path = tmp_path / "damaged.parquet"
    pq.write_table(pa.table({"a": [1]}), path)
    with pytest.raises(ArtifactRefused, match="no readable sketch"):
        sketch_from(path.read_bytes()[:-9])
