"""Which loads suit which app."""

from __future__ import annotations

from dataclasses import replace

from loadtests.bench.app import App
from loadtests.bench.rounds import BATCH, CLOSED, OPEN, Load, Run, can_take
from loadtests.payments import Payment, Playlist

PLAYLIST = Playlist([Payment(1, b"}", None)])
DOCS = App("docs", "http://a/v1", "qk", list, PLAYLIST, "docs", takes_batches=False)
QUORUM = replace(DOCS, name="quorum", takes_batches=True)
NO_OP = replace(DOCS, name="no-op", decides=False)


def reached(app: str, per_s: float) -> Run:
    return Run(app, Load(CLOSED, 1), per_s, 1.0, 1.0, 1.0, 1.0, {}, 0.0, 0.0)


def test_who_takes_what() -> None:
    assert can_take(NO_OP, Load(CLOSED, 128), [])
    assert not can_take(NO_OP, Load(OPEN, 1), [])
    assert not can_take(DOCS, Load(BATCH, 4), [])
    assert can_take(QUORUM, Load(BATCH, 4), [])


def test_others_are_not_asked_for_twice_what_they_reach() -> None:
    found = [reached("docs", 60.0), reached("quorum", 60.0)]
    assert can_take(DOCS, Load(OPEN, 119), found)
    assert not can_take(DOCS, Load(OPEN, 120), found)
    assert can_take(DOCS, Load(OPEN, 1000), [])
    assert can_take(QUORUM, Load(OPEN, 1000), found)


def test_a_request_names_what_its_answer_must_be_about() -> None:
    body, expected = DOCS.single().prepare()
    assert expected.removeprefix(b'"transaction_id":') in body
    batch = QUORUM.batch(3)
    body, expected = batch.prepare()
    assert (batch.rows, batch.url, body.count(b'"transaction_id"')) == (3, "http://a/v1/batch", 3)
    assert expected.removeprefix(b'"transaction_id":') in body
    assert NO_OP.single().rows == 0
