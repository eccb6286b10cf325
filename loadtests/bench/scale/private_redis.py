"""A private Redis server without persistence, so that measurements disturb nothing else."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cluster.embedded import EmbeddedRedis
from cluster.errors import CommandFailed


@contextmanager
def private_redis() -> Iterator[str]:
    """Run an empty server and yield its URL.

    Raises:
        RuntimeError: the server's binary is missing, or it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="quorum-scale-") as folder:
        server = EmbeddedRedis(Path(folder), throwaway=True)
        try:
            server.start()
        except CommandFailed as error:
            raise RuntimeError(error.what) from error
        try:
            yield server.url
        finally:
            server.stop()
