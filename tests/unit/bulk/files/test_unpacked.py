"""Bytes that are unpacked on the way, and lines of them."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulk.files import unpacked as room
from bulk.files.refused import FileRefused
from bulk.files.unpacked import Feed, LineTooLong, Unpacked, feed_of, unpacked
from data.files.csv_lines import MAX_RECORD


def drained(source: Unpacked) -> int:
    size = 0
    while block := source.read(1 << 20):
        size += len(block)
    return size


def test_a_file_may_be_no_larger_than_allowed(tmp_path: Path) -> None:
    for content, packed in ((b"x" * 5000, False), (gzip.compress(b"x" * 5000), True)):
        (tmp_path / "x").write_bytes(content)
        with unpacked(tmp_path / "x", packed, 5000) as source:
            assert drained(source) == 5000
        with unpacked(tmp_path / "x", packed, 4999) as source:
            with pytest.raises(FileRefused) as caught:
                drained(source)
            assert caught.value.code == "too-large"


def test_a_gzip_file_that_unpacks_to_far_more_is_a_bomb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_FREE_BYTES", 1 << 20)
    source = Unpacked(io.BytesIO(gzip.compress(b"1,2\n" * (5 << 18))), True, 1 << 40)
    with pytest.raises(FileRefused) as caught:
        drained(source)
    assert caught.value.code == "bomb"


def test_a_gzip_file_of_several_members() -> None:
    source = Unpacked(io.BytesIO(gzip.compress(b"a,b\n") + gzip.compress(b"1,2\n")), True, 99)
    assert source.read(99) + source.read(99) == b"a,b\n1,2\n"


@given(
    pieces=st.lists(st.sampled_from([b"a", b"bb\n", b"\n", b"\r\n", b"ccc"])),
    sizes=st.lists(st.integers(1, 9), min_size=1),
)
def test_lines_and_windows_give_each_byte_once(pieces: list[bytes], sizes: list[int]) -> None:
    content = b"".join(pieces)
    feed = Feed(io.BytesIO(content).read)
    taken = b""
    for size in sizes * len(content):
        window, last = feed.window(size)
        assert content[len(taken) :].startswith(window)
        assert last == (len(taken) + len(window) == len(content))
        line = feed.readline(size)
        feed.put_back(line[1:])
        taken += line[:1]
        assert feed.consumed == len(taken)
    assert taken == content[: len(taken)]
    assert len(taken) == min(len(sizes) * len(content), len(content))


def test_utf16_becomes_utf8() -> None:
    content = "a,é\r\n1,2\n".encode("utf-16")
    feed = feed_of(Unpacked(io.BytesIO(content), False, 1000))
    assert feed.window(100) == ("\ufeffa,é\r\n1,2\n".encode().removeprefix(b"\xef\xbb\xbf"), True)


def test_a_line_that_is_too_long_is_not_gathered() -> None:
    read: list[int] = []

    def endless(size: int) -> bytes:
        read.append(size)
        return b"x" * size

    with pytest.raises(LineTooLong):
        Feed(endless).readline(MAX_RECORD)
    assert sum(read) <= 3 * MAX_RECORD
