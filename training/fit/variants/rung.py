"""A rung of a hyper-parameter search: a variant fitted with a share of its effort."""

from __future__ import annotations

from dataclasses import dataclass

from fraud.payment.batch import Float64

EFFORTS = (1, 3, 9)
"""Ninths of the whole effort in rounds, trees or rows. After each but the last a search may stop a
trial."""
WHOLE = EFFORTS[-1]


@dataclass(frozen=True, slots=True)
class Rung:
    """A variant fitted with `effort` ninths of its effort.

    Attributes:
        effort: one of `EFFORTS`.
        scores: float64[n_validation], raw, higher is more likely fraud.
        size: rounds, trees or rows that were fitted.
    """

    effort: int
    scores: Float64
    size: int


def part(whole: int, effort: int) -> int:
    """`effort` ninths of a number, at least 1."""
    return max(1, whole * effort // WHOLE)
