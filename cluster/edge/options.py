"""What the edge of a node depends on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EdgeOptions:
    """What the edge of a node depends on. Standard library only: the edge starts in milliseconds.

    Attributes:
        spare: whether one replica gets all requests and the others wait until it is down.
        host: this node's address. Replicas elsewhere get requests only while none is up here.
        own_front: `address:port` of the front that leads to this node's replicas alone.
    """

    spare: bool
    host: str
    own_front: str
