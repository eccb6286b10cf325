from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from decision_log.disk.frame import HEADER, find_frame, frame, read_frame

SALT = b"\x9e\x01\xfe\x33"
payloads = st.lists(st.binary(min_size=1, max_size=200), min_size=1, max_size=12)


def reader(data: bytes):
    return lambda length, offset: data[offset : offset + length]


def read_all(data: bytes) -> list[bytes]:
    """Everything that can be read, as a backlog reads a sealed segment."""
    pread, offset, found = reader(data), 0, []
    while True:
        payload = read_frame(pread, offset, SALT)
        if payload is None:
            next_at = find_frame(pread, offset + 1, SALT)
            if next_at is None:
                return found
            offset = next_at
            continue
        found.append(payload)
        offset += HEADER.size + len(payload)


@given(payloads)
def test_frames_are_read_as_they_were_written(written):
    assert read_all(b"".join(frame(p, SALT) for p in written)) == written


@given(payloads, st.data())
def test_a_torn_tail_costs_its_own_frames_only(written, data):
    whole = b"".join(frame(p, SALT) for p in written)
    cut = data.draw(st.integers(0, len(whole)))
    intact, end = [], 0
    for p in written:
        end += HEADER.size + len(p)
        if end <= cut:
            intact.append(p)
    assert read_all(whole[:cut]) == intact
    # A file system may leave zeros where data should have come.
    read = read_all(whole[:cut] + bytes(len(whole) - cut))
    assert read == written[: len(read)]
    assert len(read) >= len(intact)


def test_every_byte_of_a_log_may_be_damaged():
    written = [bytes([65 + i]) * (i + 1) for i in range(6)]
    whole = b"".join(frame(p, SALT) for p in written)
    ends, end = [], 0
    for p in written:
        end += HEADER.size + len(p)
        ends.append(end)
    for at in range(len(whole)):
        hit = next(i for i, end in enumerate(ends) if at < end)
        for flip in (0x01, 0x80, 0xFF):
            damaged = bytearray(whole)
            damaged[at] ^= flip
            assert read_all(bytes(damaged)) == written[:hit] + written[hit + 1 :]


@given(payloads, st.data())
def test_damage_yields_no_record_that_was_not_written(written, data):
    whole = bytearray(b"".join(frame(p, SALT) for p in written))
    start = data.draw(st.integers(0, len(whole) - 1))
    noise = data.draw(st.binary(min_size=1, max_size=64))
    whole[start : start + len(noise)] = noise
    found = read_all(bytes(whole))
    intact, end = 0, 0
    for p in written:
        end += HEADER.size + len(p)
        intact += end <= start
    assert found[:intact] == written[:intact]
    rest = iter(written)
    assert all(any(p == w for w in rest) for p in found), "found is a subsequence of written"


@given(st.binary(min_size=1, max_size=50), st.binary(min_size=4, max_size=4))
@example(b"a", b"\0\0\0\0")
def test_a_frame_of_another_segment_is_none(payload, salt):
    """A client may send a payload that looks like a frame: without the salt it is not one."""
    if salt == SALT:
        return
    inner = frame(frame(payload, salt), SALT)
    assert find_frame(reader(inner), 1, SALT) is None


def test_a_salt_across_the_border_of_two_chunks_is_found(monkeypatch):
    monkeypatch.setattr("decision_log.disk.frame._CHUNK", 64)
    for gap in range(1, 200):
        data = bytes(gap) + frame(b"payload", SALT)
        assert find_frame(reader(data), 0, SALT) == gap


@pytest.mark.parametrize("payload", [b"", bytes(64 * 1024 * 1024 + 1)])
def test_payloads_that_no_frame_holds_are_refused(payload):
    with pytest.raises(ValueError, match="payload"):
        frame(payload, SALT)
