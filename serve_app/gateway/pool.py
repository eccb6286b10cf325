"""A variant's pool of replicas, as the cluster reports it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pool:
    """A variant's pool of replicas.

    Attributes:
        variant: its name.
        app_status: as Ray Serve reports it.
        running, starting: number of replicas.
        version: artifact version that a replica reports; None if none answered.
    """

    variant: str
    app_status: str
    running: int
    starting: int
    version: str | None
