"""Generated payments: in order, with all kinds of fraud, valid by the rules of payments."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from data.files.parquet_source import ParquetSource
from data.generator import GeneratorSpec, generate
from data.generator.rows import KINDS
from data.layout.layout import load_layout
from data.rows.canonical import canonical_rows

DAY_MS = 86_400_000
END_MS = 20_000 * DAY_MS + 7 * 3_600_000
SPEC = GeneratorSpec(400, END_MS - 60 * DAY_MS, END_MS, seed=3)


@pytest.fixture(scope="module")
def world() -> pa.Table:
    return pa.concat_tables(generate(SPEC))


def test_another_seed_makes_another_world_without_a_common_id(world: pa.Table) -> None:
    other = pa.concat_tables(generate(GeneratorSpec(50, END_MS - 5 * DAY_MS, END_MS, seed=4)))
    common = pc.is_in(other["transaction_id"], value_set=world["transaction_id"].combine_chunks())
    assert not pc.any(common).as_py()


def test_rows_come_in_order_inside_the_span(world: pa.Table) -> None:
    at_ms = world["timestamp"].cast(pa.int64()).to_numpy()
    assert (np.diff(at_ms) >= 0).all()
    assert at_ms[0] >= SPEC.start_ms
    assert at_ms[-1] < SPEC.end_ms
    assert pc.count_distinct(world["transaction_id"]).as_py() == len(world)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.05])
def test_the_share_of_fraud_is_the_one_asked_for(share: float) -> None:
    spec = GeneratorSpec(400, END_MS - 45 * DAY_MS, END_MS, seed=1, fraud_share=share)
    table = pa.concat_tables(generate(spec))
    assert pc.mean(table["is_fraud"]).as_py() == pytest.approx(share, rel=0.25)


def test_every_kind_of_fraud_is_there(world: pa.Table) -> None:
    counts = {e["values"]: e["counts"] for e in pc.value_counts(world["fraud_kind"]).to_pylist()}
    assert all(counts[kind] >= 15 for kind in KINDS)
    assert counts[None] == len(world) - pc.sum(world["is_fraud"]).as_py()


def test_labels_are_known_later_and_not_all_at_once(world: pa.Table) -> None:
    delay_ms = pc.subtract(
        world["label_known_at"].cast(pa.int64()), world["timestamp"].cast(pa.int64())
    )
    fraud = delay_ms.filter(world["is_fraud"]).to_numpy()
    assert fraud.min() > 0
    assert fraud.std() > DAY_MS


def test_every_generated_row_is_sound(world: pa.Table, tmp_path: Path) -> None:
    path = tmp_path / "world.parquet"
    pq.write_table(world, path)
    layout = load_layout("canonical")
    for chunk in ParquetSource(path, 50_000).chunks(layout.columns(), 0, None):
        found = canonical_rows(chunk, layout, "tag")
        assert found.bad == []
        assert found.table["is_fraud"].null_count == 0


def test_no_single_column_gives_fraud_away(world: pa.Table) -> None:
    """Every kind overlaps with what genuine customers do: amounts, hours and channels."""
    frame = world.select(["amount", "is_fraud", "channel", "type", "country"]).to_pandas()
    genuine, fraud = frame[~frame.is_fraud], frame[frame.is_fraud]
    assert fraud.amount.between(genuine.amount.quantile(0.001), genuine.amount.max()).mean() > 0.9
    for column in ("channel", "type", "country"):
        assert set(fraud[column]) <= set(genuine[column])


def test_a_day_has_its_rhythm(world: pa.Table) -> None:
    """At home in Germany (UTC+1) the small hours are quiet."""
    at_tills = pc.and_(pc.equal(world["country"], "DE"), pc.equal(world["channel"], "pos"))
    hours = pc.hour(world.filter(at_tills)["timestamp"]).to_numpy()
    night, noon = np.isin(hours, (0, 1, 2, 3)).sum(), np.isin(hours, (10, 11, 12, 13)).sum()
    assert noon > 5 * night


@pytest.mark.parametrize(
    "wrong",
    [
        {"customers": 0},
        {"end_ms": SPEC.start_ms},
        {"seed": -1},
        {"fraud_share": 0.5},
    ],
)
def test_a_spec_without_meaning_is_refused(wrong: dict[str, int]) -> None:
    sound = {"customers": 1, "start_ms": SPEC.start_ms, "end_ms": SPEC.end_ms}
    with pytest.raises(ValueError, match=r"must|at least"):
        GeneratorSpec(**{**sound, **wrong})  # type: ignore[arg-type]
