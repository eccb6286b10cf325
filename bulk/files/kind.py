"""What a file is, by its first bytes."""

from __future__ import annotations

import codecs
import re
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
    b"\xfd7zXZ": "compressed with xz: use gzip",
    b"\x28\xb5\x2f\xfd": "compressed with zstd: use gzip",
    b"\x04\x22\x4d\x18": "compressed with lz4: use gzip",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive: unpack it",
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
    b"\x93NUMPY": "a NumPy array: convert it to Parquet",
    b"\x89HDF": "HDF5: convert it to Parquet",
}
"""First bytes of files that cannot be read -> what they are."""

_OTHERS_OF_LETTERS: Final = {
    b"PARE": "a Parquet file with an encrypted footer",
    b"BZh": "compressed with bzip2: use gzip",
    b"Rar!": "a RAR archive: unpack it",
    b"ORC": "ORC: convert it to Parquet",
}
"""Likewise; but a header may begin with these letters, such as ORCID. Such a file has no byte that
is no text."""

_MARKUP: Final = {
    b"<?xml": "XML: export it as CSV",
    b"<!doctype": "a web page",
    b"<html": "a web page",
}
"""First bytes of a text, in small letters, after spaces -> what it is."""

_JSON: Final = re.compile(rb"""\{|\[\s*(?:[\[{"\d-]|true\b|false\b|null\b|\]|\Z)""")
"""The beginning of a JSON document. `[id],[amount]` is a header of SQL Server's."""

_CONTROLS: Final = re.compile(rb"[\x00\x02-\x08\x0e-\x1f]")
"""Bytes that no text has. 0x01 is a delimiter."""

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
        if head.startswith(magic) and (kind != "parquet" or _CONTROLS.search(head)):
            return kind
    check_text(head)
    return "text"


def check_text(head: bytes) -> None:
    """Check that a file is text, by its first bytes, unpacked.

    Raises:
        FileRefused: it is not.
    """
    what = _other_kind(head)
    if what is not None:
        raise FileRefused("other-kind", f"the file is {what}; CSV, Parquet and workbooks are read")


def _other_kind(head: bytes) -> str | None:
    """What a file is that is no text of a table; None if it may be one."""
    begin = head.removeprefix(codecs.BOM_UTF8).lstrip()
    kinds = [(head, _OTHERS), (begin[:20].lower(), _MARKUP)]
    if _CONTROLS.search(head):
        kinds.append((head, _OTHERS_OF_LETTERS))
    for start, known in kinds:
        for magic, what in known.items():
            if start.startswith(magic):
                return what
    if head[257:262] == b"ustar":
        return "a tar archive: unpack it"
    if _JSON.match(begin):
        return "JSON: convert it to CSV or Parquet"
    return "binary, not text" if _is_binary(head) else None


def _is_binary(head: bytes) -> bool:
    """Whether there is a NUL, as a character."""
    encoding = utf16_of(head)
    if head.startswith(_UTF32) or encoding is None:
        return b"\0" in head
    return "\0" in head.decode(encoding, errors="ignore")
