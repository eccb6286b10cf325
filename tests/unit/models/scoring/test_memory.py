"""Freed memory goes back to the system."""

from __future__ import annotations

import psutil
import pytest

from models.scoring.memory import release_memory

MIB = 2**20


@pytest.mark.skipif(not psutil.LINUX, reason="only glibc keeps, and gives back")
def test_pages_below_what_is_in_use_are_given_back():
    process = psutil.Process()
    release_memory()
    blocks = [bytearray(4000) for _ in range(16_000)]
    still_used = bytearray(4000)  # above them: unless it is asked to, glibc keeps all below
    blocks.clear()
    kept = process.memory_info().rss
    release_memory()
    assert kept - process.memory_info().rss > 32 * MIB
    assert len(still_used) == 4000
