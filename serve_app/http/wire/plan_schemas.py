"""Plans on the wire; see `serve_app.http.wire.schemas`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from deciding.plans.activations import Activation
from deciding.plans.versions import (
    MAX_REASON_CHARS,
    MAX_VERSION,
    NAME_PATTERN,
    PlanId,
    StoredPlan,
)
from fraud.combine.risk import BAND, bands
from fraud.decision import OUTCOMES, RISK_LEVELS
from fraud.ensemble import Ensemble
from fraud.methods.registry import METHODS
from fraud.plan import Plan
from fraud.policy.reading import KINDS
from fraud.variant import HOUSE
from serve_app.http.wire.texts import STORABLE

PolicyKind = Literal[*KINDS]  # type: ignore[valid-type]
CombiningMethod = Literal[*METHODS]  # type: ignore[valid-type]

Document = Annotated[
    dict[str, Any],
    Meta(
        description="the plan as docs/plans.md describes it",
        extra_json_schema={"additionalProperties": True},
    ),
]
Reason = Annotated[
    str,
    Meta(
        max_length=MAX_REASON_CHARS,
        description="why, for everybody who reads it later",
        extra_json_schema=STORABLE,
    ),
]
OfHouse = Annotated[
    bool,
    Meta(description="it is the house's, which decides for every tenant without one of its own"),
]
Missing = Annotated[
    list[str],
    Meta(description="variants of the plan without a pool: decisions will lack their votes"),
]


class MemberOut(Struct, gc=False):
    """A variant that votes, and the weight of its vote."""

    name: str
    weight: Annotated[float, Meta(gt=0)]


class BandOut(Struct, gc=False):
    """The range of a decision. A decision with an empty range is never made."""

    decision: Literal["approve", "challenge", "review", "block"]
    risk_level: Literal["low", "medium", "high", "critical"]
    from_probability: Annotated[float, Meta(ge=0, le=1, description="lower bound, inclusive")]
    below_probability: Annotated[
        float, Meta(ge=0, le=1, description="upper bound, exclusive; inclusive for block")
    ]
    from_score: Annotated[int, Meta(ge=0, le=99, description="its lowest risk_score")]
    to_score: Annotated[int, Meta(ge=0, le=99, description="its highest risk_score")]


class AnomalyOut(Struct, gc=False):
    """The anomaly score from which an approval becomes a challenge, whatever its probability."""

    name: Annotated[str, Meta(description="the variant that gives the anomaly score")]
    challenge_from: Annotated[float, Meta(ge=0, le=1)]
    risk_score: Annotated[int, Meta(ge=0, le=99, description="score of such a challenge")]


class EnsembleOut(Struct, kw_only=True, gc=False):
    """How some variants decide together."""

    combiner: CombiningMethod
    members: list[MemberOut]
    deadline_ms: Annotated[int, Meta(gt=0, description="how long to wait for votes")]
    decisions: Annotated[list[BandOut], Meta(description="mildest first")]
    anomaly: Annotated[
        AnomalyOut | None, Meta(description="null: anomaly scores do not challenge payments")
    ]


class ArmOut(EnsembleOut, kw_only=True, gc=False):
    """A way through a plan, and the ensemble at its end."""

    arm: Annotated[str, Meta(description="the segment, arm and stage, as `plan.arm` of a decision")]


class ActivePlanOut(EnsembleOut, kw_only=True, gc=False):
    """The plan that decides. Of a plan with several arms, `combiner` to `anomaly` are those of the
    first: the control."""

    name: str
    version: int
    kind: PolicyKind
    house: OfHouse
    arms: Annotated[list[ArmOut], Meta(description="[] if the plan does not split")]


class PlanVersionOut(Struct, kw_only=True, gc=False):
    """A stored version of a plan."""

    name: str
    version: int
    kind: Annotated[str | None, Meta(description="of its policy")]
    house: OfHouse
    active: Annotated[bool, Meta(description="it decides now")]
    author: Annotated[
        str, Meta(description="who stored it; empty if nobody is on record, or another tenant asks")
    ]
    reason: Annotated[Reason, Meta(description="why it was stored; empty if another tenant asks")]
    created_at: datetime


class PlansOut(Struct, gc=False):
    """Plans: those that decide, then the newest."""

    plans: list[PlanVersionOut]


class StoredPlanOut(PlanVersionOut, kw_only=True, gc=False):
    """A stored version of a plan with its document."""

    document: Document
    missing: Missing | UnsetType = UNSET


class NewPlanIn(Struct, forbid_unknown_fields=True, gc=False):
    """A plan to store."""

    document: Document
    reason: Reason = ""


class PlanIdOut(Struct, gc=False):
    """Name and version of a plan."""

    name: str
    version: int


class ExpectedIn(Struct, forbid_unknown_fields=True, gc=False):
    """Name and version of a plan."""

    name: Annotated[str, Meta(pattern=NAME_PATTERN)]
    version: Annotated[int, Meta(ge=1, le=MAX_VERSION)]


class ActivationIn(Struct, forbid_unknown_fields=True, gc=False):
    """What is believed active, and why another plan should be."""

    expected: (
        Annotated[
            ExpectedIn | None,
            Meta(description="activate only if this plan is active, null: if the tenant has none"),
        ]
        | UnsetType
    ) = UNSET
    reason: Reason = ""


class ActivationOut(Struct, kw_only=True, gc=False):
    """What decides from now on, in every combiner within two seconds."""

    plan: PlanIdOut
    previous: Annotated[PlanIdOut | None, Meta(description="what decided before")]
    changed: Annotated[bool, Meta(description="false: the plan decided already")]
    missing: Missing


def active_plan_out(stored: StoredPlan, plan: Plan) -> ActivePlanOut:
    """Return a plan that decides as clients see it."""
    leaves = list(plan.leaves())
    arms = [ArmOut(arm=arm, **_ensemble(ensemble)) for arm, ensemble in leaves]
    return ActivePlanOut(
        name=plan.name,
        version=plan.version,
        kind=plan.kind,
        house=stored.owner == HOUSE,
        arms=arms if len(arms) > 1 else [],
        **_ensemble(plan.control),
    )


def plan_version_out(stored: StoredPlan) -> PlanVersionOut:
    """Return a version as clients see it in a list."""
    return PlanVersionOut(**_version(stored))


def stored_plan_out(stored: StoredPlan, missing: tuple[str, ...] | None = None) -> StoredPlanOut:
    """Return a version with its document.

    Args:
        missing: variants without a pool; None: nobody looked.
    """
    return StoredPlanOut(
        **_version(stored),
        document=stored.document,
        missing=UNSET if missing is None else list(missing),
    )


def activation_out(
    plan: PlanId, activation: Activation | None, missing: tuple[str, ...]
) -> ActivationOut:
    """Return an activation; None: the plan decided already."""
    previous = None if activation is None else activation.previous
    return ActivationOut(
        plan=PlanIdOut(*plan),
        previous=None if previous is None else PlanIdOut(*previous),
        changed=activation is not None,
        missing=list(missing),
    )


def _version(stored: StoredPlan) -> dict[str, Any]:
    return {
        "name": stored.name,
        "version": stored.version,
        "kind": stored.kind,
        "house": stored.owner == HOUSE,
        "active": stored.active,
        "author": stored.author,
        "reason": stored.reason,
        "created_at": stored.created_at,
    }


def _ensemble(ensemble: Ensemble) -> dict[str, Any]:
    t = ensemble.thresholds
    decisions = [
        BandOut(
            outcome.value,
            level,  # type: ignore[arg-type]
            from_probability,
            below,
            lowest,
            highest,
        )
        for outcome, level, (from_probability, below, lowest, highest) in zip(
            OUTCOMES, RISK_LEVELS, bands(t), strict=True
        )
    ]
    anomaly = None
    if ensemble.anomaly is not None and t.anomaly_challenge is not None:
        anomaly = AnomalyOut(ensemble.anomaly, t.anomaly_challenge, BAND)
    return {
        "combiner": ensemble.method.name,
        "members": [MemberOut(m.variant, m.weight) for m in ensemble.members],
        "deadline_ms": ensemble.deadline_ms,
        "decisions": decisions,
        "anomaly": anomaly,
    }
