"""The recipes of the references that come with Quorum."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from data.generator.tables.families import PAYMENTS
from fraud.errors import InvalidInput
from training.config import TrainConfig
from training.populate.generated_sets import generated_payments, generated_table
from training.populate.public_sets import public_sets
from training.populate.recipe import Recipe

MEMBERS = 2
"""Tables of each generated family: a reference is of use if it fits another export of its kind."""

_ROWS = 12_000
_SMALL = {
    "max_training_rows": 40_000,
    "xgboost": {"rounds": 120, "early_stopping_rounds": 15, "learning_rate": 0.1,
                "colsample_bynode": 0.5, "max_bin": 128},
    "random_forest": {"trees": 60, "max_leaves": 256, "max_rows": 15_000},
    "logistic": {"max_rows": 20_000},
    "report": {"resamples": 40, "importance_features": 0, "effects": 0},
}  # fmt: skip

TABLE = TrainConfig.model_validate({**_SMALL, "cross_fit": {"folds": 3, "first": 0.4}})
HISTORY = TrainConfig.model_validate(
    {**_SMALL, "split": {"warmup_days": 7, "shared_calibration": True}}
)


def shipped() -> tuple[Recipe, ...]:
    """The recipes, public sets first."""
    return (
        *public_sets(TABLE, HISTORY),
        generated_payments("payments", 500, 60, 0.015, HISTORY),
        *(
            generated_table(family, number, _ROWS, TABLE)
            for family in PAYMENTS.values()
            for number in range(MEMBERS)
        ),
    )


def chosen(recipes: Sequence[Recipe], names: Collection[str]) -> tuple[Recipe, ...]:
    """The recipes of these names, in their order; all without names.

    Raises:
        InvalidInput: there is no recipe of a name.
    """
    known = [recipe.name for recipe in recipes]
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise InvalidInput(f"no recipe {unknown[0]}: expected one of {', '.join(known)}")
    return tuple(recipe for recipe in recipes if not names or recipe.name in names)
