"""Checks of the machine before a start."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.errors import CommandFailed
from cluster.node.preflight import available_memory, check_disk, check_memory, check_python


@pytest.mark.parametrize("version", [(3, 10), (3, 14), (2, 7)])
def test_other_pythons_are_refused(version: tuple[int, int]) -> None:
    with pytest.raises(CommandFailed, match="not supported"):
        check_python(version)


def test_a_disk_that_is_too_full_is_refused(tmp_path: Path) -> None:
    check_disk(tmp_path / "not" / "there" / "yet", needed_bytes=1)
    with pytest.raises(CommandFailed, match="needed"):
        check_disk(tmp_path, needed_bytes=2**62)


def test_too_little_memory_is_refused() -> None:
    with pytest.raises(CommandFailed, match="memory"):
        check_memory(needed_bytes=2**62)


def test_a_containers_limit_counts_and_its_page_cache_does_not(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("1000000\n")
    (tmp_path / "memory.current").write_text("900000\n")
    (tmp_path / "memory.stat").write_text("anon 1\ninactive_file 300000\n")
    assert available_memory(tmp_path) == 400_000


def test_no_limit_is_the_machines_memory(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("max\n")
    assert available_memory(tmp_path) > 1_000_000
