"""One canonical text in every container; cells that lost digits have none."""

from __future__ import annotations

import uuid
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from data.cells.texts import DEFAULT_MISSING, are_missing, canonical_text, texts


@pytest.mark.parametrize(
    "cells",
    [
        pa.array([17, None], pa.int8()),
        pa.array([17, None], pa.uint64()),
        pa.array([17.0, None], pa.float64()),
        pa.array([17.0, None], pa.float32()),
        pa.array([Decimal("17"), None], pa.decimal128(38, 10)),
        pa.array([Decimal("17"), None], pa.decimal256(50, 20)),
        pa.array(["17", ""]),
        pa.array(["17.0", " "]),
        pa.array([" 17.00", "NULL"], pa.large_string()),
        pa.array(["1.7E+1", None]),
        pa.array(['="17"', None]),
        pa.array([b"17.0", None], pa.binary()),
        pa.array(["17.0", None]).dictionary_encode(),
        pa.array([Decimal("17.00"), None], pa.decimal128(9, 2)).dictionary_encode(),
    ],
)
def test_an_id_is_one_id_in_every_container(cells: pa.Array) -> None:
    found = texts(cells, DEFAULT_MISSING)
    assert found.values.to_pylist() == ["17", None]
    assert not found.unreadable.any()


@pytest.mark.parametrize(
    "cells",
    [
        pa.array(["9.91214E+15"]),
        pa.array(["1.0E10"]),
        pa.array(["4E+15"]),
        pa.array(["12345678901234567.0"]),
        pa.array(["1.2345678901234567e+16"]),
        pa.array(["#REF!"]),
        pa.array(["########"]),
        pa.array([2.0**53]),
        pa.array([float("inf")]),
        pa.array([16777216.0], pa.float32()),
        pa.array([b"\xff\xfe\x00"]),
        pa.array([[1, 2]]),
        pa.array([{"a": 1}]),
    ],
)
def test_cells_that_lost_digits_or_are_not_texts_are_unreadable(cells: pa.Array) -> None:
    found = texts(cells, DEFAULT_MISSING)
    assert found.unreadable.tolist() == [True]
    assert found.values.to_pylist() == [None]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("007", "007"),
        ("007.0", "007.0"),
        ("1.10", "1.10"),
        ("12E4", "12E4"),
        ("5e10", "5e10"),
        ("-0.0", "0"),
        ("True", "true"),
        ("1.5e-05", "1.5e-05"),
        ("123456789012345678", "123456789012345678"),
    ],
)
def test_a_text_that_may_be_an_id_stays(text: str, expected: str) -> None:
    assert canonical_text(text) == expected


def test_other_types_have_the_text_that_csv_has() -> None:
    cases: list[tuple[pa.Array, Any]] = [
        (pa.array([True]), "true"),
        (pa.array([date(2024, 7, 1)]), "2024-07-01"),
        (pa.array([Decimal("0")], pa.decimal128(38, 10)), "0"),
        (pa.array([Decimal("1.50")], pa.decimal128(5, 2)), "1.5"),
        (pa.array([57.16], pa.float32()), "57.16"),
        (pa.nulls(1), None),
    ]
    for cells, expected in cases:
        found = texts(cells)
        assert (found.values.to_pylist(), found.unreadable.tolist()) == ([expected], [False])
    one = uuid.UUID(int=7)
    stored = pa.ExtensionArray.from_storage(pa.uuid(), pa.array([one.bytes], pa.binary(16)))
    assert texts(stored).values.to_pylist() == [str(one)]


@pytest.mark.parametrize("marker", ["NULL", "null", "\\N", "NA", "nan", "-", "N/A", "#N/A", "None"])
def test_markers_are_missing_values(marker: str) -> None:
    for cells in (pa.array([marker]), pa.array([f" {marker} "]), pa.array([marker.encode()])):
        assert texts(cells, DEFAULT_MISSING).values.to_pylist() == [None]
    assert texts(pa.array([marker])).values.to_pylist() == [marker]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.binary()])
def test_a_text_that_lost_letters_is_unreadable(kind: pa.DataType) -> None:
    """A program that cannot encode their letters writes Müller and Möller as M\ufffdller."""
    found = texts(pa.array(["M\ufffdller", "Müller"]).cast(kind), DEFAULT_MISSING)
    assert found.values.to_pylist() == [None, "Müller"]
    assert found.unreadable.tolist() == [True, False]


@pytest.mark.parametrize("text", ["A1\u200b", "\ufeffA1", " \u2060A1 \u00a0", "\u200eA1\u200f\n"])
def test_signs_without_width_around_a_text_are_trimmed(text: str) -> None:
    assert texts(pa.array([text])).values.to_pylist() == ["A1"]


def test_markers_of_other_programs() -> None:
    cells = "none NONE Nan nil NIL undefined UNDEFINED n.a. N.A. na# ? . \u2013 \u2014 --- (blank)"
    found = texts(pa.array(cells.replace("na#", "#NULL").split()), DEFAULT_MISSING)
    assert found.values.null_count == len(found.values)


@pytest.mark.parametrize("text", ["9" * 5_000 + ".0", f"1.{'9' * 5_000}E5000", "9" * 17 + ".0"])
def test_whole_numbers_of_any_length_that_may_have_lost_digits(text: str) -> None:
    assert canonical_text(text) is None
    assert texts(pa.array([text])).unreadable.tolist() == [True]


def test_a_long_scientific_number_with_a_rest_keeps_its_digits() -> None:
    assert canonical_text(f"1.{'9' * 5_000}E+2") == f"199.{'9' * 4_998}"
    assert canonical_text("0001.5E+1") == "15"


@pytest.mark.parametrize(
    ("cells", "known"),
    [
        (pa.array([2**62, 0, None], pa.timestamp("us")), "1970-01-01 00:00:00"),
        (pa.array([2**62, 0, None], pa.timestamp("us", "UTC")), "1970-01-01 00:00:00+00:00"),
        (pa.array([2**31 - 1, 0, None], pa.int32()).cast(pa.date32()), "1970-01-01"),
        (pa.array([0, 0, None], pa.timestamp("us", "Mars/Olympus")), None),
    ],
)
def test_times_that_no_calendar_has_are_unreadable(cells: pa.Array, known: str | None) -> None:
    found = texts(cells)
    assert found.values.to_pylist() == [None, known, None]
    assert found.unreadable.tolist() == [True, known is None, False]


@pytest.mark.parametrize(
    "kind",
    [
        *(pa.null(), pa.bool_(), pa.int64(), pa.float32(), pa.string(), pa.large_string()),
        *(pa.binary(), pa.decimal128(9, 2), pa.date32(), pa.time64("us"), pa.duration("s")),
        *(pa.timestamp("ms", "UTC"), pa.timestamp("ns"), pa.list_(pa.int8())),
        pa.dictionary(pa.int32(), pa.string()),
    ],
    ids=str,
)
def test_a_column_without_rows_has_no_texts(kind: pa.DataType) -> None:
    found = texts(pa.array([], kind), DEFAULT_MISSING)
    assert len(found.values) == len(found.unreadable) == 0
    assert found.unreadable.dtype == bool


def test_empty_texts_and_markers_are_missing_and_null_is_no_text() -> None:
    cells = pa.array(["", "NA", None, "x"])
    assert are_missing(cells, frozenset({"NA"})).to_pylist() == [True, True, False, False]
