from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from training.evaluate.baselines import one_rule, single_column_precision

NAMES = ("code", "high", "low", "noise", "empty")


def rows(n: int = 5_000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    fraud = (rng.random(n) < 0.03).astype(float)
    values = rng.normal(0, 1, (n, 5)).astype(np.float32)
    values[:, 0] = fraud * 7  # a code: its order means nothing
    values[:, 1] += 1.0 * fraud
    values[:, 2] -= 2.5 * fraud
    values[rng.random(n) < 0.3, 2] = np.nan
    values[:, 4] = np.nan
    return values, fraud


def test_the_best_column_and_its_direction_are_found() -> None:
    values, fraud = rows()
    rule = one_rule(values, fraud, NAMES, [0], rate=0.02)
    assert (rule.feature, rule.column, rule.rising) == ("low", 2, False)
    score = rule.score(values)
    assert rule.average_precision == pytest.approx(average_precision_score(fraud, score))
    reached = np.nan_to_num(values[:, 2], nan=np.inf) <= rule.threshold
    assert reached.mean() == pytest.approx(0.02, abs=1e-3)
    assert rule.sentence() == f"low at most {rule.threshold:.6g}"
    assert score[np.isnan(values[:, 2])].max() < score[~np.isnan(values[:, 2])].min()


def test_a_sample_ranks_columns_like_all_rows() -> None:
    values, fraud = rows(150_000)
    sampled = single_column_precision(values, fraud, [0])
    assert np.isnan(sampled[[0, 4]]).all()
    for column, direction, sign in ((1, 0, 1), (2, 1, -1)):
        cells = np.nan_to_num(sign * values[:, column].astype(np.float64), nan=-1e9)
        whole = average_precision_score(fraud, cells)
        assert sampled[column, direction] == pytest.approx(whole, rel=0.03)


def test_a_lack_of_numbers_is_reported() -> None:
    values, fraud = rows(200)
    with pytest.raises(ValueError, match="no numeric column"):
        one_rule(values, fraud, NAMES, [0, 1, 2, 3])
