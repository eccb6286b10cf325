"""Labels on the wire; see `serve_app.http.wire.schemas`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Raw, Struct

from fraud import label
from fraud.payment.limits import MAX_ID_CHARS
from serve_app.http.wire.schemas import ROWS, UUID_TEXT, Id, NamingDecision, Timestamp, one_of

SourceIn = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_ID_CHARS,
        pattern=label.PATTERN,
        description="source of the verdict: a known one, or your own as `x-` and a name",
        examples=["chargeback", "x-call-center"],
    ),
]


class LabelIn(Struct, forbid_unknown_fields=True, gc=False):
    """Whether a payment turned out to be fraud."""

    is_fraud: bool
    source: SourceIn
    known_at: (
        Annotated[
            Timestamp,
            Meta(description="when the verdict became known, not before the payment; default: now"),
        ]
        | None
    ) = None


class LabelOfTransactionIn(LabelIn, forbid_unknown_fields=True, kw_only=True, gc=False):
    """A label of a payment, named by its `transaction_id`."""

    transaction_id: Id


class LabelOfDecisionIn(LabelIn, forbid_unknown_fields=True, kw_only=True, gc=False):
    """A label of a payment, named by a decision on it."""

    decision_id: Annotated[str, UUID_TEXT]


class LabelBatchIn(Struct, forbid_unknown_fields=True, gc=False):
    """Labels to keep; the results have the same order."""

    labels: Annotated[
        list[Annotated[Raw, one_of("LabelOfTransactionIn", "LabelOfDecisionIn")]],
        Meta(min_length=1),
        ROWS,
    ]


class LabelOut(Struct, gc=False):
    """A label as it is kept."""

    decision_id: NamingDecision
    transaction_id: str
    is_fraud: bool
    source: str
    known_at: datetime
    received_at: datetime


class LabelResultsOut(Struct, gc=False):
    """The results of a batch, in its order, each a kept label or a problem."""

    results: Annotated[list[Annotated[Raw, one_of("LabelOut", "ProblemOut")]], ROWS]
