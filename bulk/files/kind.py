"""What a file is, by its first bytes."""

from __future__ import annotations

from typing import Final, Literal

from bulk.files.refused import FileRefused
from data.files.csv_lines import utf16_of

Kind = Literal["text", "gzip", "parquet", "zip", "compound"]

HEAD_BYTES: Final = 1 << 16
"""Bytes of the beginning of a file that are looked at."""

_READ: dict[bytes, Kind] = {
    b"\x1f\x8b": "gzip",
    b"PAR1": "parquet",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "compound",
}

_OTHERS: Final = {
    b"PARE": "a Parquet file with an encrypted footer",
    b"BZh": "compressed with bzip2: use gzip",
    b"\xfd7zXZ": "compressed with xz: use gzip",
    b"\x28\xb5\x2f\xfd": "compressed with zstd: use gzip",
    b"\x04\x22\x4d\x18": "compressed with lz4: use gzip",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive: unpack it",
    b"Rar!": "a RAR archive: unpack it",
    b"ORC": "ORC: convert it to Parquet",
    b"Obj\x01": "Avro: convert it to Parquet",
    b"ARROW1": "Arrow or Feather: convert it to Parquet",
    b"SQLite format 3": "an SQLite database: export a table as CSV",
    b"%PDF": "a PDF document",
    b"{\\rtf": "a text document in RTF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"\x7fELF": "a program",
    b"MZ\x90": "a program",
    b"<?xml": "XML: export it as CSV",
    b"<!DOCTYPE": "a web page",
    b"<html": "a web page",
    b"\x93NUMPY": "a NumPy array: convert it to Parquet",
    b"\x89HDF": "HDF5: convert it to Parquet",
}
"""First bytes of files that cannot be read -> what they are. PAR1 and ORC are no beginning of a
header that has a delimiter soon after."""

_UTF32: Final = (b"\xff\xfe\0\0", b"\0\0\xfe\xff")


def kind_of(head: bytes) -> Kind:
    """Return what a file is.

    Args:
        head: its first `HEAD_BYTES` bytes.

    Raises:
        FileRefused: it is empty, or nothing that can be read as a table.
    """
    if not head.strip():
        raise FileRefused("empty-file", "the file is empty")
    for magic, kind in _READ.items():
        if head.startswith(magic):
            return kind
    check_text(head)
    return "text"


def check_text(head: bytes) -> None:
    """Check that a file is text, by its first bytes, unpacked.

    Raises:
        FileRefused: it is not.
    """
    what = next((what for magic, what in _OTHERS.items() if head.startswith(magic)), None)
    if what is None and head[257:262] == b"ustar":
        what = "a tar archive: unpack it"
    if what is None and head.lstrip()[:1] in (b"{", b"["):
        what = "JSON: convert it to CSV or Parquet"
    if what is None and _is_binary(head):
        what = "binary, not text"
    if what is not None:
        raise FileRefused("other-kind", f"the file is {what}; CSV, Parquet and workbooks are read")


def _is_binary(head: bytes) -> bool:
    """Whether there is a NUL, as a character."""
    encoding = utf16_of(head)
    if head.startswith(_UTF32) or encoding is None:
        return b"\0" in head
    return "\0" in head.decode(encoding, errors="ignore")
