from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fraud.errors import NotTrainable
from training.config import TrainConfig
from training.finding import LeakFound
from training.progress import quiet
from training.protocols.catalogue import PROTOCOLS
from training.protocols.protocol import data_file, run_protocol, with_defaults
from training.protocols.published import published
from training.protocols.reader import ProtocolReader
from training.protocols.ulb import ULB
from training.sets.dataset import Dataset

SMALL = {
    "xgboost": {"rounds": 15},
    "random_forest": {"trees": 6, "max_leaves": 32},
    "isolation_forest": {"trees": 6, "sample_rows": 64},
    "report": {"resamples": 20},
    "cross_fit": {"folds": 2, "first": 0.5},
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set with the columns of ULB, two of them informative."""
    rng = np.random.default_rng(0)
    n = 5000
    columns = {f"V{i}": rng.normal(size=n).astype(np.float32) for i in range(1, 29)}
    odds = 2 * columns["V3"] - 1.5 * columns["V7"] - 4.5
    fraud = (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(np.int64)
    time = np.sort(rng.integers(0, 172_800, n)).astype(float)
    columns |= {"Time": time, "Amount": rng.lognormal(3, 1, n).round(2), "Class": fraud}
    folder = tmp_path_factory.mktemp("data")
    (folder / "ulb_creditcard").mkdir()
    pq.write_table(pa.table(columns), folder / "ulb_creditcard" / "made.parquet")
    return folder


@pytest.mark.slow
def test_a_run_sets_our_figures_beside_the_published_ones(data: Path, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    document = run_protocol(
        ULB, data, tmp_path, TrainConfig.model_validate(SMALL), lambda *t: told.append(t)
    )
    assert list(document["models"]) == [
        "xgboost", "random-forest", "logistic", "isolation-forest", "ensemble",
    ]  # fmt: skip
    ensemble = document["models"]["ensemble"]
    assert ensemble["roc_auc"] > 0.85
    assert set(ensemble) >= {
        "average_precision", "roc_auc", "recall_at_1pct_fpr", "calibration_error",
    }  # fmt: skip
    low, high = document["intervals"]["ensemble"]["average_precision"]
    assert low < ensemble["average_precision"] < high
    assert document["rows"] == {"train": 4000, "held_back": 2000, "test": 1000}
    assert document["published"] == published("ulb")
    assert document["findings"] == []
    assert told[-1] == ("fit", 3, 3)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_figures(data: Path, tmp_path: Path) -> None:
    config = TrainConfig.model_validate({**SMALL, "variants": ("xgboost", "logistic")})
    one, other = (run_protocol(ULB, data, tmp_path, config, quiet) for _ in range(2))
    assert one["models"] == other["models"]
    assert one["plan"] == other["plan"]


@pytest.mark.slow
def test_the_test_rows_choose_nothing(data: Path, tmp_path: Path) -> None:
    """Flipped labels of the test change its figures, but no model, weight or calibration map."""
    config = TrainConfig.model_validate({**SMALL, "variants": ("xgboost", "logistic")})
    straight = run_protocol(ULB, data, tmp_path, config, quiet)

    def turned(path: Path, reading: ProtocolReader):
        dataset = ULB.read(path, reading)
        label = dataset.label.copy()
        label[4000:] = 1 - label[4000:]
        return replace(dataset, label=label)

    other = run_protocol(replace(ULB, read=turned), data, tmp_path, config, quiet)
    assert other["plan"] == straight["plan"]
    assert other["choices"] == straight["choices"]
    assert other["models"]["ensemble"] != straight["models"]["ensemble"]


def leaking(data: Path, folder: Path) -> Path:
    """The set of `data` with a column that gives the label away, under an innocent name."""
    table = pq.read_table(data / "ulb_creditcard" / "made.parquet")
    noise = np.random.default_rng(1).normal(0, 0.6, table.num_rows)
    told = pa.array(table["Class"].to_numpy() * 3.0 + noise, pa.float32())
    (folder / "ulb_creditcard").mkdir()
    place = table.schema.get_field_index("V14")
    path = folder / "ulb_creditcard" / "made.parquet"
    pq.write_table(table.set_column(place, "V14", told), path)
    return folder


@pytest.mark.slow
def test_a_column_that_gives_the_label_away_is_refused(data: Path, tmp_path: Path) -> None:
    config = TrainConfig.model_validate({**SMALL, "variants": ("xgboost", "logistic")})
    bad = leaking(data, tmp_path)
    with pytest.raises(LeakFound, match=r"V14 alone finds 99.*--allow-leaks tells-label"):
        run_protocol(ULB, bad, tmp_path, config, quiet)
    allowed = config.model_copy(update={"allow_leaks": ("tells-label",)})
    (finding,) = run_protocol(ULB, bad, tmp_path, allowed, quiet)["findings"]
    assert (finding["code"], finding["allowed"]) == ("tells-label", True)


def test_test_rows_that_were_learnt_from_are_refused(data: Path, tmp_path: Path) -> None:
    config = TrainConfig.model_validate({**SMALL, "variants": ("xgboost", "logistic")})

    def repeated(path: Path, reading: ProtocolReader) -> Dataset:
        dataset = ULB.read(path, reading)
        values = dataset.values.copy()
        values[4000:] = values[:1000]
        return replace(dataset, values=values)

    with pytest.raises(LeakFound, match=r"last 20 % by time.*1,000 of 1,000 test rows"):
        run_protocol(replace(ULB, read=repeated), data, tmp_path, config, quiet)


def test_a_scenario_left_in_among_payments_is_refused(tmp_path: Path) -> None:
    """The handbook's columns, with the scenario of its simulator in place of the terminal."""
    rng = np.random.default_rng(2)
    n = 4_000
    fraud = (rng.random(n) < 0.05).astype(np.int64)
    at_ms = 1_522_540_800_000 + np.arange(n) * 60_000
    columns = {
        "TRANSACTION_ID": np.arange(n),
        "TX_DATETIME": pa.array(at_ms, pa.timestamp("ms")),
        "CUSTOMER_ID": rng.integers(0, 50, n),
        "TERMINAL_ID": fraud * rng.integers(1, 4, n),
        "TX_AMOUNT": rng.lognormal(3, 1, n).round(2),
        "TX_FRAUD": fraud,
    }
    (tmp_path / "handbook_raw").mkdir()
    pq.write_table(pa.table(columns), tmp_path / "handbook_raw" / "made.parquet")
    with pytest.raises(LeakFound, match="merchant_id"):
        run_protocol(PROTOCOLS["handbook"], tmp_path, tmp_path, TrainConfig(), quiet)


def test_a_set_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotTrainable, match=r"no Parquet file in .*handbook_raw: --data names"):
        data_file(tmp_path, "handbook_raw")


def test_a_configuration_overrides_the_protocol() -> None:
    changes = {"xgboost": {"rounds": 7, "max_depth": 3}}
    config = with_defaults(TrainConfig.model_validate({"xgboost": {"rounds": 9}}), changes)
    assert (config.xgboost.rounds, config.xgboost.max_depth) == (9, 3)
    assert config.xgboost.learning_rate == TrainConfig().xgboost.learning_rate
    assert with_defaults(TrainConfig(), {}) == TrainConfig()


def test_every_published_row_names_a_split_and_figures_that_we_give() -> None:
    figures = {
        "average_precision", "roc_auc", "card_precision_at_100", "recall_at_1pct_fpr",
    }  # fmt: skip
    for name in PROTOCOLS:
        rows = published(name)
        assert rows
        for row in rows:
            said = set(row) - {"split", "model", "source"}
            assert said
            assert said <= figures
            assert all(0 < row[figure] < 1 for figure in said)
