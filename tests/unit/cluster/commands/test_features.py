"""`quorum features`: reasons for refusing rows, and the exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cluster.cli import run
from tests.contracts.layouts import MINIMAL

LAYOUT = f"""{MINIMAL}[label]
column = "y"
known_at = "k"
"""


def command(folder: Path, *rows: str) -> list[str]:
    layout, file = folder / "mine.toml", folder / "pay.csv"
    layout.write_text(LAYOUT)
    file.write_text("\n".join(["id,card,at,value,y,k", *rows]) + "\n")
    return ["features", "--layout", str(layout), str(file), "--out", str(folder / "out.parquet")]


def test_refused_rows_are_counted_by_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = ("1,c,2024-07-01,5,1,", "2,NULL,2024-07-01,5,0,2024-07-05", "1,d,2024-07-03,7,0,")
    assert run(command(tmp_path, *rows)) == 0
    said = capsys.readouterr().out
    assert "1: customer_id is missing (column card) (line 3)" in said
    assert "1: transaction_id is the id of another payment" in said
    assert "labels left out, their rows are sound: known_at is empty" in said


def test_refusing_all_rows_is_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*command(tmp_path, "1,,2024-07-01,5,1,", "2,c,x,5,1,"), "--json"]) == 1
    said = capsys.readouterr()
    assert {r["field"] for r in json.loads(said.out)["reasons"]} == {"customer_id", "timestamp"}
    assert "all 2 rows of pay.csv were refused" in said.err
