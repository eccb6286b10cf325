"""Copying models from one store to another; existing artifacts stay, aliases move last."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fraud.errors import NotFound
from models.artifact import read_manifest
from models.store.alias import (
    CHALLENGER,
    CHAMPION,
    PUSHED,
    Alias,
    Move,
    alias_name,
    moment,
)
from models.store.store import ArtifactStore
from training.registry.aliases import moved_aliases, readable_alias


@dataclass(frozen=True, slots=True)
class PushedArtifact:
    """An artifact to push.

    Attributes:
        files, size_bytes: to send; 0 if the destination has it.
    """

    variant: str
    version: str
    files: int
    size_bytes: int


@dataclass(slots=True)
class PushReport:
    """What a push will send or has sent.

    Attributes:
        destination: its URL.
        artifacts: every artifact that the destination should have.
        aliases: `variant@alias`, a tenant's `variant@tenant/alias` -> the version that it will name
            at the destination, for aliases that have to move.
        sent_files: number of files written; 0 before sending.
    """

    destination: str
    artifacts: list[PushedArtifact] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)
    sent_files: int = 0

    @property
    def files(self) -> int:
        """Total to send."""
        return sum(artifact.files for artifact in self.artifacts)

    @property
    def size_bytes(self) -> int:
        """Total to send."""
        return sum(artifact.size_bytes for artifact in self.artifacts)

    def document(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "destination": self.destination,
            "files": self.files,
            "bytes": self.size_bytes,
            "sent_files": self.sent_files,
            "artifacts": [asdict(artifact) for artifact in self.artifacts],
            "aliases": self.aliases,
        }


@dataclass(frozen=True, slots=True)
class Push:
    """Copies champions and challengers of all owners, or all versions.

    An interrupted push leaves complete artifacts and old aliases at the destination; repeated, it
    continues from there.

    Args:
        source, destination: stores.
        everything: copy all versions, not only those with an alias.
        clock_s: seconds since 1970.
    """

    source: ArtifactStore
    destination: ArtifactStore
    everything: bool = False
    clock_s: Callable[[], float] = time.time

    def preview(self) -> PushReport:
        """What would be sent, judging by manifests and sizes.

        Raises:
            NotFound: there is nothing to send.
            ArtifactRefused: an artifact to send is damaged.
        """
        report = PushReport(self.destination.url)
        for variant, version, folder, digest in self._artifacts():
            manifest, _ = read_manifest(folder, digest)
            lacking = self.destination.missing_files(variant, manifest, digest, folder)
            artifact = PushedArtifact(variant, version, len(lacking), sum(lacking.values()))
            report.artifacts.append(artifact)
        for variant, alias, owner, named in self._aliases():
            there = self._there(variant, alias, owner)
            if there is None or there.digest != named.digest:
                report.aliases[f"{variant}@{alias_name(alias, owner)}"] = named.version
        return report

    def send(self, reread: bool, note: Callable[[str], None] = lambda _: None) -> PushReport:
        """Send what the destination lacks, then move its aliases to match the source.

        Args:
            reread: read the destination's files and compare digests; False: trust manifests and
                sizes.
            note: called with each artifact that is being sent.
        """
        report = self.preview()
        for variant, version, folder, digest in self._artifacts():
            note(f"{variant} {version}")
            report.sent_files += self.destination.put(folder, variant, digest, reread=reread)
        at = moment(self.clock_s())
        moves: dict[tuple[str, str], dict[str, Move]] = {}
        for variant, alias, owner, named in self._aliases():
            move = Move(named.digest, at, PUSHED, f"from {self.source.url}")
            moves.setdefault((owner, alias), {})[variant] = move
        for (owner, alias), together in moves.items():
            with moved_aliases(self.destination, alias, together, owner):
                pass
        return report

    def verify(self) -> tuple[int, list[str]]:
        """Read everything that the destination should have.

        Returns:
            The number of intact artifacts, and the faults of other artifacts and of aliases.
        """
        whole, faults = 0, []
        for variant, version, _, digest in self._artifacts():
            found = self.destination.faults(variant, version, digest)
            faults += found
            whole += not found
        for variant, alias, owner, named in self._aliases():
            there = self._there(variant, alias, owner)
            if there is None or there.digest != named.digest:
                names = "nothing" if there is None else there.version
                called = f"{variant}@{alias_name(alias, owner)}"
                faults.append(f"{called} names {names} there, and {named.version} here")
        return whole, faults

    def _artifacts(self) -> Iterator[tuple[str, str, Path, str]]:
        wanted: dict[tuple[str, str], None] = {}
        for variant, stored in self.source.variants().items():
            if self.everything:
                wanted.update(dict.fromkeys((variant, version) for version in stored.versions))
        wanted.update(dict.fromkeys((v, named.version) for v, _, _, named in self._aliases()))
        if not wanted:
            raise NotFound(f"{self.source.url} holds no champion and no challenger to push")
        for variant, version in sorted(wanted):
            digest = self.source.manifest(variant, version)[1]
            yield variant, version, self.source.fetch(variant, version, digest), digest

    def _aliases(self) -> Iterator[tuple[str, str, str, Alias]]:
        """Variant, alias, owner, and what the alias names."""
        for variant, stored in self.source.variants().items():
            for owner, names in stored.owned.items():
                for alias in (CHAMPION, CHALLENGER):
                    found = self.source.alias(variant, alias, owner) if alias in names else None
                    if found is not None:
                        yield variant, alias, owner, found

    def _there(self, variant: str, alias: str, owner: str) -> Alias | None:
        return readable_alias(self.destination, variant, alias, owner)
