"""`quorum load` against a real PostgreSQL: what its exit code and its summary say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cluster.cli import run

HEADER = "transaction_id,customer_id,timestamp,amount,currency,type"
SOUND = "t1,c1,2024-05-01T10:00:00Z,5.00,EUR,purchase"
BAD = "t2,NULL,2024-05-01T10:00:00Z,0,EUR,purchase"


@pytest.fixture
def file(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("QUORUM_HOME", str(tmp_path / "home"))
    return tmp_path / "pay.csv"


def test_all_rows_refused_is_a_failure_with_a_summary_by_reason(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text("\n".join([HEADER, BAD, BAD.replace("t2", "t3")]))
    for again in ([], ["--again"]):
        assert run(["load", str(file), "--tenant", "refused", *again]) == 1
        said = capsys.readouterr()
        assert "2: customer_id is missing (line 2)" in said.out
        assert "2: amount must be greater than zero (line 2)" in said.out
        assert "all 2 rows of pay.csv were refused" in said.err
    # A finished file is not read again, and what it holds is no better.
    assert run(["load", str(file), "--tenant", "refused", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["bad"] == 2


def test_some_rows_refused_is_no_failure_and_is_said(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text("\n".join([HEADER, SOUND, BAD]))
    assert run(["load", str(file), "--tenant", "some"]) == 0
    said = capsys.readouterr().out
    assert "1 loaded" in said
    assert "1: customer_id is missing (line 3)" in said


def test_a_header_alone_says_so(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(HEADER + "\n")
    assert run(["load", str(file), "--tenant", "none"]) == 0
    assert "a header and no rows" in " ".join(capsys.readouterr().out.split())
