"""Names of pools and replicas, as links know them."""

from __future__ import annotations

import hashlib
from pathlib import Path

LONGEST_NAME = 48
"""Characters of a pool's name. With folder, replica and suffix it must stay below the 104 bytes
that the path of a socket may have."""
SUFFIX = ".sock"


def pool_name(application: str, deployment: str) -> str:
    """Return the name of a pool of replicas: a long one ends in a hash instead."""
    name = f"{application}~{deployment}"
    if len(name) <= LONGEST_NAME:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:16]
    return f"{name[: LONGEST_NAME - 17]}-{digest}"


def replica_name(application: str, deployment: str, replica: str) -> str:
    """Return the name of a replica: that of its pool, ~, its id."""
    return f"{pool_name(application, deployment)}~{replica}"


def pool_of(name: str) -> str:
    """Return the name of a replica's pool."""
    return name.rpartition("~")[0]


def socket_path(folder: Path, name: str) -> Path:
    """Return the socket of the replica `name`."""
    return folder / f"{name}{SUFFIX}"
