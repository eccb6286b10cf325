"""The artifact store: one folder for each version, one small file for each alias.

    <variant>/<version>/...                       see models/artifact.py
    <variant>/aliases/<alias>.json                the house's aliases, see models/store/alias.py
    <variant>/owners/<tenant>/<alias>.json        a tenant's own

Artifacts have no owner: they are shared by digest. An artifact's manifest is written last and names
every file with its digest: an interrupted upload is not an artifact yet, and storing it again
continues from there.
"""

from __future__ import annotations

import hashlib
import logging
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from fraud.errors import ArtifactRefused, ArtifactsUnavailable
from fraud.variant import HOUSE
from models.artifact import MANIFEST, Manifest, parse_manifest, read_manifest, sha256_of, version_of
from models.store.alias import (
    DIGEST,
    NAME,
    VERSION,
    Alias,
    alias_at,
    alias_file,
    alias_name,
    parse_alias,
)
from models.store.cache import Cache
from models.store.objects import Objects

logger = logging.getLogger(__name__)

_ATTEMPTS = 3
_IDENTITY = "store-id"


@dataclass(frozen=True, slots=True)
class ArtifactReference:
    """The artifact behind a name; `digest` is None if only the version is known."""

    version: str
    digest: str | None


@dataclass(slots=True)
class StoredVariant:
    """What the store holds of a variant.

    Attributes:
        versions: bytes of each whole version.
        owned: owner -> names of its aliases, `HOUSE` for the house's.
    """

    versions: dict[str, int] = field(default_factory=dict)
    owned: dict[str, list[str]] = field(default_factory=dict)

    @property
    def aliases(self) -> list[str]:
        """Names of the house's aliases."""
        return self.owned.get(HOUSE, [])


class ArtifactStore:
    """Artifacts of all variants. Every method raises ArtifactsUnavailable if the objects cannot be
    reached and this machine has no copy.

    Args:
        objects: the files.
        cache: local copies of remote files; None if the files are local.
        poll_s: seconds between looks at whether an alias has moved.
    """

    def __init__(self, objects: Objects, cache: Cache | None, poll_s: float) -> None:
        if (objects.folder is None) == (cache is None):
            raise ValueError("remote files need a cache, local files none")
        self._objects = objects
        self._cache = cache
        self._offline = False
        self.poll_s = poll_s

    @property
    def offline(self) -> bool:
        """Whether the last read of an alias failed to reach the store."""
        return self._offline

    @property
    def url(self) -> str:
        """`file:///folder` or `s3://bucket/prefix`."""
        return self._objects.url

    def identity(self, new: str | None = None) -> str:
        """Return the identity of this store, by which two machines know that they share it.

        Args:
            new: the identity to give it if it has none.

        Returns:
            "" if it has none.

        Raises:
            ArtifactsUnavailable: the store does not answer.
        """
        body = self._objects.read(_IDENTITY)
        if body is None and new is not None:
            body = new.encode()
            self._objects.write(_IDENTITY, body)
        return (body or b"").decode(errors="replace").strip()

    def resolve(self, variant: str, artifact: str, owner: str = HOUSE) -> ArtifactReference:
        """Look up the artifact that a name means now.

        Args:
            artifact: an alias (`champion`), a version (12 hex digits) or a digest (64).
            owner: of the alias: a tenant, or the house.

        Raises:
            ArtifactRefused: there is no such alias, or its file is malformed.
        """
        if not NAME.fullmatch(artifact):
            raise ArtifactRefused(f"{artifact!r} is not an artifact's name")
        if DIGEST.fullmatch(artifact):
            return ArtifactReference(version_of(artifact), artifact)
        if VERSION.fullmatch(artifact):
            return ArtifactReference(artifact, None)
        alias = self.alias(variant, artifact, owner)
        if alias is None:
            raise ArtifactRefused(
                f"{variant}: no artifact or alias {alias_name(artifact, owner)!r}"
            )
        return ArtifactReference(alias.version, alias.digest)

    def alias(self, variant: str, alias: str, owner: str = HOUSE) -> Alias | None:
        """An owner's alias, None if there is none. Without network, the alias as it was last seen.

        Raises:
            ArtifactRefused: its file is malformed.
        """
        name = _alias_file(variant, alias, owner)
        for attempt in range(_ATTEMPTS):
            body = self._alias_body(name)
            if body is None:
                return None
            try:
                return parse_alias(f"{variant}@{alias_name(alias, owner)}", body)
            except ArtifactRefused:
                # S3 may return parts of two versions while a file is being replaced.
                if self._cache is None or attempt + 1 == _ATTEMPTS:
                    raise
        raise AssertionError("unreachable")

    def set_alias(self, variant: str, alias: str, to: Alias, owner: str = HOUSE) -> None:
        """Point an owner's alias at an artifact, in one step."""
        name, body = _alias_file(variant, alias, owner), to.to_json()
        self._objects.write(name, body)
        if self._cache is not None:
            self._cache.remember(name, body)

    def remove_alias(self, variant: str, alias: str, owner: str = HOUSE) -> None:
        """Remove an owner's alias, if it exists."""
        name = _alias_file(variant, alias, owner)
        self._objects.remove(name)
        if self._cache is not None:
            self._cache.forget(name)

    def fetch(self, variant: str, version: str, digest: str | None = None) -> Path:
        """The artifact's folder on this machine. A remote artifact is verified; a local one is
        verified by its readers (`models.artifact.read_manifest`).

        Raises:
            ArtifactRefused: there is no such artifact, or its files have other digests.
        """
        _check(variant, version)
        if self._cache is None:
            return self._here() / variant / version

        def fill(folder: Path) -> None:
            self._receive(f"{variant}/{version}", folder)

        return self._cache.take(variant, version, digest, fill)

    def manifest(self, variant: str, version: str) -> tuple[Manifest, str]:
        """The manifest and digest of an artifact; its other files are not read.

        Raises:
            ArtifactRefused: there is no such artifact.
        """
        _check(variant, version)
        body = self._objects.read(f"{variant}/{version}/{MANIFEST}")
        if body is None:
            raise ArtifactRefused(f"{variant}: no artifact {version}")
        digest = hashlib.sha256(body).hexdigest()
        if version_of(digest) != version:
            raise ArtifactRefused(f"{variant}: {version} holds another manifest")
        return parse_manifest(version, body), digest

    def variants(self) -> dict[str, StoredVariant]:
        """Everything stored, by variant in the order of names."""
        stored: dict[str, StoredVariant] = {}
        sizes = self._objects.sizes()
        for name, size in sorted(sizes.items()):
            variant, _, rest = name.partition("/")
            shelf = stored.setdefault(variant, StoredVariant())
            alias = alias_at(name)
            if alias is not None:
                shelf.owned.setdefault(alias[1], []).append(alias[2])
                continue
            folder, _, file = rest.partition("/")
            if "/" in file or not VERSION.fullmatch(folder):
                continue
            if f"{variant}/{folder}/{MANIFEST}" in sizes:
                shelf.versions[folder] = shelf.versions.get(folder, 0) + size
        return {variant: s for variant, s in stored.items() if s.versions or s.owned}

    def versions(self, variant: str) -> list[str]:
        """The whole versions of a variant, sorted."""
        _check(variant)
        names = self._objects.sizes(variant)
        return sorted(
            parts[1]
            for parts in (name.split("/") for name in names)
            if len(parts) == 3 and parts[2] == MANIFEST and VERSION.fullmatch(parts[1])
        )

    def missing_files(
        self, variant: str, manifest: Manifest, digest: str, folder: Path
    ) -> dict[str, int]:
        """Bytes of each file of an artifact that the store lacks, by manifest and sizes.

        Args:
            folder: holds the whole artifact.
        """
        prefix = f"{variant}/{version_of(digest)}"
        sizes = self._objects.sizes(prefix)
        wanted = {name: (folder / name).stat().st_size for name in (*manifest.files, MANIFEST)}
        missing = {n: size for n, size in wanted.items() if sizes.get(f"{prefix}/{n}") != size}
        body = self._objects.read(f"{prefix}/{MANIFEST}")
        if body is not None and hashlib.sha256(body).hexdigest() != digest:
            missing[MANIFEST] = wanted[MANIFEST]
        return missing

    def put(self, folder: Path, variant: str, digest: str, *, reread: bool = True) -> int:
        """Store an artifact. Files that are stored already stay.

        Args:
            folder: holds the whole artifact.
            digest: of the artifact.
            reread: read stored files and compare digests; False: trust a stored artifact whose
                manifest and sizes are right.

        Returns:
            Number of files written.

        Raises:
            ArtifactRefused: the folder does not hold that artifact.
        """
        version = version_of(digest)
        _check(variant, version)
        manifest, _ = read_manifest(folder, digest)
        if not reread and not self.missing_files(variant, manifest, digest, folder):
            return 0
        prefix = f"{variant}/{version}"
        written = 0
        wrong = set(self._wrong(prefix, {**manifest.files, MANIFEST: digest}))
        for name in (*manifest.files, MANIFEST):
            if name in wrong:
                self._objects.send(folder / name, f"{prefix}/{name}")
                written += 1
        return written

    def faults(self, variant: str, version: str, digest: str | None = None) -> list[str]:
        """Read a stored artifact completely and list its faults, [] if none.

        Args:
            digest: the expected one, if known.
        """
        try:
            manifest, actual = self.manifest(variant, version)
        except ArtifactRefused as error:
            return [str(error)]
        if digest is not None and actual != digest:
            return [f"{variant}: {version} is {actual[:12]}… and not {digest[:12]}…"]
        wrong = self._wrong(f"{variant}/{version}", manifest.files)
        return [f"{variant} {version}: {name} {why}" for name, why in wrong.items()]

    def _wrong(self, prefix: str, wanted: dict[str, str]) -> dict[str, str]:
        """Files under a prefix that lack their digest, with the reason."""
        wrong = {}
        with tempfile.TemporaryDirectory(prefix="quorum-") as made:
            copy = Path(made) / "copy"
            for name, digest in wanted.items():
                if not self._objects.receive(f"{prefix}/{name}", copy):
                    wrong[name] = "is missing"
                elif sha256_of(copy) != digest:
                    wrong[name] = "does not match its digest"
        return wrong

    def _here(self) -> Path:
        folder = self._objects.folder
        if folder is None:
            raise AssertionError("without a cache the files are local")
        return folder

    def _receive(self, prefix: str, folder: Path) -> None:
        body = self._objects.read(f"{prefix}/{MANIFEST}")
        if body is None:
            raise ArtifactRefused(f"{self.url}/{prefix}: there is no such artifact")
        (folder / MANIFEST).write_bytes(body)
        for name in parse_manifest(prefix, body).files:
            # A name that is no plain file name is refused when the folder is verified.
            if Path(name).name == name:
                self._objects.receive(f"{prefix}/{name}", folder / name)

    def _alias_body(self, name: str) -> bytes | None:
        if self._cache is None:
            return self._objects.read(name)
        try:
            body = self._objects.read(name)
        except ArtifactsUnavailable as error:
            known = self._cache.recall(name)
            if known is not None and not self._offline:
                logger.warning("%s; aliases are as they were last seen", error)
            self._offline = True
            if known is None:
                raise
            return known
        if self._offline:
            logger.warning("%s answers again", self.url)
        self._offline = False
        if body is None:
            self._cache.forget(name)
        else:
            self._cache.remember(name, body)
        return body


def _alias_file(variant: str, alias: str, owner: str) -> str:
    _check(variant, alias)
    return alias_file(variant, alias, owner)


def _check(*names: str) -> None:
    for name in names:
        if not NAME.fullmatch(name) or ".." in name:
            raise ArtifactRefused(f"{name!r} is not the name of a variant or artifact")
