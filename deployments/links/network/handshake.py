"""The exchange of proofs (`proof.py`), before a connection is given to its link."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Generic, TypeVar, cast

from deployments.links.network.proof import (
    HELLO_BYTES,
    PROOF_BYTES,
    OtherVersion,
    Prover,
    Refused,
)
from deployments.links.network.tls import require_named

P = TypeVar("P", bound=asyncio.Protocol)


class _Handshake(asyncio.Protocol, ABC, Generic[P]):
    """One end of the exchange; `proved` is done when it is over.

    `proved` holds the protocol that has the connection from then on, or Refused, PermissionError or
    ConnectionError; the connection is closed then.
    """

    def __init__(self, prover: Prover, name: str, make: Callable[[], P]) -> None:
        self.proved: asyncio.Future[P] = asyncio.get_running_loop().create_future()
        self._prover = prover
        self._name = name
        self._make = make
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._transport is None or self.proved.done():
            return  # refused
        self._received += data
        try:
            self._read(self._transport)
        except Refused as error:
            self._fail(error)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._fail(ConnectionResetError("it hung up before it proved itself"))

    def hang_up(self) -> None:
        """Close the connection if the exchange is not over."""
        if self._transport is not None and not _succeeded(self.proved):
            self._transport.abort()

    @abstractmethod
    def _read(self, transport: asyncio.Transport) -> None:
        """Go on with what has been received; it may be a part of a message.

        Raises:
            Refused: the other end is not what it should be.
        """

    def _take(self, size: int) -> bytes | None:
        """Return the next `size` bytes, None if they are not here yet."""
        if len(self._received) < size:
            return None
        taken = bytes(self._received[:size])
        del self._received[:size]
        return taken

    def _hand_over(self, transport: asyncio.Transport) -> None:
        protocol = self._make()
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        if self._received:
            protocol.data_received(bytes(self._received))
        if not self.proved.done():
            self.proved.set_result(protocol)

    def _fail(self, error: Exception) -> None:
        if not self.proved.done():
            self.proved.set_exception(error)
        if self._transport is not None:
            self._transport.close()


class CallerHandshake(_Handshake[P]):
    """The end that connects.

    Args:
        prover: makes and checks proofs.
        name: of the replica that is wanted.
        make: returns the protocol that gets the connection.
        address: that it connects to.
    """

    def __init__(self, prover: Prover, name: str, make: Callable[[], P], address: str) -> None:
        super().__init__(prover, name, make)
        self._address = address
        self._nonce = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        try:
            require_named(transport, self._address)
        except PermissionError as error:
            self._fail(error)
            return
        self._nonce, hello = self._prover.hello(self._name)
        cast(asyncio.Transport, transport).write(hello)

    def _read(self, transport: asyncio.Transport) -> None:
        reply = self._take(HELLO_BYTES)
        if reply is not None:
            transport.write(self._prover.answer(self._name, self._nonce, reply))
            self._hand_over(transport)


class ReplicaHandshake(_Handshake[P]):
    """The end that listens.

    Args:
        prover: makes and checks proofs.
        name: of this replica.
        make: returns the protocol that gets the connection.
    """

    def __init__(self, prover: Prover, name: str, make: Callable[[], P]) -> None:
        super().__init__(prover, name, make)
        self._expected: bytes | None = None

    def _read(self, transport: asyncio.Transport) -> None:
        if self._expected is None:
            hello = self._take(HELLO_BYTES)
            if hello is None:
                return
            if self._received:
                raise Refused("it did not wait for the reply to its hello")
            try:
                reply, self._expected = self._prover.reply(self._name, hello)
            except OtherVersion:
                transport.write(self._prover.refusal())
                raise
            transport.write(reply)
        elif (proof := self._take(PROOF_BYTES)) is not None:
            self._prover.check(proof, self._expected)
            self._hand_over(transport)


def _succeeded(future: asyncio.Future[P]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None
