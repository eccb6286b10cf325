"""What each end of a connection sends to prove itself."""

from __future__ import annotations

import pytest

from deployments.links.network.proof import (
    HELLO_BYTES,
    PROOF_BYTES,
    Nobody,
    OtherVersion,
    Prover,
    Refused,
)

NAME = "app~Pool~a"


def test_two_ends_with_one_pepper_believe_each_other():
    caller, replica = Prover("p"), Prover("p")
    nonce, hello = caller.hello(NAME)
    reply, expected = replica.reply(NAME, hello)
    proof = caller.answer(NAME, nonce, reply)
    replica.check(proof, expected)
    assert (len(hello), len(reply), len(proof)) == (HELLO_BYTES, HELLO_BYTES, PROOF_BYTES)


def test_another_pepper_is_refused_by_either_end():
    ours, theirs = Prover("p"), Prover("q")
    nonce, hello = ours.hello(NAME)
    reply, _ = theirs.reply(NAME, hello)
    with pytest.raises(Refused, match="QUORUM_KEY_PEPPER"):
        ours.answer(NAME, nonce, reply)
    nonce, hello = theirs.hello(NAME)
    reply, expected = ours.reply(NAME, hello)
    # It does not even answer an honest reply: try the proof that it would have made.
    honest = theirs._proof("caller", nonce, reply[8:40], NAME)
    with pytest.raises(Refused, match="QUORUM_KEY_PEPPER"):
        ours.check(honest, expected)


def test_a_recorded_proof_is_worth_nothing():
    caller, replica = Prover("p"), Prover("p")
    nonce, hello = caller.hello(NAME)
    reply, _ = replica.reply(NAME, hello)
    proof = caller.answer(NAME, nonce, reply)
    reply_again, expected = replica.reply(NAME, hello)
    assert reply_again != reply
    with pytest.raises(Refused):
        replica.check(proof, expected)
    with pytest.raises(Refused):
        caller.answer(NAME, caller.hello(NAME)[0], reply)


def test_a_proof_sent_back_is_worth_nothing():
    """The replica's own proof does not do as the caller's, nor the other way round."""
    caller, replica = Prover("p"), Prover("p")
    nonce, hello = caller.hello(NAME)
    reply, expected = replica.reply(NAME, hello)
    with pytest.raises(Refused):
        replica.check(reply[-PROOF_BYTES:], expected)
    proof = caller.answer(NAME, nonce, reply)
    with pytest.raises(Refused):
        caller.answer(NAME, nonce, reply[:-PROOF_BYTES] + proof)


def test_every_bit_of_a_reply_counts():
    caller, replica = Prover("p"), Prover("p")
    nonce, hello = caller.hello(NAME)
    reply, _ = replica.reply(NAME, hello)
    for at in range(len(reply)):
        changed = bytearray(reply)
        changed[at] ^= 1
        with pytest.raises(Refused):
            caller.answer(NAME, nonce, bytes(changed))


def test_other_versions_and_other_replicas_are_refused():
    old, new = Prover("p", version=1), Prover("p", version=2)
    nonce, hello = old.hello(NAME)
    with pytest.raises(OtherVersion, match="version 1, we 2"):
        new.reply(NAME, hello)
    with pytest.raises(OtherVersion, match="version 2, we 1"):
        old.answer(NAME, nonce, new.refusal())
    with pytest.raises(Nobody):
        old.reply("app~Pool~b", hello)


def test_the_key_is_not_that_of_api_keys():
    """What is under the pepper itself, as the hashes of API keys are, is no proof."""
    import hashlib
    import hmac

    prover = Prover("p")
    assert prover._key != hmac.digest(b"p", b"", hashlib.sha256)
    assert prover._key not in (b"p", hashlib.sha256(b"p").digest())
    with pytest.raises(ValueError, match="empty"):
        Prover("")
