"""Rows of a family before they have a label."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from data.generator.tables.family import Family, Float64
from data.generator.tables.table import START_S

Rows = tuple[dict[str, Any], Float64]


@pytest.fixture
def drawn() -> Callable[[Family], Rows]:
    """Returns 30,000 rows by key of the field, and their log-odds."""

    def draw(family: Family) -> Rows:
        rng = np.random.default_rng(5)
        at_s = START_S + np.sort(rng.integers(0, 60 * 86_400, 30_000)).astype(np.float64)
        found = family.draw(at_s, rng, np.ones(family.habits))
        return {**found.values, "time": at_s}, found.risk

    return draw
