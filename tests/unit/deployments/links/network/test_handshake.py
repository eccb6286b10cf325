"""The exchange of proofs, message by message, over a transport in memory."""

from __future__ import annotations

import asyncio

import pytest

from deployments.links.network.handshake import CallerHandshake, ReplicaHandshake
from deployments.links.network.proof import HELLO_BYTES, Prover, Refused
from tests.contracts.links import PEPPER

NAME = "app~Pool~a"
ADDRESS = "127.0.0.2"


class Wire(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.closed = self.aborted = False
        self.protocol: asyncio.BaseProtocol | None = None

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.aborted = True

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def taken(self) -> bytes:
        """What was written since the last time."""
        taken = bytes(self.written)
        self.written.clear()
        return taken


class Talk(asyncio.Protocol):
    """Has the connection after the exchange."""

    def __init__(self) -> None:
        self.transport: asyncio.BaseTransport | None = None
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data


class Ends:
    """A caller and a replica, each with its own wire."""

    def __init__(self, callers: str = PEPPER, replicas: str = PEPPER) -> None:
        self.caller = CallerHandshake(Prover(callers), NAME, Talk, ADDRESS)
        self.replica = ReplicaHandshake(Prover(replicas), NAME, Talk)
        self.to_replica, self.to_caller = Wire(), Wire()
        self.replica.connection_made(self.to_caller)
        self.caller.connection_made(self.to_replica)


@pytest.mark.parametrize("size", [1, 7, 10_000])
async def test_both_ends_prove_themselves_in_pieces_of_any_size(size: int) -> None:
    ends = Ends()
    for here, there in ((ends.to_replica, ends.replica), (ends.to_caller, ends.caller)) * 2:
        said = here.taken()
        for i in range(0, len(said), size):
            there.data_received(said[i : i + size])
    caller, replica = await ends.caller.proved, await ends.replica.proved
    assert caller.transport is ends.to_replica
    assert ends.to_replica.protocol is caller
    assert replica.transport is ends.to_caller
    assert ends.to_caller.protocol is replica
    assert not ends.to_replica.closed
    assert not ends.to_caller.closed


async def test_what_comes_with_the_proof_is_for_the_link() -> None:
    ends = Ends()
    ends.replica.data_received(ends.to_replica.taken())
    ends.caller.data_received(ends.to_caller.taken() + b"an answer")
    ends.replica.data_received(ends.to_replica.taken() + b"a call")
    assert (await ends.caller.proved).received == b"an answer"
    assert (await ends.replica.proved).received == b"a call"


async def test_a_caller_with_another_pepper_refuses_and_proves_nothing() -> None:
    ends = Ends(callers="another")
    ends.replica.data_received(ends.to_replica.taken())
    ends.caller.data_received(ends.to_caller.taken())
    with pytest.raises(Refused, match="QUORUM_KEY_PEPPER"):
        await ends.caller.proved
    assert ends.to_replica.closed
    assert ends.to_replica.taken() == b""


async def test_a_replica_refuses_a_wrong_proof_and_what_follows_it() -> None:
    ends = Ends()
    ends.replica.data_received(ends.to_replica.taken())
    assert len(ends.to_caller.taken()) == HELLO_BYTES
    ends.replica.data_received(bytes(32) + b"a call")
    with pytest.raises(Refused, match="QUORUM_KEY_PEPPER"):
        await ends.replica.proved
    assert ends.to_caller.closed
    ends.replica.data_received(b"a call")
    assert ends.to_caller.protocol is None


async def test_a_caller_that_does_not_wait_for_the_reply_is_refused() -> None:
    ends = Ends()
    ends.replica.data_received(ends.to_replica.taken() + b"a call")
    with pytest.raises(Refused, match="did not wait"):
        await ends.replica.proved
    assert ends.to_caller.taken() == b""


async def test_a_connection_that_ends_too_early_is_an_error() -> None:
    ends = Ends()
    ends.replica.connection_lost(None)
    with pytest.raises(ConnectionError, match="before it proved itself"):
        await ends.replica.proved


async def test_hanging_up_spares_a_link_that_has_the_connection() -> None:
    ends = Ends()
    ends.caller.hang_up()
    assert ends.to_replica.aborted
    ends = Ends()
    ends.replica.data_received(ends.to_replica.taken())
    ends.caller.data_received(ends.to_caller.taken())
    ends.caller.hang_up()
    assert not ends.to_replica.aborted
