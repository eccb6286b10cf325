"""`quorum train --auto` from a file to registered models, for both kinds, with a real PostgreSQL
and MLflow on SQLite. Fits without Ray, since nothing is searched."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from cluster.cli import run as quorum
from data.generator.stream import GeneratorSpec
from data.generator.tables.families import PAYMENTS
from data.generator.tables.table import START_S, TableSpec, generate_table
from data.generator.writer import write as write_payments
from deciding.plans.table import active_of
from models.store.alias import CHAMPION
from models.store.location import store_of
from settings.settings import Settings

CONFIG = """
variants = ["xgboost", "logistic", "isolation-forest"]
[xgboost]
rounds = 30
learning_rate = 0.2
[cross_fit]
folds = 2
first = 0.5
[split]
shared_calibration = true
[report]
resamples = 20
importance_features = 0
effects = 0
"""


@pytest.fixture
def settings(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Of a Quorum whose database holds nothing."""
    monkeypatch.setenv("QUORUM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    (tmp_path / "train.toml").write_text(CONFIG)
    return Settings.load()


def trained(path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    config = path.parent / "train.toml"
    arguments = ["train", "--auto", str(path), "--minutes", "0", "--config", str(config), "--json"]
    assert quorum([*arguments, *options]) == 0, capsys.readouterr().err
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def counted(database_url: str, table: str) -> int:
    async def count() -> int:
        connection = await asyncpg.connect(database_url)
        try:
            found: int = await connection.fetchval(f"SELECT count(*) FROM {table}")
        finally:
            await connection.close()
        return found

    return asyncio.run(count())


def untouched(settings: Settings, database_url: str) -> None:
    """Nothing that serves has changed, and no row of the file is in the database."""
    store = store_of(settings)
    assert all(store.alias(name, CHAMPION) is None for name in ("xgboost", "logistic"))
    assert active_of(settings, settings.owner) is None
    assert counted(database_url, "transactions") == 0
    assert counted(database_url, "labels") == 0


def test_a_table(
    settings: Settings, database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = TableSpec(PAYMENTS["online-shop"], seed=2, rows=4_000, rate=0.05, style="french")
    path = generate_table(spec).write(tmp_path / "commandes.csv")
    report = trained(path, capsys)
    assert report["understood"]["kind"] == "tabular"
    assert report["ensemble"]["roc_auc"] > 0.8
    store = store_of(settings)
    for variant in ("xgboost", "logistic", "isolation-forest"):
        assert store.alias(f"commandes-{variant}", CHAMPION) is not None
    assert report["reference"]["listed"]
    assert counted(database_url, "reference_models") == 1
    untouched(settings, database_url)
    (layout,) = (settings.home / "mlruns").rglob("layout.toml")
    assert 'column = "est_fraude"' in layout.read_text(encoding="utf-8")


def test_a_history(
    settings: Settings, database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "payments.parquet"
    start_ms = START_S * 1000
    write_payments(GeneratorSpec(150, start_ms, start_ms + 40 * 86_400_000, 5, 0.03), path)
    report = trained(path, capsys, "--name", "bank")
    assert report["understood"]["kind"] == "history"
    assert report["understood"]["used"]["device_id"] == "device_id"
    assert "fraud_kind" in report["understood"]["unused"]
    assert store_of(settings).alias("bank-xgboost", CHAMPION) is not None
    assert report["reference"]["listed"]
    untouched(settings, database_url)


def test_a_name_of_models_of_other_columns_is_refused(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = TableSpec(PAYMENTS["wallet-topups"], rows=3_000, rate=0.05)
    path = generate_table(spec).write(tmp_path / "one.csv")
    trained(path, capsys)
    other = generate_table(TableSpec(PAYMENTS["online-shop"], rows=2_000, rate=0.05))
    again = other.write(tmp_path / "two.csv")
    arguments = ["train", "--auto", str(again), "--minutes", "0", "--name", "one"]
    assert quorum(arguments) == 1
    assert "one names models of other columns already — --name" in capsys.readouterr().err


def test_a_dry_run_says_what_the_file_is_and_leaves_nothing(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = TableSpec(PAYMENTS["card-present"], rows=2_000, rate=0.05)
    path = generate_table(spec).write(tmp_path / "x.csv")
    assert quorum(["train", "--auto", str(path), "--dry-run"]) == 0
    assert "label: is_fraud: '1' means fraud, '0' genuine" in capsys.readouterr().out
    assert not (settings.home / "artifacts").exists()


def test_options_go_with_auto(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, why in (
        (["train", "--label", "y"], "--label goes with --auto"),
        (["train", "--auto"], "--auto needs a labelled FILE"),
        (["train", "x.csv"], "FILE can be given with --auto or --tabular only"),
        (["train", "--auto", "x.csv", "--tabular", "ulb"], "cannot be combined"),
    ):
        assert quorum(arguments) == 2
        assert why in capsys.readouterr().err
