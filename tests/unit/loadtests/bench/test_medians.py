"""Medians over rounds, and ratios of them."""

from __future__ import annotations

import pytest

from loadtests.bench.medians import find, ratio
from loadtests.bench.rounds import CLOSED, Load
from tests.contracts.bench_results import C1, C128, MEDIANS


def test_medians_over_rounds() -> None:
    found = find(MEDIANS, "quorum", C128)
    assert found is not None
    assert (found.per_s, found.least_per_s, found.most_per_s) == (2900.0, 2000.0, 3000.0)
    assert (found.failures, found.degraded) == (2, 0.5)
    assert find(MEDIANS, "quorum", Load(CLOSED, 7)) is None


def test_ratios() -> None:
    assert ratio(MEDIANS, "quorum", "tuned", C128) == pytest.approx(1.45)
    assert ratio(MEDIANS, "quorum", "tuned", C1) is None
