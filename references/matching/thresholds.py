"""Where the lines are drawn between a file that fits a reference and one that does not.

`python -m loadtests.bench.offline.matching` measures them on sets with labels; docs/references.md
shows the numbers.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Limits of the match.

    Attributes:
        similarity: least similarity of a reference of kind `tabular`.
        history_similarity: of kind `history`.
        evidence: least evidence that a file holds payments, for kind `history`.
        coverage: least share of importance that has a counterpart.
        domain_auc: most that a classifier may tell rows apart, where few columns agree.
        few_columns: so many matched columns or fewer are few.
        mistyped: largest share of rows of another type.
        weighty: importance from which an optional column's fault counts.
    """

    similarity: float = 0.55
    history_similarity: float = 0.35
    evidence: float = 0.6
    coverage: float = 0.6
    domain_auc: float = 0.9
    few_columns: int = 4
    mistyped: float = 0.01
    weighty: float = 0.1


THRESHOLDS = Thresholds()
