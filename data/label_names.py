"""What the name of a column gives away: the label, or what is only known after it."""

from __future__ import annotations

import re

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
