"""`quorum layout`: a layout to start from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cluster.cli import run


def test_a_guessed_layout_can_be_tried_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"{i},c{i % 3},2024-07-{i + 1:02},5.{i}0,{i % 2},01/08/2024" for i in range(9)]
    file, out = str(tmp_path / "pay.csv"), tmp_path / "guessed.toml"
    Path(file).write_text("\n".join(["id,card,at,value,y,k", *rows]) + "\n")
    assert run(["layout", "guess", file, "--out", str(out)]) == 0
    assert run(["layout", "guess", file, "--out", str(out)]) == 1
    assert "--force" in capsys.readouterr().err
    assert run(["load", "--dry-run", "--json", "--layout", str(out), file]) == 0
    assert json.loads(capsys.readouterr().out)["sound"] == 9
    assert run(["layout", "list"]) == 0
    assert "handbook" in capsys.readouterr().out


def test_a_failed_guess_is_reported_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["layout", "guess", str(tmp_path / "nowhere.csv")]) == 1
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert "nowhere.csv" in said.err


def test_layouts_are_listed_as_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["layout", "list", "--json"]) == 0
    found = {one["name"]: one["about"] for one in json.loads(capsys.readouterr().out)}
    assert {"canonical", "handbook", "ulb"} <= set(found)
    assert all(found.values())
