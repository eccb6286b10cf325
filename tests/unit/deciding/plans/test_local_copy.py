"""The copy of the active plans on this machine's disk."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import pytest

from deciding.plans.local_copy import LocalCopy
from fraud.variant import HOUSE
from tests.contracts.decisions import PLAN

NEWER = replace(PLAN, version=PLAN.version + 1)


def test_saved_plans_are_loaded_and_replace_the_last(tmp_path):
    copy = LocalCopy(tmp_path / "home" / "plan.json")
    assert copy.load() == {}
    copy.save({HOUSE: PLAN})
    copy.save({HOUSE: NEWER, "acme": PLAN})
    assert LocalCopy(tmp_path / "home" / "plan.json").load() == {HOUSE: NEWER, "acme": PLAN}
    assert os.listdir(tmp_path / "home") == ["plan.json"]


def test_a_file_of_an_older_release_holds_the_plan_of_the_house(tmp_path):
    (tmp_path / "plan.json").write_text(PLAN.to_json())
    assert LocalCopy(tmp_path / "plan.json").load() == {HOUSE: PLAN}


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b"{}", b"null", b'{"members": ["a"]}'])
def test_a_file_without_a_plan_loads_nothing(tmp_path, content):
    (tmp_path / "plan.json").write_bytes(content)
    assert LocalCopy(tmp_path / "plan.json").load() == {}


def test_one_plan_that_cannot_be_read_does_not_hide_the_others(tmp_path):
    copy = LocalCopy(tmp_path / "plan.json")
    owners = {HOUSE: {"name": "odd"}, "acme": PLAN.to_document()}
    (tmp_path / "plan.json").write_text(json.dumps({"owners": owners}))
    assert copy.load() == {"acme": PLAN}


def test_a_write_that_fails_leaves_the_last_plans_whole(tmp_path, monkeypatch):
    copy = LocalCopy(tmp_path / "plan.json")
    copy.save({HOUSE: PLAN})

    def full(fd: int) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        copy.save({HOUSE: NEWER})
    assert copy.load() == {HOUSE: PLAN}
    assert os.listdir(tmp_path) == ["plan.json"]
