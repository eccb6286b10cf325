"""`quorum load --dry-run`: no database, nothing written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cluster.cli import run
from cluster.terminal.load_report import load_text
from tests.contracts.layouts import MINIMAL

LAYOUT = f"""{MINIMAL}[label]
column = "y"
known_at = {{ column = "k", format = "%d/%m/%Y" }}
"""


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "mine.toml"
    path.write_text(LAYOUT)
    return str(path)


def file_of(folder: Path, *rows: str) -> str:
    path = folder / "pay.csv"
    path.write_text("\n".join(["id,card,at,value,y,k", *rows]) + "\n")
    return str(path)


def test_a_dry_run_shows_how_rows_are_read_and_why_rows_are_refused(
    tmp_path: Path, layout: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = ("1,c,2024-07-01,5.10,1,05/07/2026", "2,c,2024-07-01,5,1,2026-07-05", "3,NULL,,5,0,")
    before = sorted(tmp_path.rglob("*"))
    file = file_of(tmp_path, *rows)
    assert run(["load", "--dry-run", "--json", "--layout", layout, file]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["rows"], found["sound"], found["bad"], found["fraud"]) == (3, 1, 2, 1)
    assert found["fields"]["amount"] == {"from": "value", "understood": ["5.10 EUR"]}
    assert found["fields"]["known_at"]["understood"] == ["2026-07-05T00:00:00Z"]
    assert {(r["field"], r["code"]) for r in found["reasons"]} == {
        ("known_at", "not_a_time"),
        ("customer_id", "missing"),
        ("timestamp", "missing"),
    }
    assert run(["load", "--dry-run", "--layout", layout, file]) == 0
    assert "'2026-07-05'" in capsys.readouterr().out
    assert {path.name for path in tmp_path.rglob("*")} == {p.name for p in before} | {"pay.csv"}


def test_a_dry_run_identifies_payments_as_a_load_does(
    tmp_path: Path, layout: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = file_of(
        tmp_path,
        "1,c,2024-07-01,5,1,05/07/2026",
        "1,c,2024-07-01,5,1,05/07/2026",
        "1,d,2024-07-02,9,0,05/07/2026",
        "2,c,2024-07-01,5,1,05/07/2026",
        "2,c,2024-07-01,5,0,05/07/2026",
    )
    assert run(["load", "--dry-run", "--json", "--layout", layout, file]) == 0
    found = json.loads(capsys.readouterr().out)
    told = [found[key] for key in ("rows", "sound", "bad", "repeated", "reused", "fraud")]
    assert told == [5, 2, 2, 1, 1, 2]
    codes = {(r["field"], r["code"], r["first_line"]) for r in found["reasons"]}
    assert codes == {("transaction_id", "another_payment", 4), ("is_fraud", "contradicts", 6)}
    assert run(["load", "--dry-run", "--layout", layout, file]) == 0
    assert "1 rows repeat a payment that came before" in capsys.readouterr().out
    Path(layout).write_text(LAYOUT + '[transaction_id]\nrepeated = "apart"\n')
    assert run(["load", "--dry-run", "--json", "--layout", layout, file]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [found[key] for key in ("sound", "bad", "reused")] == [3, 1, 1]


def test_a_dry_run_without_a_sound_row_fails(
    tmp_path: Path, layout: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = file_of(tmp_path, "1,c,01/07/2024,5,1,", "2,c,02/07/2024,5,1,")
    assert run(["load", "--dry-run", "--layout", layout, file]) == 1
    said = capsys.readouterr()
    assert "2: timestamp must be a time" in said.out
    assert "every row" in said.err


def test_a_file_with_only_a_header_is_reported(
    tmp_path: Path, layout: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["load", "--dry-run", "--layout", layout, file_of(tmp_path)]) == 0
    assert "no rows" in capsys.readouterr().out
    report = {"finished": True, "rows": 0, "resumed_after": 0, "file": "x.csv"}
    assert "a header and no rows" in load_text(report)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("known_at", "knwon_at"), "label.knwon_at: no such key; did you mean known_at?"),
        (('"card"', '"crad"'), "no column crad; did you mean card?"),
    ],
)
def test_a_wrong_key_does_not_list_layouts(
    tmp_path: Path,
    layout: str,
    capsys: pytest.CaptureFixture[str],
    change: tuple[str, str],
    says: str,
) -> None:
    Path(layout).write_text(LAYOUT.replace(*change))
    assert (
        run(["load", "--dry-run", "--layout", layout, file_of(tmp_path, "1,c,2024-07-01,5,1,")])
        == 1
    )
    said = capsys.readouterr().err
    assert says in said
    assert "handbook" not in said


def test_an_unknown_layout_lists_them(
    tmp_path: Path, layout: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["load", "--dry-run", "--layout", "handbok", file_of(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "did you mean handbook?" in said
    assert "quorum layout guess" in said
