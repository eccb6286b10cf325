"""A file that cannot be scored."""

from __future__ import annotations

from typing import Literal

from fraud.errors import InvalidInput

RefusalCode = Literal[
    "empty-file",  # no byte but spaces
    "no-rows",  # a header, and nothing that could be read below it
    "no-header",  # the first row holds values
    "one-column",
    "too-many-columns",
    "equal-names",  # two columns have the same name
    "empty-name",  # a column has no name
    "reserved-name",  # a column has a name that only Quorum gives
    "wrong-name",  # the name of a column is too long, or not text
    "nested-column",  # the cells of a Parquet column are lists, maps or structures
    "too-long",  # a cell or a line is longer than any payment's
    "too-large",  # the file unpacked is larger than allowed
    "bomb",  # it unpacks into far more than a table does
    "too-many-bad-rows",  # most rows cannot be read: the delimiter or the quote is wrong
    "damaged",  # the file ends too early, or its checksum is wrong
    "encrypted",
    "unsafe-archive",  # a ZIP file with names that lead out of a folder
    "other-kind",  # not a table that can be read
    "wrong-dialect",  # the caller's dialect does not fit the file, or is wrong in itself
    "source-not-allowed",  # a path or URL that the settings do not allow, or that is not there
]


class FileRefused(InvalidInput):
    """A file that cannot be scored, whatever models there are. The message holds no cell.

    Args:
        code: stable.
        detail: one sentence for the sender.
        column: name of the column at fault; "" for the file as a whole.
        line: line at fault, from 1; 0 if none is.
    """

    def __init__(self, code: RefusalCode, detail: str, column: str = "", line: int = 0) -> None:
        super().__init__(detail, (("/file", code, detail),))
        self.args = (code, detail, column, line)  # what pickle calls the class with
        self.code = code
        self.column = column
        self.line = line

    def __str__(self) -> str:
        return self.detail
