"""Labelled sets, cut into parts."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from loadtests.bench.offline.matching.real_sets import other_domains, real_parts


def write(folder: Path, name: str, columns: dict[str, list[object]]) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)


def made(folder: Path) -> Path:
    """Every set, of a few rows."""
    write(folder, "ulb_creditcard/creditcard_f32.parquet", {"V1": [0.0, 1.0], "Class": [0, 1]})
    months = [datetime(2018, month, 3) for month in (4, 5, 6, 7, 8)]  # noqa: DTZ001
    write(
        folder,
        "handbook_raw/dev_2018-04-01_to_2018-08-14.parquet",
        {"TX_DATETIME": months, "TX_FRAUD": [1, 0, 0, 1, 0], "TX_FRAUD_SCENARIO": [0] * 5},
    )
    write(
        folder,
        "sparkov_gen_A_kaggle_layout/transactions.parquet",
        {"amt": [1.0, 2.0, 3.0], "is_fraud": [0, 0, 1]},
    )
    write(
        folder,
        "paysim_sample_51k/paysim_sample.parquet",
        {"step": [9, 1], "isFraud": [1, 0], "isFlaggedFraud": [1, 0]},
    )
    for name in ("cycle200", "fanin200", "fanin200cycle200"):
        write(
            folder,
            f"amlsim_20k/20K_{name}_transactions.parquet",
            {"sourceNodeId": [7, 8, 7], "value": [1.0, 2.0, 3.0]},
        )
        nodes: dict[str, list[object]] = {"nodeid": [7, 8], "isFraud": [1, 0]}
        write(folder, f"amlsim_20k/20K_{name}_nodes.parquet", nodes)
    return folder


def test_each_set_is_cut_by_time_and_loses_its_label(tmp_path: Path) -> None:
    parts = {part.name: part for part in real_parts(made(tmp_path))}
    assert {part.family for part in parts.values()} == {
        "ulb", "handbook", "sparkov", "paysim", "amlsim",
    }  # fmt: skip
    assert parts["ulb-second"].table.to_pydict() == {"V1": [1.0]}
    assert parts["ulb-second"].label.tolist() == [True]
    assert [parts[f"handbook-{month}"].label.tolist() for month in ("april", "june", "july")] == [
        [True], [False], [True],
    ]  # fmt: skip
    assert parts["handbook-april"].table.column_names == ["TX_DATETIME"]
    assert parts["sparkov-second"].table.column("amt").to_pylist() == [2.0, 3.0]
    assert parts["paysim-first"].table.to_pydict() == {"step": [1]}, "the file is not in order"
    assert parts["amlsim-cycle200"].label.tolist() == [True, False, True]


def test_sets_about_credit_have_no_label(tmp_path: Path) -> None:
    label = "default-payment-next-month"
    write(
        tmp_path,
        "uci_default_credit/UCI_Credit_Card_30k.parquet",
        {"LIMIT_BAL": [1.0], label: [1]},
    )
    write(tmp_path, "german_credit/germancredit.parquet", {"age": [40], "creditability": ["bad"]})
    parts = list(other_domains(tmp_path))
    assert [part.table.column_names for part in parts] == [["LIMIT_BAL"], ["age"]]
    assert all(part.label.size == 0 for part in parts)


def test_without_the_folder_there_is_nothing(tmp_path: Path) -> None:
    assert not list(real_parts(tmp_path / "none"))
    assert not list(other_domains(tmp_path / "none"))
