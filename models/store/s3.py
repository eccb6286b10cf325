"""Files under a bucket's prefix, through Arrow's S3 client."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from fraud.errors import ArtifactsUnavailable

CONNECT_TIMEOUT_S, REQUEST_TIMEOUT_S, ATTEMPTS = 2.0, 10.0, 3
_DEFAULT_REGION = "us-east-1"
_REASON_LENGTH = 200
_CREDENTIALS = "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and their permissions"
_HINTS = {
    "NETWORK_CONNECTION": "check AWS_ENDPOINT_URL_S3, AWS_REGION and the network",
    "NO_SUCH_BUCKET": "create the bucket, or correct its name",
    "ACCESS_DENIED": _CREDENTIALS,
    "INVALID_ACCESS_KEY_ID": _CREDENTIALS,
    "SIGNATURE_DOES_NOT_MATCH": _CREDENTIALS,
    "credentials": _CREDENTIALS,
}
"""What to do, by a word in Arrow's error text."""


def s3_filesystem(endpoint_url: str | None) -> Any:
    """Return Arrow's file system of S3.

    Args:
        endpoint_url: of another S3-compatible server; None for AWS.
    """
    from pyarrow import fs  # takes seconds and megabytes that a local folder does not need

    options: dict[str, Any] = {}
    if endpoint_url is not None:
        options["endpoint_override"] = endpoint_url
        if not any(os.environ.get(n) for n in ("AWS_REGION", "AWS_DEFAULT_REGION")):
            options["region"] = _DEFAULT_REGION  # otherwise Arrow asks AWS's metadata service
    return fs.S3FileSystem(
        connect_timeout=CONNECT_TIMEOUT_S,
        request_timeout=REQUEST_TIMEOUT_S,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=ATTEMPTS),
        **options,
    )


class S3Objects:
    """Objects under `s3://bucket/prefix`. Credentials and region are looked up as AWS's own tools
    do: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_REGION`, profiles, roles.

    Args:
        bucket: must exist.
        prefix: "" for the bucket itself.
        endpoint_url: of another S3-compatible server; None for AWS.
    """

    def __init__(self, bucket: str, prefix: str, endpoint_url: str | None) -> None:
        from pyarrow import fs

        self._fs = fs
        self._s3 = s3_filesystem(endpoint_url)
        self._root = f"{bucket}/{prefix}".rstrip("/")

    @property
    def url(self) -> str:
        return f"s3://{self._root}"

    @property
    def folder(self) -> Path | None:
        return None

    def read(self, name: str) -> bytes | None:
        with self._answering():
            try:
                with self._s3.open_input_file(self._path(name)) as source:
                    return bytes(source.read())
            except FileNotFoundError:
                return None

    def write(self, name: str, body: bytes) -> None:
        # The object appears when the last part is complete: no reader sees half of it.
        with self._answering(), self._s3.open_output_stream(self._path(name)) as target:
            target.write(body)

    def receive(self, name: str, path: Path) -> bool:
        with self.opened(name) as source:
            if source is None:
                return False
            with path.open("wb") as file:
                shutil.copyfileobj(source, file)
            return True

    @contextmanager
    def opened(self, name: str) -> Iterator[Any]:
        """Open an object for reading, an Arrow file; None if there is none of the name."""
        with self._answering():
            try:
                source = self._s3.open_input_file(self._path(name))
            except FileNotFoundError:
                source = None
            with source or nullcontext():
                yield source

    def send(self, path: Path, name: str) -> None:
        with (
            self._answering(),
            path.open("rb") as file,
            self._s3.open_output_stream(self._path(name)) as target,
        ):
            shutil.copyfileobj(file, target)

    def remove(self, name: str) -> None:
        with self._answering():
            try:
                self._s3.delete_file(self._path(name))
            except FileNotFoundError:
                return

    def sizes(self, prefix: str = "") -> dict[str, int]:
        chosen = self._fs.FileSelector(
            self._path(prefix).rstrip("/"), recursive=True, allow_not_found=True
        )
        with self._answering():
            found = self._s3.get_file_info(chosen)
        skip = len(self._root) + 1
        return {i.path[skip:]: int(i.size) for i in found if i.type == self._fs.FileType.File}

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            text = str(error).splitlines()[0] if str(error) else type(error).__name__
            hint = next((f"; {hint}" for word, hint in _HINTS.items() if word in text), "")
            raise ArtifactsUnavailable(f"{self.url}: {text[:_REASON_LENGTH]}{hint}") from error
