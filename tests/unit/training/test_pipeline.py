"""A leak ends a training run before anything is fitted or registered."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from cluster.cli import run
from data.layout.layout import load_layout
from fraud.errors import InvalidInput
from settings.settings import Settings
from tests.contracts.layouts import TABLE
from training import pipeline
from training.config import TrainConfig, read_config
from training.finding import LeakFound
from training.pipeline import train_tabular

LAYOUT = f"""{TABLE}[label.known_at]
column = "at"
unit = "minutes"
base = "2026-01-01T00:00:00Z"
[tabular]
numeric = ["amount", "score"]
categorical = ["TX_FRAUD_SCENARIO"]
"""


@pytest.fixture(autouse=True)
def no_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening MLflow takes seconds, and no test here needs it."""
    monkeypatch.setattr(pipeline, "Registry", lambda *_: None)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A layout that lists the scenario, and its table."""
    rng = np.random.default_rng(1)
    lines = ["at,amount,score,TX_FRAUD_SCENARIO,bad"]
    for i in range(4_000):
        bad = int(rng.random() < 0.05)
        scenario = bad * int(rng.integers(1, 4))
        lines.append(f"{i},{rng.lognormal():.4f},{rng.normal() + bad:.5f},{scenario},{bad}")
    (tmp_path / "own.toml").write_text(LAYOUT)
    (tmp_path / "own.csv").write_text("\n".join(lines) + "\n")
    return tmp_path / "own.toml", tmp_path / "own.csv"


def test_the_scenario_left_in_is_refused_before_fitting(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    told: list[str] = []
    with pytest.raises(
        LeakFound, match=r"TX_FRAUD_SCENARIO alone finds 100.0% of frauds.*tells-label"
    ):
        train_tabular(
            Settings(home=tmp_path),
            load_layout(str(files[0])),
            files[1],
            TrainConfig(),
            lambda stage, *_: told.append(stage),
        )
    assert "guard" in told
    assert "fit" not in told
    assert not (tmp_path / "artifacts").exists()


def test_the_command_reports_it_in_one_line(
    files: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("QUORUM_HOME", str(tmp_path / "home"))
    assert run(["train", "--tabular", str(files[0]), str(files[1])]) == 1
    (line,) = [s for s in capsys.readouterr().err.splitlines() if s.startswith("error:")]
    assert "leak: TX_FRAUD_SCENARIO alone" in line
    assert "--allow-leaks tells-label" in line
    assert run(["train", "--allow-leaks", "anything"]) == 2
    assert "unknown code anything" in capsys.readouterr().err


def test_an_allowed_leak_is_trained_on_and_logged(
    files: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Reached(Exception):
        pass

    def fit(*_: object) -> None:
        raise Reached

    monkeypatch.setattr(pipeline, "_fit", fit)
    config = TrainConfig(allow_leaks=("tells-label",))
    with caplog.at_level(logging.WARNING, "training.guard"), pytest.raises(Reached):
        train_tabular(Settings(home=tmp_path), load_layout(str(files[0])), files[1], config)
    assert "TX_FRAUD_SCENARIO alone" in caplog.text
    assert "(allowed)" in caplog.text


def test_configured_codes_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "train.toml"
    path.write_text('allow_leaks = ["identical-rows"]\n')
    assert read_config(path).allow_leaks == ("identical-rows",)
    path.write_text('allow_leaks = ["everything"]\n')
    with pytest.raises(InvalidInput, match=r"allow_leaks: .*'everything' is none of"):
        read_config(path)
    path.write_text('[split]\nmethod = "random"\n')
    with pytest.raises(InvalidInput, match="a random split is refused"):
        read_config(path)
