"""What becomes of a recipe; training itself is replaced. The integration test trains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fraud.errors import ArtifactRefused, NotTrainable
from settings.settings import Settings
from tests.contracts.small_references import tiny_recipes
from training.populate import populate as module
from training.populate.populate import Populated, is_made, populate
from training.populate.recipe import Recipe
from training.progress import quiet

RECIPE = tiny_recipes()[0]


class Store:
    """A store with the champions of recipes that were made.

    Attributes:
        digest: of the recipe that made them; None: there are none.
        missing: a variant without an alias; damaged: one without a manifest.
    """

    def __init__(self, digest: str | None, missing: str = "", damaged: str = "") -> None:
        self.digest, self.missing, self.damaged = digest, missing, damaged

    def alias(self, variant: str, *_: str) -> SimpleNamespace | None:
        gone = self.digest is None or variant == self.missing
        return None if gone else SimpleNamespace(version="1" * 12)

    def manifest(self, variant: str, _: str) -> tuple[SimpleNamespace, str]:
        if variant == self.damaged:
            raise ArtifactRefused("damaged")
        return SimpleNamespace(training={"recipe": self.digest}), ""


@pytest.mark.parametrize(
    ("store", "made"),
    [
        (Store(RECIPE.digest), True),
        (Store(None), False),
        (Store("another"), False),
        (Store(RECIPE.digest, missing="reference-online-shop-0"), False),
        (Store(RECIPE.digest, missing="online-shop-0-logistic"), False),
        (Store(RECIPE.digest, damaged="online-shop-0-xgboost"), False),
    ],
)
def test_a_recipe_is_made_if_reference_and_models_come_from_it(store: Any, made: bool) -> None:
    assert is_made(store, RECIPE, "") is made


Run = Callable[..., list[Populated]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Populates with a store and a training that a test gives."""

    def populated(
        store: Store, recipes: list[Recipe], train: Callable[..., Any], **options: bool
    ) -> list[Populated]:
        monkeypatch.setattr(module, "store_of", lambda _: store)
        monkeypatch.setattr(module, "_train", train)
        settings = Settings(home=tmp_path)
        return list(populate(settings, recipes, tmp_path, lambda _: quiet, **options))

    return populated


def report(*_: object) -> SimpleNamespace:
    return SimpleNamespace(
        ensemble={"average_precision": 0.4, "roc_auc": 0.9},
        rows={"train": 300, "test": 100},
        seconds={"fit": 1.0, "report": 0.26},
    )


def never(*_: object) -> None:
    raise AssertionError("trained")


def test_what_is_there_is_not_trained_again(run: Run) -> None:
    assert [p.state for p in run(Store(RECIPE.digest), [RECIPE], never)] == ["unchanged"]


def test_a_dry_run_trains_nothing(run: Run) -> None:
    assert [p.state for p in run(Store(None), [RECIPE], never, dry_run=True)] == ["to train"]


def test_a_missing_public_set_is_left_out(run: Run) -> None:
    (found,) = run(Store(None), [replace(RECIPE, needs="some_set")], never)
    assert found.state == "no data"
    assert found.why.endswith("some_set")


def test_a_recipe_that_fails_does_not_stop_the_others(run: Run) -> None:
    def train(_: Settings, recipe: Recipe, path: Path, __: object) -> SimpleNamespace:
        assert path.is_file()
        if recipe.name == RECIPE.name:
            raise NotTrainable("too few")
        return report()

    other = tiny_recipes()[2]
    failed, trained = run(Store(None), [RECIPE, other], train)
    assert (failed.state, failed.why) == ("failed", "too few")
    assert (trained.state, trained.name) == ("trained", other.name)
    assert (trained.average_precision, trained.rows, trained.seconds) == (0.4, 400, 1.3)
    assert trained.to_document()["roc_auc"] == 0.9
