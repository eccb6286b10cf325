"""Reading a form as it comes in."""

from __future__ import annotations

import random

import pytest

from fraud.errors import InvalidInput
from serve_app.http.problems import HttpProblem
from serve_app.http.reading.form import (
    MAX_FIELD_BYTES,
    MAX_FIELDS,
    MAX_HEADER_BYTES,
    Form,
    boundary_of,
)

B = b"xYzZY"


def part(name: str, body: bytes, *, file_name: str | None = None, more: bytes = b"") -> bytes:
    disposition = f'form-data; name="{name}"'
    if file_name is not None:
        disposition += f'; filename="{file_name}"'
    head = b"Content-Disposition: " + disposition.encode() + b"\r\n" + more
    return b"--" + B + b"\r\n" + head + b"\r\n" + body + b"\r\n"


END = b"--" + B + b"--\r\n"
FILE = part("file", b"a,b\r\n1,2\r\n", file_name="march.csv", more=b"Content-Type: text/csv\r\n")


def read(body: bytes, step: int = 1 << 20) -> tuple[Form, bytes]:
    form = Form(B)
    found = b"".join([form.feed(body[at : at + step]) for at in range(0, len(body), step)])
    form.end()
    return form, found


@pytest.mark.parametrize("step", [1, 2, 3, 7, 64, 1 << 20])
def test_the_file_passes_through_whatever_the_pieces(step: int) -> None:
    content = random.Random(step).randbytes(500) + b"\r\n--" + B[:-1] + b"\r\n--\r\n"
    body = part("models", b"2") + part("file", content, file_name="m.csv") + part("a", "é".encode())
    form, found = read(body + END, step)
    assert found == content
    assert form.file_name == "m.csv"
    assert form.fields == [("models", "2"), ("a", "é")]


def test_what_stands_around_the_form_is_left_out() -> None:
    form, found = read(FILE + END + b"epilogue")
    assert (form.file_name, found) == ("march.csv", b"a,b\r\n1,2\r\n")


@pytest.mark.parametrize(
    ("sent", "noted"),
    [
        ("../../etc/passwd", "../../etc/passwd"),
        ("paiements é.csv", "paiements é.csv"),
        ("a" * 10_000, "a" * 10_000),
        ("", ""),
    ],
)
def test_the_name_is_noted_as_it_was_sent(sent: str, noted: str) -> None:
    assert read(part("file", b"x", file_name=sent) + END)[0].file_name == noted


def test_a_file_needs_no_name() -> None:
    form, found = read(part("file", b"x") + END)
    assert (form.file_name, found) == ("", b"x")


def test_without_a_file_the_field_is_missing() -> None:
    with pytest.raises(InvalidInput) as refused:
        read(part("models", b"2") + END)
    assert refused.value.errors[0][:2] == ("/file", "missing")


def test_two_files_are_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        read(FILE + FILE + END)
    assert refused.value.errors[0][:2] == ("/file", "repeated")


def test_a_field_is_short_and_utf_8() -> None:
    read(part("options", b"x" * MAX_FIELD_BYTES) + FILE + END)
    for body, code in ((b"x" * (MAX_FIELD_BYTES + 1), "too_long"), (b"\xff", "not_utf8")):
        with pytest.raises(InvalidInput) as refused:
            read(part("options", body) + FILE + END)
        assert refused.value.errors[0][:2] == ("/options", code)


def test_there_are_not_too_many_fields() -> None:
    few = b"".join(part("ignore", b"x") for _ in range(MAX_FIELDS - 1))
    read(few + FILE + END)
    with pytest.raises(InvalidInput) as refused:
        read(few + part("ignore", b"x") + FILE + END)
    assert refused.value.errors[0][:2] == ("", "too_many")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"a,b\r\n1,2\r\n",
        FILE,
        FILE + b"--" + B,
        FILE[: len(FILE) // 2],
        b"--other\r\n" + FILE,
        part("file", b"x", more=b"X-Large: " + b"y" * MAX_HEADER_BYTES + b"\r\n") + END,
        part("file", b"x", more=b"X-Many: y\r\n" * 9) + END,
        part("file", b"x", more=b"no colon\r\n") + END,
        b"--" + B + b"\r\n\r\nno head\r\n" + END,
        b"--" + B + b"\r\nContent-Disposition: attachment; name=file\r\n\r\nx\r\n" + END,
        part("", b"x") + END,
    ],
)
def test_what_is_no_whole_form_is_400(body: bytes) -> None:
    with pytest.raises(HttpProblem) as refused:
        read(body)
    assert refused.value.slug == "malformed-form"


def test_a_name_that_looks_like_a_value_is_not_repeated() -> None:
    with pytest.raises(InvalidInput) as refused:
        read(part("4111 1111", b"\xff") + FILE + END)
    assert "4111" not in str(refused.value.errors)


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        (b"multipart/form-data; boundary=abc", b"abc"),
        (b'Multipart/Form-Data; charset=utf-8; boundary="a b"', b"a b"),
    ],
)
def test_a_boundary_is_found(content_type: bytes, boundary: bytes) -> None:
    assert boundary_of(content_type) == boundary


@pytest.mark.parametrize(
    ("content_type", "slug"),
    [
        (None, "unsupported-media-type"),
        (b"text/csv", "unsupported-media-type"),
        (b"multipart/mixed; boundary=a", "unsupported-media-type"),
        (b"multipart/form-data", "malformed-form"),
        (b"multipart/form-data; boundary=", "malformed-form"),
        (b"multipart/form-data; boundary=" + b"a" * 71, "malformed-form"),
    ],
)
def test_other_types_and_no_boundary_are_refused(content_type: bytes | None, slug: str) -> None:
    with pytest.raises(HttpProblem) as refused:
        boundary_of(content_type)
    assert refused.value.slug == slug
