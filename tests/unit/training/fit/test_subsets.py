from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from fraud.combine.calibrate import Calibration
from fraud.combine.combine import combined
from training.fit.calibrate import fit_calibration
from training.fit.combining.mean import fit_mean
from training.fit.combining.stack import fit_stack
from training.fit.subsets import MAX_KNOTS, fit_subsets, stored

N = 20_000
RNG = np.random.default_rng(8)
EVIDENCE = RNG.normal(size=(3, N)) * 1.5
FRAUD = (RNG.random(N) < 1 / (1 + np.exp(5.5 - EVIDENCE.sum(axis=0)))).astype(np.float32)
VOTES = {n: 1 / (1 + np.exp(4.5 - e)) for n, e in zip("cab", EVIDENCE, strict=True)}


@pytest.mark.parametrize("fit", [fit_mean, fit_stack])
def test_every_proper_subset_is_calibrated(fit) -> None:
    combination = fit(VOTES, FRAUD)
    fits = fit_subsets(combination, VOTES, FRAUD)
    assert [f.variants for f in fits] == [
        ("a", "b"),
        ("a", "c"),
        ("b", "c"),
        ("a",),
        ("b",),
        ("c",),
    ]
    whole = Calibration(fit_calibration(combination(VOTES), FRAUD).knots)
    better = 0
    for found in fits:
        assert found.calibration is not None
        assert len(found.calibration.knots) <= MAX_KNOTS
        score = combined(
            combination.method, combination.members, {n: VOTES[n] for n in found.variants}, N
        )
        own = Calibration(found.calibration.knots)(score)
        assert _error(own) < 0.005
        better += _error(own) < _error(whole(score)) / 2
    assert better >= 3


def _error(probability: np.ndarray) -> float:
    """The calibration error over twenty bins of equally many rows."""
    order = np.argsort(probability, kind="stable")
    edges = np.linspace(0, N, 21).astype(int)
    bins = [order[a:b] for a, b in pairwise(edges)]
    return float(np.mean([abs(probability[b].mean() - FRAUD[b].mean()) for b in bins]))


def test_a_subset_that_cannot_be_calibrated_is_left_out_with_the_reason() -> None:
    # Alone, the member ranks payments upside down: no rising map keeps their order.
    votes = {"knows": VOTES["a"] * VOTES["b"] * VOTES["c"], "errs": 1 - VOTES["a"]}
    combination = fit_mean(votes, FRAUD)
    fits = {f.variants: f for f in fit_subsets(combination, votes, FRAUD)}
    assert fits[("errs",)].calibration is None
    assert "cannot be calibrated" in fits[("errs",)].reason
    assert [s.variants for s in stored(tuple(fits.values()))] == [("knows",)]


def test_a_single_member_has_no_subsets() -> None:
    assert fit_subsets(fit_mean({"a": VOTES["a"]}, FRAUD), VOTES, FRAUD) == ()


def test_of_too_many_subsets_the_largest_are_fitted() -> None:
    rows = slice(0, 4_000)
    votes = {f"m{i}": VOTES["abc"[i % 3]][rows] for i in range(7)}
    combination = fit_stack(votes, FRAUD[rows])
    fits = fit_subsets(combination, votes, FRAUD[rows])
    assert len(fits) == 64
    assert [len(f.variants) for f in fits[:7]] == [6] * 7


def test_a_subset_is_named_by_its_members() -> None:
    found = fit_subsets(fit_mean(VOTES, FRAUD), VOTES, FRAUD)[0]
    assert found.name == "a.b"
    assert found.renamed(lambda name: f"t-{name}").variants == ("t-a", "t-b")
