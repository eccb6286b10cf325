"""Every type on the wire, once. What a client sends or gets is one of these; the house behind the
ingress sees columns (`fraud.batch`), never JSON.

Incoming types refuse unknown fields. They are what the fast path of `serve_app.intake` decodes
and what the OpenAPI document is generated from; the rules that a type cannot say (currencies,
time windows, decimals) are in `fraud.limits` and checked beside them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from fraud.limits import COUNTRIES, CURRENCIES, MAX_CATEGORY_CHARS, MAX_ID_CHARS, MAX_IP_CHARS
from fraud.reasons.catalogue import CODES, DIRECTIONS

# For the reference only: fraud.limits.text_problem is the rule.
_PRINTABLE = (
    r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*\S[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*$"
)

Id = Annotated[
    str,
    Meta(min_length=1, max_length=MAX_ID_CHARS, extra_json_schema={"pattern": _PRINTABLE}),
]
"""An identifier of the caller's, 1-64 characters, no control characters."""

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
    "many decimals as the currency has. Read exactly, never as a binary fraction",
    "examples": ["129.90", 129.9],
}

TypeName = Literal["payment", "purchase", "transfer", "cash_in", "cash_out", "debit", "refund"]
ChannelName = Literal["online", "pos", "atm", "mobile", "branch", "phone", "mail", "api"]


class TransactionIn(Struct, forbid_unknown_fields=True, gc=False):
    """A payment to decide on."""

    transaction_id: Annotated[
        Id, Meta(description="unique for you; a retry with the same id is not counted twice")
    ]
    customer_id: Annotated[Id, Meta(description="who pays")]
    timestamp: Timestamp
    # Raw, so that 0.1 arrives as the digits 0.1: serve_app.intake reads it into minor units.
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
                extra_json_schema={"pattern": _PRINTABLE},
            ),
        ]
        | None
    ) = None
    counterparty_id: Annotated[Id, Meta(description="who is paid, if not a merchant")] | None = None
    device_id: Id | None = None
    ip_address: (
        Annotated[
            str,
            Meta(
                max_length=MAX_IP_CHARS,
                description="IPv4 or IPv6",
                extra_json_schema={"anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]},
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


class BatchIn(Struct, forbid_unknown_fields=True, gc=False):
    """Payments to decide on, answered in this order."""

    transactions: Annotated[list[TransactionIn], Meta(min_length=1)]


class BatchEnvelope(Struct, forbid_unknown_fields=True, gc=False):
    """A BatchIn whose rows are not yet looked into, so that each can be wrong alone."""

    transactions: list[Raw]


class LabelIn(Struct, forbid_unknown_fields=True, gc=False):
    """What a payment turned out to be."""

    is_fraud: bool
    source: Annotated[Id, Meta(description="who says so: chargeback, analyst, customer, ...")]
    known_at: (
        Annotated[
            Timestamp,
            Meta(description="from when on anybody could have known; default: now"),
        ]
        | None
    ) = None


class ReasonOut(Struct, gc=False):
    """Why a decision is not `approve`."""

    code: Annotated[
        str,
        Meta(description="stable, for machines", extra_json_schema={"enum": list(CODES)}),
    ]
    feature: Annotated[str | None, Meta(description="what the sentence is about, if one feature")]
    detail: Annotated[
        str, Meta(description="a sentence for an analyst: the value, and what is usual")
    ]
    direction: Annotated[
        str,
        Meta(
            description="what it does to the risk; what lowers it is no reason",
            extra_json_schema={"enum": list(DIRECTIONS)},
        ),
    ]
    contribution: Annotated[
        float,
        Meta(description="log-odds that the features of the code added; 0 where no model says"),
    ]


class VoteOut(Struct, gc=False):
    """What one variant said."""

    name: str
    version: str
    status: Literal["ok", "missing", "late", "failed"]
    score: Annotated[float, Meta(ge=0, le=1)] | None


class PlanOut(Struct, gc=False):
    """Which plan decided."""

    name: str
    version: int


class MemberOut(Struct, gc=False):
    """A variant that votes, and how much its vote weighs."""

    name: str
    weight: Annotated[float, Meta(gt=0)]


class BandOut(Struct, gc=False):
    """Where a decision begins and ends. One that ends where it begins is never given."""

    decision: Literal["approve", "challenge", "review", "block"]
    risk_level: Literal["low", "medium", "high", "critical"]
    from_probability: Annotated[float, Meta(ge=0, le=1, description="given from here on")]
    below_probability: Annotated[
        float, Meta(ge=0, le=1, description="and below this; of block, up to it")
    ]
    from_score: Annotated[int, Meta(ge=0, le=99, description="its lowest risk_score")]
    to_score: Annotated[int, Meta(ge=0, le=99, description="its highest risk_score")]


class AnomalyOut(Struct, gc=False):
    """From which anomaly score on an approval becomes a challenge, whatever its probability."""

    name: Annotated[str, Meta(description="the variant that gives the anomaly score")]
    challenge_from: Annotated[float, Meta(ge=0, le=1)]
    risk_score: Annotated[int, Meta(ge=0, le=99, description="of such a challenge")]


class ActivePlanOut(Struct, gc=False):
    """The plan that decides now."""

    name: str
    version: int
    kind: Literal["single", "ensemble"]
    combiner: Literal["mean", "stack"]
    members: list[MemberOut]
    deadline_ms: Annotated[int, Meta(gt=0, description="how long votes are waited for")]
    decisions: Annotated[list[BandOut], Meta(description="mildest first")]
    anomaly: Annotated[
        AnomalyOut | None, Meta(description="null: an anomaly score challenges nothing")
    ]


class DecisionOut(Struct, gc=False):
    """A decision on one payment."""

    decision_id: Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
    transaction_id: str
    decision: Literal["approve", "challenge", "review", "block"]
    risk_score: Annotated[
        int,
        Meta(
            ge=0,
            le=99,
            description="25 for each decision: approve 0-24, challenge 25-49, review 50-74, block "
            "75-99; within, it grows with the probability. See /v1/plans/active",
        ),
    ]
    probability: Annotated[float, Meta(ge=0, le=1, description="calibrated, of fraud")]
    risk_level: Annotated[
        Literal["low", "medium", "high", "critical"],
        Meta(description="one for each decision: approve is low, block is critical"),
    ]
    reasons: list[ReasonOut]
    variants: list[VoteOut]
    anomaly_score: Annotated[float, Meta(ge=0, le=1, description="higher is stranger")] | None
    plan: PlanOut
    degraded: Annotated[bool, Meta(description="the answer is poorer than the plan wants")]
    degraded_reasons: list[str]
    feature_age_ms: (
        Annotated[int, Meta(ge=0, description="age of the customer's state; null: no history")]
        | None
    )
    stage_ms: Annotated[dict[str, float], Meta(description="milliseconds spent by stage")]
    decided_at: Annotated[str, Meta(extra_json_schema={"format": "date-time"})]


class FieldErrorOut(Struct, gc=False):
    """One wrong field. Its value is never repeated."""

    pointer: Annotated[str, Meta(description="RFC 6901, into the request body")]
    code: Annotated[str, Meta(description="stable, for machines")]
    detail: str


class ProblemOut(Struct, omit_defaults=True, gc=False):
    """An error, as RFC 9457 has it."""

    type: Annotated[str, Meta(description="stable URI of the kind of problem")]
    title: str
    status: Annotated[int, Meta(ge=400, le=599)]
    detail: str
    request_id: str | UnsetType = UNSET
    errors: list[FieldErrorOut] | UnsetType = UNSET


class ResultsOut(Struct, gc=False):
    """Answers to a batch, in its order: a decision each, or why there is none."""

    results: Annotated[
        list[Raw],
        Meta(
            extra_json_schema={
                "items": {
                    "anyOf": [
                        {"$ref": "#/components/schemas/DecisionOut"},
                        {"$ref": "#/components/schemas/ProblemOut"},
                    ]
                }
            }
        ),
    ]


class LabelOut(Struct, gc=False):
    """A label as it is kept."""

    decision_id: str
    transaction_id: str
    is_fraud: bool
    source: str
    known_at: datetime
    received_at: datetime


class ReplicasOut(Struct, gc=False):
    """How large a pool is."""

    running: int
    starting: int


class VariantOut(Struct, gc=False):
    """A pool of model replicas and its part in the active plan."""

    name: str
    role: Literal["voter", "anomaly", "unused"]
    weight: float | None
    app_status: Annotated[str, Meta(description="as Ray Serve reports it; MISSING: no such app")]
    version: Annotated[str | None, Meta(description="artifact version that a replica reports")]
    replicas: ReplicasOut


class VariantsOut(Struct, gc=False):
    """The pools, and the plan that asks them (null: no plan is active)."""

    plan: PlanOut | None
    variants: list[VariantOut]
