"""Aliases carry the history of their moves."""

from __future__ import annotations

import json

import pytest

from fraud.errors import ArtifactRefused
from models.store.alias import FORCED, PROMOTED, TRAINED, Alias, Move, moment, parse_alias

A, B = "a" * 64, "b" * 64


def test_what_is_written_is_read_again() -> None:
    first = Move(A, moment(0), TRAINED, run="r1", plan_before=("default", 3))
    alias = Alias(A, (first,)).moved(Move(B, moment(60), FORCED, "the test week was a strike"))
    assert parse_alias("x@champion", alias.to_json()) == alias
    assert [m.version for m in alias.moves] == ["a" * 12, "b" * 12]
    assert moment(60) == "1970-01-01T00:01:00+00:00"


def test_serving_reads_two_keys_of_it() -> None:
    document = json.loads(Alias(B, (Move(B, moment(0), TRAINED),)).to_json())
    assert (document["version"], document["digest"]) == (B[:12], B)


def test_an_alias_without_history_begins_with_what_it_names() -> None:
    written = json.dumps({"version": A[:12], "digest": A}).encode()
    moved = parse_alias("x@champion", written).moved(Move(B, moment(1), PROMOTED))
    assert [m.digest for m in moved.moves] == [A, B]


def test_the_history_stays_small() -> None:
    alias = Alias(A)
    for i in range(300):
        alias = alias.moved(Move(B if i % 2 else A, moment(i), PROMOTED))
    assert len(alias.moves) == 100
    assert alias.moves[-1].at == moment(299)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        json.dumps({"version": "../x", "digest": A}).encode(),
        json.dumps({"version": B[:12], "digest": A}).encode(),
        json.dumps({"version": A[:12], "digest": A, "moves": [{"x": 1}]}).encode(),
        json.dumps({"version": A[:12], "digest": A, "moves": 3}).encode(),
    ],
)
def test_a_broken_one_is_refused(body: bytes) -> None:
    with pytest.raises(ArtifactRefused, match="x@champion"):
        parse_alias("x@champion", body)
