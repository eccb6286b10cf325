"""The report of an experiment as clients read it: `experiments.report.Report.to_document`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Share = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=0)]
Kind = Literal["plan", "arm", "shadow", "variant"]


class FiguresOut(Struct, gc=False):
    """The figures of one side; null where there is nothing to measure."""

    average_precision: Share | None
    review_rate: Annotated[Share | None, Meta(description="where recall_at_review is measured")]
    recall_at_review: Share | None
    frauds_stopped: Annotated[Share | None, Meta(description="of all frauds")]
    genuine_interrupted: Annotated[
        Share | None, Meta(description="genuine payments that were not approved, of all genuine")
    ]
    value_caught: Annotated[
        float | None, Meta(description="amount of frauds stopped, divided by all payments")
    ]
    value_caught_share: Annotated[Share | None, Meta(description="of the amount of all frauds")]
    cost: Annotated[float | None, Meta(description="a payment, by the plan's costs")]
    brier: Annotated[Share | None, Meta(description="mean squared error of the probability")]
    calibration_error: Share | None
    latency_p50_ms: Annotated[float | None, Meta(description="wait for votes")]
    latency_p95_ms: float | None
    outcomes: Annotated[dict[str, float] | None, Meta(description="outcome -> share")]
    degraded: Share | None
    calibration: Annotated[
        list[tuple[float, float]],
        Meta(description="mean probability and share of fraud in bins, from the highest down"),
    ]


class MaturityOut(Struct, gc=False):
    """How far the labels behind some figures are known."""

    decisions: Count
    old_enough: Annotated[Count, Meta(description="older than labels usually take")]
    labelled: Annotated[Count, Meta(description="of these, with a label")]
    counted: Annotated[Count, Meta(description="payments that figures rest on")]
    frauds: Annotated[Count, Meta(description="of these")]


class SideOut(Struct, gc=False, omit_defaults=True):
    """The plan as a whole (name ""), an arm, a shadow or a variant."""

    kind: Kind
    name: str
    figures: FiguresOut
    maturity: MaturityOut
    models: Annotated[
        list[str] | UnsetType, Meta(description="the models behind it, variant@version")
    ] = UNSET


class LookOut(Struct, gc=False):
    """A difference at an earlier moment."""

    at: datetime
    rows: Count
    difference: float | None
    low: float | None
    high: float | None


class DifferenceOut(Struct, gc=False, omit_defaults=True, rename={"is_": "is"}):
    """A measure of a side less that of the one it is compared with."""

    measure: str
    better: Literal["lower", "higher"]
    side: float | None
    against: float | None
    difference: float | None
    low: Annotated[float | None, Meta(description="null: not enough to give an interval")]
    high: float | None
    method: Literal["empirical_bernstein", "asymptotic", "bootstrap"]
    at_one_look: Annotated[
        bool, Meta(description="the interval holds at one look only; the others at every look")
    ]
    is_: Annotated[
        Literal["better", "worse", "open"],
        Meta(description="open as long as the interval holds both"),
    ]
    looks: list[LookOut] | UnsetType = UNSET


class RecommendationOut(Struct, gc=False):
    """What to do with a side, and why."""

    decision: Literal["promote", "hold", "not yet"]
    reason: str


class ComparisonOut(Struct, gc=False):
    """A side beside the one that it would replace."""

    side: SideOut
    against: SideOut
    same_payments: Annotated[
        bool, Meta(description="both on the same payments; false: each has customers of its own")
    ]
    moved_customers: Annotated[
        Count, Meta(description="customers who changed arms, counted in the first one only")
    ]
    differences: list[DifferenceOut]
    recommendation: RecommendationOut


class LabelDelayOut(Struct, gc=False):
    """The age from which payments count, and what it rests on."""

    waiting_days: float
    source: Literal["measured", "given", "assumed"]
    median_ms: Annotated[int | None, Meta(description="of the tenant's labels of fraud")]
    usual_ms: Annotated[int | None, Meta(description="nine of ten were known by then")]
    frauds: Count


class CostsOut(Struct, gc=False):
    """What outcomes cost, in currency units."""

    review: float
    false_block: float
    missed_share: float
    challenge: float | None
    challenge_stops: Share


class ReportOut(Struct, gc=False, rename={"since": "from"}):
    """Every arm, shadow and variant of a plan, and who is better."""

    plan: str
    version: Annotated[int | None, Meta(description="null: all versions")]
    plan_versions: list[int]
    since: datetime
    to: datetime
    label_delay: LabelDelayOut
    unlabelled: Literal["excluded", "genuine"]
    customers_sampled: Annotated[Share, Meta(description="1: all customers")]
    costs: CostsOut | None
    decides_by: str
    level: Share
    sides: list[SideOut]
    comparisons: list[ComparisonOut]
    notes: Annotated[list[str], Meta(description="what a reader should know")]
