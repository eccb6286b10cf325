"""One input as the guard sees it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fraud.payment.batch import Float64, Int64


@dataclass(frozen=True, slots=True)
class Column:
    """One input, or something that can be read off it.

    Attributes:
        name: as its user knows it.
        at: its values at rows int64[m] of the set: float64[m], NaN where unknown.
        categorical: the numbers are codes.
        genuine_with: how many genuine rows of the whole set have a value (None: are known);
            what is pure among drawn rows need not be so among all. None: nobody counts them.
        form: what is read off it, as a sentence says it: "the cents of amount"; "" of its values.
        foreign: the name is of somebody else's choosing, and may speak.
        computed: a feature of this house, which another round holds to what was known then.
        identity: the values name somebody: that a thief's device or a bot's address meets fraud
            alone is no leak, unless it is that of nearly every fraud.
        native: a part of the payment itself, whose size may honestly tell much.
    """

    name: str
    at: Callable[[Int64], Float64]
    categorical: bool
    genuine_with: Callable[[float | None], int] | None = None
    form: str = ""
    foreign: bool = True
    computed: bool = False
    identity: bool = False
    native: bool = False

    @property
    def said(self) -> str:
        """What a sentence calls it."""
        return self.form or self.name
