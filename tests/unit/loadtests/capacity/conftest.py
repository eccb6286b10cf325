"""The constants on file."""

from __future__ import annotations

import pytest

from loadtests.capacity.constants import Constants, read_constants


@pytest.fixture(scope="session")
def constants() -> Constants:
    """As `python -m loadtests.capacity measure` has written them."""
    return read_constants()
