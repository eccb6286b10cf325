"""What one column of a table looks like."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class ColumnKind(StrEnum):
    """What the values of a column are."""

    NUMBER = "number"
    CATEGORY = "category"  # few distinct texts, or whole numbers that are codes
    IDENTIFIER = "identifier"  # many distinct texts or whole numbers that name things
    TIME = "time"
    TEXT = "text"  # many distinct texts of no common pattern
    CONSTANT = "constant"  # one value in every row
    EMPTY = "empty"


QUANTILES = 21
"""Quantiles that are kept of a number or time: 0, 0.05, ..., 1."""

MAX_CATEGORIES = 50
"""Categories that are kept, the most frequent first."""


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """What a column looks like. It holds no value of an identifier or text.

    Attributes:
        name: as in the file.
        kind: what the values are.
        rows, filled: rows looked at, and those with a value.
        distinct: distinct values among them; a lower bound for large tables.
        quantiles: of a number, `QUANTILES` values that never fall; of a time, seconds since 1970
            or, if `time_format` is a unit of a count, in that unit; else ().
        mean, deviation: of a number; NaN is not kept, 0.0 stands for unknown.
        whole: all numbers are whole.
        categories: of a category, (text, share of the filled rows), the largest share first.
        pattern: of an identifier, the shape of most values, such as `A1{15}`: A letter, 1 digit,
            {n} repeated n times; "" if there is no common shape.
        time_format: of a time, `iso`, a strptime pattern, or `epoch_s`, `epoch_ms`, `seconds`,
            `hours`, `days`: a count since 1970 or since an unknown start.
        scale: `minor` if the name or the values say that amounts are in cents; else "".
    """

    name: str
    kind: ColumnKind
    rows: int
    filled: int
    distinct: int = 0
    quantiles: tuple[float, ...] = ()
    mean: float = 0.0
    deviation: float = 0.0
    whole: bool = False
    categories: tuple[tuple[str, float], ...] = ()
    pattern: str = ""
    time_format: str = ""
    scale: str = ""

    @property
    def null_rate(self) -> float:
        """The share of rows without a value, in [0, 1]; 0 without rows."""
        return 1 - self.filled / self.rows if self.rows else 0.0

    def to_document(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> ColumnProfile:
        """Invert `to_document`.

        Raises:
            ValueError, TypeError, KeyError: it is not such a document.
        """
        return cls(
            **{
                **document,
                "kind": ColumnKind(document["kind"]),
                "quantiles": tuple(float(q) for q in document.get("quantiles", ())),
                "categories": tuple((str(c), float(s)) for c, s in document.get("categories", ())),
            }
        )
