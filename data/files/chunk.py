"""A part of a file: rows that could be split into columns, and those that could not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fraud.errors import QuorumError


class SourceUnreadable(QuorumError):
    """A file that is not what its name says. The message names the file."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was not taken, and why; never its value.

    Attributes:
        row: its place in the file, from 1, the header not counted.
        line: line of a CSV file on which it begins; the same as `row` for Parquet.
        field: canonical field at fault; "" if it is the row as a whole.
        example: the cell for a message, of the first rows with this problem; "" elsewhere.
    """

    row: int
    line: int
    field: str
    code: str
    detail: str
    example: str = ""


@dataclass(frozen=True, slots=True)
class Chunk:
    """n readable rows and what was not readable between them.

    Attributes:
        rows: int64[n], place of each in the file, from 1, ascending.
        lines: int64[n], its line (CSV) or its place again (Parquet).
        columns: name -> Arrow array of n values.
        bad: rows that could not be split into columns.
        rows_done: rows of the file that are behind us after this chunk, good and bad.
        share: part of the file behind us, in [0, 1].
    """

    rows: NDArray[np.int64]
    lines: NDArray[np.int64]
    columns: Mapping[str, pa.Array]
    bad: list[BadRow] = field(default_factory=list)
    rows_done: int = 0
    share: float = 0.0
