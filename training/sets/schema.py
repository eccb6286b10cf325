"""The columns that a model uses: the served features, or a table's own columns."""

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
        schema_id: identifies the columns; a model never scores features of another id.
        names: n_features unique names.
        categorical: rising numbers of the columns that hold integer codes.
        is_tabular: the columns are a table's own, so an artifact must carry their names.
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
        """The columns of a table, with an id hashed from them.

        Raises:
            ValueError: there is no column, a name occurs twice, or a categorical number is out of
                range.

        >>> FeatureSchema.tabular(["V1", "V2"], []).schema_id[:4]
        'tab-'
        """
        if not names or len(set(names)) != len(names):
            raise ValueError("columns: expected at least one, each once")
        chosen = tuple(sorted(set(categorical)))
        if chosen and not 0 <= chosen[0] <= chosen[-1] < len(names):
            raise ValueError(f"categorical: expected numbers of columns, 0 to {len(names) - 1}")
        described = json.dumps([list(names), list(chosen)])
        digest = hashlib.sha256(described.encode()).hexdigest()
        return cls(f"tab-{digest[:12]}", tuple(names), chosen, is_tabular=True)

    @property
    def columns(self) -> tuple[str, ...]:
        """`Manifest.columns`: a table's names; () for the served features, named in the code."""
        return self.names if self.is_tabular else ()

    def __len__(self) -> int:
        return len(self.names)
