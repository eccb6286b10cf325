"""The interface of combining methods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

from fraud.payment.batch import Float64


class CombiningMethod(Protocol):
    """Turns the votes of a plan's members into a probability, before calibration.

    A method is a frozen dataclass. Its fields are its fitted parameters: numbers or strings, which
    the plan's document holds under the same names. The constructor raises ValueError on parameters
    out of range.

    Attributes:
        name: names the method in a plan's document.
        title: names the method in reports; a noun phrase without an article.
        uses_ranks: it combines ranks of votes (`fraud.ensemble.Member.ranks`) instead of votes.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    uses_ranks: ClassVar[bool]
    __dataclass_fields__: ClassVar[dict[str, Any]]

    def combine(
        self, scores: Sequence[Float64], weights: Sequence[float], total_weight: float, n: int
    ) -> Float64:
        """Combine n rows. Each row depends on its own votes only, to the last bit.

        Args:
            scores: float64[n] in [0, 1] of each member that answered, NaN where it has none.
            weights: the weight > 0 of each of them.
            total_weight: sum of the weights of all members, whether they answered or not.
            n: number of rows.

        Returns:
            float64[n] in [0, 1]; NaN where no member voted.
        """
        ...

    def combine_row(self, scores: Sequence[float], weights: Sequence[float]) -> float:
        """Combine one row on which every member voted, on Python's floats.

        At low load most micro-batches are one row. Forty numpy calls on single numbers would be a
        tenth of what a decision costs the combiner.

        Args:
            scores: k >= 1 numbers in [0, 1].
            weights: k weights > 0.

        Returns:
            What `combine` returns for that row, to the last bit. Sums, products and quotients are
            the same in numpy and in Python; logarithm and exponential are not, so use numpy's.
        """
        ...
