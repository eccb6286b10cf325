"""One input column for the guard's checks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fraud.payment.batch import Float64, Int64


@dataclass(frozen=True, slots=True)
class Column:
    """One input, or something derived from it.

    Attributes:
        name: as the user knows it.
        at: reads its values at rows int64[m] of the set: float64[m], NaN where unknown.
        categorical: the numbers are codes.
        genuine_with: counts the genuine rows of the whole set that have a value (None: any known
            value), since a value may be pure among the drawn rows only. None: not counted.
        derived: what was derived, as a sentence calls it, e.g. "the cents of amount"; "" for the
            values themselves.
        named_by_user: the user chose the name, so it may reveal the outcome.
        computed: one of our features, whose use of time another round checks.
        identity: the values identify somebody. A thief's device or a bot's address that occurs
            with fraud only is no leak, unless nearly every fraud has it.
        native: part of the payment itself, whose size may honestly predict much.
    """

    name: str
    at: Callable[[Int64], Float64]
    categorical: bool
    genuine_with: Callable[[float | None], int] | None = None
    derived: str = ""
    named_by_user: bool = True
    computed: bool = False
    identity: bool = False
    native: bool = False

    @property
    def title(self) -> str:
        """What a sentence calls it."""
        return self.derived or self.name
