"""How each column of a feature matrix is put into words, and when it is evidence."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from fraud.payment.batch import TRANSACTION_COLUMNS
from fraud.reasons.catalogue import TABLE_COLUMN, check_codes
from fraud.reasons.number_text import NUMBER, Unit

LEAST_FOR_MEAN = 3
"""Payments that a mean, a share or a ratio needs before it is evidence."""
LEAST_FOR_DEVIATION = 5
"""The same for a deviation."""


@dataclass(frozen=True, slots=True)
class OwnHistory:
    """What is usual for the entity itself: its activity in a long window before a recent one.

    Attributes:
        entity: its noun, for the sentence.
        total, count: columns of the long window: a sum, and the number of payments.
        recent_total, recent_count: the same columns of the recent window, which are subtracted;
            None: nothing is subtracted.
        scale: factor that brings the difference to the length of the recent window; None: divide it
            by the number of payments, which gives a mean.
    """

    entity: str
    total: str
    count: str
    recent_total: str | None = None
    recent_count: str | None = None
    scale: float | None = None


@dataclass(frozen=True, slots=True)
class Wording:
    """How one column is put into words.

    Attributes:
        code: one of the catalogue.
        phrase: the sentence. `{value}` stands for the value with its unit, and `{amount}` for the
            payment's amount. Without `{value}` the column is a flag: the phrase is used at 1, and
            at 0 there is no evidence.
        unit: how values are written.
        least: a value below this is not evidence, nor is an unknown one.
        requires: another column and the least value that it must have for this to be evidence.
        stated_by: a column that states the same more clearly, and is worded instead. If its value
            is unknown, this column is not evidence.
        of_payment: the field of the payment that is shown, where the column holds only a code of it
            or a rounded number.
        own: what is usual for the entity itself, if its history is in the row.
        compares: whether the sentence adds what is usual in the training data.
    """

    code: str
    phrase: str
    unit: Unit = NUMBER
    least: float = float("-inf")
    requires: tuple[str, float] | None = None
    stated_by: str | None = None
    of_payment: str | None = None
    own: OwnHistory | None = None
    compares: bool = True

    @property
    def is_flag(self) -> bool:
        """Whether the column is either true or false."""
        return "{value}" not in self.phrase

    @property
    def floor(self) -> float:
        """The least value that counts as evidence."""
        return max(self.least, 1.0) if self.is_flag else self.least

    @property
    def columns(self) -> Iterator[str]:
        """Names of the other columns that this wording reads."""
        own = self.own
        names = (own.total, own.count, own.recent_total, own.recent_count) if own else ()
        for name in (self.requires and self.requires[0], self.stated_by, *names):
            if name:
                yield name


def wording_of_column(name: str) -> Wording:
    """Return the wording of a user's own column, of which only the name is known.

    >>> wording_of_column("V14").phrase
    'column V14 is {value}'
    """
    return Wording(TABLE_COLUMN, f"column {name} is {{value}}")


def check_wordings(wordings: Iterable[Wording], names: Collection[str]) -> None:
    """Check wordings against the columns of a matrix.

    Args:
        wordings: of all columns.
        names: all column names.

    Raises:
        ValueError: names the code, the column or the payment's column that does not exist.
    """
    wordings = list(wordings)
    check_codes(wording.code for wording in wordings)
    unknown = {name for wording in wordings for name in wording.columns} - set(names)
    unknown |= {w.of_payment for w in wordings if w.of_payment} - set(TRANSACTION_COLUMNS)
    if unknown:
        raise ValueError(f"wordings read columns that do not exist: {', '.join(sorted(unknown))}")
