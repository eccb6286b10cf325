"""The plan: which variants are asked, how their votes combine, where outcomes begin."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from fraud.methods.interface import CombiningMethod
from fraud.methods.mean import Mean
from fraud.methods.registry import document_of, method_of
from fraud.policy.interface import Policy
from fraud.policy.registry import policy_of


@dataclass(frozen=True, slots=True)
class Member:
    """A variant that votes, with its weight > 0 in the combination."""

    variant: str
    weight: float


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where outcomes begin.

    Attributes:
        challenge, review, block: lowest probability of each outcome:
            0 < challenge <= review <= block <= 1.
        anomaly_challenge: anomaly score from which an approval becomes a challenge; None: never.
    """

    challenge: float
    review: float
    block: float
    anomaly_challenge: float | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A versioned document that says how payments are decided.

    Attributes:
        name, version: which document this is; versions of a name only grow.
        kind: name of its policy, one of `fraud.policy.registry.POLICIES`.
        members: the supervised variants that vote.
        thresholds: where outcomes begin.
        anomaly: the variant that gives the anomaly score beside the probability, None for none.
        deadline_ms: longest wait for votes, > 0.
        calibration: knots `(combined score, probability)` of a monotone piecewise linear map from
            the method's score to a probability; () is the identity.
        method: turns votes into one score. The document holds its name as `combiner`, and its
            parameters beside it.
    """

    name: str
    version: int
    kind: str
    members: tuple[Member, ...]
    thresholds: Thresholds
    anomaly: str | None = None
    deadline_ms: int = 100
    calibration: tuple[tuple[float, float], ...] = ()
    method: CombiningMethod = field(default_factory=Mean)

    def __post_init__(self) -> None:
        if not self.members or any(not m.weight > 0 for m in self.members):
            raise ValueError("members: expected at least one, each with a weight above zero")
        if len({m.variant for m in self.members}) != len(self.members):
            raise ValueError("members: expected each variant once")
        self.policy()
        t = self.thresholds
        if not 0 < t.challenge <= t.review <= t.block <= 1:
            raise ValueError("thresholds: expected 0 < challenge <= review <= block <= 1")
        if self.deadline_ms <= 0:
            raise ValueError("deadline_ms: expected a number above zero")
        xs = [x for x, _ in self.calibration]
        ys = [y for _, y in self.calibration]
        if xs != sorted(set(xs)) or ys != sorted(ys) or any(not 0 <= y <= 1 for y in ys):
            raise ValueError(
                "calibration: expected knots that rise in x and never fall in y, y in [0, 1]"
            )

    def __hash__(self) -> int:
        # Plans are keys of caches, and hashing the whole document takes too long.
        return hash((self.name, self.version))

    @property
    def variants(self) -> tuple[str, ...]:
        """Every variant that is asked, voters first."""
        return self.voters if self.anomaly is None else (*self.voters, self.anomaly)

    @property
    def voters(self) -> tuple[str, ...]:
        """The members' variants."""
        return tuple(m.variant for m in self.members)

    def policy(self) -> Policy:
        """Make the policy of the plan's kind."""
        return policy_of(self.kind, self.voters, self.anomaly)

    def to_document(self) -> dict[str, Any]:
        """Return a JSON-ready dict; `from_document` inverts it."""
        document = asdict(self)
        del document["method"]
        return document | document_of(self.method)

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Plan:
        """Read a plan's document.

        Raises:
            ValueError, TypeError, KeyError: it is not the document of a plan.
        """
        others = dict(document)
        known = {key: others.pop(key) for key in _OWN_KEYS & others.keys()}
        known["members"] = tuple(Member(**m) for m in known["members"])
        known["thresholds"] = Thresholds(**known["thresholds"])
        known["calibration"] = tuple((float(x), float(y)) for x, y in known["calibration"])
        return cls(**known, method=method_of(others))

    def to_json(self) -> str:
        """Return the document as JSON text, keys sorted."""
        return json.dumps(self.to_document(), sort_keys=True)


_OWN_KEYS = frozenset(f.name for f in fields(Plan)) - {"method"}
"""Keys of a document that are not the combining method's."""
