"""The artifact store, or other files, that a setting or URL names."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from fraud.errors import InvalidInput
from models.store.cache import Cache
from models.store.objects import FolderObjects, Objects
from models.store.store import ArtifactStore
from settings.settings import Settings
from stores.redaction import redacted

POLL_S, REMOTE_POLL_S = 2.0, 10.0
"""Seconds between a replica's looks at its alias: a local file, a request to a remote store."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """A part of a bucket of S3.

    Attributes:
        prefix: without slashes at its ends; "" for the whole bucket.
    """

    name: str
    prefix: str


@dataclass(frozen=True, slots=True)
class StorePlace:
    """Where an artifact store is, as plain values that another process may open.

    Attributes:
        url: a folder's path, `file:///folder` or `s3://bucket/prefix`.
        endpoint_url: of an S3-compatible server; None for AWS.
        caches: folder of the local caches of remote stores.
        cache_bytes: size of each.
    """

    url: str
    endpoint_url: str | None
    caches: Path
    cache_bytes: int

    @classmethod
    def of(cls, url: str, settings: Settings) -> StorePlace:
        """The place of a URL, with the endpoint and caches that the settings name."""
        caches = (settings.home / "cache" / "artifacts").absolute()
        size = settings.artifact_cache_mib * 1024 * 1024
        return cls(url, settings.s3_endpoint_url, caches, size)

    def open(self) -> ArtifactStore:
        """The store there.

        Raises:
            InvalidInput: the URL is of an unknown kind, or names no bucket.
        """
        objects = open_objects(self.url, self.endpoint_url, "artifact store")
        if objects.folder is not None:
            return ArtifactStore(objects, None, POLL_S)
        cache = Cache(self.caches / place_of(objects, self.endpoint_url), self.cache_bytes)
        return ArtifactStore(objects, cache, REMOTE_POLL_S)


def store_of(settings: Settings) -> ArtifactStore:
    """The store that the settings name.

    Raises:
        InvalidInput: the URL is of an unknown kind.
    """
    try:
        return open_store(settings.artifacts_url, settings)
    except InvalidInput as error:
        raise InvalidInput(f"QUORUM_ARTIFACTS: {error.detail}") from error


def open_store(url: str, settings: Settings) -> ArtifactStore:
    """The store at a URL; see `StorePlace.open`.

    Raises:
        InvalidInput: the URL is of an unknown kind, or names no bucket.
    """
    return StorePlace.of(url, settings).open()


def open_objects(url: str, endpoint_url: str | None, what: str) -> Objects:
    """The files at a URL.

    Args:
        url: see `StorePlace`.
        endpoint_url: of an S3-compatible server; None for AWS.
        what: it is, for error texts: "artifact store".

    Raises:
        InvalidInput: the URL is of an unknown kind, or names no bucket.
    """
    place = place_named(url, what)
    if isinstance(place, Bucket):
        from models.store.s3 import S3Objects

        return S3Objects(place.name, place.prefix, endpoint_url)
    return FolderObjects(place)


def place_named(url: str, what: str) -> Path | Bucket:
    """The folder or the bucket that a URL names.

    Args:
        url: see `StorePlace`.
        what: it is, for error texts.

    Raises:
        InvalidInput: the URL is of an unknown kind, names no bucket, or names a file.
    """
    url = url.strip()
    parts = urlsplit(url)
    if parts.scheme == "s3":
        if not parts.netloc or "@" in parts.netloc or parts.query or parts.fragment:
            raise InvalidInput(f"{redacted(url)!r} is no {what}: expected s3://bucket/prefix")
        return Bucket(parts.netloc, parts.path.strip("/"))
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        folder = Path(unquote(parts.path))
        if not folder.is_absolute():
            raise InvalidInput(f"{redacted(url)!r} is no {what}: expected file:///folder")
        return _folder(folder, what)
    if not parts.scheme and url:
        return _folder(Path(url).absolute(), what)
    raise InvalidInput(f"{redacted(url)!r} is no {what}: expected a folder, file:// or s3://")


def place_of(objects: Objects, endpoint_url: str | None) -> str:
    """A short name of remote files, by endpoint, too: two servers may have buckets of the same
    name."""
    return hashlib.sha256(f"{endpoint_url} {objects.url}".encode()).hexdigest()[:12]


def _folder(folder: Path, what: str) -> Path:
    if folder.exists() and not folder.is_dir():
        raise InvalidInput(f"{str(folder)!r} is no {what}: it is a file, not a folder")
    return folder
