"""The curves and their picture."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtests.bench.picture import curves, draw
from loadtests.bench.rounds import CLOSED, OPEN
from tests.contracts.bench_results import MEDIANS


def test_curves_rise() -> None:
    assert curves(MEDIANS, CLOSED)["quorum"] == [(200.0, 3.0, 12.0), (2900.0, 2.0, 8.0)]
    assert curves(MEDIANS, OPEN) == {"quorum": [(1000.0, 5.0, 20.0)]}


@pytest.mark.slow
def test_the_picture_is_one(tmp_path: Path) -> None:
    draw(MEDIANS, tmp_path / "bench.png")
    assert (tmp_path / "bench.png").read_bytes().startswith(b"\x89PNG")
