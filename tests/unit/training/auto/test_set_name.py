"""The name of a set: from the file's name or as wanted, and none that means something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.auto.set_name import LONGEST, set_name
from training.auto.unclear import Unclear
from training.config import VARIANTS


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("transactions_2024.csv", "transactions-2024"),
        ("Été à Paris (3).csv.gz", "ete-a-paris-3"),
        ("A" * 90 + ".parquet", "a" * LONGEST),
        ("-odd-.csv", "odd"),
    ],
)
def test_of_a_file(file: str, name: str) -> None:
    assert set_name(Path("some/where") / file, None) == name


def test_a_wanted_name_is_kept() -> None:
    assert set_name(Path("x.csv"), "bank.eu_2024") == "bank.eu_2024"


def test_the_longest_name_leaves_room_for_every_variant() -> None:
    assert max(len(f"{'a' * LONGEST}-{variant}") for variant in VARIANTS) == 64


@pytest.mark.parametrize(
    "wrong", ["Bank", "-x", "a b", "", "a/b", "..", "a..b", "a" * (LONGEST + 1), "xgboost",
              "reference-x"]
)  # fmt: skip
def test_a_wrong_name_is_refused(wrong: str) -> None:
    with pytest.raises(Unclear) as refused:
        set_name(Path("x.csv"), wrong)
    assert "--name" in refused.value.settle


@pytest.mark.parametrize("file", ["数据.csv", ".csv", "xgboost.csv"])
def test_a_file_that_gives_no_name_is_refused(file: str) -> None:
    with pytest.raises(Unclear):
        set_name(Path(file), None)
