"""Local time in UTC, around changes of the clocks."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from data.cells.local_time import named_offset_to_utc, to_utc


def _ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def test_zones_of_half_hours() -> None:
    walls = np.array([_ms("2024-10-06T02:15"), _ms("2024-04-07T01:45"), _ms("2024-01-01T00:00")])
    found = to_utc(walls, "Australia/Lord_Howe")
    assert found.gap.tolist() == [True, False, False]
    assert found.fold.tolist() == [False, True, False]
    assert found.at_ms[2] == _ms("2023-12-31T13:00")


@pytest.mark.parametrize(
    ("wall", "name", "utc"),
    [
        ("2024-10-27T02:30", "CEST", "2024-10-27T00:30"),  # shown twice: the name decides
        ("2024-10-27T02:30", "CET", "2024-10-27T01:30"),
        ("2024-10-27T03:00", "CEST", None),  # summer time has ended
        ("2024-07-01T12:00", "CET", None),
        ("2024-07-01T12:00", "CST", None),
    ],
)
def test_a_named_offset_counts_if_the_zone_has_it_then(
    wall: str, name: str, utc: str | None
) -> None:
    found = named_offset_to_utc(_ms(wall), "Europe/Madrid", name)
    assert found == (None if utc is None else _ms(utc))
