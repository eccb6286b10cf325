"""Which columns are times, and which are only numbers or texts that look like it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from data.guess.column import Column
from references.profile.times import counted_times, typed_times, written_times


def test_offsets_are_taken_into_account() -> None:
    found = written_times(Column("at", pa.array(["2024-01-01T02:00:00+02:00"] * 3)))
    assert found is not None
    assert found.values.tolist() == [1_704_067_200.0] * 3


def test_texts_without_a_date_are_no_times() -> None:
    for texts in (["red", "blue"], ["12", "13"], ["a:b", "c:d"], ["1:99", "2:88"]):
        assert written_times(Column("x", pa.array(texts))) is None


def test_counts_need_a_name_that_says_so_unless_they_rise() -> None:
    rng = np.random.default_rng(2)
    mixed = rng.integers(0, 100_000, 500).astype(np.float64)

    def found(name: str, values: np.ndarray) -> str | None:
        column = Column(name, pa.array(values.astype(np.int64).astype(str)))
        times = counted_times(column, values)
        return None if times is None else times.format

    assert found("time", mixed) == "seconds"
    assert found("hour_of_day_step", mixed) is None
    assert found("hour_of_day_step", np.sort(mixed)) == "hours"
    assert found("step", mixed) == "hours"
    assert found("amount", np.sort(mixed)) is None
    assert found("time", mixed - 50_000) is None, "a count since a start is not negative"


def test_only_types_of_time_are_typed_times() -> None:
    assert typed_times(pa.array([1.5])) is None
    assert typed_times(pa.array(["2024-01-01"])) is None
    found = typed_times(pa.array([1_704_067_200_000, None], pa.timestamp("ms")))
    assert found is not None
    assert found.values.tolist() == [1_704_067_200.0]
