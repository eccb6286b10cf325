"""What clients send of labels; see `serve_app.http.wire.schemas`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Raw, Struct

from fraud import label
from fraud.payment.limits import MAX_ID_CHARS
from serve_app.http.wire.schemas import UUID_TEXT, Id, Timestamp, one_of

SourceIn = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_ID_CHARS,
        pattern=label.PATTERN,
        description="who says so: one of the known sources, or one of your own, `x-` and a name",
        examples=["chargeback", "x-call-center"],
    ),
]


class LabelIn(Struct, forbid_unknown_fields=True, gc=False):
    """What a payment turned out to be."""

    is_fraud: bool
    source: SourceIn
    known_at: (
        Annotated[
            Timestamp,
            Meta(
                description="from when on anybody could have known, not before the payment; "
                "default: now"
            ),
        ]
        | None
    ) = None


class LabelOfTransactionIn(LabelIn, forbid_unknown_fields=True, kw_only=True, gc=False):
    """What a payment turned out to be, named by your id of it."""

    transaction_id: Id


class LabelOfDecisionIn(LabelIn, forbid_unknown_fields=True, kw_only=True, gc=False):
    """What a payment turned out to be, named by a decision on it."""

    decision_id: Annotated[str, UUID_TEXT]


class LabelBatchIn(Struct, forbid_unknown_fields=True, gc=False):
    """Labels to keep, answered in this order."""

    labels: Annotated[
        list[Annotated[Raw, one_of("LabelOfTransactionIn", "LabelOfDecisionIn")]],
        Meta(min_length=1),
    ]
