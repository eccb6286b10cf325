"""A few tiny references of generated sets, trained in seconds, in a store and a database."""

from __future__ import annotations

from pathlib import Path

from data.generator.tables.families import PAYMENTS
from settings.settings import Settings
from training.config import TrainConfig
from training.populate.generated_sets import generated_payments, generated_table
from training.populate.populate import Populated, populate
from training.populate.recipe import Recipe
from training.progress import quiet

_TINY = {
    "variants": ["xgboost", "logistic", "isolation-forest"],
    "xgboost": {"rounds": 25, "learning_rate": 0.2, "max_depth": 4, "max_bin": 64},
    "isolation_forest": {"trees": 20, "sample_rows": 128},
    "report": {"resamples": 20, "importance_features": 0, "effects": 0},
}
TABLE = TrainConfig.model_validate({**_TINY, "cross_fit": {"folds": 2, "first": 0.5}})
HISTORY = TrainConfig.model_validate(
    {**_TINY, "split": {"warmup_days": 3, "shared_calibration": True}}
)


def tiny_recipes() -> tuple[Recipe, ...]:
    """Recipes of three tables, `online-shop-0`, `online-shop-1` and `wallet-topups-0`, and of the
    history `payments`."""
    shop, topups = PAYMENTS["online-shop"], PAYMENTS["wallet-topups"]
    return (
        generated_table(shop, 0, 5_000, TABLE),
        generated_table(shop, 1, 4_000, TABLE),
        generated_table(topups, 0, 5_000, TABLE),
        generated_payments("payments", 120, 40, 0.03, HISTORY),
    )


def populate_tiny(settings: Settings, *names: str) -> list[Populated]:
    """Train the tiny references of these names, all without names: about fifteen seconds.

    The references are the house's; the settings name the store, MLflow and the database.
    """
    recipes = [recipe for recipe in tiny_recipes() if not names or recipe.name in names]
    return list(populate(settings, recipes, Path("nowhere"), lambda _: quiet))
