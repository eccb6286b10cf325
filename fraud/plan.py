"""The plan: a versioned document that says how payments are decided."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fraud.costs import Costs, costs_at
from fraud.document import RANGE, TYPE, Place
from fraud.ensemble import Ensemble
from fraud.policy.ab import AB
from fraud.policy.interface import Policy
from fraud.policy.reading import PolicyReader
from fraud.policy.tree import leaves, shadows, split_alike, variants_of

MOST_NAME_CHARS = 64


@dataclass(frozen=True, slots=True)
class Plan:
    """A versioned document that says how payments are decided.

    Attributes:
        name, version: which document this is; versions of a name only grow.
        policy: which variants are asked about which payments, and how votes become decisions.
        plans: sub-plans that the policy uses by name.
        costs: what outcomes cost, for reports; None: unknown.
    """

    name: str
    version: int
    policy: Policy
    plans: Mapping[str, Policy] = field(default_factory=dict)
    costs: Costs | None = None

    def __hash__(self) -> int:
        # Plans are keys of caches, and hashing the whole document takes too long.
        return hash((self.name, self.version))

    @property
    def kind(self) -> str:
        """The kind of its policy."""
        return self.policy.kind

    @property
    def ensemble(self) -> Ensemble:
        """The policy of a plan that asks the same variants about every payment.

        Raises:
            ValueError: the plan has sub-plans.
        """
        if not isinstance(self.policy, Ensemble):
            raise ValueError(f"plan {self.name} is of kind {self.kind}, not one ensemble")
        return self.policy

    @property
    def control(self) -> Ensemble:
        """The first of its ensembles, with which others are compared: the first arm, the baseline,
        the first stage, the first segment; the only one, if it has no sub-plans."""
        return next(self.leaves())[1]

    @property
    def variants(self) -> tuple[str, ...]:
        """Every variant that may be asked, shadows last."""
        return variants_of(self.policy)

    @property
    def deciding_variants(self) -> tuple[str, ...]:
        """Every variant that may be asked for a decision, without shadows."""
        return variants_of(self.policy, with_shadows=False)

    @property
    def voters(self) -> tuple[str, ...]:
        """Every supervised variant that may vote on a decision, each once."""
        return tuple(dict.fromkeys(v for _, ensemble in self.leaves() for v in ensemble.voters))

    def leaves(self) -> Iterator[tuple[str, Ensemble]]:
        """Return (arm, ensemble) of each ensemble that may decide; arm "" if there is only one."""
        return leaves(self.policy)

    def shadows(self) -> Iterator[tuple[str, Policy]]:
        """Return (name, policy) of everything that is asked in the shadow."""
        return shadows(self.policy)

    def to_document(self) -> dict[str, Any]:
        """Return a JSON-ready dict; `from_document` inverts it."""
        own = self.policy.to_document()
        document: dict[str, Any] = {"name": self.name, "version": self.version}
        assert isinstance(own, dict), "a plan is not the name of one"
        document |= own
        if self.plans:
            document["plans"] = {name: p.to_document() for name, p in self.plans.items()}
        if self.costs is not None:
            document["costs"] = self.costs.to_document()
        return document

    @classmethod
    def from_document(cls, document: Any) -> Plan:
        """Read a plan's document.

        Raises:
            InvalidInput: it is not the document of a plan; names every fault and its place.
        """
        place = Place(document)
        if not isinstance(document, dict):
            place.note(TYPE, "expected an object")
            place.check("the plan")
        reader = PolicyReader(place.at("plans"))
        name = place.text("name", MOST_NAME_CHARS)
        version = place.whole("version", 1, 2**31 - 1)
        costs = costs_at(place.at("costs")) if place.has("costs") else None
        policy = reader.root(place)
        for arm in () if policy is None else split_alike(policy):
            place.note(
                RANGE, f"the split at `{arm}` has the salt of a split above it: give it another"
            )
        place.check("the plan")
        assert policy is not None
        return cls(name, version, policy, reader.named, costs)

    def to_json(self) -> str:
        """Return the document as JSON text, keys sorted."""
        return json.dumps(self.to_document(), sort_keys=True)


def continued(plan: Plan, before: Plan) -> Plan:
    """Return a plan whose customers stay on their arms as far as its weights allow, see
    `AB.continued`. Splits are the same if they stand in the same place of both plans.
    """
    return replace(plan, policy=_continued(plan.policy, before.policy))


def _continued(policy: Policy, before: Policy) -> Policy:
    if isinstance(policy, AB) and isinstance(before, AB):
        policy = policy.continued(before)
    earlier = dict(before.children())
    steps = iter(policy.children())

    def below(child: Policy) -> Policy:
        name, _ = next(steps)
        return _continued(child, earlier[name]) if name in earlier else child

    return policy.mapped(below)
