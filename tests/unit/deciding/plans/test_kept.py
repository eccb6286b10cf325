"""The copy of the active plan on this machine's disk."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from deciding.plans.kept import KeptPlan
from tests.contracts.decisions import PLAN


def test_a_plan_that_is_kept_is_there_again_and_replaces_the_last(tmp_path):
    kept = KeptPlan(tmp_path / "home" / "plan.json")
    assert kept.load() is None
    kept.save(PLAN)
    newer = replace(PLAN, version=PLAN.version + 1)
    kept.save(newer)
    assert KeptPlan(tmp_path / "home" / "plan.json").load() == newer
    assert os.listdir(tmp_path / "home") == ["plan.json"]


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b"{}", b"null", b'{"members": ["a"]}'])
def test_a_file_that_is_no_plan_is_as_none(tmp_path, content):
    (tmp_path / "plan.json").write_bytes(content)
    assert KeptPlan(tmp_path / "plan.json").load() is None


def test_a_write_that_fails_leaves_the_last_plan_whole(tmp_path, monkeypatch):
    kept = KeptPlan(tmp_path / "plan.json")
    kept.save(PLAN)

    def full(fd: int) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        kept.save(replace(PLAN, version=PLAN.version + 1))
    assert kept.load() == PLAN
    assert os.listdir(tmp_path) == ["plan.json"]
