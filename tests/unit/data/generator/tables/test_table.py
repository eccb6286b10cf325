"""A member of a family: one spec gives one table, and each option changes what it says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest

from data.generator.tables.families import PAYMENTS
from data.generator.tables.table import START_S, TableSpec, generate_table, member

SHOP = PAYMENTS["online-shop"]
SPEC = TableSpec(SHOP, seed=3, rows=2_000)


def test_the_same_spec_gives_the_same_table() -> None:
    assert generate_table(SPEC).table.equals(generate_table(SPEC).table)
    assert not generate_table(SPEC).table.equals(generate_table(replace(SPEC, seed=4)).table)


def test_more_columns_and_other_names_leave_the_rows_as_they_are() -> None:
    plain = generate_table(SPEC)
    other = generate_table(
        replace(SPEC, style="french", extras=3, shuffled=True, left_out=("device",))
    )
    assert "device" not in other.names
    assert other.label == "est_fraude"
    assert other.table.num_columns == plain.table.num_columns + 3 - 1
    assert other.table.column_names != [*other.names.values(), other.label]
    for key in other.names:
        assert other.table[other.names[key]].equals(plain.table[plain.names[key]])
    assert (other.is_positive == plain.is_positive).all()


@pytest.mark.parametrize("rate", [0.005, 0.05, 0.3])
def test_the_rate_comes_out(rate: float) -> None:
    found = generate_table(replace(SPEC, rows=20_000, rate=rate)).is_positive.mean()
    assert found == pytest.approx(rate, rel=0.25)


def test_amounts_in_cents_are_the_same_amounts() -> None:
    plain, cents = generate_table(SPEC), generate_table(replace(SPEC, cents=True))
    name = plain.names["basket"]
    assert pa.types.is_integer(cents.table[name].type)
    np.testing.assert_allclose(cents.table[name].to_numpy() / 100, plain.table[name].to_numpy())


def test_times_as_they_are_written() -> None:
    iso, epoch, day_month = (
        generate_table(replace(SPEC, times=times)).table["ordered_at"].to_pylist()
        for times in ("iso", "epoch", "day_month")
    )
    at = datetime.fromtimestamp(epoch[5], UTC)
    assert iso[5] == f"{at:%Y-%m-%dT%H:%M:%SZ}"
    assert day_month[5] == f"{at:%d/%m/%Y %H:%M:%S}"
    assert epoch == sorted(epoch)
    assert epoch[0] >= START_S
    assert epoch[-1] < START_S + SPEC.days * 86_400


def test_labels_as_they_are_written() -> None:
    found = generate_table(replace(SPEC, labels=("Non", "Oui")))
    assert set(found.table[found.label].to_pylist()) == {"Non", "Oui"}
    assert found.positive == "Oui"
    assert (found.is_positive == generate_table(SPEC).is_positive).all()


def test_a_table_is_written_as_csv_and_as_parquet(tmp_path: Path) -> None:
    found = generate_table(SPEC)
    read = pc.read_csv(found.write(tmp_path / "x.csv"))
    assert read.column_names == found.table.column_names
    assert pq.read_table(found.write(tmp_path / "x.parquet")).equals(found.table)


def test_members_differ() -> None:
    members = [member(SHOP, number, 500) for number in range(6)]
    assert len({spec.seed for spec in members}) == 6
    assert {spec.style for spec in members} == {"english", "french", "short"}
    assert len({spec.positive_rate for spec in members}) == 6
    assert {spec.cents for spec in members} == {True, False}
    assert members[1] == member(SHOP, 1, 500)


@pytest.mark.parametrize(
    "wrong", [{"rows": 0}, {"seed": -1}, {"days": 0}, {"rate": 0.5}, {"rate": 0.0}, {"extras": 5}]
)
def test_a_spec_that_cannot_be_met_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be"):
        replace(SPEC, **wrong)
