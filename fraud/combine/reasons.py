"""Which features pushed a payment towards fraud, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fraud.batch import Float64
from fraud.decision import Reason

TOP = 4
"""Reasons that one decision carries at most: what an analyst reads."""


def top_reasons(
    contributions: Float64,
    names: Sequence[str],
    texts: Sequence[tuple[str, str]],
    top: int = TOP,
) -> list[tuple[Reason, ...]]:
    """The strongest reasons of each row, strongest first.

    Only features that add log-odds count. Features that share a code say the same to a human, so
    the strongest of them speaks for all.

    Args:
        contributions: float64[m, n_features]: log-odds that each feature added; NaN counts as 0.
        names: n_features feature names.
        texts: n_features pairs `(code, sentence)`.
        top: reasons a row at most.

    Returns:
        m tuples, () where no feature added anything.

    >>> codes = [("VELOCITY", "Many payments"), ("AMOUNT", "High amount"), ("VELOCITY", "Burst")]
    >>> row, = top_reasons(np.array([[0.5, 1.25, 0.75]]), ["a", "b", "c"], codes)
    >>> [(r.code, r.feature, r.contribution) for r in row]
    [('AMOUNT', 'b', 1.25), ('VELOCITY', 'c', 0.75)]
    """
    pushes = np.where(contributions > 0, contributions, 0.0)
    # A stable sort keeps ties in feature order: the same record gives the same reasons for good.
    order = np.argsort(-pushes, axis=1, kind="stable")
    return [_of_row(pushes[i], order[i], names, texts, top) for i in range(len(pushes))]


def _of_row(
    pushes: Float64,
    order: np.ndarray[tuple[int, ...], np.dtype[np.intp]],
    names: Sequence[str],
    texts: Sequence[tuple[str, str]],
    top: int,
) -> tuple[Reason, ...]:
    chosen: dict[str, Reason] = {}
    for j in order.tolist():
        push = float(pushes[j])
        if push <= 0.0 or len(chosen) == top:
            break
        code, sentence = texts[j]
        if code not in chosen:
            chosen[code] = Reason(code, names[j], sentence, round(push, 6))
    return tuple(chosen.values())
