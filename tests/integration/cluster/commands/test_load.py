"""`quorum load` against a real PostgreSQL: its report, its summary and its exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cluster.cli import run

CANONICAL = (
    "transaction_id,customer_id,timestamp,amount,currency,type,is_fraud,label_known_at\n"
    "1,c1,2026-01-05T10:00:00Z,10.00,EUR,purchase,0,2026-01-12T10:00:00Z\n"
    "2,c1,2026-01-05T11:00:00Z,-1,EUR,purchase,1,2026-01-09T10:00:00Z\n"
    "3,c2,2026-01-05T12:00:00Z,12.50,EUR,transfer,1,2026-01-08T10:00:00Z\n"
)
HEADER = "transaction_id,customer_id,timestamp,amount,currency,type"
SOUND = "t1,c1,2024-05-01T10:00:00Z,5.00,EUR,purchase"
BAD = "t2,NULL,2024-05-01T10:00:00Z,0,EUR,purchase"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str) -> Path:
    monkeypatch.setenv("QUORUM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DATABASE_URL", database_url)
    return tmp_path / "home"


def test_it_loads_once_and_writes_bad_rows_to_a_file(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "pay.csv"
    file.write_text(CANONICAL)
    assert run(["load", str(file), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert {k: report[k] for k in ("rows", "loaded", "already_there", "bad", "labels")} == {
        "rows": 3, "loaded": 2, "already_there": 0, "bad": 1, "labels": 2,
    }  # fmt: skip
    assert Path(report["rejects"]).parent == home / "rejects"
    assert "3,amount,not_positive" in Path(report["rejects"]).read_text()
    assert run(["load", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["loaded"] == 0
    assert run(["load", str(file), "--again"]) == 0
    assert "2 already there" in " ".join(capsys.readouterr().out.split())


def test_ids_of_two_payments_are_listed(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "twice.csv"
    line = "000017,card-B,2026-03-02T10:00:00Z,7.00,EUR,purchase,0,2026-03-09T10:00:00Z\n"
    first = line.replace("card-B", "card-A").replace("-02T", "-01T").replace(",0,", ",1,")
    file.write_text(CANONICAL.splitlines()[0] + "\n" + first + line)
    assert run(["load", str(file), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["loaded"], report["bad"], report["reused"]) == (1, 1, 1)
    assert report["reused_ids"] == {"000017": [2]}
    assert "another payment (line 2)" in Path(report["rejects"]).read_text()
    assert run(["load", str(file), "--again"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "1 rows have the id of another payment: 000017 (row 2)" in said
    assert 'repeated = "apart"' in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["{file}", "--layout", "handbok"], "no layout handbok"),
        (["{file}", "--layout", "handbook"], "no column CUSTOMER_ID"),
        (["{file}.gone"], "no such file"),
        (["{file}", "--limit", "0"], "--limit"),
    ],
)
def test_failures_are_one_line(
    home: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    says: str,
) -> None:
    file = tmp_path / "pay.csv"
    file.write_text(CANONICAL)
    assert run(["load", *(a.format(file=file) for a in arguments)]) != 0
    said = capsys.readouterr()
    assert says in said.err
    assert len(said.err.strip().splitlines()) == 1
    assert said.out == ""


@pytest.fixture
def file(home: Path, tmp_path: Path) -> Path:
    """A file to load."""
    return tmp_path / "pay.csv"


def test_refusing_all_rows_is_a_failure_with_a_summary(
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


def test_some_refused_rows_are_reported_without_failure(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text("\n".join([HEADER, SOUND, BAD]))
    assert run(["load", str(file), "--tenant", "some"]) == 0
    said = capsys.readouterr().out
    assert "1 loaded" in said
    assert "1: customer_id is missing (line 3)" in said


def test_a_file_with_only_a_header_is_reported(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(HEADER + "\n")
    assert run(["load", str(file), "--tenant", "none"]) == 0
    assert "a header and no rows" in " ".join(capsys.readouterr().out.split())
