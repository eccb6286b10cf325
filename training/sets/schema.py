"""Which columns a model sees: the features that are served, or a tabular set's own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from features.definitions import CATEGORICAL, NAMES, SCHEMA_ID


@dataclass(frozen=True, slots=True)
class FeatureSchema:
    """The columns of a feature matrix, in their order.

    Attributes:
        schema_id: names the columns; models and features of different ids never meet.
        names: n_features names, each once.
        categorical: rising numbers of the columns that hold integer codes.
        is_tabular: the columns are a set's own, so an artifact has to carry their names.
    """

    schema_id: str
    names: tuple[str, ...]
    categorical: tuple[int, ...]
    is_tabular: bool = False

    @classmethod
    def served(cls) -> FeatureSchema:
        """The features of `features.definitions`."""
        return cls(SCHEMA_ID, NAMES, tuple(NAMES.index(name) for name in CATEGORICAL))

    @classmethod
    def tabular(cls, names: Sequence[str], categorical: Sequence[int]) -> FeatureSchema:
        """Columns of a set without entities, under an id hashed from them.

        Raises:
            ValueError: no column, a name twice, or a categorical number that is no column.

        >>> FeatureSchema.tabular(["V1", "V2"], []).schema_id[:4]
        'tab-'
        """
        if not names or len(set(names)) != len(names):
            raise ValueError("columns: at least one, each once")
        chosen = tuple(sorted(set(categorical)))
        if chosen and not 0 <= chosen[0] <= chosen[-1] < len(names):
            raise ValueError(f"categorical: numbers of columns 0 to {len(names) - 1}")
        told = json.dumps([list(names), list(chosen)])
        digest = hashlib.sha256(told.encode()).hexdigest()
        return cls(f"tab-{digest[:12]}", tuple(names), chosen, is_tabular=True)

    @property
    def columns(self) -> tuple[str, ...]:
        """`Manifest.columns`: the names of a tabular schema, () of the served one, whose names
        the code knows."""
        return self.names if self.is_tabular else ()

    def __len__(self) -> int:
        return len(self.names)
