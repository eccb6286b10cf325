"""Comparisons of a replay."""

from __future__ import annotations

import math

import pytest

from deciding.replay.check import DIFFERS, SAME, close, same


@pytest.mark.parametrize(
    ("recorded", "recomputed", "result"),
    [
        (0.5, 0.5 + 1e-10, SAME),
        (0.5, 0.5 + 1e-8, DIFFERS),
        (None, math.nan, SAME),
        (None, 0.0, DIFFERS),
        (0.0, math.nan, DIFFERS),
    ],
)
def test_numbers_are_compared_within_a_tolerance_and_absent_equals_absent(
    recorded: float | None, recomputed: float | None, result: str
) -> None:
    assert close("probability", recorded, recomputed, 1e-9).result == result


def test_words_are_compared_exactly_and_a_document_holds_the_verdict() -> None:
    assert same("outcome", "block", "block").result == SAME
    assert same("outcome", "block", "review", "why").to_document() == {
        "what": "outcome",
        "recorded": "block",
        "recomputed": "review",
        "verdict": "differs",
        "note": "why",
    }
