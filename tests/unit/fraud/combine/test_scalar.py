"""One row on Python's floats is the same row among others, to the bit."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fraud.combine.combine import combine
from fraud.decision import Vote
from fraud.plan import Member, Plan, Thresholds

scores = st.floats(0, 1) | st.sampled_from([0.0, 1e-7, 0.5, 1.0 - 1e-7, 1.0])
weights = st.floats(1e-3, 10)
plans = st.builds(
    lambda combiner, members, intercept, anomaly, challenge, calibration: Plan(
        *("default", 1, "ensemble"),
        tuple(Member(f"m{i}", weight) for i, weight in enumerate(members)),
        Thresholds(0.1, 0.5, 0.9, challenge),
        "anomaly" if anomaly else None,
        calibration=calibration,
        combiner=combiner,
        intercept=intercept if combiner == "stack" else 0.0,
    ),
    st.sampled_from(["mean", "stack"]),
    st.lists(weights, min_size=1, max_size=9),
    st.floats(-2, 2),
    st.booleans(),
    st.sampled_from([None, 0.7]),
    st.sampled_from([(), ((0.0, 0.0), (0.3, 0.2), (0.7, 0.6), (1.0, 0.9))]),
)


@given(plans, st.data())
def test_alone_as_among_others(plan, data):
    said = {name: data.draw(scores) for name in plan.variants}

    def votes(n):
        return [Vote(name, "v", "ok", np.full(n, score), 1.0) for name, score in said.items()]

    alone, among = combine(plan, votes(1), 1), combine(plan, votes(2), 2)
    assert alone.probability.tobytes() == among.probability[:1].tobytes()
    assert alone.anomaly.tobytes() == among.anomaly[:1].tobytes()
    assert alone.outcome.dtype == among.outcome.dtype
    assert alone.outcome.tolist() == among.outcome[:1].tolist()
    assert alone.degraded == among.degraded[:1] == [()]
