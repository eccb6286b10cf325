"""Names of columns that give the label away, or that hold what is only known after it."""

from __future__ import annotations

import re

_MENTIONS_LABEL = re.compile(
    r"fraud|label|charge_?back|charge_?off|scenario|dispute|laundering|is_?(?:sar|bad|alert)\b"
    r"|target|verdict|outcome|confirmed",
    re.IGNORECASE,
)
_LABEL = re.compile(
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


def names_later_event(name: str) -> bool:
    """Return whether a name describes something that happens after a fraud or a default, and not
    something about earlier payments.

    >>> [names_later_event(name) for name in ("card_blocked", "recoveries", "hour")]
    [True, True, False]
    >>> names_later_event("prior_refunds"), names_later_event("refunds_30d")
    (False, False)
    """
    return _AFTER.search(name) is not None and _BEFORE.search(name) is None


def mentions_label(name: str) -> bool:
    """Return whether a name mentions what the model is to predict.

    >>> mentions_label("TX_FRAUD_SCENARIO"), mentions_label("merchant_fraud_rate_30d")
    (True, True)
    >>> mentions_label("V14")
    False
    """
    return _MENTIONS_LABEL.search(name) is not None


def names_label(name: str) -> bool:
    """Return whether a name is that of the label itself, or of a part of it.

    >>> names_label("TX_FRAUD_SCENARIO"), names_label("isFlaggedFraud")
    (True, True)
    >>> names_label("merchant_fraud_rate_30d"), names_label("fraud_score")
    (False, False)
    """
    return _LABEL.fullmatch(re.sub(r"[^A-Za-z]", "", name)) is not None
