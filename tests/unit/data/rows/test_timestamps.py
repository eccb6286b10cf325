"""Times in many forms and zones; a time that cannot be known is not guessed."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from data.layout.fields import ClockField, TimeField
from data.rows.timestamps import Timestamps, read_timestamps


def read(cells: list[Any] | pa.Array, **field: Any) -> Timestamps:
    column = cells if isinstance(cells, pa.Array) else pa.array(cells)
    return read_timestamps(
        {"at": column}, np.arange(len(column)), TimeField(columns=("at",), **field)
    )


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("text", "pattern", "zone", "utc"),
    [
        ("2024-07-01 12:00:00 UTC", "%Y-%m-%d %H:%M:%S %Z", "Europe/Madrid", "2024-07-01T12:00"),
        ("2024-07-01 12:00:00 GMT", "%Y-%m-%d %H:%M:%S %Z", "Asia/Tokyo", "2024-07-01T12:00"),
        ("2024-07-01 12:00:00 CEST", "%Y-%m-%d %H:%M:%S %Z", "Europe/Madrid", "2024-07-01T10:00"),
        ("2024-10-27 02:30:00 CET", "%Y-%m-%d %H:%M:%S %Z", "Europe/Madrid", "2024-10-27T01:30"),
        ("2024-07-01 12:00 Asia/Tokyo", "%Y-%m-%d %H:%M %Z", "UTC", "2024-07-01T03:00"),
        ("2024-07-01 12:00 CST", "%Y-%m-%d %H:%M %Z", "Europe/Madrid", None),
        ("2024-07-01 12:00 +0530", "%Y-%m-%d %H:%M %z", "UTC", "2024-07-01T06:30"),
        ("2024-07-01 12:00:00 UTC", None, "Europe/Madrid", "2024-07-01T12:00"),
        ("2024-07-01 12:00:00 +0200", None, "UTC", "2024-07-01T10:00"),
        ("01-Jul-24 03:15 pm", "%d-%b-%y %I:%M %p", "UTC", "2024-07-01T15:15"),
        ("28-Feb-97", "%d-%b-%y", "UTC", "1997-02-28T00:00"),
        ("Mon Jul 01 2024", "%a %b %d %Y", "UTC", "2024-07-01T00:00"),
        ("Tue Jul 01 2024", "%a %b %d %Y", "UTC", None),
        ("1072024", "%d%m%Y", "UTC", "2024-07-01T00:00"),
        ("07/13/2024", "%d/%m/%Y", "UTC", None),
        ("01/02/2024", None, "UTC", None),
    ],
)
def test_texts(text: str, pattern: str | None, zone: str, utc: str | None) -> None:
    found = read([text], format=pattern, zone=zone)
    assert found.present.tolist() == [True]
    assert found.known.tolist() == [utc is not None]
    if utc is not None:
        assert found.at_ms.tolist() == [ms(utc)]


@pytest.mark.parametrize("as_text", [True, False])
def test_hours_that_clocks_leave_out_or_show_twice_are_not_guessed(as_text: bool) -> None:
    walls = ["2024-03-31T02:30:00", "2024-10-27T02:30:00", "2024-07-01T12:00:00"]
    plain = [datetime.fromisoformat(w) for w in walls]
    cells = pa.array(walls) if as_text else pa.array(plain, pa.timestamp("ns"))
    found = read(cells, zone="Europe/Madrid")
    assert found.known.tolist() == [False, False, True]
    assert found.gap.tolist() == [True, False, False]
    assert found.fold.tolist() == [False, True, False]
    assert found.at_ms[2] == ms("2024-07-01T10:00")


def test_a_named_zone_in_parquet_wins() -> None:
    cells = pa.array([datetime(2024, 7, 1, 12, tzinfo=UTC)], pa.timestamp("us", "America/New_York"))
    assert read(cells, zone="Europe/Madrid").at_ms.tolist() == [ms("2024-07-01T12:00")]


@pytest.mark.parametrize(
    ("day", "clock", "cell", "utc"),
    [
        ("2024-07-01", {"format": "%H%M%S"}, 143207, "2024-07-01T14:32:07"),
        ("2024-07-01", {"format": "%H%M%S"}, 207, "2024-07-01T00:02:07"),
        ("2024-07-01", {"format": "%H%M%S"}, "093207", "2024-07-01T09:32:07"),
        ("2024-07-01", {"format": "%H%M%S"}, 146007, None),
        ("2024-07-01", {"unit": "minutes"}, 61, "2024-07-01T01:01:00"),
        ("2024-07-01", {"unit": "seconds"}, 86399, "2024-07-01T23:59:59"),
        ("2024-07-01", {"unit": "seconds"}, 86400, None),
        ("2024-07-01", {}, "14:32", "2024-07-01T14:32:00"),
        ("2024-07-01", {}, time(14, 32, 7), "2024-07-01T14:32:07"),
        ("2024-07-01", {}, datetime.fromisoformat("1899-12-30T14:32"), "2024-07-01T14:32:00"),
        ("2024-07-01", {}, None, None),
        (date(2024, 7, 1), {}, "14:32:07", "2024-07-01T14:32:07"),
        ("2024-07-01T05:00", {}, "14:32:07", None),
        ("", {}, "14:32:07", None),
    ],
)
def test_a_day_and_a_time_in_two_columns(
    day: Any, clock: dict[str, Any], cell: Any, utc: str | None
) -> None:
    field = TimeField(date="day", time=ClockField(column="clock", **clock))
    found = read_timestamps(
        {"day": pa.array([day]), "clock": pa.array([cell])}, np.arange(1), field
    )
    assert found.present.tolist() == [True]
    assert found.known.tolist() == [utc is not None]
    if utc is not None:
        assert found.at_ms.tolist() == [ms(utc)]


def test_a_date_of_three_columns() -> None:
    field = TimeField(columns=("y", "m", "d"), format="%Y %m %d")
    columns = {"y": pa.array([2024.0]), "m": pa.array(["7"]), "d": pa.array([1])}
    assert read_timestamps(columns, np.arange(1), field).at_ms.tolist() == [ms("2024-07-01")]


def test_counts_that_lost_digits_are_not_times() -> None:
    found = read(["1.71983E+12", "1719835200000", "5 months"], unit="milliseconds")
    assert found.known.tolist() == [False, True, False]


@pytest.mark.parametrize(
    "text",
    ["2024070100930", "2024-07-01-14", "2024-07-01x14:32", "2024-07-01_14:32", "2024-07-01+02:00"],
)
def test_other_forms_are_not_read_as_iso_8601(text: str) -> None:
    assert not read([text]).known.any()


@pytest.mark.parametrize(
    "text",
    ["2024-07-01", "20240701", "2024-07-01T00:00", "2024-07-01 00:00:00.000", "20240701T000000Z"],
)
def test_iso_8601_is_read(text: str) -> None:
    assert read([text]).at_ms.tolist() == [ms("2024-07-01T00:00")]


@pytest.mark.parametrize(
    ("cell", "pattern", "zone", "utc"),
    [
        # Clocks go from 0:00 to 1:00: the day begins at 1:00.
        ("2024-04-26", None, "Africa/Cairo", "2024-04-25T22:00"),
        ("26.04.2024", "%d.%m.%Y", "Africa/Cairo", "2024-04-25T22:00"),
        (date(2024, 4, 26), None, "Africa/Cairo", "2024-04-25T22:00"),
        # Clocks go from 1:00 back to 0:00: the day begins with the first of both.
        ("2024-11-03", None, "America/Havana", "2024-11-03T04:00"),
        ("2024-07-01", None, "Europe/Berlin", "2024-06-30T22:00"),
    ],
)
def test_a_day_begins_when_its_first_hour_does(
    cell: Any, pattern: str | None, zone: str, utc: str
) -> None:
    found = read([cell], format=pattern, zone=zone)
    assert found.known.tolist() == [True]
    assert found.at_ms.tolist() == [ms(utc)]


def test_a_skipped_midnight_with_a_time_is_in_a_gap() -> None:
    found = read(["2024-04-26 00:00:00", "2024-04-26T00:00"], zone="Africa/Cairo")
    assert found.gap.tolist() == [True, True]


def test_how_long_a_day_lasts() -> None:
    cells = ["2024-10-27", "2024-03-31", "2024-07-01", "2024-07-01 00:00:00", "2024-07-01 10:00"]
    found = read(cells, zone="Europe/Berlin")
    assert (found.lasts_ms / 3_600_000).tolist() == [25.0, 23.0, 24.0, 24.0, 0.0]
