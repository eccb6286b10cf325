"""Reads a form with one file (multipart/form-data, RFC 7578) while it comes in.

The file passes through: nothing of it is kept here. Other fields are short texts. No value is ever
repeated in an error, and the file's name is noted only.
"""

from __future__ import annotations

import logging

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from fraud.errors import InvalidInput
from serve_app.http.problems import HttpProblem
from serve_app.http.reading.fault import Refused, fault, member_pointer

FORM = b"multipart/form-data"
FILE = "file"
"""The field that holds the file."""

MAX_FIELD_BYTES = 64 * 1024
MAX_FIELDS = 64
MAX_HEADERS = 8
MAX_HEADER_BYTES = 32 * 1024
"""A header of a part, with the file's name in it."""

# Its warnings quote what the client sent.
logging.getLogger("python_multipart").setLevel(logging.ERROR)


def boundary_of(content_type: bytes | None) -> bytes:
    """Return the boundary in a `Content-Type`.

    Raises:
        HttpProblem: 415: it is no form; 400: it has no boundary.
    """
    media_type, parameters = parse_options_header((content_type or b"").decode("latin-1"))
    if media_type != FORM:
        detail = "Send a file as `multipart/form-data`, or a source as `application/json`"
        raise HttpProblem("unsupported-media-type", detail)
    boundary = parameters.get(b"boundary", b"")
    # RFC 2046, section 5.1.1.
    if not 1 <= len(boundary) <= 70:
        raise HttpProblem("malformed-form", "`Content-Type` needs a boundary of 1 to 70 characters")
    return boundary


class Form:
    """A form while it is read.

    Args:
        boundary: between its parts.

    Attributes:
        file_name: as the client sent it; None before the file begins.
        fields: (name, text) of the fields that have been read.
    """

    def __init__(self, boundary: bytes) -> None:
        self.file_name: str | None = None
        self.fields: list[tuple[str, str]] = []
        self._ended = False
        self._of_file: list[bytes] = []
        self._header: list[bytearray] = [bytearray(), bytearray()]
        self._name = ""
        self._in_file = False
        self._text = bytearray()
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._on_part_begin,
                "on_header_field": self._on_header_name,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers_finished,
                "on_part_data": self._on_part_data,
                "on_part_end": self._on_part_end,
                "on_end": self._on_end,
            },
            max_header_count=MAX_HEADERS,
            max_header_size=MAX_HEADER_BYTES,
        )

    def feed(self, data: bytes) -> bytes:
        """Read on. Returns what of `data` belongs to the file.

        Raises:
            HttpProblem: 400: it is no form.
            InvalidInput: a field is wrong; names it.
        """
        try:
            self._parser.write(data)
        except FormParserError:
            raise _malformed("The body is not a form with this boundary") from None
        found, self._of_file = b"".join(self._of_file), []
        return found

    def end(self) -> None:
        """Check that nothing is missing, once all is read.

        Raises:
            HttpProblem: 400: the form was cut off.
            InvalidInput: there is no file.
        """
        if not self._ended:
            raise _malformed("The form ends before its last boundary")
        if self.file_name is None:
            detail = f"Missing field `{FILE}`: it is required"
            raise InvalidInput("the form has no file", ((f"/{FILE}", "missing", detail),))

    def _on_part_begin(self) -> None:
        self._name, self._in_file = "", False
        self._header = [bytearray(), bytearray()]

    def _on_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header[0] += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header[1] += data[start:end]

    def _on_header_end(self) -> None:
        name, value = (bytes(part) for part in self._header)
        self._header = [bytearray(), bytearray()]
        if name.lower() != b"content-disposition":
            return
        kind, parameters = parse_options_header(value.decode("latin-1"))
        if kind == b"form-data":
            self._name = parameters.get(b"name", b"").decode(errors="replace")
            if self._name == FILE:
                self._begin_file(parameters.get(b"filename", b"").decode(errors="replace"))

    def _on_headers_finished(self) -> None:
        if not self._name:
            raise _malformed("A part of the form has no name")
        if len(self.fields) >= MAX_FIELDS:
            detail = f"Too many fields: expected at most {MAX_FIELDS}"
            raise InvalidInput("the form has too many fields", (("", "too_many", detail),))
        self._text.clear()

    def _begin_file(self, file_name: str) -> None:
        if self.file_name is not None:
            raise _refused(FILE, Refused("repeated", "expected one file"))
        self.file_name = file_name
        self._in_file = True

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self._of_file.append(data[start:end])
            return
        self._text += data[start:end]
        if len(self._text) > MAX_FIELD_BYTES:
            raise _refused(self._name, Refused("too_long", f"at most {MAX_FIELD_BYTES} bytes"))

    def _on_part_end(self) -> None:
        if self._in_file:
            return
        try:
            self.fields.append((self._name, self._text.decode()))
        except UnicodeDecodeError:
            raise _refused(self._name, Refused("not_utf8", "expected UTF-8")) from None

    def _on_end(self) -> None:
        self._ended = True


def _malformed(detail: str) -> HttpProblem:
    return HttpProblem("malformed-form", detail)


def _refused(name: str, why: Refused) -> InvalidInput:
    pointer = member_pointer("", name)
    shown = name if pointer is not None else "field"
    return InvalidInput("the form cannot be read", (fault(pointer or "", shown, why),))
