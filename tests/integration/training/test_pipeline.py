"""Training on a table: which models it refuses as champions, and how it records an overruled
refusal."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cluster.cli import run
from data.layout.layout import Layout, parse_layout
from fraud.errors import NotTrainable
from fraud.variant import HOUSE
from models.store.alias import CHAMPION, Move
from models.store.location import store_of
from references.library import Library
from settings.settings import Settings
from tests.contracts.layouts import TABLE
from training.config import TrainConfig
from training.evaluate.skill import NoSkill
from training.finding import LeakFound
from training.pipeline import train_tabular
from training.registry.mlflow_registry import Registry
from training.report import TrainingReport

LAYOUT = f"""{TABLE}delay_days = 0
[tabular]
numeric = ["amount", "speed", "extra"]
"""
SMALL = {
    "variants": ["xgboost", "logistic"],
    "xgboost": {"rounds": 15},
    "cross_fit": {"folds": 2, "first": 0.5},
    "report": {"resamples": 40, "importance_features": 0},
}
ROWS = 6_000


@pytest.fixture(scope="module")
def layout() -> Layout:
    return parse_layout(LAYOUT, "own")


def written(folder: Path, *, knows: float, leak: bool = False) -> Path:
    """A table with informative amount and speed; `extra` is filled later, or noise."""
    rng = np.random.default_rng(3)
    bad = (rng.random(ROWS) < 0.06).astype(int)
    amount = rng.lognormal(3 + knows * bad, 1)
    speed = rng.normal(knows * bad, 1)
    filled = rng.random(ROWS) < np.where(bad, 0.97, 0.02)
    extra = np.where(filled, rng.normal(0, 1, ROWS), np.nan) if leak else rng.normal(0, 1, ROWS)
    lines = ["at,amount,speed,extra,bad"]
    for i in range(ROWS):
        cell = "" if np.isnan(extra[i]) else f"{extra[i]:.4f}"
        lines.append(f"{i * 7},{amount[i]:.3f},{speed[i]:.4f},{cell},{bad[i]}")
    path = folder / "own.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def config(**more: object) -> TrainConfig:
    return TrainConfig.model_validate({**SMALL, **more})


def tags_of(settings: Settings) -> dict[str, str]:
    registry = Registry(settings.tracking_uri, settings.home / "mlruns")
    newest = registry.newest_run({})
    assert newest is not None
    return dict(newest.tags)


def test_a_model_of_noise_is_never_champion_unless_forced(tmp_path: Path, layout: Layout) -> None:
    settings = Settings(home=tmp_path)
    path = written(tmp_path, knows=0.0)
    with pytest.raises(NoSkill, match=r"no better than chance: ROC-AUC 0.*--force --reason"):
        train_tabular(settings, layout, path, config())
    assert store_of(settings).alias("own-logistic", CHAMPION) is None
    report = train_tabular(settings, layout, path, config(), force="a rehearsal")
    alias = store_of(settings).alias("own-logistic", CHAMPION)
    assert alias is not None
    assert alias.moves[-1].how == "forced"
    assert alias.moves[-1].reason.startswith("a rehearsal (overruled: the plan is no better")
    assert report.run_id
    assert tags_of(settings)["forced"].startswith("a rehearsal")
    reference_is_left(settings, report, alias.moves[-1])


def reference_is_left(settings: Settings, report: TrainingReport, move: Move) -> None:
    """The training left a reference beside its models, with their alias."""
    store = store_of(settings)
    named = store.alias("reference-own", CHAMPION)
    assert named is not None
    assert named.moves[-1] == replace(move, digest=named.digest, run=None)
    assert report.reference is not None
    assert report.reference["id"] == f"own@{named.version}"
    assert not report.reference["listed"], "there is no database"
    reference, drawn = Library(store).read("own", named.digest)
    assert (reference.kind, reference.label, reference.owner) == ("tabular", "bad", HOUSE)
    (logistic,) = [v for v in report.variants if v.name == "own-logistic"]
    assert reference.model("own-logistic").digest == logistic.digest
    assert (reference.rows, drawn.num_rows) == (ROWS, 2_000)
    manifest, _ = store.manifest("own-logistic", logistic.version)
    assert tuple(column.name for column in reference.columns) == manifest.columns
    assert reference.schema_id == manifest.schema_id
    assert drawn.column_names == ["amount", "speed", "extra"]
    assert drawn.schema.field("speed").type == "string", "cells as they are in the file"


def test_a_declared_column_passes_with_its_reason_on_record(tmp_path: Path, layout: Layout) -> None:
    settings = Settings(home=tmp_path)
    path = written(tmp_path, knows=1.2, leak=True)
    with pytest.raises(LeakFound, match=r"whether extra is known finds.*\[honest\] \(extra\)"):
        train_tabular(settings, layout, path, config())
    with pytest.raises(NotTrainable, match="honest: the data have no column extar"):
        train_tabular(settings, layout, path, config(honest={"extar": "typed at the counter"}))
    reason = "the clerk fills it before the payment is decided"
    report = train_tabular(settings, layout, path, config(honest={"extra": reason}))
    (finding,) = [f for f in report.findings if f.column == "extra"]
    assert finding.allowed
    assert reason in finding.sentence
    assert json.loads(tags_of(settings)["honest_columns"]) == {"extra": reason}
    assert report.report is not None
    page = Path(report.report).read_text(encoding="utf-8")
    assert reason in page
    assert "predicted / observed" in page
    assert "Ensemble and best member" in page
    assert report.beside is not None
    assert report.details["said_seen"]["ensemble"]["overall"]["frauds"] > 20


def test_force_needs_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "--force"]) == 2
    assert "--force needs a --reason" in capsys.readouterr().err
    assert run(["train", "--reason", "x"]) == 2
    assert "--reason goes with --force" in capsys.readouterr().err


def test_a_declaration_without_a_reason_is_refused() -> None:
    with pytest.raises(ValueError, match="extra: a reason is needed"):
        config(honest={"extra": " "})
