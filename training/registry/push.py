"""Copying models from one store to another; existing artifacts stay, aliases move last."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fraud.errors import ArtifactRefused, NotFound
from models.artifact import REFERENCE_FAMILY, read_manifest, version_of
from models.store.alias import (
    CHALLENGER,
    CHAMPION,
    PUSHED,
    ROLLED_BACK,
    Alias,
    Move,
    alias_name,
    moment,
)
from models.store.store import ArtifactStore
from references.files import read_reference
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
    """Copies champions and challengers of all owners with their references, or all versions.

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

    def roll_back(self) -> dict[str, str | None]:
        """Undo the last push to the destination: every alias that it moved names again what it
        named before, and none that it made is left. Artifacts stay.

        Returns:
            `variant@alias` -> the version that it names now; None if it is gone.

        Raises:
            NotFound: the last move of no alias there is a push.
            ArtifactRefused: a former artifact is no longer whole there. Nothing has moved.
        """
        pushed = self._last_pushed()
        at = moment(self.clock_s())
        done: dict[str, str | None] = {}
        back: dict[tuple[str, str], dict[str, Move]] = {}
        for variant, alias, owner, named in pushed:
            called = f"{variant}@{alias_name(alias, owner)}"
            if len(named.moves) < 2:
                done[called] = None
                continue
            former = named.moves[-2]
            faults = self.destination.faults(variant, former.version, former.digest)
            if faults:
                raise ArtifactRefused(f"{called} cannot go back: {faults[0]}")
            move = Move(former.digest, at, ROLLED_BACK)
            back.setdefault((owner, alias), {})[variant] = move
            done[called] = former.version
        for (owner, alias), together in back.items():
            with moved_aliases(self.destination, alias, together, owner):
                pass
        for variant, alias, owner, named in pushed:
            if len(named.moves) < 2:
                self.destination.remove_alias(variant, alias, owner)
        return done

    def _last_pushed(self) -> list[tuple[str, str, str, Alias]]:
        """The aliases of the destination that the last push moved, and nothing has since."""
        found = [
            one
            for one in _aliases_of(self.destination)
            if one[3].moves and one[3].moves[-1].how == PUSHED
        ]
        if not found:
            raise NotFound(f"{self.destination.url} has no push to roll back")
        newest = max(named.moves[-1].at for *_, named in found)
        return [one for one in found if one[3].moves[-1].at == newest]

    def _artifacts(self) -> Iterator[tuple[str, str, Path, str]]:
        wanted: dict[tuple[str, str], None] = {}
        for variant, stored in self.source.variants().items():
            if self.everything:
                wanted.update(dict.fromkeys((variant, version) for version in stored.versions))
        wanted.update(dict.fromkeys((v, named.version) for v, _, _, named in self._aliases()))
        if not wanted:
            raise NotFound(f"{self.source.url} holds no champion and no challenger to push")
        for variant, version in list(wanted):
            wanted.update(dict.fromkeys(self._models_of(variant, version)))
        for variant, version in sorted(wanted):
            digest = self.source.manifest(variant, version)[1]
            yield variant, version, self.source.fetch(variant, version, digest), digest

    def _models_of(self, variant: str, version: str) -> list[tuple[str, str]]:
        """Variants and versions of the models of a reference, which it scores with even when they
        are no champions any more; [] for a model."""
        manifest, digest = self.source.manifest(variant, version)
        if manifest.family != REFERENCE_FAMILY:
            return []
        reference, _ = read_reference(self.source.fetch(variant, version, digest), digest)
        return [(model.variant, version_of(model.digest)) for model in reference.models]

    def _aliases(self) -> Iterator[tuple[str, str, str, Alias]]:
        """Variant, alias, owner, and what the alias names."""
        return _aliases_of(self.source)

    def _there(self, variant: str, alias: str, owner: str) -> Alias | None:
        return readable_alias(self.destination, variant, alias, owner)


def _aliases_of(store: ArtifactStore) -> Iterator[tuple[str, str, str, Alias]]:
    """Variant, alias, owner, and what the alias names, of all champions and challengers."""
    for variant, stored in store.variants().items():
        for owner, names in stored.owned.items():
            for alias in (CHAMPION, CHALLENGER):
                found = store.alias(variant, alias, owner) if alias in names else None
                if found is not None:
                    yield variant, alias, owner, found
