"""Models loaded into the serving runtime, to be scored and timed there."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from fraud.errors import QuorumError
from fraud.payment.batch import Float32, Float64
from fraud.variant import HOUSE, VariantRef
from models.artifact import Manifest, version_of
from models.store.alias import CHAMPION
from models.store.store import ArtifactStore
from training.promotion.recent_weeks import RecentPayments

_TIMED_ROWS = 300
_GOLDEN = "golden.npz"


class Model(Protocol):
    """A model in the serving runtime, such as `models.scoring.scorer.Scorer`."""

    def score(self, values: Float32, schema_id: str) -> Float64:
        """Calibrated scores float64[n] of float32[n, n_features]."""
        ...


Loader = Callable[[Path, str], Model]
"""Loads the artifact in a folder, which must have the given digest, and checks its golden rows;
raises QuorumError for one that serving would refuse."""


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A version of a variant.

    Attributes:
        manifest, digest: see `models.artifact`.
        folder: its files on this machine.
        model: None if it could not be loaded.
        refused: why it could not be loaded; None if it was.
    """

    variant: str
    manifest: Manifest
    digest: str
    folder: Path
    model: Model | None
    refused: str | None = None

    @property
    def version(self) -> str:
        """The artifact's version."""
        return version_of(self.digest)

    @property
    def is_probability(self) -> bool:
        """Whether its scores are probabilities."""
        return self.manifest.family == "supervised"

    @property
    def size_bytes(self) -> int:
        """The size of all its files."""
        return sum(path.stat().st_size for path in self.folder.iterdir())

    def golden(self) -> Float32:
        """The features of its golden rows: float32[k, n_features]."""
        with np.load(self.folder / _GOLDEN, allow_pickle=False) as golden:
            return np.ascontiguousarray(golden["features"], np.float32)

    def scores(self, payments: RecentPayments) -> Float64:
        """Its scores of the payments: float64[n].

        Raises:
            SchemaMismatch: the model uses other features.
        """
        if self.model is None:
            raise AssertionError("a model that was not loaded cannot score")
        parts = [self.model.score(chunk, payments.schema_id) for chunk in payments.chunks()]
        return np.concatenate(parts)


def load_version(store: ArtifactStore, variant: str, version: str, load: Loader) -> LoadedModel:
    """Fetch and load a version of a variant.

    Raises:
        ArtifactRefused: there is no such version.
        ArtifactsUnavailable: the store does not answer.
    """
    manifest, digest = store.manifest(variant, version)
    folder = store.fetch(variant, version, digest)
    try:
        return LoadedModel(variant, manifest, digest, folder, load(folder, digest))
    except QuorumError as error:
        return LoadedModel(variant, manifest, digest, folder, None, str(error.args[0]))


def load_alias(
    store: ArtifactStore, variant: str, alias: str, load: Loader, owner: str = HOUSE
) -> LoadedModel | None:
    """Load the version that an owner's alias of a variant names; None if it names nothing."""
    found = store.alias(variant, alias, owner)
    return None if found is None else load_version(store, variant, found.version, load)


def load_named(store: ArtifactStore, name: str, load: Loader) -> LoadedModel | None:
    """Load the model that a plan asks under a name such as `mine/xgboost`; None if it has no
    champion.

    Raises:
        ArtifactRefused: there is no such version.
        ArtifactsUnavailable: the store does not answer.
    """
    ref = VariantRef.parse(name)
    if ref.version:
        return load_version(store, ref.variant, ref.version, load)
    return load_alias(store, ref.variant, CHAMPION, load, ref.owner)


def p50_ms(
    models: Mapping[str, LoadedModel], clock_s: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """The median time of each model for one row, in ms, measured in turns so that a disturbance of
    this machine affects all models."""
    spent: dict[str, list[float]] = {name: [] for name in models}
    rows = {name: c.golden() for name, c in models.items()}
    for i in range(_TIMED_ROWS):
        for name, loaded in models.items():
            golden = rows[name]
            row = golden[i % len(golden)][np.newaxis]
            if loaded.model is None:
                raise AssertionError("a model that was not loaded cannot score")
            began_s = clock_s()
            loaded.model.score(row, loaded.manifest.schema_id)
            spent[name].append(clock_s() - began_s)
    return {name: float(np.median(taken)) * 1000 for name, taken in spent.items()}
