"""`quorum train` without a database."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console
from sklearn.metrics import average_precision_score

from cluster.cli import run
from cluster.terminal.tables.protocol import protocol_table

pytestmark = pytest.mark.slow

SMALL = """
[xgboost]
rounds = 12
[random_forest]
trees = 6
max_leaves = 32
[isolation_forest]
trees = 6
sample_rows = 64
[report]
resamples = 20
[cross_fit]
folds = 2
first = 0.5
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("QUORUM_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--tabular", "ulb"], "--tabular needs the FILE"),
        (["payments.csv"], "with --auto or --tabular only"),
        (["--tabular", "ulb", "--protocol", "ulb", "x.csv"], "cannot be combined"),
        (["--data", "folder"], "--data goes with --protocol"),
        (["--protocol", "ulb", "--predictions", "x.parquet"], "cannot be combined"),
        (["--tabular", "ulb", "x.csv", "--predictions", "x.csv"], "must end in .parquet"),
        (["--tabular", "ulb", "x.csv", "--predictions", "no/x.parquet"], "does not exist"),
        (
            ["--protocol", "kaggle"],
            "unknown protocol kaggle — expected one of handbook, ulb, sparkov",
        ),
    ],
)
def test_options_that_cannot_be_combined_are_named(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["train", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_missing_data_set_is_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "--protocol", "sparkov", "--data", str(home)]) == 1
    assert "--data names the folder that holds sparkov_gen_A_kaggle_layout/" in (
        capsys.readouterr().err
    )


def test_a_random_split_is_refused_with_the_reason(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = home / "train.toml"
    config.write_text('[split]\nmethod = "random"\n')
    assert run(["train", "--config", str(config)]) == 2
    said = capsys.readouterr().err
    assert "split.method" in said
    assert "payments of the same fraud would lie on both sides" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[split]\ntest_fracton = 0.2\n", "split.test_fracton: no such key; did you mean"),
        ("[splot]\n", "splot: no such key; did you mean split?"),
        ("[costs]\nreview = 1\nfalse_block = 2\nchallange = 3\n", "did you mean challenge?"),
        ("[report]\nwhatever = 1\n", "expected one of effects, importance_features"),
        ("seed = -1\n", "seed: "),
    ],
)
def test_a_wrong_key_of_the_configuration_is_named_with_the_nearest(
    home: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    config = home / "train.toml"
    config.write_text(text)
    assert run(["train", "--config", str(config)]) == 2
    shown = capsys.readouterr().err
    assert said in shown
    assert "quorum load" not in shown


def test_a_protocol_reports_in_json_and_as_a_table(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _ulb_like(home)
    config = home / "small.toml"
    config.write_text(SMALL)
    told = ["train", "--protocol", "ulb", "--data", str(home), "--config", str(config), "--json"]
    assert run(told) == 0
    document = json.loads(capsys.readouterr().out)
    for figure in ("average_precision", "roc_auc", "recall_at_1pct_fpr", "calibration_error"):
        assert 0 <= document["models"]["ensemble"][figure] <= 1
    shown = _shown(document)
    assert "Quorum ensemble" in shown
    assert "AutoGluon" in shown
    assert "0.990" in shown


def _ulb_like(folder: Path) -> None:
    rng = np.random.default_rng(0)
    n = 3000
    columns: dict[str, Any] = {f"V{i}": rng.normal(size=n).astype(np.float32) for i in range(1, 29)}
    fraud = rng.random(n) < 1 / (1 + np.exp(4.0 - 2.5 * columns["V3"]))
    columns |= {"Time": np.arange(n) * 50.0, "Amount": np.ones(n), "Class": fraud.astype(np.int64)}
    (folder / "ulb_creditcard").mkdir()
    pq.write_table(pa.table(columns), folder / "ulb_creditcard" / "made.parquet")


def _shown(document: dict[str, Any]) -> str:
    out = io.StringIO()
    Console(file=out, width=200).print(protocol_table(document))
    return out.getvalue()


@pytest.fixture
def table_trained(home: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The report of `quorum train --tabular` on a small table, with its predictions."""
    _ulb_like(home)
    config = home / "small.toml"
    config.write_text(SMALL)
    file, out = home / "ulb_creditcard" / "made.parquet", home / "said.parquet"
    told = ["--tabular", "ulb", str(file), "--config", str(config), "--predictions", str(out)]
    # So few trees find less than the one column that makes fraud here.
    told += ["--force", "--reason", "small models of a test"]
    assert run(["train", *told, "--json"]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_the_report_evaluates_the_written_predictions(
    home: Path, table_trained: dict[str, Any]
) -> None:
    said = pq.read_table(home / "said.parquet")
    assert len(said) == table_trained["rows"]["test"]
    assert sum(said["is_fraud"].to_pylist()) == table_trained["frauds"]["test"]
    variants = [v["name"] for v in table_trained["variants"]]
    assert said.column_names == [
        "row_id", "timestamp", "customer_id", "amount", "is_fraud", *variants, "probability",
        "decision",
    ]  # fmt: skip
    for name, column in {"ensemble": "probability", "ulb-xgboost": "ulb-xgboost"}.items():
        found = average_precision_score(said["is_fraud"].to_numpy(), said[column].to_numpy())
        assert found == pytest.approx(table_trained["models"][name]["average_precision"])
    block = table_trained["plan"]["thresholds"]["block"]
    blocked = [p for p, d in zip(*_columns(said, "probability", "decision"), strict=True)
               if d == "block"]  # fmt: skip
    assert all(p >= block for p in blocked)
    # Each row is found again in the file by its number.
    truth = pq.read_table(home / "ulb_creditcard" / "made.parquet")["Class"].to_pylist()
    for number, fraud in zip(*_columns(said, "row_id", "is_fraud"), strict=True):
        assert truth[int(number) - 1] == int(fraud)


def _columns(table: pa.Table, *names: str) -> list[list[Any]]:
    return [table[name].to_pylist() for name in names]


def test_mlflow_has_the_run_and_loads_the_served_model(
    home: Path, table_trained: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    import mlflow

    uri = f"sqlite:///{home / 'home' / 'mlflow.db'}"
    client = mlflow.MlflowClient(uri, uri)
    run = client.get_run(table_trained["run_id"])
    assert re.fullmatch(r"ulb \d{4}-\d\d-\d\d \d\d:\d\d", run.info.run_name)
    assert run.data.tags["mlflow.source.name"].startswith("quorum")
    (data,) = run.inputs.dataset_inputs
    assert (data.dataset.name, json.loads(data.dataset.profile)["rows"]) == ("ulb", 3000)
    assert "made.parquet" in data.dataset.source
    (of,) = client.search_model_versions("name = 'quorum-ulb-xgboost'")
    losses = client.get_metric_history(of.run_id, "validation_log_loss")
    assert [m.step for m in losses] == list(range(1, len(losses) + 1))
    assert len(losses) >= 2
    curve = [m.value for m in client.get_metric_history(of.run_id, "precision_at_recall_percent")]
    assert len(curve) == 100
    assert min(curve) > 0

    # What MLflow loads by alias says of the test part what the run's predictions say.

    mlflow.set_tracking_uri(uri)
    request.addfinalizer(lambda: mlflow.set_tracking_uri(None))
    table = pq.read_table(home / "ulb_creditcard" / "made.parquet").to_pandas()
    said = pq.read_table(home / "said.parquet").to_pandas()
    rows = table.iloc[said["row_id"].astype(int) - 1]
    for name in ("ulb-xgboost", "ulb-logistic", "ulb-isolation-forest"):
        model = mlflow.pyfunc.load_model(f"models:/quorum-{name}@champion")
        names = model.metadata.signature.inputs.input_names()
        assert np.allclose(model.predict(rows[names]), said[name], atol=1e-9)
