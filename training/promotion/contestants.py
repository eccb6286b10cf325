"""Models as promotion sees them: loaded into the runtime that serves, scored and timed there."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from fraud.combine.combine import probability_of
from fraud.errors import QuorumError
from fraud.payment.batch import Float32, Float64
from fraud.plan import Plan
from models.artifact import Manifest, version_of
from models.store.store import ArtifactStore
from training.promotion.recent_weeks import Ground

_TIMED_ROWS = 300
_GOLDEN = "golden.npz"


class Model(Protocol):
    """A model in the runtime that serves; `models.scoring.scorer.Scorer` is one."""

    def score(self, values: Float32, schema_id: str) -> Float64:
        """Calibrated scores float64[n] of float32[n, n_features]."""
        ...


Load = Callable[[Path, str], Model]
"""Loads an artifact of a folder that must have a digest, and proves it on its golden rows; raises
QuorumError on one that serving would refuse."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """A version of a variant.

    Attributes:
        manifest, digest: see `models.artifact`.
        folder: where it lies on this machine.
        model: None where it could not be loaded.
        refused: why not.
    """

    variant: str
    manifest: Manifest
    digest: str
    folder: Path
    model: Model | None
    refused: str | None = None

    @property
    def version(self) -> str:
        """Of the artifact."""
        return version_of(self.digest)

    @property
    def is_probability(self) -> bool:
        """Whether its scores mean probabilities."""
        return self.manifest.family == "supervised"

    @property
    def size_bytes(self) -> int:
        """Of all its files."""
        return sum(path.stat().st_size for path in self.folder.iterdir())

    def golden(self) -> Float32:
        """Features of its golden rows: float32[k, n_features]."""
        with np.load(self.folder / _GOLDEN, allow_pickle=False) as golden:
            return np.ascontiguousarray(golden["features"], np.float32)

    def scores(self, ground: Ground) -> Float64:
        """float64[n] on the ground's payments.

        Raises:
            SchemaMismatch: it sees other features.
        """
        if self.model is None:
            raise AssertionError("asked to score, and never loaded")
        parts = [self.model.score(chunk, ground.schema_id) for chunk in ground.chunks()]
        return np.concatenate(parts)


def enter(store: ArtifactStore, variant: str, version: str, load: Load) -> Contestant:
    """Fetch and load a version of a variant.

    Raises:
        ArtifactRefused: there is no such version.
        ArtifactsUnavailable: the store does not answer.
    """
    manifest, digest = store.manifest(variant, version)
    folder = store.fetch(variant, version, digest)
    try:
        return Contestant(variant, manifest, digest, folder, load(folder, digest))
    except QuorumError as error:
        return Contestant(variant, manifest, digest, folder, None, str(error.args[0]))


def champion_of(store: ArtifactStore, variant: str, alias: str, load: Load) -> Contestant | None:
    """Whatever an alias of a variant names; None if it names nothing."""
    found = store.alias(variant, alias)
    return None if found is None else enter(store, variant, found.version, load)


def together(plan: Plan, votes: Mapping[str, Float64]) -> Float64:
    """Probability float64[n] that a plan makes of the votes; a member without one is missing, as
    it is when it serves."""
    n = len(next(iter(votes.values())))
    cast = {m.variant: votes[m.variant] for m in plan.members if m.variant in votes}
    return probability_of(plan, cast, n)


def p50_ms(
    contestants: Mapping[str, Contestant], clock_s: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """Median time that a model takes for one row, measured in turns: what disturbs this machine
    disturbs all of them."""
    spent: dict[str, list[float]] = {name: [] for name in contestants}
    rows = {name: c.golden() for name, c in contestants.items()}
    for i in range(_TIMED_ROWS):
        for name, contestant in contestants.items():
            golden = rows[name]
            row = golden[i % len(golden)][np.newaxis]
            if contestant.model is None:
                raise AssertionError("asked to score, and never loaded")
            began_s = clock_s()
            contestant.model.score(row, contestant.manifest.schema_id)
            spent[name].append(clock_s() - began_s)
    return {name: float(np.median(taken)) * 1000 for name, taken in spent.items()}
