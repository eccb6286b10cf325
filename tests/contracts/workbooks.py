"""Workbooks of the three formats, from rows of texts and numbers, without a library."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

Cell = str | float | bool | None
Rows = Sequence[Sequence[Cell]]

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def zipped(entries: Mapping[str, str | bytes]) -> bytes:
    """A ZIP file."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return made.getvalue()


def xlsx(sheets: Mapping[str, Rows], hidden: Sequence[str] = ()) -> bytes:
    """A workbook of Excel since 2007. Style 1 of a cell is a date."""
    bodies = {name: "".join(map(_xlsx_row, rows)) for name, rows in sheets.items()}
    return xlsx_of(bodies, hidden)


def xlsx_of(bodies: Mapping[str, str], hidden: Sequence[str] = ()) -> bytes:
    """The same from the XML of the rows of each sheet."""
    state = dict.fromkeys(hidden, ' state="hidden"')
    listed = "".join(
        f'<sheet name="{name}" sheetId="{i}" r:id="r{i}"{state.get(name, "")}/>'
        for i, name in enumerate(bodies, start=1)
    )
    related = "".join(
        f'<Relationship Id="r{i}" Target="worksheets/sheet{i}.xml" Type="{_RELATIONS}/worksheet"/>'
        for i in range(1, len(bodies) + 1)
    )
    return zipped(
        {
            "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"/>',
            "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r"'
            f' Target="xl/workbook.xml" Type="{_RELATIONS}/officeDocument"/></Relationships>',
            "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}">'
            f"<sheets>{listed}</sheets></workbook>",
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
            f'{related}<Relationship Id="s" Target="styles.xml" Type="{_RELATIONS}/styles"/>'
            "</Relationships>",
            "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><cellXfs><xf numFmtId="0"/>'
            '<xf numFmtId="14"/></cellXfs></styleSheet>',
            **{
                f"xl/worksheets/sheet{i}.xml": f'<worksheet xmlns="{_MAIN}"><sheetData>{body}'
                "</sheetData></worksheet>"
                for i, body in enumerate(bodies.values(), start=1)
            },
        }
    )


def _xlsx_row(row: Sequence[Cell]) -> str:
    return f"<row>{''.join(map(_xlsx_cell, row))}</row>"


def _xlsx_cell(cell: Cell) -> str:
    if cell is None:
        return "<c/>"
    if isinstance(cell, bool):
        return f'<c t="b"><v>{int(cell)}</v></c>'
    if isinstance(cell, str):
        return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(cell)}</t></is></c>'
    return f"<c><v>{cell!r}</v></c>"


def ods(rows: Rows) -> bytes:
    """A workbook of LibreOffice."""
    office = "urn:oasis:names:tc:opendocument:xmlns"
    lines = "".join(
        f"<table:table-row>{''.join(map(_ods_cell, row))}</table:table-row>" for row in rows
    )
    return zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": f'<manifest:manifest xmlns:manifest="{office}:manifest:1.0"/>',
            "content.xml": f'<office:document-content xmlns:office="{office}:office:1.0"'
            f' xmlns:table="{office}:table:1.0" xmlns:text="{office}:text:1.0"><office:body>'
            f'<office:spreadsheet><table:table table:name="One">{lines}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>",
        }
    )


def _ods_cell(cell: Cell) -> str:
    if isinstance(cell, str):
        kept = f"<text:p>{escape(cell)}</text:p>"
        return f'<table:table-cell office:value-type="string">{kept}</table:table-cell>'
    if cell is None:
        return "<table:table-cell/>"
    return f'<table:table-cell office:value-type="float" office:value="{cell!r}"/>'


def xls(rows: Rows, stream: str = "Workbook") -> bytes:
    """A workbook of Excel 97: one stream in a compound file."""
    sheet = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 1997, 0, 0))
    for r, row in enumerate(rows):
        for c, cell in enumerate(row):
            if isinstance(cell, str):
                text = struct.pack("<HB", len(cell), 1) + cell.encode("utf-16-le")
                sheet += _record(0x0204, struct.pack("<HHH", r, c, 0) + text)
            elif cell is not None:
                sheet += _record(0x0203, struct.pack("<HHHd", r, c, 0, cell))
    sheet += _record(0x000A, b"")
    begin = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 1997, 0, 0))
    name = struct.pack("<BB", 3, 0) + b"One"
    at = len(begin) + 4 + 6 + len(name) + 4
    listed = _record(0x0085, struct.pack("<IBB", at, 0, 0) + name)
    return _compound(stream, begin + listed + _record(0x000A, b"") + sheet)


def _record(kind: int, body: bytes) -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def _compound(stream: str, body: bytes) -> bytes:
    """A compound file with one stream: sector 0 is the FAT, 1 the directory, then the stream."""
    body = body.ljust(max(4096, -len(body) % 512 + len(body)), b"\0")
    sectors = len(body) // 512
    assert sectors + 2 <= 128, "one sector of FAT"
    chain = [0xFFFFFFFD, 0xFFFFFFFE, *range(3, sectors + 2), 0xFFFFFFFE]
    fat = struct.pack("<128I", *chain, *[0xFFFFFFFF] * (128 - len(chain)))
    root = _entry("Root Entry", 5, 0xFFFFFFFE, 0, child=1)
    folder = (root + _entry(stream, 2, 2, len(body))).ljust(512, b"\0")
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".ljust(24, b"\0")
    head += struct.pack("<HHHHH6xIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)  # fmt: skip  # noqa: E501
    head += struct.pack("<109I", 0, *[0xFFFFFFFF] * 108)
    return head.ljust(512, b"\0") + fat + folder + body


def _entry(name: str, kind: int, start: int, size: int, child: int = 0xFFFFFFFF) -> bytes:
    text = name.encode("utf-16-le") + b"\0\0"
    links = struct.pack("<III", 0xFFFFFFFF, 0xFFFFFFFF, child)
    return (
        text.ljust(64, b"\0")
        + struct.pack("<HBB", len(text), kind, 1)
        + links
        + bytes(36)
        + struct.pack("<IQ", start, size)
    )
