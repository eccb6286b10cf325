"""Training references by their recipes, each once."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from data.files.chunk import SourceUnreadable
from data.layout.mapping import LayoutInvalid
from fraud.errors import ArtifactRefused, NotTrainable
from models.store.alias import CHAMPION
from models.store.location import store_of
from models.store.store import ArtifactStore
from references.files import artifact_name
from settings.settings import Settings
from training.auto.file_training import train_file, train_payments
from training.auto.understanding import understand
from training.fit.fitted_run import table_variant
from training.pipeline import train_tabular
from training.populate.recipe import Recipe
from training.progress import Progress
from training.report import TrainingReport
from training.run import RECIPE

State = Literal["to train", "trained", "unchanged", "no data", "failed"]


@dataclass(frozen=True, slots=True)
class Populated:
    """What became of a recipe.

    Attributes:
        state: `to train` in a dry run; `unchanged`: the reference of this recipe is there.
        why: a sentence, for `no data` and `failed`.
        average_precision, roc_auc: of the plan on the set's own test part; None unless trained.
        rows: labelled rows; 0 unless trained.
        seconds: of the training.
    """

    name: str
    about: str
    kind: str
    state: State
    why: str = ""
    average_precision: float | None = None
    roc_auc: float | None = None
    rows: int = 0
    seconds: float = 0.0

    def to_document(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def populate(
    settings: Settings,
    recipes: Sequence[Recipe],
    data: Path,
    progress: Callable[[str], Progress],
    *,
    dry_run: bool = False,
) -> Iterator[Populated]:
    """Train the references of recipes that are not there yet, and yield what became of each.

    A recipe that fails does not keep the others from being trained.

    Args:
        settings: of the home tenant: the references become the house's.
        data: folder of the public sets; a recipe whose set is missing is left out.
        progress: returns where the stages of the recipe of a name are shown.
        dry_run: train nothing.
    """
    store = store_of(settings)
    for recipe in recipes:
        if is_made(store, recipe, settings.owner):
            yield _populated(recipe, "unchanged")
        elif not recipe.is_there(data):
            yield _populated(recipe, "no data", f"no Parquet file in {data / recipe.needs}")
        elif dry_run:
            yield _populated(recipe, "to train")
        else:
            yield _made(settings, recipe, data, progress(recipe.name))


def is_made(store: ArtifactStore, recipe: Recipe, owner: str) -> bool:
    """Whether the owner's reference of the recipe's name comes from this very recipe."""
    if store.alias(artifact_name(recipe.name), CHAMPION, owner) is None:
        return False
    for variant in recipe.config.variants:
        name = table_variant(recipe.name, variant)
        alias = store.alias(name, CHAMPION, owner)
        if alias is None:
            return False
        try:
            manifest, _ = store.manifest(name, alias.version)
        except ArtifactRefused:
            return False
        if manifest.training.get(RECIPE) != recipe.digest:
            return False
    return True


def _made(settings: Settings, recipe: Recipe, data: Path, progress: Progress) -> Populated:
    try:
        with tempfile.TemporaryDirectory(prefix="quorum-populate-") as folder:
            path = recipe.write(Path(folder), data)
            report = _train(settings, recipe, path, progress)
    except (NotTrainable, SourceUnreadable, LayoutInvalid) as error:
        return _populated(recipe, "failed", str(error))
    return Populated(
        recipe.name,
        recipe.about,
        recipe.kind,
        "trained",
        average_precision=report.ensemble["average_precision"],
        roc_auc=report.ensemble["roc_auc"],
        rows=sum(report.rows[part] for part in ("train", "test")),
        seconds=round(sum(report.seconds.values()), 1),
    )


def _train(settings: Settings, recipe: Recipe, path: Path, progress: Progress) -> TrainingReport:
    if not recipe.layout:
        found = understand(path, name=recipe.name, label=recipe.label)
        return train_file(settings, found, path, recipe.config, progress, recipe=recipe.digest)
    train = train_tabular if recipe.kind == "tabular" else train_payments
    return train(
        settings, recipe.named_layout(), path, recipe.config, progress, recipe=recipe.digest
    )


def _populated(recipe: Recipe, state: State, why: str = "") -> Populated:
    return Populated(recipe.name, recipe.about, recipe.kind, state, why)
