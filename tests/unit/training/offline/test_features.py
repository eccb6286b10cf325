"""The Parquet file of offline features: its contents, and what remains after a failure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from cluster.cli import run
from data.load.payment_file import PaymentFile
from data.load.payment_reader import read_payments
from features.backfill import backfill
from features.definitions import NAMES, SCHEMA_ID
from fraud.payment.batch import FeatureBatch
from training.offline.features import OutputExists, write_features

START = datetime(2026, 1, 5, tzinfo=UTC)
HEADER = "transaction_id,customer_id,timestamp,amount,currency,type,merchant_id,is_fraud,"


def payments(n: int) -> str:
    """A canonical file, newest first: twelve customers at four merchants, labels a day late, one
    row in fifty refused, one in seven without a label."""
    lines = []
    for i in reversed(range(n)):
        at = START + timedelta(minutes=37 * i)
        amount = "-1" if i % 50 == 49 else f"{1 + i % 90}.50"
        label = "" if i % 7 == 3 else str(int(i % 5 == 0))
        known = "" if i % 7 == 3 else (at + timedelta(days=1)).isoformat()
        row = f"t{i},c{i % 12},{at.isoformat()},{amount},EUR,purchase,m{i % 4},{label},{known}"
        lines.append(row)
    return "\n".join([HEADER + "label_known_at", *lines]) + "\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "pay.csv"
    path.write_text(payments(400))
    return path


def test_a_row_a_payment_in_the_order_of_time_with_its_label(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "features.parquet"
    report = write_features(file, "canonical", out)
    table = pq.read_table(out)
    assert table.column_names == ["transaction_id", "timestamp", "label", "known_at", *NAMES]
    assert table.schema.metadata[b"schema_id"] == SCHEMA_ID.encode()
    assert table.schema.metadata[b"layout"] == b"canonical"
    assert {str(table.schema.field(name).type) for name in NAMES} == {"float"}
    assert (report.read, report.rows, report.bad) == (400, 392, 8)
    assert report.labelled == sum(v is not None for v in table["label"].to_pylist())
    rises = table["timestamp"].to_pylist()
    assert rises == sorted(rises)
    kept = {i: row for row, i in enumerate(table["transaction_id"].to_pylist())}
    assert table["label"][kept["t5"]].as_py() == 1
    assert table["known_at"][kept["t5"]].as_py() == START + timedelta(minutes=37 * 5, days=1)
    assert table["label"][kept["t3"]].as_py() is None
    assert "t49" not in kept
    assert report.rejects is not None
    assert ",amount,not_positive," in Path(report.rejects).read_text()


def test_values_are_those_of_a_backfill(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "features.parquet"
    write_features(file, "canonical", out)
    history = read_payments(file, "canonical").history()
    expected = np.concatenate(
        [part.values for part in backfill([history.batch], [history.label_events()])]
    )
    table = pq.read_table(out)
    written = np.stack([table[name].to_numpy() for name in NAMES], axis=1)
    assert written.dtype == np.float32
    assert written.tobytes() == expected.tobytes()
    known = written[:, NAMES.index("merchant_known_30d")]
    assert known[0] == 0.0
    assert known[-1] > 10.0


def test_what_is_cut_off_leaves_nothing(file: Path, tmp_path: Path) -> None:
    def broken(payments: PaymentFile) -> Iterator[FeatureBatch]:
        yield from backfill(payments.batches())
        raise KeyboardInterrupt

    folder = tmp_path / "out"
    folder.mkdir()
    out = folder / "features.parquet"
    rejects = tmp_path / "bad.csv"
    with pytest.raises(KeyboardInterrupt):
        write_features(file, "canonical", out, rejects=rejects, compute=broken)
    assert list(folder.iterdir()) == []
    out.write_text("old")
    with pytest.raises(OutputExists):
        write_features(file, "canonical", out, rejects=rejects)
    with pytest.raises(KeyboardInterrupt):
        write_features(file, "canonical", out, rejects=rejects, force=True, compute=broken)
    assert out.read_text() == "old"
    write_features(file, "canonical", out, rejects=rejects, force=True)
    assert pq.read_metadata(out).num_rows == 392


@pytest.fixture
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUORUM_HOME", str(tmp_path / "home"))
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("_home")
def test_the_command_needs_no_word_for_writing_and_no_database(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "features.parquet"
    arguments = ["features", "--layout", "canonical", str(file), "--out", str(out)]
    assert run([*arguments, "--limit", "100", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["rows"], report["schema_id"]) == (98, SCHEMA_ID)
    assert report["peak_mib"] > 10
    assert pq.read_metadata(out).num_rows == 98
    assert run(arguments) == 1
    assert "--force replaces it" in capsys.readouterr().err
    assert run([*arguments, "--force"]) == 0
    assert "392 rows" in capsys.readouterr().out


@pytest.mark.usefixtures("_home")
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["{file}", "--layout", "handbok", "--out", "{out}"], "no layout handbok"),
        (["{file}", "--layout", "handbook", "--out", "{out}"], "no column CUSTOMER_ID"),
        (["{file}.gone", "--out", "{out}"], "no such file"),
        (["{file}"], "--out"),
        (["{file}", "--out", "{out}", "--limit", "0"], "--limit"),
    ],
)
def test_failures_are_one_line(
    file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    says: str,
) -> None:
    out = tmp_path / "features.parquet"
    assert run(["features", *(a.format(file=file, out=out) for a in arguments)]) != 0
    said = capsys.readouterr()
    assert says in said.err
    assert len(said.err.strip().splitlines()) == 1
    assert not out.exists()
