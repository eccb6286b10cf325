"""The highest vote of each row."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fraud.methods.maximum import Maximum

N = 4
cell = st.floats(0, 1) | st.just(float("nan"))
columns = st.lists(st.lists(cell, min_size=N, max_size=N), min_size=1, max_size=5)


@given(columns)
def test_each_row_has_the_highest_vote_that_was_cast_on_it(votes):
    found = Maximum().combine([np.array(v) for v in votes], [1.0] * len(votes), 9.0, N)
    for row, value in zip(zip(*votes, strict=True), found, strict=True):
        cast = [v for v in row if v == v]
        assert value == max(cast) if cast else np.isnan(value)


@given(columns, st.permutations(range(5)))
def test_neither_order_nor_weights_count(votes, order):
    arrays = [np.array(v) for v in votes]
    one = Maximum().combine(arrays, [1.0] * len(votes), 1.0, N)
    places = [i for i in order if i < len(votes)]
    other = Maximum().combine([arrays[i] for i in places], [float(i + 1) for i in places], 9.0, N)
    assert one.tobytes() == other.tobytes()


def test_nobody_voted():
    assert np.isnan(Maximum().combine([], [], 1.0, 2)).all()
    assert Maximum().combine_row([0.2, 0.7], [5.0, 1.0]) == 0.7
