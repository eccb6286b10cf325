"""A fitted combining method."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from fraud.combine.combine import combined
from fraud.ensemble import Member
from fraud.methods.interface import CombiningMethod
from fraud.payment.batch import Float32, Float64


@dataclass(frozen=True, slots=True)
class Combination:
    """A fitted combining method with the weights of its voters.

    Attributes:
        method: fitted.
        weights: variant -> weight > 0.
        ranks: variant -> see `Member.ranks`; {} if the method needs none.
    """

    method: CombiningMethod
    weights: dict[str, float]
    ranks: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    @property
    def members(self) -> tuple[Member, ...]:
        """The voters as members of an ensemble."""
        return tuple(Member(n, w, ranks=self.ranks.get(n, ())) for n, w in self.weights.items())

    def __call__(self, votes: Mapping[str, Float64]) -> Float64:
        """Combine votes: float64[n], not calibrated."""
        return combined(self.method, self.members, votes, len(next(iter(votes.values()))))

    def renamed(self, name: Callable[[str], str]) -> Combination:
        """Return the combination with other names of its voters."""
        return replace(
            self,
            weights={name(v): w for v, w in self.weights.items()},
            ranks={name(v): r for v, r in self.ranks.items()},
        )


Fit = Callable[[Mapping[str, Float64], Float32], Combination]
"""Fits a combining method on votes float64[n] of each variant and labels float32[n], 1 for fraud,
else 0, of which both occur."""
