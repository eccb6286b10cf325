"""Aliases carry the history of their moves."""

from __future__ import annotations

import json

import pytest

from fraud.errors import ArtifactRefused
from models.store.alias import (
    FORCED,
    PROMOTED,
    TRAINED,
    Alias,
    Move,
    alias_at,
    alias_file,
    alias_name,
    moment,
    parse_alias,
)

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


def test_each_owner_has_a_place_of_its_own() -> None:
    places = {owner: alias_file("xgboost", "champion", owner) for owner in ("", "mine", "Mine")}
    assert places == {
        "": "xgboost/aliases/champion.json",
        "mine": "xgboost/owners/mine/champion.json",
        "Mine": "xgboost/owners/_4dine/champion.json",
    }
    for owner, place in places.items():
        assert alias_at(place) == ("xgboost", owner, "champion")
    assert (alias_name("champion"), alias_name("champion", "mine")) == ("champion", "mine/champion")
    with pytest.raises(ArtifactRefused):
        alias_file("xgboost", "champion", "../mine")


@pytest.mark.parametrize(
    "name",
    [
        "xgboost/0123456789ab/manifest.json",
        "xgboost/aliases/champion.txt",
        "xgboost/aliases/mine/champion.json",
        "xgboost/owners/champion.json",
        "xgboost/owners/Mine/champion.json",
        "xgboost/owners/mine/more/champion.json",
        "xgboost",
        "",
    ],
)
def test_other_files_are_no_aliases(name: str) -> None:
    assert alias_at(name) is None
