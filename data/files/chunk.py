"""Part of a file: rows that could be split into columns, and rows that could not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fraud.errors import QuorumError


class SourceUnreadable(QuorumError):
    """A file that is missing, damaged or of another kind. The message names the file."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A rejected row and the reason, without its value.

    Attributes:
        row: number in the file, from 1, without the header.
        line: line of a CSV file on which the row begins; the same as `row` for Parquet.
        field: the canonical field that is wrong; "" for the row as a whole.
        example: the masked cell, for the first few rows with this problem; else "".
    """

    row: int
    line: int
    field: str
    code: str
    detail: str
    example: str = ""


@dataclass(frozen=True, slots=True)
class Chunk:
    """n readable rows, and the unreadable ones between them.

    Attributes:
        rows: int64[n], number of each row in the file, from 1, ascending.
        lines: int64[n], its line (CSV) or its number again (Parquet).
        columns: name -> Arrow array of n values.
        bad: rows that could not be split into columns.
        rows_done: rows of the file read so far, this chunk included, good and bad.
        share: share of the file read so far, in [0, 1].
    """

    rows: NDArray[np.int64]
    lines: NDArray[np.int64]
    columns: Mapping[str, pa.Array]
    bad: list[BadRow] = field(default_factory=list)
    rows_done: int = 0
    share: float = 0.0
