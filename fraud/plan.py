"""The plan: who is asked, how votes combine, where thresholds lie. A versioned document."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import Any

KINDS = ("single", "ensemble")
COMBINERS = ("mean", "stack")


@dataclass(frozen=True, slots=True)
class Member:
    """A variant that votes, with its weight > 0 in the combination."""

    variant: str
    weight: float


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Lowest probability of each outcome: 0 < challenge <= review <= block <= 1.
    `anomaly_challenge`: anomaly score from which an approval becomes a challenge; None: never."""

    challenge: float
    review: float
    block: float
    anomaly_challenge: float | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan.

    Attributes:
        name, version: which document this is; versions of a name only grow.
        kind: one of `KINDS`.
        members: the supervised variants that vote.
        thresholds: where outcomes begin.
        anomaly: the variant whose score stands beside the probability, None for none.
        deadline_ms: how long votes are waited for, > 0.
        calibration: knots `(combined score, probability)` of a monotone piecewise linear map
            from what the combiner makes of the votes to a probability; () is the identity.
        combiner: `mean`, the weighted mean of votes (`fraud.combine.average`), or `stack`, their
            weighted log-odds (`fraud.combine.stack`).
        intercept: of the stack, in log-odds; 0 for a mean.
    """

    name: str
    version: int
    kind: str
    members: tuple[Member, ...]
    thresholds: Thresholds
    anomaly: str | None = None
    deadline_ms: int = 100
    calibration: tuple[tuple[float, float], ...] = ()
    combiner: str = "mean"
    intercept: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}")
        if self.combiner not in COMBINERS:
            raise ValueError(f"combiner must be one of {', '.join(COMBINERS)}")
        if not math.isfinite(self.intercept) or (self.combiner == "mean" and self.intercept):
            raise ValueError("intercept: a finite number, and 0 for a mean")
        if not self.members or any(not m.weight > 0 for m in self.members):
            raise ValueError("members: at least one, each with a weight above zero")
        if len({m.variant for m in self.members}) != len(self.members):
            raise ValueError("members: each variant once")
        if self.kind == "single" and len(self.members) != 1:
            raise ValueError("members: a single plan asks one variant")
        t = self.thresholds
        if not 0 < t.challenge <= t.review <= t.block <= 1:
            raise ValueError("thresholds: 0 < challenge <= review <= block <= 1")
        if self.deadline_ms <= 0:
            raise ValueError("deadline_ms: above zero")
        xs = [x for x, _ in self.calibration]
        ys = [y for _, y in self.calibration]
        if xs != sorted(set(xs)) or ys != sorted(ys) or any(not 0 <= y <= 1 for y in ys):
            raise ValueError("calibration: knots rise in x and never fall in y, y in [0, 1]")

    def __hash__(self) -> int:
        # What is derived from a plan is kept by plan: the whole document takes too long to hash.
        return hash((self.name, self.version))

    @property
    def variants(self) -> tuple[str, ...]:
        """Every variant that is asked, voters first."""
        voters = tuple(m.variant for m in self.members)
        return voters if self.anomaly is None else (*voters, self.anomaly)

    def to_document(self) -> dict[str, Any]:
        """JSON-ready dict; `from_document` inverts it."""
        return asdict(self)

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Plan:
        """Raises ValueError, TypeError or KeyError on a document that is not a plan."""
        fields = dict(document)
        fields["members"] = tuple(Member(**m) for m in fields["members"])
        fields["thresholds"] = Thresholds(**fields["thresholds"])
        fields["calibration"] = tuple((float(x), float(y)) for x, y in fields["calibration"])
        return cls(**fields)

    def to_json(self) -> str:
        return json.dumps(self.to_document(), sort_keys=True)
