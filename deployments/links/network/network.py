"""How the replicas of this machine and those of other machines reach each other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from deployments.links.network.handshake import CallerHandshake
from deployments.links.network.listener import PROOF_S, Listener
from deployments.links.network.proof import Prover
from deployments.links.network.tls import Tls
from deployments.links.registry.interface import Registry
from deployments.links.registry.redis import RedisRegistry
from fraud.errors import SettingInvalid
from settings.settings import Settings
from stores.redis.connection import RedisConnection

P = TypeVar("P", bound=asyncio.Protocol)


@dataclass(frozen=True)
class Network:
    """The network between machines, seen from one.

    Attributes:
        address: of this machine.
        node: Ray's id of its node.
        ports: that replicas listen at, the last one included.
        prover: makes and checks proofs.
        tls: None: connections are not encrypted.
        registry: returns a new connection to the registry of replicas.
        proof_s: longest time that the opening of a connection may take.
    """

    address: str
    node: str
    ports: tuple[int, int]
    prover: Prover = field(repr=False)
    tls: Tls | None
    registry: Callable[[], Registry]
    proof_s: float = PROOF_S

    @classmethod
    def of(cls, settings: Settings, node: str, cluster: str) -> Network:
        """Return the network of a node among several.

        Args:
            settings: those of the node.
            node: Ray's id of it.
            cluster: Ray's id of its cluster.

        Raises:
            SettingInvalid: a setting is missing, or a file of TLS cannot be used.
        """
        pepper, url = settings.key_pepper, settings.redis_url
        if pepper is None or not pepper.get_secret_value():
            raise SettingInvalid(
                "QUORUM_KEY_PEPPER", "it is not set", "set the same on all machines"
            )
        if url is None:
            raise SettingInvalid("REDIS_URL", "it is not set", "set the same on all machines")
        address, timeout_ms = url.get_secret_value(), settings.redis_timeout_ms
        return cls(
            settings.host,
            node,
            settings.link_ports,
            Prover(pepper.get_secret_value()),
            Tls.of(),
            lambda: RedisRegistry(RedisConnection(address, timeout_ms), cluster),
        )

    async def connect(self, address: str, port: int, name: str, make: Callable[[], P]) -> P:
        """Return the protocol of a connection on which both ends have proved themselves.

        Args:
            address, port: where the replica listens.
            name: of the replica.
            make: returns the protocol.

        Raises:
            Refused, PermissionError: the other end is not what it should be.
            OSError: nobody listens there, or is too slow.
        """
        handshake = CallerHandshake(self.prover, name, make, address)
        context = None if self.tls is None else self.tls.caller
        try:
            async with asyncio.timeout(self.proof_s):
                await asyncio.get_running_loop().create_connection(
                    lambda: handshake,
                    address,
                    port,
                    ssl=context,
                    ssl_handshake_timeout=None if context is None else self.proof_s,
                )
                return await handshake.proved
        finally:
            handshake.hang_up()

    def listener(self, name: str, make: Callable[[], asyncio.Protocol]) -> tuple[Listener, int]:
        """Listen for callers of the replica `name`. Return the listener and its port.

        Raises:
            OSError: no port is free.
        """
        listener = Listener(self.prover, self.tls, name, make, self.proof_s)
        first, last = self.ports
        return listener, listener.open(self.address, range(first, last + 1))
