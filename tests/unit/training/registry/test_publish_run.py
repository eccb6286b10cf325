"""What the manifests of a run's models say about their training."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any, cast

import pytest

from models.store.alias import CHAMPION
from models.store.location import store_of
from settings.settings import Settings
from training.evaluate.results import RunResults
from training.fit.fitted_run import FittedRun
from training.libraries import library_versions
from training.registry import publish_run as publishing
from training.registry.publish import Destination
from training.run import RECIPE


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Arguments of each `publish`, which writes nothing."""
    seen: list[dict[str, Any]] = []

    def publish(models: object, plan: object, **more: Any) -> None:
        seen.append({"models": models, "plan": plan, **more})

    monkeypatch.setattr(publishing, "publish", publish)
    return seen


@pytest.mark.parametrize("recipe", ["", "0123456789abcdef"])
def test_models_say_whose_rows_they_learnt_from_and_by_which_recipe(
    fitted_run: FittedRun, published: list[dict[str, Any]], tmp_path: Path, recipe: str
) -> None:
    results = RunResults(fitted_run, cast(Any, None), {})
    store = store_of(Settings(home=tmp_path))
    to = Destination(store, cast(Any, None), CHAMPION, nullcontext, tags={"tenant": "mine"})
    publishing.publish_run(results, to, recipe)
    (given,) = published
    training = given["training"]
    rows, frauds = fitted_run.split.counts(fitted_run.dataset.label)
    assert (training["tenant"], training["seed"]) == ("mine", fitted_run.config.seed)
    assert (training["rows"], training["frauds"]) == (rows, frauds)
    assert training["libraries"] == library_versions()
    assert training.get(RECIPE, "") == recipe
    assert (RECIPE in training) == bool(recipe)
    assert given["models"] is fitted_run.models
    assert given["plan"] is fitted_run.plan_fit.plan
    assert given["to"] is to
