"""The artifact store that a setting or URL names."""

from __future__ import annotations

import hashlib
from pathlib import Path
from urllib.parse import unquote, urlsplit

from fraud.errors import InvalidInput
from models.store.cache import Cache
from models.store.objects import FolderObjects
from models.store.store import ArtifactStore
from settings.settings import Settings
from stores.redaction import redacted

POLL_S, REMOTE_POLL_S = 2.0, 10.0
"""Seconds between a replica's looks at its alias: a local file, a request to a remote store."""


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
    """The store at a URL.

    Args:
        url: a folder's path, `file:///folder` or `s3://bucket/prefix`.
        settings: for the cache's place and size, and the S3 endpoint.

    Raises:
        InvalidInput: the URL is of an unknown kind, or names no bucket.
    """
    url = url.strip()
    parts = urlsplit(url)
    if parts.scheme == "s3":
        if not parts.netloc or "@" in parts.netloc or parts.query or parts.fragment:
            raise InvalidInput(
                f"{redacted(url)!r} is no artifact store: expected s3://bucket/prefix"
            )
        from models.store.s3 import S3Objects

        objects = S3Objects(parts.netloc, parts.path.strip("/"), settings.s3_endpoint_url)
        # By endpoint, too: two servers may have buckets of the same name.
        place = hashlib.sha256(f"{settings.s3_endpoint_url} {objects.url}".encode()).hexdigest()
        cache = Cache(
            settings.home / "cache" / "artifacts" / place[:12],
            settings.artifact_cache_mib * 1024 * 1024,
        )
        return ArtifactStore(objects, cache, REMOTE_POLL_S)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        folder = Path(unquote(parts.path))
        if not folder.is_absolute():
            raise InvalidInput(f"{redacted(url)!r} is no artifact store: expected file:///folder")
        return _folder(folder)
    if not parts.scheme and url:
        return _folder(Path(url).absolute())
    raise InvalidInput(
        f"{redacted(url)!r} is no artifact store: expected a folder, file:// or s3://"
    )


def _folder(folder: Path) -> ArtifactStore:
    if folder.exists() and not folder.is_dir():
        raise InvalidInput(f"{str(folder)!r} is no artifact store: it is a file, not a folder")
    return ArtifactStore(FolderObjects(folder), None, POLL_S)
