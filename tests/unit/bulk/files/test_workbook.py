"""Workbooks that are refused, before or by the process that reads them."""

from __future__ import annotations

import os
import struct
import subprocess
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bulk.files import workbook
from bulk.files.refused import FileRefused
from bulk.files.workbook import check_compound, check_zip, copied_sheet, copy_sheet
from tests.contracts.workbooks import xls, xlsx, xlsx_of, zipped

ROWS = [["id", "amount"], ["a", 1.5]]
GIB = 1 << 30


def refusal(path: Path, content: bytes, max_bytes: int = GIB) -> str:
    """The code with which a file is refused; nothing is left beside it."""
    path.write_bytes(content)
    with pytest.raises(FileRefused) as caught:
        read(path, max_bytes)
    assert list(path.parent.iterdir()) == [path]
    return caught.value.code


def read(path: Path, max_bytes: int) -> None:
    """Check and copy a workbook."""
    if path.read_bytes().startswith(b"PK"):
        check_zip(path, max_bytes)
    else:
        check_compound(path)
    copy_sheet(path)


def flagged(content: bytes) -> bytes:
    """A ZIP file whose entries say that they are encrypted."""
    made = bytearray(content)
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = made.find(mark)
        while place >= 0:
            made[place + at] |= 1
            place = made.find(mark, place + 4)
    return bytes(made)


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "..\\x", "C:\\x", "xl/.."])
def test_names_that_lead_out(tmp_path: Path, name: str) -> None:
    assert refusal(tmp_path / "x", zipped({"xl/workbook.xml": "", name: ""})) == "unsafe-archive"


def test_archives_and_documents_that_are_no_workbooks(tmp_path: Path) -> None:
    assert refusal(tmp_path / "x", zipped({"word/document.xml": "<x/>"})) == "other-kind"
    text = zipped({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": ""})
    assert refusal(tmp_path / "x", text) == "other-kind"
    assert refusal(tmp_path / "x", xls(ROWS, "WordDocument")) == "other-kind"


def test_encrypted_ones(tmp_path: Path) -> None:
    assert refusal(tmp_path / "x", flagged(xlsx({"One": ROWS}))) == "encrypted"
    assert refusal(tmp_path / "x", xls(ROWS, "EncryptedPackage")) == "encrypted"


def test_bombs_by_their_directory(tmp_path: Path) -> None:
    bomb = zipped({"xl/workbook.xml": bytes(100_000_000)})
    assert refusal(tmp_path / "x", bomb) == "bomb"
    many = zipped({f"xl/{i}": "" for i in range(10_001)})
    assert refusal(tmp_path / "x", many) == "bomb"
    assert refusal(tmp_path / "x", xlsx({"One": ROWS}), 500) == "too-large"


def test_cells_that_are_far_apart(tmp_path: Path) -> None:
    # Two cells; all between them would take 500 GB.
    body = '<row r="1"><c r="A1"><v>1</v></c></row>'
    body += '<row r="1048576"><c r="XFD1048576"><v>2</v></c></row>'
    assert refusal(tmp_path / "x", xlsx_of({"One": body})) == "bomb"


def test_damaged_ones(tmp_path: Path) -> None:
    whole = xlsx({"One": ROWS})
    assert refusal(tmp_path / "x", whole[:-30]) == "damaged"
    assert refusal(tmp_path / "x", xls(ROWS)[:1500]) == "damaged"
    assert refusal(tmp_path / "x", xlsx_of({"One": "<row><c></row>"})) == "damaged"


def test_empty_ones(tmp_path: Path) -> None:
    assert refusal(tmp_path / "x", xlsx({"One": []})) == "empty-file"
    assert refusal(tmp_path / "x", xlsx({"One": ROWS}, hidden=["One"])) == "empty-file"


def test_a_sheet_is_copied_once_for_each_upload(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(xlsx({"One": ROWS}))
    copy, _, _ = copy_sheet(path)
    assert copy == copied_sheet(path)
    before = copy.stat().st_ino
    assert copy_sheet(path)[0].stat().st_ino == before
    later = copy.stat().st_mtime_ns + 10**9
    os.utime(path, ns=(later, later))
    assert copy_sheet(path)[0].stat().st_ino != before


def test_zip_files_are_read_by_their_directory_only(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(xlsx({"One": ROWS}))
    check_zip(path, GIB)
    with zipfile.ZipFile(path) as archive:
        assert "xl/workbook.xml" in archive.namelist()


def test_a_large_old_document_is_searched_without_being_loaded(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with path.open("wb") as file:
        file.write(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
        file.seek(1 << 26)
        file.write("Workbook".encode("utf-16-le"))
    tracemalloc.start()
    try:
        check_compound(path)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
    with pytest.raises(FileRefused) as caught:
        check_compound(path)
    assert caught.value.code == "other-kind"


def as_zip64(content: bytes) -> bytes:
    """The same ZIP file; its directory is told by a record of ZIP64."""
    end = content[-22:]
    entries, size, start = struct.unpack("<HLL", end[10:20])
    record = struct.pack(
        "<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, entries, entries, size, start
    )
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(content) - 22, 1)
    full = end[:8] + b"\xff" * 12 + end[20:]
    return content[:-22] + record + locator + full


@pytest.mark.parametrize("form", [bytes, as_zip64])
def test_a_directory_of_millions_of_entries_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "x"
    path.write_bytes(form(xlsx({"One": ROWS})))
    check_zip(path, GIB)
    monkeypatch.setattr(workbook, "_MAX_DIRECTORY", 100)
    monkeypatch.setattr(zipfile.ZipFile, "infolist", lambda _: pytest.fail("it was read"))
    with pytest.raises(FileRefused) as caught:
        check_zip(path, GIB)
    assert caught.value.code == "bomb"


def test_two_processes_may_copy_the_same_sheet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x"
    path.write_bytes(xlsx({"One": ROWS}))
    made: list[str] = []
    run = subprocess.run

    def noted(command: list[str], **more: Any) -> Any:
        made.append(command[-1])
        if len(made) == 1:  # the other one is done first
            copy_sheet(path)
        return run(command, **more)

    monkeypatch.setattr(subprocess, "run", noted)
    assert copy_sheet(path)[0].exists()
    assert len(set(made)) == 2
    assert {p.name for p in tmp_path.iterdir()} == {"x", copied_sheet(path).name}
