"""What `quorum train` hands to a training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cluster.commands.train_runs import AutoOptions, Outputs, run_auto, run_tabular
from cluster.errors import CommandFailed
from training.config import TrainConfig

NOTHING = AutoOptions(name=None, label=None, without=(), minutes=None, dry_run=False)
DRY = AutoOptions(name=None, label=None, without=(), minutes=None, dry_run=True)
OUTPUTS = Outputs(for_every_tenant=False, predictions=None, force=None)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("QUORUM_HOME", str(tmp_path / "home"))
    return tmp_path


def with_minutes(minutes: float | None) -> AutoOptions:
    return AutoOptions(name=None, label=None, without=(), minutes=minutes, dry_run=False)


def test_options_that_were_given_are_named() -> None:
    assert NOTHING.given() == []
    everything = AutoOptions("a", "y=1", ("id",), 0, True)
    assert everything.given() == ["--name", "--label", "--without", "--minutes", "--dry-run"]


def test_a_search_takes_three_minutes_unless_something_else_is_asked_for() -> None:
    plain = TrainConfig()
    assert NOTHING.searching(plain).search.minutes == 3.0
    assert with_minutes(0.5).searching(plain).search.minutes == 0.5
    assert with_minutes(0).searching(plain) == plain


def test_a_budget_of_the_configuration_stays_unless_minutes_are_given() -> None:
    search = TrainConfig().search.model_copy(update={"trials": 7})
    budgeted = TrainConfig().model_copy(update={"search": search})
    assert NOTHING.searching(budgeted) == budgeted
    found = with_minutes(2).searching(budgeted).search
    assert (found.trials, found.minutes) == (7, 2)


def test_a_training_gets_the_options_and_the_document_names_the_predictions(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Report:
        def to_document(self) -> dict[str, Any]:
            return {"rows": 3}

    got: dict[str, Any] = {}

    def fake(_settings: Any, layout: Any, path: Path, _config: Any, _show: Any, **rest: Any) -> Any:
        got.update(layout=layout.name, path=path, **rest)
        return Report()

    monkeypatch.setattr("training.pipeline.train_tabular", fake)
    monkeypatch.setenv("RAY_ADDRESS", "head:6379")
    out = home / "said.parquet"
    file = home / "x.csv"
    outputs = Outputs(for_every_tenant=True, predictions=out, force="why")
    document = run_tabular("ulb", file, TrainConfig(), outputs)
    assert document == {"rows": 3, "predictions": str(out)}
    assert got == {
        **{"layout": "ulb", "path": file, "ray_address": "head:6379"},
        **{"for_every_tenant": True, "predictions": out, "force": "why"},
    }
    assert run_tabular("ulb", file, TrainConfig(), OUTPUTS) == {"rows": 3}


def test_an_unknown_layout_is_told() -> None:
    with pytest.raises(CommandFailed, match="nothing"):
        run_tabular("nothing", Path("x.csv"), TrainConfig(), OUTPUTS)


def test_names_of_columns_are_shown_as_they_are(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = home / "sales.csv"
    lines = [f"{i % 97},{('a', 'b')[i % 2]},{int(i % 20 == 0)}" for i in range(1_200)]
    file.write_text("\n".join(["price[/b],kind[red],is_fraud", *lines]))
    run_auto(file, DRY, None, TrainConfig(), OUTPUTS, as_json=False)
    said = capsys.readouterr().out
    assert "numbers: price[/b]" in said
    assert "categories: kind[red]" in said
