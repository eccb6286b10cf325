"""Files as senders have them: opened by content, or refused with the reason."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bulk.files.opening import open_upload
from bulk.files.refused import FileRefused
from bulk.files.upload import Upload
from tests.contracts.workbooks import xlsx, zipped

TABLE = 'id;montant;libellé\n1;1,50;café\n2;-3,25;"a;b"\n'


def opened(tmp_path: Path, content: bytes, name: str = "x", **dialect: Any) -> Upload:
    path = tmp_path / "upload"
    path.write_bytes(content)
    return open_upload(path, name, max_unpacked_bytes=1 << 27, dialect=dialect)


def cells(upload: Upload) -> list[tuple[Any, ...]]:
    [chunk] = upload.table.chunks()
    return list(zip(*(chunk.columns[name].to_pylist() for name in upload.names), strict=True))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "utf-16-be"])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_text_in_any_encoding(tmp_path: Path, encoding: str, packed: bool, end: str) -> None:
    content = TABLE.replace("\n", end).encode(encoding)
    upload = opened(
        tmp_path, gzip.compress(content, mtime=0) if packed else content, "../../x.parquet"
    )
    assert (upload.kind, upload.is_text, upload.decimal) == ("csv", True, ",")
    assert upload.names == ("id", "montant", "libellé")
    assert cells(upload) == [("1", "1,50", "café"), ("2", "-3,25", "a;b")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^"])
def test_any_delimiter(tmp_path: Path, delimiter: str) -> None:
    upload = opened(tmp_path, "a,b,c\n1,x y,3.5\n2,z,4.5\n".replace(",", delimiter).encode())
    assert (upload.names, upload.decimal) == (("a", "b", "c"), ".")
    assert cells(upload)[0] == ("1", "x y", "3.5")


def test_what_the_sender_knows_comes_first(tmp_path: Path) -> None:
    upload = opened(tmp_path, b"1,5|x\n2,5|y\n", delimiter="|", names=["a", "b"], decimal=".")
    assert (upload.names, upload.decimal) == (("a", "b"), ".")
    assert cells(upload) == [("1,5", "x"), ("2,5", "y")]


def test_a_thousands_comma_is_no_decimal_comma(tmp_path: Path) -> None:
    assert opened(tmp_path, b'a,b\n"1,234",x\n"12,345",y\n').decimal == "."


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "zstd", "lz4", "brotli"])
def test_parquet_whatever_its_name(tmp_path: Path, compression: str) -> None:
    made = io.BytesIO()
    pq.write_table(pa.table({"a": [1, 2], "b": ["x", None]}), made, compression=compression)
    upload = opened(tmp_path, made.getvalue(), "x.csv")
    assert (upload.kind, upload.is_text, upload.names) == ("parquet", False, ("a", "b"))
    assert cells(upload) == [(1, "x"), (2, None)]


def test_a_workbook(tmp_path: Path) -> None:
    rows = [["id", "amount"], ["a", 1.5], ["b", 2.0]]
    upload = opened(tmp_path, xlsx({"Payments": rows, "Notes": rows}))
    assert (upload.kind, upload.is_text, upload.sheet) == ("workbook", False, "Payments")
    assert upload.notes == ("the first sheet is read, 1 more are not",)
    assert cells(upload) == [("a", 1.5), ("b", 2.0)]


REFUSED: list[tuple[bytes, str]] = [
    (b"", "empty-file"),
    (gzip.compress(b" \n", mtime=0), "empty-file"),
    (b"a,b\n", "no-rows"),
    (b"a,b\n\n\n", "no-rows"),
    (b"a\n1\n2\n", "one-column"),
    (b"a,b,a\n1,2,3\n", "equal-names"),
    (b"a,a\n1,2\n", "equal-names"),
    (b"a,,c\n1,2,3\n", "empty-name"),
    (b"quorum.row,b\n1,2\n", "reserved-name"),
    (b"1.5,2\n3,4\n", "no-header"),
    (b"a,b\n1,\0\0\n", "other-kind"),
    (b"\x7fELF\0\0", "other-kind"),
    (gzip.compress(b"PAR1\0", mtime=0), "other-kind"),
    (gzip.compress(gzip.compress(b"a,b\n1,2\n", mtime=0), mtime=0), "other-kind"),
    (gzip.compress(b"a,b\n1,2\n" * 100, mtime=0)[:-9], "damaged"),
    (b"\x1f\x8bjunk", "damaged"),
    (b"PAR1\x15junkPAR1", "damaged"),
    (b"PK\x03\x04junk", "damaged"),
    (zipped({"x.csv": "a,b\n1,2\n"}), "other-kind"),
    (zipped({"../x.csv": "a,b\n1,2\n"}), "unsafe-archive"),
    (b'"a,b\n1,2\n', "wrong-dialect"),
]


@pytest.mark.parametrize(("content", "code"), REFUSED)
def test_refusals(tmp_path: Path, content: bytes, code: str) -> None:
    with pytest.raises(FileRefused) as caught:
        opened(tmp_path, content)
    assert caught.value.code == code
    assert [path.name for path in tmp_path.iterdir()] == ["upload"]


@pytest.mark.parametrize("count", [2_001, 10_000, 100_000])
def test_too_many_columns(tmp_path: Path, count: int) -> None:
    rows = (",".join(f"c{i}" for i in range(count)), ",".join("1" for _ in range(count)))
    with pytest.raises(FileRefused) as caught:
        opened(tmp_path, "\n".join(rows).encode())
    assert caught.value.code == "too-many-columns"


def test_parquet_columns_that_are_refused(tmp_path: Path) -> None:
    for table, code in (
        (pa.table([[1], [2]], names=["a", "a"]), "equal-names"),
        (pa.table({"a": [1]}), "one-column"),
        (pa.table({"a": [1], "b": [[1, 2]]}), "nested-column"),
        (pa.table({"a": pa.array([], pa.int64()), "b": pa.array([], pa.int64())}), "no-rows"),
    ):
        made = io.BytesIO()
        pq.write_table(table, made)
        with pytest.raises(FileRefused) as caught:
            opened(tmp_path, made.getvalue())
        assert caught.value.code == code


@pytest.mark.parametrize(
    "dialect",
    [
        *({"decimal": "x"}, {"delimiter": ",,"}, {"encoding": "none"}, {"other": 1}, {"quote": 5}),
        *({"header": False}, {"delimiter": '"'}, {"skip_lines": -1}, {"encoding": "idna"}),
        *({"quote": "\0"}, {"delimiter": "\n"}, {"escape": "\r"}, {"quote": "\ud800"}),
    ],
)
def test_a_dialect_that_is_wrong(tmp_path: Path, dialect: dict[str, Any]) -> None:
    with pytest.raises(FileRefused) as caught:
        opened(tmp_path, b"a,b\n1,2\n", **dialect)
    assert caught.value.code in ("wrong-dialect", "no-header")


def test_no_message_holds_a_cell(tmp_path: Path) -> None:
    for content in (b'a,b\n"secret,1\n', b"secret1.5,2\n1,2\n,\n", b"a,b\nsecret\n"):
        try:
            upload = opened(tmp_path, content)
            found = [bad.detail for chunk in upload.table.chunks() for bad in chunk.bad]
        except FileRefused as refused:
            found = [str(refused)]
        assert "secret" not in " ".join(found)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf16", "U16", "UTF_16_LE", "utf-16"])
def test_an_encoding_that_shows_at_the_first_bytes_may_be_given(
    tmp_path: Path, encoding: str
) -> None:
    upload = opened(tmp_path, TABLE.encode(encoding), encoding=encoding)
    assert upload.names == ("id", "montant", "libellé")


def test_a_refusal_names_the_key_in_plain_words(tmp_path: Path) -> None:
    said = {}
    for key, value in (("encoding", "none"), ("names", ["a", "a"]), ("zz", 1)):
        with pytest.raises(FileRefused) as caught:
            opened(tmp_path, TABLE.encode(), **{key: value})
        said[key] = str(caught.value)
    assert said["encoding"] == "encoding: expected an encoding in which a line break is one byte"
    assert said["names"] == "names: must differ from each other"
    assert said["zz"].startswith("zz: ")


@pytest.mark.parametrize(
    "header", ["ORCID,amount", "PAR1,PAR2", "PARENT,amount", "[id],[amount]", "BZhour,x", "Rar!,b"]
)
def test_headers_that_begin_as_other_files_do(tmp_path: Path, header: str) -> None:
    upload = opened(tmp_path, f"{header}\n1,2\n3,4\n".encode())
    assert upload.names == tuple(header.split(","))


def test_a_workbook_without_a_header(tmp_path: Path) -> None:
    content = xlsx({"Payments": [["a1", 1.5], ["a2", 2.0]]})
    with pytest.raises(FileRefused) as caught:
        opened(tmp_path, content)
    assert caught.value.code == "no-header"
    assert opened(tmp_path, content, header=True).names == ("a1", "1.5")
