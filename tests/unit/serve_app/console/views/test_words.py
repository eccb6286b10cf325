"""Numbers, moments and states as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from bulk.jobs.state import JobState
from serve_app.console.views.words import (
    STATES,
    count,
    duration,
    listed,
    moment,
    percent,
    score,
    size,
    state_sentence,
    state_word,
)


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0"),
        (1.0, "100"),
        (0.5, "50"),
        (0.0123, "1.23"),
        (0.00004, "0.004"),
        (0.1, "10"),
        (0.000000001, "0"),
    ],
)
def test_percent(share: float, text: str) -> None:
    assert percent(share) == f"{text}\xa0%"


def test_what_is_unknown_is_a_dash() -> None:
    for write in (count, percent, score, duration, moment):
        assert write(None) == "–"
    for write in (percent, score, duration):
        assert write(float("nan")) == "–"


def test_numbers() -> None:
    assert count(1_234_567) == "1,234,567"
    assert score(0.834) == "0.83"
    assert [size(n) for n in (0, 900, 1023, 1024, 5 << 30)] == [
        *("0 bytes", "900 bytes", "1023 bytes", "1 KiB", "5 GiB"),
    ]
    assert [duration(s) for s in (0, 4.2, 61, 7300)] == ["0 s", "5 s", "2 min", "3 h"]


def test_moments_are_in_utc() -> None:
    at = datetime(2026, 3, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    assert moment(at) == "2026-02-28 23:30 UTC"
    assert moment(at.astimezone(UTC)) == moment(at)


@pytest.mark.parametrize(
    ("names", "text"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
)
def test_lists(names: list[str], text: str) -> None:
    assert listed(names) == text


def test_every_state_has_words() -> None:
    assert set(STATES) == set(JobState)
    assert state_word(JobState.WAITING) == "waits for you"
    assert state_sentence(JobState.DONE).endswith(".")
