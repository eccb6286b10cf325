"""A TCP port at which callers of one replica prove themselves."""

from __future__ import annotations

import asyncio
import errno
import logging
import random
import socket
from collections.abc import Callable, Iterable

from deployments.links.network.handshake import ReplicaHandshake
from deployments.links.network.proof import Nobody, Prover, Refused
from deployments.links.network.sparse_warning import SparseWarning
from deployments.links.network.tls import Tls

PROOF_S = 2.0
"""Longest time that a caller may take to prove itself, TLS included."""
MAX_UNPROVED = 64
"""Connections without a proof at the same time. More are closed at once, so that strangers cannot
take all descriptors of the process. Callers of 50 machines may well come at the same moment."""
_BACKLOG = 128
_PAUSE_S = 0.1

logger = logging.getLogger(__name__)


class Listener:
    """Accepts connections, and gives those that are proved to protocols.

    Args:
        prover: makes and checks proofs.
        tls: None: without TLS.
        name: of the replica.
        make: returns the protocol of a connection.
        proof_s: see `PROOF_S`.
    """

    def __init__(
        self,
        prover: Prover,
        tls: Tls | None,
        name: str,
        make: Callable[[], asyncio.Protocol],
        proof_s: float = PROOF_S,
    ) -> None:
        self._prover = prover
        self._tls = tls
        self._name = name
        self._make = make
        self._proof_s = proof_s
        self._socket: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._unproved: set[asyncio.Task[None]] = set()
        self._warn = SparseWarning(logger, "refused a link")

    def open(self, address: str, ports: Iterable[int]) -> int:
        """Listen at any of the ports that is free. Return it.

        Raises:
            OSError: none is free, or the address is not one of this machine.
        """
        self._socket = _listening(address, list(ports))
        self._accepting = asyncio.create_task(self._accept(self._socket), name="link-listener")
        port: int = self._socket.getsockname()[1]
        return port

    async def close(self) -> None:
        """Accept no more connections, and drop those that are not proved."""
        tasks = [*self._unproved, *([self._accepting] if self._accepting else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._socket is not None:
            self._socket.close()

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, address = await loop.sock_accept(listening)
            except OSError as error:  # such as: out of descriptors
                self._warn(f"{error.strerror or type(error).__name__}")
                await asyncio.sleep(_PAUSE_S)
                continue
            if len(self._unproved) >= MAX_UNPROVED:
                connection.close()
                self._warn(f"{MAX_UNPROVED} others have not proved themselves yet")
                continue
            task = asyncio.create_task(self._admit(connection, str(address[0])))
            self._unproved.add(task)
            task.add_done_callback(self._unproved.discard)

    async def _admit(self, connection: socket.socket, who: str) -> None:
        handshake = ReplicaHandshake(self._prover, self._name, self._make)
        context = None if self._tls is None else self._tls.replica
        try:
            # The loops do this to connections that they open or accept themselves.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            async with asyncio.timeout(self._proof_s):
                await asyncio.get_running_loop().connect_accepted_socket(
                    lambda: handshake,
                    connection,
                    ssl=context,
                    ssl_handshake_timeout=None if context is None else self._proof_s,
                )
                await handshake.proved
        except Nobody as error:
            logger.debug("%s: %s", who, error)
        except TimeoutError:
            self._warn(f"{who} did not prove itself in {self._proof_s:g} s")
        except Refused as error:
            self._warn(f"{who}: {error}")
        except OSError as error:
            # It hung up, or its TLS has no certificate of ours.
            self._warn(f"{who}: {_why(error)}")
        finally:
            handshake.hang_up()


def _listening(address: str, ports: list[int]) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    # Replicas that start together should not all try the same ports.
    for port in random.sample(ports, len(ports)):
        opened = socket.socket(family, socket.SOCK_STREAM)
        try:
            # A port whose last connections are still ending can be used again.
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            opened.bind((address, port))
            opened.listen(_BACKLOG)
        except OSError as error:
            opened.close()
            if error.errno == errno.EADDRINUSE:
                continue
            # Most likely the address is another machine's, or that outside of a container.
            raise OSError(error.errno, f"QUORUM_HOST: {address}: {error.strerror}") from error
        opened.setblocking(False)
        return opened
    raise OSError(errno.EADDRINUSE, f"QUORUM_LINK_PORTS: no port of {address} is free")


def _why(error: OSError) -> str:
    return getattr(error, "reason", "") or str(error) or type(error).__name__
