"""One input as the guard sees it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from fraud.batch import Float64, Int64

_SPEAKING = re.compile(
    r"fraud|label|charge_?back|charge_?off|scenario|dispute|laundering|is_?(?:sar|bad|alert)\b"
    r"|target|verdict|outcome|confirmed",
    re.IGNORECASE,
)
_OUTCOME = re.compile(
    r"(?:is|was|tx|txn|flag|has)?(?:flagged|confirmed|known)?(?:fraud|chargeback|laundering)"
    r"(?:ulent|scenario|step|flag|flagged|type|kind|label|date|at|time|class|confirmed)?",
    re.IGNORECASE,
)

_AFTER = re.compile(
    r"recover(?:y|ies|ed)|write_?off|written_?off|hardship|settlement_?(?:am|date|status|term)"
    r"|collections?_|refund|revers(?:al|ed)|(?:case|ticket|claim|incident|alert)_?(?:id|no|nr|number)"
    r"|investigat|resol(?:ved|ution)|review_?(?:status|result|date|note|reason)|block(?:ed|_)"
    r"|closed|closure|suspended|next_|last_pa?y|total_rec|total_p(?:ay)?m|out_prncp|days_open"
    r"|reason_code|assigned_to|handled_by|updated_at|modified",
    re.IGNORECASE,
)
_BEFORE = re.compile(
    r"prior|past|prev|hist|before|average|(?:^|_)(?:lag|avg|mean|count|n_)|_count\b|_\d+(?:s|min|h|d|w|m)\b",
    re.IGNORECASE,
)


def follows_outcome(name: str) -> bool:
    """Whether a column's name speaks of what is done after a fraud or a default, now and not
    before the payment.

    >>> follows_outcome("card_blocked"), follows_outcome("recoveries"), follows_outcome("hour")
    (True, True, False)
    >>> follows_outcome("prior_refunds"), follows_outcome("refunds_30d")
    (False, False)
    """
    return _AFTER.search(name) is not None and _BEFORE.search(name) is None


def speaks(name: str) -> bool:
    """Whether a column's name speaks of what is to be found out.

    >>> speaks("TX_FRAUD_SCENARIO"), speaks("merchant_fraud_rate_30d"), speaks("V14")
    (True, True, False)
    """
    return _SPEAKING.search(name) is not None


def names_outcome(name: str) -> bool:
    """Whether a column's name is a name of the label, or of a part of it.

    >>> names_outcome("TX_FRAUD_SCENARIO"), names_outcome("isFlaggedFraud")
    (True, True)
    >>> names_outcome("merchant_fraud_rate_30d"), names_outcome("fraud_score")
    (False, False)
    """
    return _OUTCOME.fullmatch(re.sub(r"[^A-Za-z]", "", name)) is not None


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
