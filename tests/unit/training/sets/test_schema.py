from __future__ import annotations

import pytest

from features.definitions import CATEGORICAL, NAMES, SCHEMA_ID
from training.sets.schema import FeatureSchema


def test_the_served_schema_is_that_of_the_definitions() -> None:
    schema = FeatureSchema.served()
    assert (schema.schema_id, schema.names) == (SCHEMA_ID, NAMES)
    assert tuple(schema.names[i] for i in schema.categorical) == CATEGORICAL
    assert schema.columns == ()


def test_a_table_has_an_id_of_its_columns_and_keeps_their_names() -> None:
    schema = FeatureSchema.tabular(["a", "b"], [1])
    assert schema.columns == ("a", "b")
    assert schema.schema_id == FeatureSchema.tabular(("a", "b"), (1,)).schema_id
    others = [
        FeatureSchema.tabular(["b", "a"], [1]),
        FeatureSchema.tabular(["a", "b"], []),
        FeatureSchema.tabular(["a", "b", "c"], [1]),
        FeatureSchema.served(),
    ]
    assert schema.schema_id not in {other.schema_id for other in others}


@pytest.mark.parametrize(
    ("names", "categorical"), [([], []), (["a", "a"], []), (["a"], [1]), (["a"], [-1])]
)
def test_columns_that_cannot_be(names: list[str], categorical: list[int]) -> None:
    with pytest.raises(ValueError, match="columns"):
        FeatureSchema.tabular(names, categorical)
