from __future__ import annotations

import numpy as np
import pytest

from fraud.methods.registry import METHODS
from training.fit.combining.choice import choose_combination
from training.fit.combining.combination import Combination
from training.fit.combining.registry import CHOICES, FITS

N = 20_000
RNG = np.random.default_rng(4)
TRUTH = RNG.beta(0.3, 20, N)
FRAUD = (RNG.random(N) < TRUTH).astype(np.float32)


def test_a_stack_is_chosen_where_the_mean_of_probabilities_loses() -> None:
    # Two halves of the evidence: log-odds add up, probabilities do not.
    rng = np.random.default_rng(9)
    a, b = rng.normal(size=(2, N)) * 2.2
    fraud = (rng.random(N) < 1 / (1 + np.exp(-(a + b - 7)))).astype(np.float32)
    votes = {n: 1 / (1 + np.exp(-(e - 4.5))) for n, e in (("a", a), ("b", b))}
    choice = choose_combination(votes, fraud)
    combination = choice.combination
    assert combination.method.name == "stack"
    merits = {kind: m["average_precision"] for kind, m in choice.figures.items()}
    assert merits["stack"] > merits["mean"]
    assert combination.weights["a"] == pytest.approx(combination.weights["b"], abs=0.15)
    assert choose_combination(votes, fraud, "mean").combination.method.name == "mean"


@pytest.mark.parametrize("useful", [True, False])
def test_with_too_few_frauds_for_folds_the_fitted_rows_decide(useful: bool) -> None:
    rng = np.random.default_rng(5)
    fraud = np.zeros(400, np.float32)
    fraud[::80] = 1
    knows = np.where(fraud > 0, 0.6, 0.3) + rng.normal(0, 0.1, 400)
    other = np.where(fraud > 0, 0.6, 0.3) + rng.normal(0, 0.1, 400) if useful else rng.random(400)
    choice = choose_combination(
        {"knows": np.clip(knows, 0, 1), "other": np.clip(other, 0, 1)}, fraud
    )
    assert choice.comparison is not None
    assert choice.comparison.won == useful


def test_a_single_voter_has_no_contest() -> None:
    assert choose_combination({"alone": TRUTH}, FRAUD).comparison is None


@pytest.mark.parametrize("wanted", ["choose", *METHODS])
def test_rows_that_begin_with_fraud_alone_have_a_combiner(wanted: str) -> None:
    rng = np.random.default_rng(6)
    fraud = np.zeros(2_000, np.float32)
    fraud[:30] = 1
    fraud[rng.choice(np.arange(30, 2_000), 30, replace=False)] = 1
    odds = {n: -4 + 2 * fraud + rng.normal(0, 1, fraud.size) for n in "ab"}
    votes = {n: 1 / (1 + np.exp(-o)) for n, o in odds.items()}
    choice = choose_combination(votes, fraud, wanted)
    assert set(choice.combination.weights) == {"a", "b"}
    assert choice.comparison is not None


def test_of_methods_that_rank_alike_the_first_is_taken() -> None:
    # Two voters that never disagree on an order: every method ranks as they do.
    choice = choose_combination({"a": TRUTH, "b": TRUTH}, FRAUD)
    merits = [merit["average_precision"] for merit in choice.figures.values()]
    assert list(choice.figures) == list(CHOICES)
    assert merits == pytest.approx([merits[0]] * len(CHOICES), rel=1e-3)
    assert choice.combination.method.name == "mean"


def test_a_method_without_fine_scores_is_never_chosen_by_itself() -> None:
    assert "majority" in FITS
    assert "majority" not in CHOICES


def test_a_maximum_is_chosen_where_each_member_sees_what_the_other_misses() -> None:
    rng = np.random.default_rng(12)
    fraud = (rng.random(N) < 0.02).astype(np.float32)
    kind = rng.random(N) < 0.5
    # One is sure of its own kind of fraud and sees nothing in the other; noise is low.
    seen = {"a": kind, "b": ~kind}
    votes = {}
    for name, own in seen.items():
        base = rng.uniform(0.0, 0.25, N)
        votes[name] = np.where((fraud > 0) & own, rng.uniform(0.28, 0.5, N), base)
    choice = choose_combination(votes, fraud)
    assert choice.combination.method.name == "maximum"


def test_a_renamed_choice_keeps_its_ranks() -> None:
    choice = choose_combination({"a": TRUTH, "b": RNG.permutation(TRUTH)}, FRAUD, "rank")
    renamed = choice.renamed(lambda name: f"ulb-{name}")
    assert renamed.comparison is not None
    assert renamed.comparison.member == "ulb-a"
    assert isinstance(renamed.combination, Combination)
    assert {m.variant: len(m.ranks) for m in renamed.combination.members} == {
        "ulb-a": 101,
        "ulb-b": 101,
    }


def test_every_combining_method_has_a_fit() -> None:
    assert set(FITS) == set(METHODS)
