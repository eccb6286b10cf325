"""How a column of a feature matrix is told: under which code, from when on, in what words."""

from __future__ import annotations

from dataclasses import dataclass

from fraud.reasons.catalogue import TABLE_COLUMN
from fraud.reasons.number_text import NUMBER, Unit

LEAST_FOR_MEAN = 3
LEAST_FOR_DEVIATION = 5
"""Payments that a mean, a share or a ratio must rest on before it tells anything; a deviation."""


@dataclass(frozen=True, slots=True)
class Own:
    """What is usual for the entity itself, out of other columns of the same row: what it did over a
    long window before a short one.

    Attributes:
        whose: the entity, for the sentence.
        total, count: columns of the long window: what is added up, and payments.
        recent_total, recent_count: the same of the short window, which is left out; None: nothing
            is.
        scale: what the rest is multiplied with, so that it is of the short window's length; None:
            it is divided by its payments: a mean.
    """

    whose: str
    total: str
    count: str
    recent_total: str | None = None
    recent_count: str | None = None
    scale: float | None = None


@dataclass(frozen=True, slots=True)
class Saying:
    """How one column is told.

    Attributes:
        code: of the catalogue.
        phrase: what it says; `{value}` stands for the value with its unit. Without it the column
            is a flag: it says this at 1, and nothing at 0. `{amount}` stands for the payment's.
        unit: how its values are written.
        least: values below this are no evidence; a value that is unknown never is.
        rests_on: another column and the least value that it must have, else this is no evidence.
        told_as: the column that speaks instead, as it says the same in better words; while that is
            unknown, this one is no evidence.
        of_payment: the column of the payment that says in words what this one has in a code.
        own: what is usual for the entity itself, if its history is in the row.
        compares: whether the training data says what is usual.
    """

    code: str
    phrase: str
    unit: Unit = NUMBER
    least: float = float("-inf")
    rests_on: tuple[str, float] | None = None
    told_as: str | None = None
    of_payment: str | None = None
    own: Own | None = None
    compares: bool = True

    @property
    def is_flag(self) -> bool:
        """Whether it is true or false of a payment."""
        return "{value}" not in self.phrase

    @property
    def floor(self) -> float:
        """The least value that is evidence."""
        return max(self.least, 1.0) if self.is_flag else self.least


def saying_of_column(name: str) -> Saying:
    """How a column of somebody's own table is told, of which nothing but its name is known.

    >>> saying_of_column("V14").phrase
    'column V14 is {value}'
    """
    return Saying(TABLE_COLUMN, f"column {name} is {{value}}")
