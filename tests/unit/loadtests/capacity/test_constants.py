"""Constants on file."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from loadtests.capacity.constants import FILE, Constants, read_constants, write_constants
from loadtests.capacity.measure.all_costs import PARTS


def test_each_part_says_how_when_and_where_it_was_measured(constants: Constants) -> None:
    assert set(constants.sources) == set(PARTS)
    for part, source in constants.sources.items():
        assert source.command == f"python -m loadtests.capacity measure --parts {part}"
        assert source.measured.endswith("Z")
        assert "processors" in source.machine
        assert "/" not in source.machine


def test_what_is_written_is_read(tmp_path: Path, constants: Constants) -> None:
    path = tmp_path / "constants.json"
    write_constants(constants, path)
    assert read_constants(path) == constants
    assert path.read_bytes() == FILE.read_bytes()


def test_another_document_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "constants.json"
    path.write_text('{"sources": {}, "redis": {"cpu_us": "much"}}')
    with pytest.raises(msgspec.ValidationError, match="cpu_us"):
        read_constants(path)
