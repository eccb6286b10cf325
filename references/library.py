"""The files of references and of their models on this machine."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import pyarrow as pa

from models.artifact import version_of
from models.store.store import ArtifactStore
from references.files import artifact_name, read_reference
from references.reference import Reference, StoredReference

_SKETCHES = 256
"""Sketches in memory; each is about 300 kB."""


class Library:
    """References and models by digest, from the artifact store or its local copies.

    Sketches stay in memory, the least recently used goes first: a file is matched against all
    references, and the next file as well. Safe from several threads: at worst a sketch is read
    twice.

    Args:
        store: of all artifacts.
    """

    def __init__(self, store: ArtifactStore) -> None:
        self._store = store
        self._sketches: OrderedDict[str, pa.Table] = OrderedDict()

    def sketch(self, stored: StoredReference) -> pa.Table:
        """The sketch of a reference.

        Raises:
            ArtifactRefused: its artifact is gone or damaged.
            ArtifactsUnavailable: the store does not answer, and there is no local copy.
        """
        found = self._sketches.pop(stored.digest, None)
        if found is None:
            found = self.read(stored.reference.name, stored.digest)[1]
        self._sketches[stored.digest] = found
        while len(self._sketches) > _SKETCHES:
            self._sketches.popitem(last=False)
        return found

    def read(self, name: str, digest: str) -> tuple[Reference, pa.Table]:
        """A reference and its sketch, from the store.

        Args:
            name: of the reference.
            digest: of its artifact.

        Raises:
            ArtifactRefused, ArtifactsUnavailable: see `sketch`.
        """
        return read_reference(self.folder(artifact_name(name), digest), digest)

    def folder(self, variant: str, digest: str) -> Path:
        """The folder of an artifact on this machine, for `models.scoring.scorer.Scorer.load`.

        Args:
            variant: its name in the store, such as `ReferenceModel.variant`.

        Raises:
            ArtifactRefused: there is no such artifact, or its files have other digests.
            ArtifactsUnavailable: the store does not answer, and there is no local copy.
        """
        return self._store.fetch(variant, version_of(digest), digest)
