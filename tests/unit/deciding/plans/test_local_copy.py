"""The copy of the active plan on this machine's disk."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from deciding.plans.local_copy import LocalCopy
from tests.contracts.decisions import PLAN


def test_a_saved_plan_is_loaded_and_replaces_the_last(tmp_path):
    copy = LocalCopy(tmp_path / "home" / "plan.json")
    assert copy.load() is None
    copy.save(PLAN)
    newer = replace(PLAN, version=PLAN.version + 1)
    copy.save(newer)
    assert LocalCopy(tmp_path / "home" / "plan.json").load() == newer
    assert os.listdir(tmp_path / "home") == ["plan.json"]


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b"{}", b"null", b'{"members": ["a"]}'])
def test_a_file_without_a_plan_loads_as_none(tmp_path, content):
    (tmp_path / "plan.json").write_bytes(content)
    assert LocalCopy(tmp_path / "plan.json").load() is None


def test_a_write_that_fails_leaves_the_last_plan_whole(tmp_path, monkeypatch):
    copy = LocalCopy(tmp_path / "plan.json")
    copy.save(PLAN)

    def full(fd: int) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        copy.save(replace(PLAN, version=PLAN.version + 1))
    assert copy.load() == PLAN
    assert os.listdir(tmp_path) == ["plan.json"]
