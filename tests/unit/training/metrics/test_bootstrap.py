from __future__ import annotations

import numpy as np
import pytest

from training.metrics.bootstrap import Interval, draws, interval_of, intervals
from training.metrics.cases import Cases, cases
from training.metrics.metrics import Gauge, evaluate
from training.sets.split import DAY_MS


def world(seed: int, customers: int, each: int) -> tuple[np.ndarray, Cases]:
    """Customers whose payments resemble each other: some have many frauds, most have none."""
    rng = np.random.default_rng(seed)
    risk = np.repeat(np.where(rng.random(customers) < 0.2, 0.4, 0.005), each)
    fraud = (rng.random(risk.size) < risk).astype(float)
    habit = np.repeat(rng.normal(0, 1, customers), each)
    score = 1.5 * fraud + habit + rng.normal(0, 1, risk.size)
    ids = np.repeat([f"c{i:05d}" for i in range(customers)], each)
    at = rng.integers(0, 7 * DAY_MS, risk.size)
    return score, cases(fraud, ids.tolist(), at, rng.lognormal(3, 0.5, risk.size))


def test_a_draw_is_a_resample_of_whole_clusters() -> None:
    first, again = list(draws(50, 5, seed=1)), list(draws(50, 5, seed=1))
    for copies, same in zip(first, again, strict=True):
        assert copies.sum() == 50
        assert (copies == same).all()
    assert (first[0] != first[1]).any()


def test_a_resample_is_measured_as_the_rows_that_it_draws() -> None:
    score, of = world(3, 40, 25)
    probability = 1 / (1 + np.exp(-score))
    gauge = Gauge(probability, of)
    for copies in draws(of.n_clusters, 5, seed=2):
        rows = np.concatenate(
            [np.flatnonzero(of.cluster == c) for c in range(40) for _ in range(int(copies[c]))]
        )
        clones = [
            f"{c:03d}-{k}"
            for c in range(40)
            for k in range(int(copies[c]))
            for _ in range(int((of.cluster == c).sum()))
        ]
        assert of.amount is not None
        drawn = evaluate(
            probability[rows], of.fraud[rows], clones, of.timestamp_ms[rows], True, of.amount[rows]
        )
        assert gauge.figures(copies) == pytest.approx(drawn, abs=1e-8)


@pytest.mark.slow
def test_intervals_hold_what_is_true_about_as_often_as_they_say() -> None:
    # What is true: the same figure of very many customers. Card precision counts a day's customers,
    # so that its truth is that of worlds of the same size.
    truth = Gauge(*world(999, 20_000, 20), False).figures()
    same_size = [Gauge(*world(s, 150, 20), False).figures() for s in range(1000, 1150)]
    truth["card_precision_at_100"] = float(
        np.mean([figures["card_precision_at_100"] for figures in same_size])
    )
    held = dict.fromkeys(truth, 0)
    for seed in range(80):
        score, of = world(seed, 150, 20)
        for name, found in intervals({"m": Gauge(score, of, False)}, of.n_clusters, 80, seed)[
            "m"
        ].items():
            held[name] += found.low <= truth[name] <= found.high
    assert min(held.values()) >= 0.85 * 80, held


def test_rows_drawn_one_by_one_would_promise_too_much() -> None:
    score, of = world(5, 300, 40)
    clustered = intervals({"m": Gauge(score, of, False)}, of.n_clusters)["m"]["average_precision"]
    alone = cases(of.fraud, None, np.zeros(len(of), np.int64))
    single = intervals({"m": Gauge(score, alone, False)}, alone.n_clusters)["m"][
        "average_precision"
    ]
    assert clustered.high - clustered.low > 1.2 * (single.high - single.low)


def test_the_calibration_error_lies_within_its_interval_and_so_does_the_truth() -> None:
    for seed in range(10):
        rng = np.random.default_rng(seed)
        probability = rng.beta(1, 20, 4_000)
        fraud = (rng.random(4_000) < probability).astype(float)
        of = cases(fraud, [f"c{i % 200}" for i in range(4_000)], np.zeros(4_000, np.int64))
        gauge = Gauge(probability, of)
        found = intervals({"m": gauge}, of.n_clusters, 100)["m"]["calibration_error"]
        assert found.low <= gauge.figures()["calibration_error"] <= found.high
        assert found.low == 0.0, "it is calibrated: no distance is the truth"


def test_models_share_their_resamples_and_the_seed_decides() -> None:
    score, of = world(7, 60, 20)
    gauges = {"a": Gauge(score, of, False), "b": Gauge(score, of, False)}
    found = intervals(gauges, of.n_clusters, 50, seed=4)
    assert found["a"] == found["b"] == intervals(gauges, of.n_clusters, 50, seed=4)["a"]
    assert found["a"] != intervals(gauges, of.n_clusters, 50, seed=5)["a"]


def test_a_figure_that_is_missing_in_many_resamples_has_no_interval() -> None:
    assert interval_of(np.array([np.nan] * 21 + [1.0] * 79)) is None
    assert interval_of(np.array([np.nan] * 20 + [1.0] * 80)) == Interval(1.0, 1.0)
    # One customer holds every fraud: a third of the resamples has none.
    ids = [f"c{i // 10}" for i in range(300)]
    fraud = (np.arange(300) < 5).astype(float)
    of = cases(fraud, ids, np.zeros(300, np.int64))
    found = intervals({"m": Gauge(np.arange(300.0), of, False)}, of.n_clusters)["m"]
    assert "average_precision" not in found
