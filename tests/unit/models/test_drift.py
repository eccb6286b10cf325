"""Shifts and calibration against the same figures counted by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from models.drift import (
    BINS,
    ReferenceDistribution,
    ReferenceDistributions,
    calibration,
    level,
    matured,
    wilson,
)


def psi_by_hand(then: list[float], now: list[float], cuts: list[float]) -> float:
    """Row by row, in plain Python."""

    def shares(values: list[float]) -> list[float]:
        counts = [0] * (len(cuts) + 2)
        for value in values:
            if math.isnan(value):
                counts[-1] += 1
            else:
                counts[sum(value >= cut for cut in cuts)] += 1
        return [max(c / len(values), 1e-4) for c in counts]

    return sum((b - a) * math.log(b / a) for a, b in zip(shares(then), shares(now), strict=True))


@pytest.mark.parametrize("seed", range(4))
def test_psi_of_numbers_is_what_counting_gives(seed: int) -> None:
    rng = np.random.default_rng(seed)
    then = rng.normal(size=(997, 2))
    then[rng.random(997) < 0.2, 0] = np.nan
    then[:, 1] = np.round(then[:, 1])
    now = rng.normal(0.4, 1.5, size=(311, 2))
    now[:, 1] = np.round(now[:, 1])
    reference = ReferenceDistribution.of(["a", "b"], then)
    found = reference.psi(reference.count(now))
    for i in range(2):
        cuts = [c for c in reference.cuts[i].tolist() if math.isfinite(c)]
        expected = psi_by_hand(then[:, i].tolist(), now[:, i].tolist(), cuts)
        assert found[i] == pytest.approx(expected, abs=1e-12)
    assert np.isfinite(reference.cuts[0]).sum() == BINS - 1


def test_bins_hold_a_tenth_each_and_equal_values_stay_together() -> None:
    values = np.random.default_rng(1).permutation(np.arange(1000.0))[:, None]
    assert ReferenceDistribution.of(["a"], values).counts[0].tolist() == [100] * BINS + [0]
    mostly = np.concatenate([np.zeros(700), np.arange(1, 301.0)])[:, None]
    counts = ReferenceDistribution.of(["a"], mostly).counts[0]
    assert counts[:2].tolist() == [0, 700]
    assert counts.sum() == 1000


def test_codes_have_bins_of_their_own_and_the_rare_share_one() -> None:
    then = np.repeat(np.arange(20.0), np.arange(20, 0, -1))[:, None]
    reference = ReferenceDistribution.of(["code"], then, [0])
    assert reference.counts[0].tolist() == [20, 19, 18, 17, 16, 15, 14, 13, 12, 66, 0]
    now = np.array([[3.0], [11.0], [777.0], [np.nan], [-1.0]])
    assert reference.count(now)[0].tolist() == [0, 0, 0, 1, 0, 0, 0, 0, 0, 3, 1]


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_a_column_of_one_value_moves_only_if_it_changes(value: float) -> None:
    reference = ReferenceDistribution.of(["a"], np.full((500, 1), value))
    assert reference.psi(reference.count(np.full((300, 1), value)))[0] == 0
    assert level(float(reference.psi(reference.count(np.full((300, 1), -1.0)))[0]), 300) == "large"


def test_chance_is_what_samples_of_one_source_come_to() -> None:
    rng = np.random.default_rng(2)
    found, expected = [], 0.0
    for _ in range(200):
        reference = ReferenceDistribution.of(["a"], rng.random((2_000, 1)))
        counts = reference.count(rng.random((500, 1)))
        found.append(reference.psi(counts)[0])
        expected = reference.chance(counts)[0]
    assert np.mean(found) == pytest.approx(expected, rel=0.1)


def test_verdicts() -> None:
    levels = [level(p, 1000) for p in (0.05, 0.1, 0.25, 0.26, math.nan)]
    assert levels == ["steady", "moderate", "moderate", "large", "few"]
    assert level(9.0, 100) == "few"


def test_no_rows_say_nothing() -> None:
    reference = ReferenceDistribution.of(["a"], np.random.default_rng(0).random((100, 1)))
    assert np.isnan(reference.psi(reference.count(np.empty((0, 1))))[0])
    nothing = calibration(np.empty(0), np.empty(0))
    assert nothing.rows.size == 0
    assert np.isnan(nothing.error)


def test_references_survive_their_bytes_and_nothing_else_passes() -> None:
    rng = np.random.default_rng(0)
    features = ReferenceDistribution.of(
        ["a", "code"], np.stack([rng.random(50), np.arange(50) % 3], 1), [1]
    )
    both = ReferenceDistributions(
        features, ReferenceDistribution.of(["ensemble"], rng.random((50, 1)))
    )
    body = both.to_bytes()
    again = ReferenceDistributions.from_bytes(body)
    assert again.to_bytes() == body
    assert again.features.names == ("a", "code")
    now = rng.random((40, 2))
    assert again.features.count(now).tolist() == features.count(now).tolist()
    for wrong in (b"", b"PK", body[:200]):
        with pytest.raises(ValueError, match="not a reference"):
            ReferenceDistributions.from_bytes(wrong)


def test_calibration_is_what_counting_gives() -> None:
    rng = np.random.default_rng(3)
    probability = rng.beta(1, 8, 900)
    fraud = (rng.random(900) < probability**1.5).astype(float)
    scores = np.concatenate([probability, [np.nan] * 10])
    found = calibration(scores, np.concatenate([fraud, np.ones(10)]), bins=9)
    order = np.argsort(probability)
    parts = [order[i * 100 : (i + 1) * 100] for i in range(9)]
    assert found.rows.tolist() == [100] * 9
    assert found.mean == pytest.approx([probability[p].mean() for p in parts])
    assert found.observed == pytest.approx([fraud[p].mean() for p in parts])
    away = [abs(probability[p].mean() - fraud[p].mean()) for p in parts]
    assert found.error == pytest.approx(np.mean(away))
    assert (found.low <= found.observed).all()
    assert (found.observed <= found.high).all()


def test_equal_probabilities_share_a_bin() -> None:
    probability = np.array([0.1] * 70 + [0.9] * 30)
    fraud = np.array([1.0] * 7 + [0.0] * 63 + [1.0] * 27 + [0.0] * 3)
    found = calibration(probability, fraud)
    assert found.rows.tolist() == [70, 30]
    assert found.observed.tolist() == pytest.approx([0.1, 0.9])
    assert found.error == pytest.approx(0, abs=1e-12)


def test_wilson_is_the_published_interval() -> None:
    """Newcombe 1998, table I: 81/263, 15/148, 0/20 and 1/29 at 95 %."""
    rows = np.array([263, 148, 20, 29])
    low, high = wilson(np.array([81, 15, 0, 1]) / rows, rows)
    assert low == pytest.approx([0.2553, 0.0624, 0.0, 0.0061], abs=5e-5)
    assert high == pytest.approx([0.3662, 0.1605, 0.1611, 0.1718], abs=5e-5)


def test_the_youngest_labels_are_left_out() -> None:
    day = 86_400_000
    decided = np.arange(20) * day
    known = decided + 3 * day
    assert matured(decided, known, 20 * day).sum() == 18
    assert matured(decided, decided - day, 20 * day).all()
    assert matured(decided[:0], known[:0], 0).size == 0


def test_the_middle_is_where_most_values_lie() -> None:
    rng = np.random.default_rng(1)
    few = (rng.random(1000) < 0.05).astype(float)
    values = np.stack([np.arange(1000.0), few, np.full(1000, np.nan), few], axis=1)
    reference = ReferenceDistribution.of(("n", "flag", "unknown", "code"), values, [3])
    low, high = reference.middle()
    assert (low[0], high[0]) == pytest.approx((100, 900))
    assert (low[1], high[1]) == pytest.approx((0, 0))
    assert np.isnan([low[2], high[2], low[3], high[3]]).all()


def test_the_share_of_a_flag_or_a_code_is_how_many_have_it() -> None:
    values = np.array([[0.0, 7.0]] * 90 + [[1.0, 3.0]] * 10 + [[np.nan, np.nan]] * 50)
    reference = ReferenceDistribution.of(("flag", "code"), values, [1])
    share = reference.share(np.array([[1.0, 7.0], [0.0, 3.0], [np.nan, np.nan]]))
    assert share[:2].tolist() == [[0.1, 0.9], [0.9, 0.1]]
    assert np.isnan(share[2]).all()
