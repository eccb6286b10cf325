"""`quorum score`, from a file to its result, and `quorum jobs` on such a job."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest

from cluster.cli import run
from stores.postgres.connect import connection
from tests.contracts.scored_references import expected_scores, shop_table, store_shop_reference

ROWS = 1_000


@pytest.fixture(scope="module")
def artifacts(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An artifact store with the reference of a shop, which is listed."""
    folder = tmp_path_factory.mktemp("artifacts")

    async def store() -> None:
        async with connection(database_url) as session:
            await store_shop_reference(session, folder)

    asyncio.run(store())
    return folder


@pytest.fixture(autouse=True)
def home(
    artifacts: Path, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    monkeypatch.setenv("QUORUM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("QUORUM_ARTIFACTS", str(artifacts))
    monkeypatch.setenv("DATABASE_URL", database_url)
    return tmp_path / "home"


def written(table: pa.Table, path: Path) -> Path:
    pc.write_csv(table, path)
    return path


def output(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def job_folders(home: Path) -> list[str]:
    return [path.name for path in (home / "jobs").glob("*-*") if path.is_dir()]


def test_a_file_is_matched_scored_and_written(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = shop_table(ROWS, seed=1, amount="montant")
    file, out = written(table, tmp_path / "achats.csv"), tmp_path / "scored.csv"
    assert run(["score", str(file), "--out", str(out), "--json"]) == 0
    document = output(capsys)
    assert (document["state"], document["rows_total"], document["rows_done"]) == (
        "done",
        ROWS,
        ROWS,
    )
    (matched,) = document["match"]["models"]
    assert {c["column"]: c["file_column"] for c in matched["columns"]}["amount"] == "montant"
    scored = pc.read_csv(out)
    assert scored.column_names[:4] == table.column_names
    assert scored.column("montant").equals(table.column("montant"))
    np.testing.assert_allclose(
        scored.column("quorum_score_shop").to_numpy(),
        expected_scores(table.column("montant").to_numpy()),
        rtol=1e-4,
    )
    assert document["summary"]["levels"]["high"] == sum(
        level == "high" for level in scored.column("quorum_risk_level").to_pylist()
    )

    assert run(["jobs", "list", "--json"]) == 0
    assert [job["job_id"] for job in output(capsys)] == [document["job_id"]]
    assert run(["jobs", "show", document["job_id"]]) == 0
    shown = capsys.readouterr().out
    assert "achats.csv" in shown
    assert "montant" in shown
    copy = tmp_path / "copy.parquet"
    assert run(["jobs", "result", document["job_id"], "--out", str(copy)]) == 0
    assert pq.read_table(copy).num_rows == ROWS
    assert job_folders(home) == [document["job_id"]]


def test_a_dry_run_shows_the_match_and_leaves_nothing(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(shop_table(ROWS), tmp_path / "shop.csv")
    assert run(["score", str(file), "--dry-run"]) == 0
    assert "4 of 4 columns have a counterpart" in capsys.readouterr().out
    assert job_folders(home) == []


def test_a_file_of_another_domain_is_refused_with_what_would_be_needed(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    other = pa.table({"petal": rng.normal(size=ROWS), "sepal": rng.normal(size=ROWS)})
    file = written(other, tmp_path / "iris.csv")
    assert run(["score", str(file)]) == 1
    said = capsys.readouterr()
    assert "None of the models fits this file" in said.out
    assert "amount is required and has no counterpart" in " ".join(said.out.split())
    assert said.err.splitlines()[-1].startswith("error: iris.csv fits none of the models")
    assert job_folders(home) == []


def test_a_proposed_conversion_is_never_applied_by_itself(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = shop_table(ROWS, seed=1)
    cents = np.round(table.column("amount").to_numpy() * 100).astype(np.int64)
    file = written(table.set_column(0, "amount", pa.array(cents)), tmp_path / "cents.csv")
    assert run(["score", str(file), "--json"]) == 1
    (matched,) = output(capsys)["match"]["models"]
    proposed = next(c["proposed"] for c in matched["columns"] if c["column"] == "amount")
    assert proposed is not None
    assert job_folders(home) == []
    out = tmp_path / "scored.parquet"
    confirmed = ["--convert", f"amount={proposed['code']}", "--out", str(out)]
    assert run(["score", str(file), *confirmed]) == 0
    np.testing.assert_allclose(
        pq.read_table(out).column("quorum_score_shop").to_numpy(),
        expected_scores(cents / 100),
        rtol=1e-4,
    )


def test_a_file_that_the_sample_hid_is_refused_as_a_whole(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = 60_000
    table = shop_table(rows, seed=2)
    amounts = [f"{value:.2f}" for value in table.column("amount").to_pylist()]
    file = tmp_path / "late.csv"
    written(table.set_column(0, "amount", pa.array(amounts)), file)
    # The sample is taken while the file is submitted; then it changes.
    from cluster.scoring.file_scoring import FileScoring

    submit = FileScoring._submit

    async def changed(self: FileScoring, *args: Any) -> None:
        wrong = [f"abt {value}" for value in amounts[:1000]] + amounts[1000:]
        written(table.set_column(0, "amount", pa.array(wrong)), file)
        await submit(self, *args)

    monkeypatch.setattr(FileScoring, "_submit", changed)
    assert run(["score", str(file), "--json"]) == 1
    said = capsys.readouterr()
    assert "fits none of the models" in said.err
    (matched,) = json.loads(said.out)["match"]["models"]
    assert matched["reasons"][0]["code"] == "column-mistyped"
    assert job_folders(home) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--high", "0.1", "--medium", "0.2"], "medium must be below high"),
        (["--convert", "amount"], "--convert: expected COLUMN="),
        (["--models", "9"], "models"),
        (["--ignore", "amount", "--column", "amount=x"], "amount is also to be read"),
        (["--out", "nowhere/scored.csv"], "there is no folder nowhere"),
        (["--out", "."], "is a folder"),
        (["--out", "shop.csv"], "is the file to score"),
    ],
)
def test_wrong_usage_is_told_before_any_work(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    file = written(shop_table(10), tmp_path / "shop.csv")
    assert run(["score", str(file), *arguments]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--model", "nothing"], "--model nothing: no reference"),
        (["--column", "nothing=amount"], "--column nothing=amount: the file has no such"),
        (["--convert", "amount=nothing"], "--convert amount=nothing: expected one of"),
    ],
)
def test_what_an_option_names_in_vain_is_told_by_its_name(
    home: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    file = written(shop_table(ROWS), tmp_path / "shop.csv")
    assert run(["score", str(file), *arguments]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert said in error
    assert "quorum up" not in error
    assert job_folders(home) == []


def test_an_unreadable_file_is_told_in_one_line(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.csv").write_text("")
    assert run(["score", str(tmp_path / "empty.csv")]) == 1
    assert "empty.csv: the file is empty" in capsys.readouterr().err
    assert job_folders(home) == []


def test_a_job_that_nobody_runs_is_run_by_hand(
    home: Path,
    database_url: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = written(shop_table(ROWS), tmp_path / "shop.csv")
    from bulk.engine.runner import Runner

    async def killed(*_: Any, **__: Any) -> None:
        raise SystemExit(9)

    with monkeypatch.context() as patched:
        patched.setattr(Runner, "run_next", killed)
        with pytest.raises(SystemExit):
            run(["score", str(file)])
    capsys.readouterr()
    assert run(["jobs", "run", "--json"]) == 0
    (ran,) = output(capsys)
    assert ran["state"] == "done"
    assert run(["jobs", "run", "--json"]) == 0
    assert output(capsys) == []
    expire(database_url)
    assert run(["jobs", "run"]) == 0
    assert "no job is to be run" in capsys.readouterr().out
    assert job_folders(home) == []


def expire(database_url: str) -> None:
    async def update() -> None:
        async with connection(database_url) as session:
            await session.execute("UPDATE jobs SET expires_at = now()")

    asyncio.run(update())
