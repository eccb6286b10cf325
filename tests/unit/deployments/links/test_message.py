"""Messages are read however the stream is split."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.links.message import CALL, RESULT, BadMessage, Reader, pack

contents = st.lists(
    st.tuples(st.integers(0, 2**32 - 1), st.binary(max_size=300)), min_size=1, max_size=8
)


@given(contents, st.lists(st.integers(1, 400), min_size=1, max_size=20))
def test_any_cut_of_the_stream_gives_the_same_messages(messages, cuts):
    stream = b"".join(pack(RESULT, call, content) for call, content in messages)
    reader, found, at, turn = Reader(), [], 0, 0
    while at < len(stream):
        size = cuts[turn % len(cuts)]
        for kind, call, content in reader.feed(stream[at : at + size]):
            assert kind == RESULT
            found.append((call, msgspec.msgpack.decode(content)))
        at, turn = at + size, turn + 1
    assert found == messages


def test_bytes_that_are_not_a_message_are_refused():
    with pytest.raises(BadMessage):
        list(Reader().feed(b"GET / HTTP/1.1\r\n\r\n"))


def test_an_unfinished_message_waits():
    message = pack(CALL, 7, ("score", ()))
    reader = Reader()
    assert not list(reader.feed(message[:-1]))
    assert [(kind, call) for kind, call, _ in reader.feed(message[-1:])] == [(CALL, 7)]
