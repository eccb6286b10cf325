"""Simulations on the wire; see `serve_app.http.wire.schemas`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from serve_app.gateway.simulations import MOST_DECISIONS, USUAL_DECISIONS
from serve_app.http.wire.plan_schemas import Document
from serve_app.http.wire.schemas import UUID_TEXT, OutcomeName

_Count = Annotated[int, Meta(ge=0)]
_Rate = Annotated[float, Meta(ge=0, le=1)]
_Decimal = Annotated[str, Meta(description="a decimal number of currency units, exact")]
_ByVersion = Annotated[dict[str, _Count], Meta(description="version of the model -> decisions")]
Last = Annotated[
    int,
    Meta(
        ge=1,
        le=MOST_DECISIONS,
        description=f"how many decisions, newest first; {USUAL_DECISIONS} if absent",
    ),
]


class SimulationIn(Struct, forbid_unknown_fields=True, gc=False):
    """A plan to simulate. It is not stored."""

    document: Document
    last: Last | UnsetType = UNSET


class LastIn(Struct, forbid_unknown_fields=True, gc=False):
    """How many decisions to simulate."""

    last: Last | UnsetType = UNSET


class AmountOut(Struct, gc=False):
    """An amount in one currency."""

    currency: str
    value: _Decimal


class OutcomeRateOut(Struct, gc=False):
    """How often an outcome was decided, and would have been."""

    outcome: OutcomeName
    before: _Count
    after: _Count
    rate_before: _Rate
    rate_after: _Rate


class CaughtValueOut(Struct, gc=False):
    """Amounts of fraud in one currency: all, what was caught, and what would have been."""

    currency: str
    fraud: _Decimal
    before: _Decimal
    after: _Decimal


class CostOut(Struct, gc=False):
    """What decisions in one currency cost by the plan's costs, and would have cost."""

    currency: str
    before: float
    after: float


class SimulatedLabelsOut(Struct, kw_only=True, gc=False):
    """What labels say. Fraud is caught unless it is approved, and a genuine payment that is not
    approved is a false positive."""

    labelled: _Count
    mature: Annotated[
        int, Meta(ge=0, description="old enough that others of their age have labels, too")
    ]
    fraud: _Count
    genuine: _Count
    caught_before: _Count
    caught_after: _Count
    false_positives_before: _Count
    false_positives_after: _Count
    value: list[CaughtValueOut]
    cost: Annotated[list[CostOut], Meta(description="[] if the plan has no costs")]


class FiguresOut(Struct, kw_only=True, gc=False):
    """What some decisions were, and would have been."""

    decisions: _Count
    flipped: Annotated[int, Meta(ge=0, description="those with another outcome")]
    outcomes: list[OutcomeRateOut]
    labels: SimulatedLabelsOut


class SegmentOut(FiguresOut, kw_only=True, gc=False):
    """The figures of one segment, such as EUR."""

    name: str


class SegmentsOut(Struct, kw_only=True, gc=False):
    """Figures by segment, most decisions first."""

    currency: list[SegmentOut]
    country: list[SegmentOut]
    type: list[SegmentOut]
    channel: list[SegmentOut]
    amount: Annotated[list[SegmentOut], Meta(description="bands in units of the own currency")]
    arm: Annotated[list[SegmentOut], Meta(description="ways through the simulated plan")]


class FlipOut(Struct, gc=False):
    """Decisions that would have been others."""

    before: OutcomeName
    after: OutcomeName
    decisions: _Count
    value: list[AmountOut]


class FlippedOut(Struct, gc=False):
    """A decision that would have been another."""

    decision_id: Annotated[str, UUID_TEXT]
    before: OutcomeName
    after: OutcomeName
    probability_before: _Rate
    probability_after: _Rate


class SimulatedVotesOut(Struct, kw_only=True, gc=False):
    """Where the votes of a variant came from, in decisions about which the plan asks it."""

    variant: str
    recorded: _ByVersion
    asked: _ByVersion
    missing: Annotated[
        dict[str, _Count],
        Meta(description="why there is no vote -> decisions"),
    ]
    refused: Annotated[str, Meta(description="why the model could not be asked; empty if it was")]


class SimulatedPlanOut(Struct, gc=False):
    """A plan by name and version."""

    name: str
    version: int


class RecordedPlanOut(Struct, gc=False):
    """A plan that made some of the decisions."""

    name: str
    version: int
    decisions: _Count


class SimulationOut(FiguresOut, kw_only=True, gc=False):
    """What recorded decisions would have been under a plan."""

    plan: SimulatedPlanOut
    tenant: str
    last: Annotated[int, Meta(ge=1, description="how many decisions were asked for")]
    is_complete: Annotated[
        bool, Meta(description="false: time was up before the oldest of them were read")
    ]
    undecided: Annotated[
        int,
        Meta(
            ge=0,
            description="further decisions, counted nowhere else: rules would decide them, on"
            " features of a schema that is not served any more",
        ),
    ]
    by_rules: Annotated[int, Meta(ge=0, description="decisions that rules would have made")]
    first_at: Annotated[datetime, Meta(tz=True)] | None
    last_at: Annotated[datetime, Meta(tz=True)] | None
    recorded_plans: list[RecordedPlanOut]
    flips: list[FlipOut]
    segments: SegmentsOut
    votes: list[SimulatedVotesOut]
    sample: Annotated[list[FlippedOut], Meta(max_length=100, description="some flips of each kind")]
