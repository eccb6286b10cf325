"""The declaration of a feature, and the family that computes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from features.state.windows import Window
from fraud.reasons.wording import OwnHistory, Wording

Dtype = Literal["float", "int", "bool", "category"]

OF = {
    "customer": "by this customer",
    "merchant": "at this merchant",
    "device": "from this device",
    "counterparty": "to this counterparty",
}
"""Entity -> how payments relate to it, in words."""

_SPAN = {"1h": "hour", "24h": "24 hours", "7d": "7 days", "30d": "30 days", "60d": "60 days"}


@dataclass(frozen=True, slots=True)
class Feature:
    """A column of the feature matrix.

    Attributes:
        name: `<entity>_<aggregate>[_<window>]`, or `request_<what>`.
        family: its topic: `request`, `window`, `recency`, `novelty`, `relative`, ...
        meaning: its definition, with the unit.
        missing: when it is NaN.
        wording: its sentence in reasons, and the reason code.
        entity, window: the state it is computed from, and how far back; None for the request.
        dtype: what its float32 holds: a real number, a whole number, 0 or 1, or a code.
        cardinality: number of codes 0 .. cardinality-1 of a `category`; 0 for the others.
    """

    name: str
    family: str
    meaning: str
    missing: str
    wording: Wording
    entity: str | None = None
    window: str | None = None
    dtype: Dtype = "float"
    cardinality: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """Features that one pure function computes together.

    Attributes:
        features: k declarations.
        columns: the function that writes them in the order of `features`; NaN, or divided by zero,
            where unknown. It computes each row by itself, in float64: a row gets the same bits in
            any batch. For the request alone it takes `(out, rows)`: float32[n, k] to write to, and
            `Rows`. For a state it takes `(values, start, views)`: float32[n, n_features], all NaN,
            to write to from column `start` on in the rows of the views, and the `Views`.
        role: the state it is computed from (`entities.ROLES`); None: the request alone.
    """

    features: tuple[Feature, ...]
    columns: Callable[..., None]
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What the features of a family share. Builds their declarations and the family.

    Attributes:
        family: their family.
        entity: `request`, or the role whose state they are computed from.
        missing: when all of them are NaN.
    """

    family: str
    entity: str
    missing: str

    def feature(
        self,
        aggregate: str,
        meaning: str,
        wording: Wording,
        window: Window | None = None,
        *,
        missing: str | None = None,
        dtype: Dtype = "float",
        cardinality: int = 0,
    ) -> Feature:
        """The declaration of one feature.

        Args:
            aggregate: the middle of the name.
            meaning: `{entity}` and `{span}` stand for the entity and the window in words.
            wording: likewise, and `{of}` for how payments belong to the entity; in names of columns
                `{entity}` stands for this one.
            missing: when this feature is NaN although the others are not.
        """
        parts = [self.entity, aggregate] + ([window.name] if window else [])
        return Feature(
            name="_".join(parts),
            family=self.family,
            meaning=meaning.format(entity=self.entity, span=_SPAN[window.name] if window else ""),
            missing=f"{self.missing}, or {missing}" if missing else self.missing,
            wording=self._worded(wording, window),
            entity=None if self.entity == "request" else self.entity,
            window=window.name if window else None,
            dtype=dtype,
            cardinality=cardinality,
        )

    def _worded(self, wording: Wording, window: Window | None) -> Wording:
        def named(name: str | None) -> str | None:
            return None if name is None else name.replace("{entity}", self.entity)

        phrase = wording.phrase.replace("{entity}", self.entity).replace(
            "{span}", _SPAN[window.name] if window else ""
        )
        requires, own = wording.requires, wording.own
        return replace(
            wording,
            phrase=phrase.replace("{of}", OF.get(self.entity, "")),
            requires=requires and (str(named(requires[0])), requires[1]),
            stated_by=named(wording.stated_by),
            own=own
            and OwnHistory(
                str(named(own.entity)),
                str(named(own.total)),
                str(named(own.count)),
                named(own.recent_total),
                named(own.recent_count),
                own.scale,
            ),
        )

    def computed_by(self, columns: Callable[..., None], *features: Feature) -> Family:
        """The family of `features`, computed by `columns` from this entity alone."""
        return Family(features, columns, None if self.entity == "request" else self.entity)
