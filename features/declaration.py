"""What a feature is, before there is any: the declaration, and the family that computes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from features.windows import Window

Dtype = Literal["float", "int", "bool", "category"]

_SPAN = {"1h": "hour", "24h": "24 hours", "7d": "7 days", "30d": "30 days", "60d": "60 days"}


@dataclass(frozen=True, slots=True)
class Feature:
    """A column of the feature matrix.

    Attributes:
        name: `<entity>_<aggregate>[_<window>]`, or `request_<what>`.
        family: what it is about: `request`, `window`, `recency`, `novelty`, `relative`, ...
        meaning: what it is, in its unit; the sentence that a reason shows.
        missing: when it is NaN.
        entity, window: whose state it looks at and how far back; None for what the request says.
        dtype: what its float32 holds: a real number, a whole number, 0 or 1, or a code.
        cardinality: number of codes 0 .. cardinality-1 of a `category`; 0 for the others.
    """

    name: str
    family: str
    meaning: str
    missing: str
    entity: str | None = None
    window: str | None = None
    dtype: Dtype = "float"
    cardinality: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """Features that one pure function computes together.

    Attributes:
        features: k declarations.
        columns: what writes them, in the order of `features`, NaN, or divided by zero, where
            unknown. Arithmetic of each row by itself, in float64: a row has the same bits whatever
            batch it travels in. Of a family that looks at the request alone `(out, rows)`:
            float32[n, k], written, and its `Rows`. Of one that looks at a state `(values, start,
            cases)`: float32[n, n_features], NaN so far, of which the rows of the cases are written
            from column `start` on, and `Cases` of the rows in which that state is there.
        role: whose state it looks at (`entities.ROLES`); None: the request's words are all.
    """

    features: tuple[Feature, ...]
    columns: Callable[..., None]
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What the features of a family have in common; makes their declarations, and the family.

    Attributes:
        family: their family.
        entity: `request`, or the role whose state they look at.
        missing: when all of them are NaN.
    """

    family: str
    entity: str
    missing: str

    def feature(
        self,
        aggregate: str,
        meaning: str,
        window: Window | None = None,
        *,
        missing: str | None = None,
        dtype: Dtype = "float",
        cardinality: int = 0,
    ) -> Feature:
        """The declaration of one feature.

        Args:
            aggregate: what of the entity; the middle of the name.
            meaning: `{entity}` and `{span}` stand for the entity and the window in words.
            missing: when this one is NaN although the others are not.
        """
        parts = [self.entity, aggregate] + ([window.name] if window else [])
        return Feature(
            name="_".join(parts),
            family=self.family,
            meaning=meaning.format(entity=self.entity, span=_SPAN[window.name] if window else ""),
            missing=f"{self.missing}, or {missing}" if missing else self.missing,
            entity=None if self.entity == "request" else self.entity,
            window=window.name if window else None,
            dtype=dtype,
            cardinality=cardinality,
        )

    def computed_by(self, columns: Callable[..., None], *features: Feature) -> Family:
        """The family of `features`, which looks at this entity alone."""
        return Family(features, columns, None if self.entity == "request" else self.entity)
