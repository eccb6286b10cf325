"""Segments: the first that matches a payment picks its sub-policy."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fraud.asking import Asking, Rows, Run
from fraud.ensemble import Ensemble, Settled, Thresholds
from fraud.payment.batch import TransactionBatch
from fraud.policy.interface import Policy
from fraud.policy.split import split

MOST_SEGMENTS = 64
COLUMNS = ("currency", "country", "type", "channel")
"""Columns of a payment that a segment may match."""
OTHERS = "others"
"""The step to the sub-policy of payments that no segment matches."""

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Condition:
    """What a payment must be like. All that is stated must hold.

    Attributes:
        values: column -> allowed values; an unknown value matches none.
        amount_from, amount_below: bounds of the amount in units of its currency.
    """

    values: tuple[tuple[str, tuple[str, ...]], ...] = ()
    amount_from: float = -math.inf
    amount_below: float = math.inf
    _allowed: tuple[tuple[str, frozenset[str]], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # A tuple of hundreds of countries would be searched row by row.
        allowed = tuple((name, frozenset(values)) for name, values in self.values)
        object.__setattr__(self, "_allowed", allowed)

    def matches(self, batch: TransactionBatch, rows: Rows) -> Bools:
        """Return bool[m]: which rows it holds for."""
        n = len(batch) if rows is None else len(rows)
        holds = np.ones(n, dtype=bool)
        for name, values in self._allowed:
            column = getattr(batch, name)
            picked = column if rows is None else [column[i] for i in rows.tolist()]
            holds &= np.array([value in values for value in picked], dtype=bool)
        if self.amount_from > -math.inf or self.amount_below < math.inf:
            amount = batch.amount_hundredths() / 100.0
            if rows is not None:
                amount = amount[rows]
            holds &= (amount >= self.amount_from) & (amount < self.amount_below)
        return holds

    def to_document(self) -> dict[str, Any]:
        """Return a JSON-ready dict."""
        document: dict[str, Any] = {name: list(values) for name, values in self.values}
        bounds = {"from": self.amount_from, "below": self.amount_below}
        amount = {key: value for key, value in bounds.items() if math.isfinite(value)}
        return document | ({"amount": amount} if amount else {})


@dataclass(frozen=True, slots=True)
class Segment:
    """The payments that a condition holds for, and what decides them.

    Attributes:
        name: unique in its split.
        when: the condition.
        policy: decides them.
        thresholds: in place of those of the sub-policy's ensembles; None: theirs.
    """

    name: str
    when: Condition
    policy: Policy
    thresholds: Thresholds | None = None

    def effective(self) -> Policy:
        """Return the sub-policy under the segment's own thresholds."""
        return (
            self.policy if self.thresholds is None else rethresholded(self.policy, self.thresholds)
        )


@dataclass(frozen=True, slots=True)
class Segments:
    """Gives each payment to the first segment that matches it.

    Attributes:
        segments: in order.
        default: decides payments that no segment matches.
    """

    kind: ClassVar[str] = "segments"
    segments: tuple[Segment, ...]
    default: Policy
    _branches: tuple[tuple[str, Policy], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        names = [segment.name for segment in self.segments]
        if len({*names, OTHERS}) != len(names) + 1:
            raise ValueError(f"segments: expected each name once, and none called {OTHERS}")
        branches = [(segment.name, segment.effective()) for segment in self.segments]
        object.__setattr__(self, "_branches", (*branches, (OTHERS, self.default)))

    def run(self, asking: Asking, rows: Rows, arm: str) -> Run[list[Settled]]:
        """See `Policy`."""
        n = len(asking.batch) if rows is None else len(rows)
        which = np.full(n, len(self.segments), dtype=np.intp)
        for i, segment in reversed(list(enumerate(self.segments))):
            which[segment.when.matches(asking.batch, rows)] = i
        return (yield from split(asking, rows, arm, self._branches, which))

    def children(self) -> Sequence[tuple[str, Policy]]:
        """See `Policy`. Sub-policies have the thresholds of their segment."""
        return self._branches

    def mapped(self, change: Callable[[Any], Any]) -> Segments:
        """See `Policy`."""
        changed = (replace(s, policy=change(s.policy)) for s in self.segments)
        return replace(self, segments=tuple(changed), default=change(self.default))

    def to_document(self) -> dict[str, Any]:
        """See `Policy`."""
        return {
            "kind": self.kind,
            "segments": list(self._documents()),
            "default": self.default.to_document(),
        }

    def _documents(self) -> Iterator[dict[str, Any]]:
        for segment in self.segments:
            document = {
                "name": segment.name,
                "when": segment.when.to_document(),
                "plan": segment.policy.to_document(),
            }
            if segment.thresholds is not None:
                document["thresholds"] = segment.thresholds.to_document()
            yield document


def rethresholded(policy: Policy, thresholds: Thresholds) -> Policy:
    """Return a policy whose ensembles all have these thresholds."""
    if isinstance(policy, Ensemble):
        return replace(policy, thresholds=thresholds)
    return policy.mapped(lambda child: rethresholded(child, thresholds))
