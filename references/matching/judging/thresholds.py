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
        support: least share of the matched importance that names or structure speak for.
        wide_support: the same of a wide match: `wide_columns` columns or more, counted by
            importance, that cover `wide_coverage` with a closeness of `wide_closeness`. By chance
            so many columns are not all alike.
        structure: from this agreement on, structure speaks for columns whose names say nothing.
        strong_structure: from this on, for columns whose names differ.
        same_texts: from this closeness on, categories speak for themselves.
        few_columns: fewer columns than this, counted by importance, are few.
        few_names: mean name score that few columns need.
        few_auc: most that a classifier may tell apart the rows of few columns.
        mistyped: largest share of rows of another type.
        weighty: importance from which an optional column's fault counts.
    """

    similarity: float = 0.6
    history_similarity: float = 0.35
    evidence: float = 0.65
    coverage: float = 0.6
    support: float = 0.6
    wide_support: float = 0.25
    wide_columns: float = 3.5
    wide_coverage: float = 0.8
    wide_closeness: float = 0.8
    structure: float = 0.3
    strong_structure: float = 0.6
    same_texts: float = 0.7
    few_columns: float = 2.5
    few_names: float = 0.7
    few_auc: float = 0.65
    mistyped: float = 0.01
    weighty: float = 0.1


THRESHOLDS = Thresholds()
