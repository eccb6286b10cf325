"""What a file is, whatever its name."""

from __future__ import annotations

import pytest

from bulk.files.kind import Kind, check_text, kind_of
from bulk.files.refused import FileRefused


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"a,b\n1,2\n", "text"),
        ("a;é\n".encode("utf-16"), "text"),
        ("a;b\n".encode("utf-16-le"), "text"),
        (b"\x1f\x8b\x08\0", "gzip"),
        (b"PAR1\x15\x04", "parquet"),
        (b"PK\x03\x04", "zip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "compound"),
    ],
)
def test_kinds(head: bytes, kind: Kind) -> None:
    assert kind_of(head) == kind


@pytest.mark.parametrize("head", [b"", b" \r\n\t\n"])
def test_nothing(head: bytes) -> None:
    with pytest.raises(FileRefused) as caught:
        kind_of(head)
    assert caught.value.code == "empty-file"


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (b"a,b\n1,\0\0\0\n", "binary"),
        (b"\xff\xfe\0\0a\0\0\0", "binary"),
        (b"\xff\xfea\0\0\0", "binary"),
        (b"\x7fELF\x02", "program"),
        (b"\x89PNG\r\n", "picture"),
        (b"BZh91AY&SY\x01\0", "bzip2"),
        (b"ORC\x0a\x0b\0\0", "ORC"),
        (b"PARE\0\0", "encrypted"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"%PDF-1.7", "PDF"),
        (b'{"a": 1}\n', "JSON"),
        (b'\xef\xbb\xbf[\n {"a": 1}]', "JSON"),
        (b"[1, 2]", "JSON"),
        (b"<?xml version='1.0'?>", "XML"),
        (b"\xef\xbb\xbf\n<?xml version='1.0'?>", "XML"),
        (b"<!doctype html>\n<html>", "web page"),
        (b"\n<HTML lang='fr'>a,b", "web page"),
        (b"x" * 257 + b"ustar", "tar"),
    ],
)
def test_other_kinds_are_named(head: bytes, what: str) -> None:
    with pytest.raises(FileRefused, match=what) as caught:
        check_text(head)
    assert caught.value.code == "other-kind"
