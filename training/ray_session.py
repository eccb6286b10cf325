"""The Ray that training runs on: one that is there, or a private one for as long as it takes."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ray

_MIB = 1024 * 1024
_LEAST_STORE_BYTES = 128 * _MIB


@contextmanager
def ray_session(address: str | None, object_bytes: int) -> Iterator[None]:
    """Connect to the Ray at `address`, or start a private one and stop it afterwards.

    Args:
        address: of a running Ray; None for a private one. A process that is connected already
            stays connected.
        object_bytes: what will be put into the object store.
    """
    if ray.is_initialized():
        yield
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    common: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
    if address is not None:
        with _until_shutdown():
            ray.init(address=address, **common)
            yield
        return
    # A folder of its own: in the usual one Ray lets `session_latest` point to the newest session,
    # and that must stay the one that serves on this machine.
    with (
        tempfile.TemporaryDirectory(prefix="quorum-ray-", ignore_cleanup_errors=True) as folder,
        _until_shutdown(),
    ):
        ray.init(
            address="local",
            num_cpus=max(2, os.cpu_count() or 1),
            num_gpus=0,
            include_dashboard=False,
            object_store_memory=max(_LEAST_STORE_BYTES, int(object_bytes * 1.2) + 64 * _MIB),
            _temp_dir=folder,
            **common,
        )
        yield


@contextmanager
def _until_shutdown() -> Iterator[None]:
    try:
        yield
    finally:
        ray.shutdown()
