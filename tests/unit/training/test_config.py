from __future__ import annotations

from pathlib import Path

import pytest

from fraud.errors import InvalidInput
from training.config import TrainConfig, read_config


def test_a_file_states_only_what_differs(tmp_path: Path) -> None:
    path = tmp_path / "train.toml"
    path.write_text('seed = 3\nvariants = ["logistic"]\n[split]\ntest_days = 7\n')
    config = read_config(path)
    assert config.seed == 3
    assert config.supervised == ("logistic",)
    assert config.anomaly is None
    assert config.split.test_days == 7
    assert config.xgboost == TrainConfig().xgboost


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sed = 3", "sed: no such key"),
        ("[split]\ntest_fraction = 2", "split.test_fraction"),
        ("[rates]\nblock = 0.5", "rates"),
        ('variants = ["xgbost"]', "'xgbost' is none of"),
        ('variants = ["isolation-forest"]', "at least one supervised"),
        ("seed =", "not TOML"),
    ],
)
def test_what_cannot_be_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "train.toml"
    path.write_text(text)
    with pytest.raises(InvalidInput, match=said):
        read_config(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="No such file"):
        read_config(tmp_path / "none.toml")
