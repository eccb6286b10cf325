"""A workbook: checked from outside, then read in a process of its own.

The reader of workbooks allocates what the file claims to hold, and ends its process if that fails.
So it runs in a child process with bounds on memory and time, which copies the sheet to Parquet.
"""

from __future__ import annotations

import json
import mmap
import struct
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath
from typing import Final

import pyarrow.parquet as pq

from bulk.files.refused import FileRefused
from stores.whole_file import whole_file

MAX_RATIO: Final = 200
"""Unpacked bytes to packed ones of a ZIP file from which on it is taken for a bomb."""

MAX_BYTES: Final = 1 << 30
"""Bytes that a workbook may unpack to. Larger tables do not fit a sheet well: CSV is for them."""

_MAX_DIRECTORY: Final = 1 << 22
"""Bytes of a ZIP file's list of entries."""

_END_BYTES: Final = (1 << 16) + 22 + 20 + 56
"""The longest end of a ZIP file: a comment, its record, and the two of ZIP64."""

_FREE_BYTES: Final = 1 << 26
_MAX_ENTRIES: Final = 10_000
_TIMEOUT_S: Final = 300
_SHEETS: Final = frozenset(("xl/workbook.xml", "xl/workbook.bin"))
_OPEN_DOCUMENT: Final = "application/vnd.oasis.opendocument.spreadsheet"
_SEARCHED: Final = 1 << 28


def copied_sheet(path: Path) -> Path:
    """Return where the sheet of a workbook is copied to: beside it."""
    return path.with_name(f"{path.name}.sheet.parquet")


def copy_sheet(path: Path) -> tuple[Path, str, tuple[str, ...]]:
    """Copy the first visible sheet of a workbook to a Parquet file, unless that is done.

    Args:
        path: of the workbook, which has passed `check_zip` or `check_compound`.

    Returns:
        The copy, the name of the sheet, and notes for the sender.

    Raises:
        FileRefused: it is damaged, encrypted, empty or too large.
    """
    target = copied_sheet(path)
    if not target.exists() or target.stat().st_mtime_ns < path.stat().st_mtime_ns:
        with whole_file(target) as made:
            _run(path, made)
    told = json.loads(pq.read_schema(target).metadata[b"quorum.sheet"])
    return target, str(told["sheet"]), tuple(map(str, told["notes"]))


def check_zip(path: Path, max_bytes: int) -> None:
    """Check a ZIP file by its directory, before anything of it is unpacked.

    Raises:
        FileRefused: it is no workbook, or one that cannot be read safely.
    """
    try:
        _check_directory(path)
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            mimetype = next((e for e in entries if e.filename == "mimetype"), None)
            _check_entries(entries, path.stat().st_size, min(max_bytes, MAX_BYTES))
            kind = b"" if mimetype is None else archive.open(mimetype).read(len(_OPEN_DOCUMENT))
    # zipfile raises all of these for broken archives, and for features that it does not support.
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError, ValueError):
        raise FileRefused("damaged", "the ZIP file is damaged") from None
    if kind != _OPEN_DOCUMENT.encode() and _SHEETS.isdisjoint(e.filename for e in entries):
        raise FileRefused(
            "other-kind",
            "the file is a ZIP archive and no workbook: unpack it, or compress a CSV with gzip",
        )


def check_compound(path: Path) -> None:
    """Check an old Office file: a workbook has a stream of that name.

    Raises:
        FileRefused: it is encrypted, or another document.
    """
    with (
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        encrypted, workbook, book = (
            content.find(name.encode("utf-16-le"), 0, _SEARCHED) >= 0
            for name in ("EncryptedPackage", "Workbook", "Book")
        )
    if encrypted:
        raise FileRefused("encrypted", "the workbook is encrypted: save it without a password")
    if not (workbook or book):
        raise FileRefused("other-kind", "the file is an Office document and no workbook")


def _check_directory(path: Path) -> None:
    """Check the size of a ZIP file's directory: `zipfile` makes an object of each of its entries.

    The record at the end of the file tells it, or one of ZIP64 just before. Since a comment may
    look like such a record, whatever looks like one counts.
    """
    file_size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(file_size - _END_BYTES, 0))
        end = file.read()
    for mark, at, form in ((b"PK\x05\x06", 12, "<L"), (b"PK\x06\x06", 40, "<Q")):
        place = end.find(mark)
        while 0 <= place <= len(end) - at - struct.calcsize(form):
            (size,) = struct.unpack_from(form, end, place + at)
            told_elsewhere = form == "<L" and size == 0xFFFFFFFF > file_size  # in that of ZIP64
            if size > _MAX_DIRECTORY and not told_elsewhere:
                raise FileRefused("bomb", "the ZIP file has far more entries than a workbook")
            place = end.find(mark, place + 1)


def _check_entries(entries: list[zipfile.ZipInfo], packed: int, max_bytes: int) -> None:
    for entry in entries:
        place = PurePosixPath(entry.filename.replace("\\", "/"))
        if place.is_absolute() or ".." in place.parts or ":" in entry.filename:
            raise FileRefused("unsafe-archive", "the ZIP file has names that lead out of it")
        if entry.flag_bits & 1:
            raise FileRefused("encrypted", "the ZIP file is encrypted")
    size = sum(entry.file_size for entry in entries)
    if len(entries) > _MAX_ENTRIES or size > max(_FREE_BYTES, MAX_RATIO * packed):
        raise FileRefused("bomb", "the ZIP file unpacks to far more than a workbook")
    if size > max_bytes:
        raise FileRefused("too-large", f"the workbook unpacks to more than {max_bytes:,} bytes")


def _run(path: Path, made: Path) -> None:
    command = [sys.executable, "-m", "bulk.files.sheet_copy", str(path), str(made)]
    folder = Path(__file__).resolve().parents[2]
    try:
        done = subprocess.run(  # noqa: S603 — no part of it comes from the file
            command, cwd=folder, capture_output=True, timeout=_TIMEOUT_S, check=False
        )
        if done.returncode == 0:
            told = json.loads(done.stdout)
            if "code" in told:
                raise FileRefused(told["code"], told["detail"])
            return
    except subprocess.TimeoutExpired:
        raise FileRefused("bomb", "the workbook takes too long to read: save it as CSV") from None
    if done.returncode > 0:  # the reader met what it did not expect
        raise FileRefused("damaged", "the workbook is damaged")
    raise FileRefused("bomb", "the workbook needs too much memory or time: save it as CSV")
