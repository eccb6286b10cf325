"""Where votes come from that the records do not have."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from fraud.errors import ArtifactRefused, ArtifactsUnavailable
from fraud.payment.batch import Float32, Float64
from fraud.variant import VariantRef
from models.scoring.scorer import Scorer
from models.store.alias import CHAMPION
from models.store.store import ArtifactStore


class Models(Protocol):
    """Models that score recorded features.

    Attributes:
        refused: name -> why its model cannot be asked.
    """

    @property
    def refused(self) -> dict[str, str]:
        """See above."""
        ...

    def version(self, name: str) -> str | None:
        """Return the version that a name of a plan means now; None if there is none."""
        ...

    def schema(self, name: str) -> str | None:
        """Return the schema of the features that its model scores; None if there is no model."""
        ...

    def scores(self, name: str, values: Float32) -> Float64:
        """Return float64[n], NaN where the model gives no number.

        Args:
            values: float32[n, n_features] of its schema.
        """
        ...


@dataclass(slots=True)
class ArtifactModels:
    """The models in the artifact store, loaded into this process when they are first asked.

    A pool of the variant runs the same scorer on the same artifact, so the scores are the same.
    Blocks.

    Attributes:
        store: the artifacts.
        refused: name -> why its artifact could not be loaded.
    """

    store: ArtifactStore
    refused: dict[str, str] = field(default_factory=dict)
    _loaded: dict[str, Scorer | None] = field(default_factory=dict)
    _versions: dict[str, tuple[str, str | None] | None] = field(default_factory=dict)

    def version(self, name: str) -> str | None:
        """See `Models`."""
        found = self._resolved(name)
        return None if found is None else found[0]

    def schema(self, name: str) -> str | None:
        """See `Models`."""
        scorer = self._scorer(name)
        return None if scorer is None else scorer.manifest.schema_id

    def scores(self, name: str, values: Float32) -> Float64:
        """See `Models`."""
        scorer = self._scorer(name)
        if scorer is None or values.shape[1] != scorer.manifest.n_features:
            return np.full(len(values), np.nan)
        return scorer.score(values, scorer.manifest.schema_id)

    def _resolved(self, name: str) -> tuple[str, str | None] | None:
        if name not in self._versions:
            ref = VariantRef.parse(name)
            try:
                found = self.store.resolve(ref.variant, ref.version or CHAMPION, ref.owner)
                self._versions[name] = found.version, found.digest
            except (ArtifactRefused, ArtifactsUnavailable) as error:
                self.refused[name] = str(error)
                self._versions[name] = None
        return self._versions[name]

    def _scorer(self, name: str) -> Scorer | None:
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def _load(self, name: str) -> Scorer | None:
        found = self._resolved(name)
        if found is None:
            return None
        version, digest = found
        try:
            folder = self.store.fetch(VariantRef.parse(name).variant, version, digest)
            return Scorer.load(folder, digest)
        except (ArtifactRefused, ArtifactsUnavailable) as error:
            self.refused[name] = str(error)
            return None
