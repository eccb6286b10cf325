from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from training.metrics.ranking import (
    Ranking,
    average_precision,
    recall_at_fpr,
    recall_at_review,
    roc_auc,
    share_within,
)

# Few levels, so that many rows tie.
ROWS = (
    st.integers(2, 60)
    .flatmap(
        lambda n: st.tuples(
            hnp.arrays(np.float64, n, elements=st.integers(0, 9).map(lambda k: k / 10)),
            hnp.arrays(np.float64, n, elements=st.sampled_from([0.0, 1.0])),
            hnp.arrays(np.float64, n, elements=st.integers(0, 4).map(float)),
        )
    )
    .filter(lambda r: 0 < r[1].sum() < r[1].size)
)
RATE = st.floats(0.001, 1)


@settings(deadline=None)
@given(ROWS)
def test_the_figures_are_those_of_scikit_learn(rows: tuple[np.ndarray, ...]) -> None:
    score, fraud, weight = rows
    ranking = Ranking(score, fraud)
    assert roc_auc(ranking.steps()) == pytest.approx(roc_auc_score(fraud, score))
    plain = average_precision(ranking.steps())
    assert plain == pytest.approx(average_precision_score(fraud, score))
    if weight[fraud == 1].any() and weight[fraud == 0].any():
        steps = ranking.steps(weight[ranking.order])
        assert roc_auc(steps) == pytest.approx(roc_auc_score(fraud, score, sample_weight=weight))
        expected = average_precision_score(fraud, score, sample_weight=weight)
        assert average_precision(steps) == pytest.approx(expected)


@settings(deadline=None)
@given(ROWS, RATE)
def test_a_weight_is_so_many_copies(rows: tuple[np.ndarray, ...], rate: float) -> None:
    score, fraud, weight = rows
    copies = np.repeat(np.arange(score.size), weight.astype(int))
    if not 0 < fraud[copies].sum() < copies.size:
        return
    ranking = Ranking(score, fraud)
    weighted = ranking.steps(weight[ranking.order])
    copied = Ranking(score[copies], fraud[copies]).steps()
    for figure in (recall_at_review, recall_at_fpr):
        assert figure(weighted, rate) == pytest.approx(figure(copied, rate))


@settings(deadline=None)
@given(ROWS, RATE)
def test_recall_is_its_mean_over_all_orders_of_equal_rows(
    rows: tuple[np.ndarray, ...], rate: float
) -> None:
    score, fraud, _ = rows
    budget = rate * score.size
    edge = np.sort(score)[::-1][int(np.ceil(budget)) - 1]
    above, at = score > edge, score == edge
    found = fraud[above].sum() + (budget - above.sum()) / at.sum() * fraud[at].sum()
    steps = Ranking(score, fraud).steps()
    assert recall_at_review(steps, rate) == pytest.approx(found / fraud.sum())


@settings(deadline=None)
@given(ROWS, RATE)
def test_recall_at_false_positives_lies_on_the_roc_curve(
    rows: tuple[np.ndarray, ...], rate: float
) -> None:
    score, fraud, _ = rows
    fpr, tpr, _ = roc_curve(fraud, score, drop_intermediate=False)
    # Where the curve climbs, what is reached without more false positives counts.
    left = int(np.flatnonzero(fpr <= rate)[-1])
    along = slice(left, left + 2)
    expected = tpr[left] if rate == 1 else np.interp(rate, fpr[along], tpr[along])
    recall = recall_at_fpr(Ranking(score, fraud).steps(), rate)
    assert recall == pytest.approx(expected, abs=1e-9)


@settings(deadline=None)
@given(ROWS, RATE, st.integers(0, 2**32))
def test_the_order_of_rows_does_not_matter(
    rows: tuple[np.ndarray, ...], rate: float, seed: int
) -> None:
    score, fraud, weight = rows
    order = np.random.default_rng(seed).permutation(score.size)

    def caught(rows: np.ndarray) -> float:
        ranking = Ranking(score[rows], fraud[rows])
        mass = weight[rows][ranking.order][ranking.frauds]
        return share_within(ranking.steps(), ranking.of_frauds(mass), rate)

    if (weight * fraud).sum() > 0:
        assert caught(order) == pytest.approx(caught(np.arange(score.size)))


def test_value_is_counted_among_the_highest() -> None:
    score = np.arange(1000) / 1000
    fraud, amount = np.zeros(1000), np.ones(1000)
    fraud[[999, 998, 10]], amount[[999, 998, 10]] = 1, (50, 30, 20)
    ranking = Ranking(score, fraud)
    lost = ranking.of_frauds(amount[ranking.order][ranking.frauds])
    assert share_within(ranking.steps(), lost, 0.001) == pytest.approx(0.5)
    assert share_within(ranking.steps(), lost, 0.01) == pytest.approx(0.8)
    assert share_within(ranking.steps(), lost, 1.0) == pytest.approx(1.0)


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_figures_of_one_class_alone_do_not_exist(label: float) -> None:
    steps = Ranking(np.arange(5.0), np.full(5, label)).steps()
    assert np.isnan(roc_auc(steps))
    assert np.isnan(recall_at_fpr(steps, 0.01))
    assert np.isnan(average_precision(steps)) == (label == 0)
