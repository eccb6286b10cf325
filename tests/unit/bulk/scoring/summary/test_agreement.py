"""Models agree if they find the same rows riskiest, whatever they think of the others."""

from __future__ import annotations

import numpy as np
import pytest

from bulk.scoring.summary.agreement import mean_agreement, overlaps

N = 10_000


def model(rng, top, shared):
    """Scores that put the rows 0 to `shared` and some rows of its own on top."""
    score = rng.random(N).astype(np.float32) * 0.1
    own = rng.choice(np.arange(1000, N), top - shared, replace=False)
    score[:shared] += 0.5
    score[own] += 0.5
    return score


def test_the_share_of_riskiest_rows_that_both_have():
    rng = np.random.default_rng(0)
    models = [model(rng, 200, 150) for _ in range(3)]
    found = overlaps(models, 0.02)
    assert found[0, 1] == pytest.approx(0.75, abs=0.02)
    assert found[0, 1] == found[1, 0]
    assert found[2, 2] == 1
    assert mean_agreement(found) == pytest.approx(found[np.tril_indices(3, -1)].mean())


def test_strangers_agree_by_chance_only():
    rng = np.random.default_rng(0)
    found = overlaps([rng.random(N).astype(np.float32) for _ in range(2)], 0.02)
    assert found[0, 1] < 0.1


def test_equal_scores_agree_by_chance_only_whatever_their_order_in_the_file():
    # Each finds ten rows of its own and says the same of all others, as trees do.
    one, other = np.zeros(N, np.float32), np.zeros(N, np.float32)
    one[5000:5010], other[6000:6010] = 1, 1
    found = overlaps([one, other], 0.02)[0, 1]
    assert found == pytest.approx(0.02, abs=0.01)
    order = np.random.default_rng(0).permutation(N)
    assert overlaps([one[order], other[order]], 0.02)[0, 1] == pytest.approx(found)


def test_rows_that_one_does_not_score_are_left_out():
    score = np.linspace(0, 1, N, dtype=np.float32)
    other = np.where(np.arange(N) % 2, score, np.nan).astype(np.float32)
    assert overlaps([score, other], 0.02)[0, 1] == 1


def test_what_cannot_be_compared_is_unknown():
    a = np.arange(200, dtype=np.float32)
    flat = np.zeros(200, np.float32)
    apart = np.where(np.arange(200) < 50, a, np.nan).astype(np.float32)
    assert np.isnan(overlaps([a, flat], 0.1)[0, 1])
    assert np.isnan(overlaps([a, apart], 0.1)[0, 1])
    assert mean_agreement(overlaps([a, flat], 0.1)) is None
    assert mean_agreement(overlaps([a], 0.1)) is None
