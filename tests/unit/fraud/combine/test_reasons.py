"""Contributions become reasons."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fraud.combine.reasons import top_reasons

NAMES = tuple(f"f{j}" for j in range(8))
TEXTS = tuple((f"CODE_{j // 2}", f"sentence {j}") for j in range(8))


@given(arrays(np.float64, (3, 8), elements=st.floats(-5, 5) | st.just(np.nan)))
def test_reasons_are_positive_sorted_distinct_and_few(contributions):
    for i, reasons in enumerate(top_reasons(contributions, NAMES, TEXTS, 3)):
        sizes = [r.contribution for r in reasons]
        assert sizes == sorted(sizes, reverse=True)
        assert len({r.code for r in reasons}) == len(reasons) <= 3
        for r in reasons:
            assert contributions[i, NAMES.index(r.feature)] > 0
        assert bool(reasons) == bool((contributions[i] > 0).any())


def test_no_rows():
    assert top_reasons(np.empty((0, 8)), NAMES, TEXTS) == []


def test_ties_keep_feature_order():
    (row,) = top_reasons(np.full((1, 8), 0.5), NAMES, TEXTS, 2)
    assert [r.feature for r in row] == ["f0", "f2"]
