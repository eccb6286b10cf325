"""Parts of the public sets: cut from small files of the same columns."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.load.payment_reader import read_payments
from training.config import TrainConfig
from training.populate.public_sets import public_sets
from training.populate.recipe import Recipe

RECIPES = {recipe.name: recipe for recipe in public_sets(TrainConfig(), TrainConfig())}
N = 1_000


def made(folder: Path, recipe: Recipe, name: str, columns: dict[str, object]) -> Path:
    """Write a public set of these columns, and the recipe's part of it."""
    data, to = folder / "data", folder / "to"
    (data / recipe.needs).mkdir(parents=True, exist_ok=True)
    to.mkdir(exist_ok=True)
    pq.write_table(pa.table(columns), data / recipe.needs / f"{name}.parquet")
    return recipe.write(to, data)


def test_the_first_half_of_ulb(tmp_path: Path) -> None:
    path = made(tmp_path, RECIPES["ulb"], "x", {"Time": np.arange(N, dtype=float)})
    assert pq.read_table(path)["Time"].to_pylist() == list(range(N // 2))


def test_paysim_in_the_order_of_time(tmp_path: Path) -> None:
    steps = np.random.default_rng(1).integers(0, 90, N)
    path = made(tmp_path, RECIPES["paysim"], "x", {"step": steps})
    assert pq.read_table(path)["step"].to_pylist() == sorted(steps.tolist())


def test_weeks_of_the_handbook(tmp_path: Path) -> None:
    days = np.arange(N) // 10
    start = datetime(2018, 4, 1)  # noqa: DTZ001 — the set's times have no zone
    columns = {
        "TRANSACTION_ID": np.arange(N),
        "TX_DATETIME": [start + timedelta(days=int(day)) for day in days],
        "CUSTOMER_ID": np.arange(N) % 12,
        "TERMINAL_ID": np.arange(N) % 7,
        "TX_AMOUNT": np.where(np.arange(N) % 8 == 0, 0.0, 12.5),
        "TX_TIME_DAYS": days,
        "TX_FRAUD": (np.arange(N) % 50 == 0).astype(int),
    }
    path = made(tmp_path, RECIPES["handbook"], "x", columns)
    part = pq.read_table(path)
    assert part.num_rows == 49 * 10 // 4 + 1
    assert max(part["TX_TIME_DAYS"].to_pylist()) == 48
    payments = read_payments(path, RECIPES["handbook"].named_layout())
    assert payments.bad == 0
    assert payments.labelled


def test_months_of_sparkov(tmp_path: Path) -> None:
    start = datetime(2022, 1, 1)  # noqa: DTZ001 — the set's times have no zone
    times = [start + timedelta(hours=6 * i) for i in range(N)]
    columns = {"trans_date_trans_time": times, "cc_num": [f"{i % 9:04}" for i in range(N)]}
    part = pq.read_table(made(tmp_path, RECIPES["sparkov"], "x", columns))
    assert max(part["trans_date_trans_time"].to_pylist()) < datetime(2022, 5, 1)  # noqa: DTZ001
    assert set(part["cc_num"].to_pylist()) == {"0000", "0003", "0006"}


def test_amlsim_beside_its_accounts(tmp_path: Path) -> None:
    name = "20K_fanin200cycle200"
    made_nodes = {"nodeid": np.arange(40), "isFraud": (np.arange(40) < 8).astype(int)}
    folder = tmp_path / "data" / RECIPES["amlsim"].needs
    folder.mkdir(parents=True)
    pq.write_table(pa.table(made_nodes), folder / f"{name}_nodes.parquet")
    rng = np.random.default_rng(2)
    columns = {
        "sourceNodeId": rng.integers(0, 40, N),
        "targetNodeId": rng.integers(0, 40, N),
        "value": rng.lognormal(4, 1, N).round(2),
        "time": rng.integers(1, 150, N),
    }
    path = made(tmp_path, RECIPES["amlsim"], f"{name}_transactions", columns)
    payments = read_payments(path, RECIPES["amlsim"].named_layout())
    assert len(payments) == N // 3
    assert (payments.label == 1).sum() > 3
    assert max(pq.read_table(path)["time"].to_pylist()) <= np.quantile(columns["time"], 0.34) + 1


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_says_what_it_needs(name: str, tmp_path: Path) -> None:
    assert RECIPES[name].needs
    assert not RECIPES[name].is_there(tmp_path)
