"""Which payments count, and when they began to."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.maturity import ASSUMED_DAYS, DAY_MS, Known, Maturity, Waiting
from experiments.reading.reader import LabelDelay
from experiments.rows import Answers, Rows

HOUR_MS = 3_600_000


def rows_of(decided: list[int], label: list[int], known: list[int]) -> Rows:
    n = len(decided)
    return Rows(
        np.array(decided) * DAY_MS,
        np.arange(n),
        np.ones(n),
        np.array(label, np.int8),
        np.array([k * DAY_MS if k >= 0 else -1 for k in known]),
        np.zeros(n, np.int32),
        ("",),
        Answers(np.full(n, 0.1), np.ones(n, np.float32), np.zeros(n, np.int8), np.zeros(n, bool)),
    )


ROWS = rows_of([1, 2, 3, 20], [1, 0, -1, 1], [9, 4, -1, 21])


def test_a_payment_enters_when_it_is_old_and_labelled() -> None:
    known = Known.of(ROWS, 5 * DAY_MS, 22 * DAY_MS, "excluded")
    assert known.rows.tolist() == [1, 0]  # old enough on day 7; labelled on day 9
    assert (known.at_ms / DAY_MS).tolist() == [7, 9]
    assert known.fraud.tolist() == [0, 1]


def test_the_young_fraud_does_not_count_before_its_time() -> None:
    assert 3 not in Known.of(ROWS, 5 * DAY_MS, 24 * DAY_MS, "excluded").rows
    assert 3 in Known.of(ROWS, 5 * DAY_MS, 25 * DAY_MS, "excluded").rows


def test_without_a_label_a_payment_is_left_out_or_genuine() -> None:
    known = Known.of(ROWS, 5 * DAY_MS, 22 * DAY_MS, "genuine")
    assert known.rows.tolist() == [1, 2, 0]
    assert known.fraud.tolist() == [0, 0, 1]


def test_what_an_earlier_look_saw_is_the_beginning_of_what_a_later_one_sees() -> None:
    rng = np.random.default_rng(0)
    decided = np.sort(rng.integers(0, 100, 500))
    rows = rows_of(
        decided.tolist(),
        rng.integers(0, 2, 500).tolist(),
        (decided + rng.integers(0, 30, 500)).tolist(),
    )
    last = Known.of(rows, 10 * DAY_MS, 200 * DAY_MS, "excluded")
    assert last.rows.size == 500
    for day in (20, 50, 90):
        seen = Known.of(rows, 10 * DAY_MS, day * DAY_MS, "excluded").rows
        assert seen.tolist() == last.rows[: seen.size].tolist()


def test_counts() -> None:
    everything = np.ones(4, bool)
    known = Known.of(ROWS, 5 * DAY_MS, 22 * DAY_MS, "excluded")
    assert Maturity.of(ROWS, everything, known, 5 * DAY_MS, 22 * DAY_MS) == Maturity(4, 3, 2, 2, 1)
    some = np.array([True, False, False, False])
    assert Maturity.of(ROWS, some, known.within(some), 5 * DAY_MS, 22 * DAY_MS) == Maturity(
        1, 1, 1, 1, 1
    )


@pytest.mark.parametrize(
    ("usual_ms", "days", "ms", "source"),
    [
        (6 * DAY_MS + 1, None, 7 * DAY_MS, "measured"),
        (5 * HOUR_MS + 1, None, 6 * HOUR_MS, "measured"),
        (90_000, None, 120_000, "measured"),
        (-5, None, 0, "measured"),
        (6 * DAY_MS, 0.5, DAY_MS // 2, "given"),
        (None, None, ASSUMED_DAYS * DAY_MS, "assumed"),
    ],
)
def test_how_long_to_wait(usual_ms: int | None, days: float | None, ms: int, source: str) -> None:
    waiting = Waiting.of(LabelDelay(usual_ms, usual_ms, 3), days)
    assert (waiting.ms, waiting.source) == (ms, source)
