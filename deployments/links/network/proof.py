"""The mutual proof at the start of a connection between machines.

    caller  -> replica   hello: mark, version, nonce, SHA-256 of the replica's name
    replica -> caller    reply: mark, version, nonce, proof
    caller  -> replica   proof

A proof is the HMAC-SHA-256 of role, version, both nonces and the name, under a key that is derived
from the pepper (HKDF-Extract, RFC 5869). The nonces make a recorded proof useless. The role does
the same to a proof that is sent back to its maker. The name keeps a caller from a replica that has
taken the port of another one.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import struct

from deployments.links.message import VERSION

_MARK = b"QUORUM"
_SALT = b"quorum links between machines"
_NONCE = _DIGEST = 32
_HELLO = struct.Struct(f"<6sH{_NONCE}s{_DIGEST}s")

HELLO_BYTES = _HELLO.size
"""Bytes of a hello and of a reply."""
PROOF_BYTES = _DIGEST
_WRONG = "its proof is wrong: QUORUM_KEY_PEPPER may be another one there"
_CALLER, _REPLICA = "caller", "replica"


class Refused(Exception):
    """The other end has not proved that it belongs to this Quorum."""


class Nobody(Refused):
    """Another replica listens at the port."""


class OtherVersion(Refused):
    """The other end belongs to another release of Quorum."""


class Prover:
    """Makes and checks proofs.

    Args:
        pepper: QUORUM_KEY_PEPPER, the same on every machine.
        version: of the messages that this end reads.

    Raises:
        ValueError: the pepper is empty.
    """

    def __init__(self, pepper: str, version: int = VERSION) -> None:
        if not pepper:
            raise ValueError("the pepper of links is empty")
        self._key = hmac.digest(_SALT, pepper.encode(), "sha256")
        self._version = version

    def hello(self, name: str) -> tuple[bytes, bytes]:
        """Return the nonce of a caller, and its hello to the replica `name`."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce, _HELLO.pack(_MARK, self._version, nonce, _digest(name))

    def reply(self, name: str, hello: bytes) -> tuple[bytes, bytes]:
        """Return the reply of the replica `name` to a hello, and the proof that must follow.

        Raises:
            Nobody: the caller looks for another replica.
            Refused: it is no hello, or one of another version.
        """
        theirs, wanted = self._read(hello)
        if wanted != _digest(name):
            raise Nobody("a caller looks for another replica")
        ours = secrets.token_bytes(_NONCE)
        proof = self._proof(_REPLICA, theirs, ours, name)
        expected = self._proof(_CALLER, theirs, ours, name)
        return _HELLO.pack(_MARK, self._version, ours, proof), expected

    def check(self, proof: bytes, expected: bytes) -> None:
        """Refuse the proof of a caller that is not the expected one.

        Raises:
            Refused: it is not.
        """
        if not hmac.compare_digest(proof, expected):
            raise Refused(_WRONG)

    def refusal(self) -> bytes:
        """Return the reply to a hello of another version: it tells ours, and proves nothing."""
        return _HELLO.pack(_MARK, self._version, bytes(_NONCE), bytes(_DIGEST))

    def answer(self, name: str, nonce: bytes, reply: bytes) -> bytes:
        """Return the proof of the caller with `nonce`, once the reply of the replica is right.

        Raises:
            Refused: it is not.
        """
        theirs, proof = self._read(reply)
        if not hmac.compare_digest(proof, self._proof(_REPLICA, nonce, theirs, name)):
            raise Refused(_WRONG)
        return self._proof(_CALLER, nonce, theirs, name)

    def _read(self, message: bytes) -> tuple[bytes, bytes]:
        mark, version, nonce, digest = _HELLO.unpack(message)
        if mark != _MARK:
            raise Refused("it does not speak as Quorum does")
        if version != self._version:
            raise OtherVersion(f"it sends messages of version {version}, we {self._version}")
        return nonce, digest

    def _proof(self, role: str, caller: bytes, replica: bytes, name: str) -> bytes:
        # All parts have a fixed length, so no two lists of parts are the same bytes.
        version = self._version.to_bytes(2, "little")
        said = b"".join((_digest(role), version, caller, replica, _digest(name)))
        return hmac.digest(self._key, said, "sha256")


def _digest(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()
