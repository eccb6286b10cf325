"""The active plan as clients read it; see `serve_app.http.wire.schemas`."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from fraud.methods.registry import METHODS
from fraud.policy.registry import POLICIES

PolicyKind = Literal[*POLICIES]  # type: ignore[valid-type]
Combiner = Literal[*METHODS]  # type: ignore[valid-type]


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
    kind: PolicyKind
    combiner: Combiner
    members: list[MemberOut]
    deadline_ms: Annotated[int, Meta(gt=0, description="how long votes are waited for")]
    decisions: Annotated[list[BandOut], Meta(description="mildest first")]
    anomaly: Annotated[
        AnomalyOut | None, Meta(description="null: an anomaly score challenges nothing")
    ]
