"""Before a file is trained on: a name that belongs to other models is refused. What follows needs
MLflow: see the integration tests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from data.generator.tables.families import PAYMENTS
from data.generator.tables.table import TableSpec, generate_table
from data.layout.layout import load_layout
from fraud.errors import NotTrainable
from settings.settings import Settings
from training.auto import file_training
from training.auto.file_training import require_free_name, train_payments
from training.auto.unclear import Unclear
from training.auto.understanding import Understanding, understand
from training.config import TrainConfig
from training.finding import LeakFound


@pytest.fixture
def found(tmp_path: Path) -> Understanding:
    spec = TableSpec(PAYMENTS["online-shop"], rows=2_000, rate=0.05)
    return understand(generate_table(spec).write(tmp_path / "shop.csv"))


class Store:
    """A store in which every variant has a champion of one schema."""

    def __init__(self, schema_id: str | None) -> None:
        self.schema_id = schema_id
        self.asked: list[tuple[str, str]] = []

    def alias(self, variant: str, _: str, owner: str) -> SimpleNamespace | None:
        self.asked.append((variant, owner))
        return None if self.schema_id is None else SimpleNamespace(version="1" * 12)

    def manifest(self, *_: str) -> tuple[SimpleNamespace, str]:
        return SimpleNamespace(schema_id=self.schema_id), ""


def required(store: Store, found: Understanding, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_training, "store_of", lambda _: store)
    require_free_name(Settings(), "mine", found, TrainConfig())


def test_a_new_name_and_the_same_columns_pass(
    found: Understanding, monkeypatch: pytest.MonkeyPatch
) -> None:
    unused = Store(None)
    required(unused, found, monkeypatch)
    assert ("shop-xgboost", "mine") in unused.asked
    own = file_training._schema_id(found)
    assert own.startswith("tab-")
    required(Store(own), found, monkeypatch)


def test_models_of_other_columns_are_not_replaced(
    found: Understanding, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Unclear, match="shop names models of other columns") as refused:
        required(Store("tab-000000000000"), found, monkeypatch)
    assert "--name" in refused.value.settle


def test_the_name_of_the_tenants_own_reference_is_refused(
    found: Understanding, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = replace(found, layout=replace(found.layout, name="default"))
    with pytest.raises(Unclear, match="this tenant's own payments"):
        required(Store(None), named, monkeypatch)


def test_a_layout_without_a_label_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.pipeline.Registry", lambda *_: None)
    layout = replace(load_layout("sparkov"), label=None)
    with pytest.raises(NotTrainable, match="names no label"):
        train_payments(Settings(home=tmp_path), layout, tmp_path / "x.csv", TrainConfig())


def test_a_layout_that_maps_the_label_is_refused_before_the_file_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.pipeline.Registry", lambda *_: None)
    layout = load_layout("sparkov")
    assert layout.label is not None
    leaky = replace(layout, label=layout.label.model_copy(update={"column": "amt"}))
    with pytest.raises(LeakFound, match=r"columns.amount is amt, the column that \[label\] reads"):
        train_payments(Settings(home=tmp_path), leaky, tmp_path / "x.csv", TrainConfig())
