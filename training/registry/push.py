"""Copying models from one store to another: what is there already stays, aliases move last."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fraud.errors import ArtifactRefused, NotFound
from models.artifact import read_manifest
from models.store.alias import CHALLENGER, CHAMPION, PUSHED, Alias, Move, moment
from models.store.store import ArtifactStore
from training.registry.champions import moving


@dataclass(frozen=True, slots=True)
class Parcel:
    """An artifact on its way.

    Attributes:
        files, size_bytes: that have to be sent; 0 where it is there.
    """

    variant: str
    version: str
    files: int
    size_bytes: int


@dataclass(slots=True)
class Consignment:
    """What a push is, or was.

    Attributes:
        destination: its URL.
        parcels: every artifact that is to be there.
        aliases: `variant@alias` -> version that it will come to name there, where it does not yet.
        sent_files: files written; 0 of a plan.
    """

    destination: str
    parcels: list[Parcel] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)
    sent_files: int = 0

    @property
    def files(self) -> int:
        """To be sent."""
        return sum(parcel.files for parcel in self.parcels)

    @property
    def size_bytes(self) -> int:
        """To be sent."""
        return sum(parcel.size_bytes for parcel in self.parcels)

    def document(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "destination": self.destination,
            "files": self.files,
            "bytes": self.size_bytes,
            "sent_files": self.sent_files,
            "artifacts": [asdict(parcel) for parcel in self.parcels],
            "aliases": self.aliases,
        }


@dataclass(frozen=True, slots=True)
class Push:
    """Copies champions and challengers, or all versions.

    Cut off anywhere it leaves whole artifacts and old aliases there, and the same push goes on
    from what has arrived.

    Args:
        source, destination: stores.
        everything: all versions, not only those with an alias.
        clock_s: seconds since 1970.
    """

    source: ArtifactStore
    destination: ArtifactStore
    everything: bool = False
    clock_s: Callable[[], float] = time.time

    def plan(self) -> Consignment:
        """What would be sent, going by manifests and sizes.

        Raises:
            NotFound: there is nothing to send.
            ArtifactRefused: what is to be sent is damaged.
        """
        consignment = Consignment(self.destination.url)
        for variant, version, folder, digest in self._artifacts():
            manifest, _ = read_manifest(folder, digest)
            lacking = self.destination.missing_files(variant, manifest, digest, folder)
            parcel = Parcel(variant, version, len(lacking), sum(lacking.values()))
            consignment.parcels.append(parcel)
        for variant, alias, named in self._aliases():
            there = self._there(variant, alias)
            if there is None or there.digest != named.digest:
                consignment.aliases[f"{variant}@{alias}"] = named.version
        return consignment

    def send(self, reread: bool, note: Callable[[str], None] = lambda _: None) -> Consignment:
        """Send what is not there, then let the aliases there name what they name here.

        Args:
            reread: read what is there and compare digests; False: go by manifests and sizes.
            note: told which artifact is being sent.
        """
        consignment = self.plan()
        for variant, version, folder, digest in self._artifacts():
            note(f"{variant} {version}")
            consignment.sent_files += self.destination.put(folder, variant, digest, reread=reread)
        at = moment(self.clock_s())
        for alias in (CHAMPION, CHALLENGER):
            named = [(v, found) for v, a, found in self._aliases() if a == alias]
            moves = {v: Move(f.digest, at, PUSHED, f"from {self.source.url}") for v, f in named}
            with moving(self.destination, alias, moves):
                pass
        return consignment

    def verify(self) -> tuple[int, list[str]]:
        """Read all that should be there.

        Returns:
            Number of artifacts that are whole, and what is wrong with the others and with
            aliases.
        """
        whole, faults = 0, []
        for variant, version, _, digest in self._artifacts():
            found = self.destination.faults(variant, version, digest)
            faults += found
            whole += not found
        for variant, alias, named in self._aliases():
            there = self._there(variant, alias)
            if there is None or there.digest != named.digest:
                names = "nothing" if there is None else there.version
                faults.append(f"{variant}@{alias} names {names} there, and {named.version} here")
        return whole, faults

    def _artifacts(self) -> Iterator[tuple[str, str, Path, str]]:
        wanted: dict[tuple[str, str], None] = {}
        for variant, shelf in self.source.variants().items():
            if self.everything:
                wanted.update(dict.fromkeys((variant, version) for version in shelf.versions))
        wanted.update(dict.fromkeys((v, named.version) for v, _, named in self._aliases()))
        if not wanted:
            raise NotFound(f"{self.source.url} holds no champion and no challenger to push")
        for variant, version in sorted(wanted):
            digest = self.source.manifest(variant, version)[1]
            yield variant, version, self.source.fetch(variant, version, digest), digest

    def _aliases(self) -> Iterator[tuple[str, str, Alias]]:
        for variant, shelf in self.source.variants().items():
            for alias in (CHAMPION, CHALLENGER):
                if alias in shelf.aliases:
                    found = self.source.alias(variant, alias)
                    if found is not None:
                        yield variant, alias, found

    def _there(self, variant: str, alias: str) -> Alias | None:
        try:
            return self.destination.alias(variant, alias)
        except ArtifactRefused:  # broken: it will be replaced
            return None
