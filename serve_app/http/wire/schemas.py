"""Types on the wire that several routes share. Behind HTTP there are columns
(`fraud.payment.batch`), never JSON.

Incoming types refuse unknown fields. The fast path of `serve_app.http.reading.intake` decodes them,
and the OpenAPI document is generated from them. Rules that a type cannot express (currencies, time
bounds, decimals) are in `fraud.payment.limits` and checked separately.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from fraud.payment import metadata
from fraud.payment.limits import (
    COUNTRIES,
    CURRENCIES,
    MAX_CATEGORY_CHARS,
    MAX_ID_CHARS,
    MAX_IP_CHARS,
)
from fraud.reasons.catalogue import CODES, DIRECTIONS
from serve_app.http.wire import meanings
from serve_app.http.wire.match_schemas import MatchOut
from serve_app.http.wire.texts import PRINTABLE, SEVERAL_LINES

Id = Annotated[
    str,
    Meta(min_length=1, max_length=MAX_ID_CHARS, extra_json_schema=PRINTABLE),
]
"""An identifier chosen by the client: 1-64 characters, no control characters."""

UUID_TEXT = Meta(extra_json_schema={"format": "uuid"})
_DATE_TIME = Meta(extra_json_schema={"format": "date-time"})

NamingDecision = (
    Annotated[UUID, Meta(description="the decision that named the payment, if any")] | None
)

Timestamp = Annotated[
    datetime,
    Meta(tz=True, description="RFC 3339 with a zone; kept in whole milliseconds"),
]

_AMOUNT_SCHEMA: dict[str, Any] = {
    "oneOf": [
        {"type": "number", "exclusiveMinimum": 0},
        {"type": "string", "pattern": "^[0-9]{1,15}(\\.[0-9]{1,6})?$"},
    ],
    "description": "currency units, above zero, as a JSON number or a decimal string; at most as "
    "many decimals as the currency has. Read as an exact decimal",
    "examples": ["129.90", 129.9],
}

OutcomeName = Literal["approve", "challenge", "review", "block"]
TypeName = Literal["payment", "purchase", "transfer", "cash_in", "cash_out", "debit", "refund"]
ChannelName = Literal["online", "pos", "atm", "mobile", "branch", "phone", "mail", "api"]


MetadataOf = Annotated[
    dict[
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=metadata.MAX_KEY_CHARS,
                extra_json_schema=PRINTABLE,
            ),
        ],
        Annotated[
            str,
            Meta(max_length=metadata.MAX_VALUE_CHARS, extra_json_schema=SEVERAL_LINES),
        ],
    ],
    Meta(
        max_length=metadata.MAX_KEYS,
        description="your own notes: kept with the decision and returned, never used to decide; "
        f"keys and values have at most {metadata.MAX_BYTES} bytes together",
    ),
]


MAX_ROWS_MARK = "max_rows"
"""Placeholder in schemas for the most rows of a batch, which is a setting."""
ROWS = Meta(extra_json_schema={"maxItems": MAX_ROWS_MARK})


def one_of(*names: str) -> Meta:
    """Return the schema of one of some wire types; the code that reads a value decides which."""
    refs = [{"$ref": f"#/components/schemas/{name}"} for name in names]
    return Meta(extra_json_schema={"oneOf": refs})


class TransactionIn(Struct, forbid_unknown_fields=True, gc=False):
    """A payment to decide on."""

    transaction_id: Annotated[
        Id,
        Meta(
            description="unique among your payments; a retry with the same id is not counted twice"
        ),
    ]
    customer_id: Annotated[Id, Meta(description="the payer")]
    timestamp: Timestamp
    # Raw, so that 0.1 arrives as its digits: the reader turns them into minor units.
    amount: Annotated[Raw, Meta(extra_json_schema=_AMOUNT_SCHEMA)]
    currency: Annotated[
        str, Meta(description="ISO 4217", extra_json_schema={"enum": sorted(CURRENCIES)})
    ]
    type: TypeName
    merchant_id: Id | None = None
    merchant_category: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=MAX_CATEGORY_CHARS,
                description="e.g. an MCC",
                extra_json_schema=PRINTABLE,
            ),
        ]
        | None
    ) = None
    counterparty_id: Annotated[Id, Meta(description="the payee, if not a merchant")] | None = None
    device_id: Id | None = None
    ip_address: (
        Annotated[
            str,
            Meta(
                max_length=MAX_IP_CHARS,
                description="IPv4 or IPv6, without a scope",
                extra_json_schema={"examples": ["203.0.113.9", "2001:db8::9"]},
            ),
        ]
        | None
    ) = None
    country: (
        Annotated[
            str,
            Meta(
                description="ISO 3166-1 alpha-2: where it happened",
                extra_json_schema={"enum": sorted(COUNTRIES)},
            ),
        ]
        | None
    ) = None
    channel: ChannelName | None = None
    latitude: Annotated[float, Meta(ge=-90, le=90, description="degrees, WGS 84")] | None = None
    longitude: Annotated[float, Meta(ge=-180, le=180, description="degrees, WGS 84")] | None = None
    metadata: MetadataOf | None = None


class BatchIn(Struct, forbid_unknown_fields=True, gc=False):
    """Payments to decide on; the results have the same order."""

    transactions: Annotated[list[TransactionIn], Meta(min_length=1), ROWS]


class BatchEnvelope(Struct, forbid_unknown_fields=True, gc=False):
    """A BatchIn with rows still undecoded, so that each can be wrong on its own."""

    transactions: list[Raw]


_DEGRADED_SCHEMA: dict[str, Any] = {
    "oneOf": [
        {"type": "string", "enum": list(meanings.DEGRADED)},
        {
            "type": "string",
            "pattern": f"^variant_({'|'.join(meanings.VARIANT_STATUSES)}):.+$",
            "description": "a model did not answer, or not in time",
        },
    ]
}
DegradedReason = Annotated[str, Meta(extra_json_schema=_DEGRADED_SCHEMA)]


class ReasonOut(Struct, gc=False):
    """Why a decision is not `approve`."""

    code: Annotated[
        str,
        Meta(description="stable, for machines", extra_json_schema={"enum": list(CODES)}),
    ]
    feature: Annotated[str | None, Meta(description="the feature in the sentence, if any")]
    detail: Annotated[
        str, Meta(description="a sentence for an analyst: the value, and the usual range")
    ]
    direction: Annotated[
        str,
        Meta(
            description="effect on the risk; only features that raise it become reasons",
            extra_json_schema={"enum": list(DIRECTIONS)},
        ),
    ]
    contribution: Annotated[
        float,
        Meta(description="log-odds added by the features of this code; 0 if no model gives any"),
    ]


class VoteOut(Struct, gc=False):
    """The vote of one variant."""

    name: str
    version: str
    status: Literal["ok", "missing", "late", "failed"]
    score: Annotated[float, Meta(ge=0, le=1)] | None


class PlanOut(Struct, gc=False):
    """A plan."""

    name: str
    version: int


class DecidingPlanOut(Struct, gc=False):
    """The plan that decided, and which part of it."""

    name: str
    version: int
    arm: Annotated[
        str,
        Meta(
            description="the way through a plan that splits: segment, arm, stage; empty otherwise",
            examples=["eur > challenger"],
        ),
    ] = ""


class DecisionOut(Struct, gc=False):
    """A decision on one payment."""

    decision_id: Annotated[str, UUID_TEXT]
    transaction_id: str
    decision: OutcomeName
    risk_score: Annotated[
        int,
        Meta(
            ge=0,
            le=99,
            description="25 values for each decision: approve 0-24, challenge 25-49, review 50-74, "
            "block 75-99; within these it grows with the probability. See /v1/plans/active",
        ),
    ]
    probability: Annotated[float, Meta(ge=0, le=1, description="calibrated probability of fraud")]
    risk_level: Annotated[
        Literal["low", "medium", "high", "critical"],
        Meta(description="follows from the decision: approve is low, block is critical"),
    ]
    reasons: list[ReasonOut]
    variants: list[VoteOut]
    anomaly_score: Annotated[float, Meta(ge=0, le=1, description="higher is more unusual")] | None
    plan: DecidingPlanOut
    degraded: Annotated[bool, Meta(description="whether the plan could not be carried out in full")]
    degraded_reasons: list[DegradedReason]
    feature_age_ms: (
        Annotated[int, Meta(ge=0, description="age of the customer's history; null: no history")]
        | None
    )
    stage_ms: Annotated[dict[str, float], Meta(description="milliseconds spent in each stage")]
    decided_at: Annotated[str, _DATE_TIME]
    metadata: MetadataOf | UnsetType = UNSET


class PaymentOut(Struct, gc=False):
    """A payment as it was sent; fields that were not sent are left out."""

    transaction_id: str
    customer_id: str
    timestamp: Annotated[str, _DATE_TIME]
    amount: Annotated[str, Meta(description="currency units, with all decimals of the currency")]
    currency: str
    type: TypeName
    merchant_id: str | UnsetType = UNSET
    merchant_category: str | UnsetType = UNSET
    counterparty_id: str | UnsetType = UNSET
    device_id: str | UnsetType = UNSET
    ip_address: str | UnsetType = UNSET
    country: str | UnsetType = UNSET
    channel: ChannelName | UnsetType = UNSET
    latitude: float | UnsetType = UNSET
    longitude: float | UnsetType = UNSET
    metadata: MetadataOf | UnsetType = UNSET


class KeptLabelOut(Struct, gc=False):
    """A label of the payment."""

    is_fraud: bool
    source: str
    known_at: Annotated[datetime, Meta(description="when the verdict became known")]
    received_at: datetime
    decision_id: NamingDecision
    holds: Annotated[bool, Meta(description="whether this is the verdict that counts now")]


class KeptDecisionOut(DecisionOut, kw_only=True, gc=False):
    """A decision as it was given, with its payment and the labels of the payment."""

    payment: PaymentOut
    labels: Annotated[list[KeptLabelOut], Meta(description="oldest `known_at` first")]


class DecisionsOut(Struct, rename={"from_": "from"}, gc=False):
    """A page of decisions, newest first."""

    decisions: list[KeptDecisionOut]
    next_cursor: Annotated[
        str | None, Meta(description="cursor of the next page; null: the last page")
    ]
    from_: Annotated[datetime, Meta(description="start of the searched period, inclusive")]
    to: Annotated[datetime, Meta(description="end of the searched period, exclusive")]


class FieldErrorOut(Struct, gc=False):
    """One wrong field. Its value is never repeated."""

    pointer: Annotated[str, Meta(description="RFC 6901, into the request body")]
    code: Annotated[str, Meta(description="stable, for machines")]
    detail: str


class ProblemOut(Struct, omit_defaults=True, gc=False):
    """An error (RFC 9457)."""

    type: Annotated[str, Meta(description="stable URI of the kind of problem")]
    title: str
    status: Annotated[int, Meta(ge=400, le=599)]
    detail: str
    request_id: str | UnsetType = UNSET
    errors: list[FieldErrorOut] | UnsetType = UNSET
    match: Annotated[
        MatchOut | UnsetType, Meta(description="of `match-refused`: the file against each model")
    ] = UNSET


class ResultsOut(Struct, gc=False):
    """The results of a batch, in its order, each a decision or a problem."""

    results: Annotated[list[Annotated[Raw, one_of("DecisionOut", "ProblemOut")]], ROWS]
