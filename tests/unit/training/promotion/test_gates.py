"""The gates, on made-up figures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.errors import InvalidInput
from training.metrics.paired import Difference
from training.metrics.reliability import Reliability, reliability
from training.promotion.gates import (
    GateConfig,
    calibration_gate,
    golden_gate,
    latency_gate,
    not_applicable,
    not_measured,
    not_worse_gate,
    read_gates,
    schema_gate,
    size_gate,
    skill_gate,
)

LIMITS = GateConfig(
    margin=0.01,
    max_calibration_error=0.005,
    max_latency_ms=2.0,
    max_latency_ratio=2.0,
    free_latency_ms=0.1,
    max_mib=10.0,
)


def test_only_the_served_schema_passes() -> None:
    assert schema_gate("xgboost", "abc", "abc").passed
    refused = schema_gate("xgboost", "abc", "def")
    assert not refused.passed
    assert "abc" in refused.detail
    assert "def" in refused.detail
    assert not refused.forceable


def test_golden_rows_have_to_reproduce() -> None:
    assert golden_gate("xgboost", None).passed
    refused = golden_gate("xgboost", "golden rows are off by 0.1")
    assert (refused.passed, refused.detail) == (False, "golden rows are off by 0.1")
    assert not refused.forceable


@pytest.mark.parametrize(
    ("difference", "passed"),
    [
        (Difference(0.02, 0.005, 0.03), True),  # better
        (Difference(0.0, 0.0, 0.0), True),  # the same
        (Difference(-0.002, -0.009, 0.005), True),  # worse by less than the margin, surely
        (Difference(0.0, -0.011, 0.011), False),  # may be worse by more
        (Difference(-0.05, -0.06, -0.04), False),  # is worse
        (Difference(0.0, float("nan"), float("nan")), False),  # nobody knows
    ],
)
def test_the_whole_interval_lies_above_the_margin(difference: Difference, passed: bool) -> None:
    gate = not_worse_gate("xgboost", difference, LIMITS)
    assert (gate.passed, gate.forceable) == (passed, True)
    assert gate.figures["low"] == pytest.approx(difference.low, nan_ok=True)


@given(low=st.floats(-1, 1), margin=st.floats(0, 0.5))
def test_a_wider_margin_never_refuses_what_a_narrower_one_lets_pass(
    low: float, margin: float
) -> None:
    difference = Difference(low, low, low)
    narrow = not_worse_gate("x", difference, GateConfig(margin=margin)).passed
    wide = not_worse_gate("x", difference, GateConfig(margin=margin + 0.1)).passed
    assert wide or not narrow


@pytest.mark.parametrize(
    ("error", "passed"), [(0.0049, True), (0.005, True), (0.0051, False), (float("nan"), False)]
)
def test_calibration_has_a_limit(error: float, passed: bool) -> None:
    gate = calibration_gate("xgboost", error, _reliability(1.0), LIMITS)
    assert (gate.passed, gate.forceable) == (passed, True)


def _reliability(factor: float, rows: int = 100_000, rate: float = 0.002) -> Reliability:
    """A model that predicts `factor` times what is observed, at a low rate of fraud."""
    fraud = np.zeros(rows)
    fraud[: round(rows * rate)] = 1
    return reliability(np.full(rows, factor * rate), fraud, np.arange(rows) % 2_500)


@pytest.mark.parametrize(
    ("factor", "rows", "passed"),
    [
        (1.0, 100_000, True),
        (0.6, 100_000, False),  # 40 % too little, at an error of 0.0008
        (1.7, 100_000, False),
        (0.9, 100_000, True),
        (0.6, 2_500, True),  # five frauds prove nothing
        (1.7, 2_500, True),
    ],
)
def test_predicted_fraud_may_not_be_off_by_a_factor(factor: float, rows: int, passed: bool) -> None:
    gate = calibration_gate("xgboost", abs(factor - 1) * 0.002, _reliability(factor, rows), LIMITS)
    assert gate.passed == passed
    assert gate.figures["said_over_seen"] == pytest.approx(factor)
    assert gate.figures["said_over_seen_low"] < factor < gate.figures["said_over_seen_high"]
    assert "predicted 0." in gate.detail


def test_a_band_may_not_be_off_where_the_whole_is_right() -> None:
    predicted = np.r_[np.full(50_000, 0.003), np.full(500, 0.4)]
    fraud = np.zeros(predicted.size)
    fraud[:330] = 1  # in 50,000 rows 150 are predicted
    fraud[-20:] = 1  # in 500 rows 200 are predicted
    gate = calibration_gate(
        "xgboost", 0.0, reliability(predicted, fraud, np.arange(predicted.size) % 2_525), LIMITS
    )
    assert not gate.passed
    assert "0.1 to 0.5: predicted 40.000%, observed 4.000%" in gate.detail
    assert "0.001 to 0.01" in gate.detail


@pytest.mark.parametrize(
    ("auc", "rule", "passed"),
    [
        (Difference(0.3, 0.25, 0.35), Difference(0.1, 0.05, 0.15), True),
        (Difference(0.3, 0.25, 0.35), None, True),  # too few frauds for a rule
        (Difference(0.02, -0.03, 0.06), None, False),  # may be chance
        (Difference(-0.2, -0.3, -0.1), None, False),  # worse than chance
        (Difference(0.3, 0.25, 0.35), Difference(-0.01, -0.1, 0.05), False),  # one rule does it
        (Difference(float("nan"), float("nan"), float("nan")), None, False),  # nobody knows
    ],
)
def test_a_model_knows_more_than_chance_and_one_rule(
    auc: Difference, rule: Difference | None, passed: bool
) -> None:
    gate = skill_gate("xgboost", auc, rule)
    assert (gate.passed, gate.forceable) == (passed, True)
    assert ("chance" in gate.detail) == (not auc.low > 0)


@pytest.mark.parametrize(
    ("p50_ms", "champion_ms", "passed"),
    [
        (1.9, None, True),
        (2.1, None, False),  # too slow by itself
        (0.3, 0.2, True),
        (0.5, 0.2, False),  # more than twice the champion
        (0.09, 0.01, True),  # so fast that nobody asks what the champion needs
        (2.1, 2.0, False),  # twice a slow champion is allowed, and still too slow
    ],
)
def test_latency_has_a_limit_and_a_champion(
    p50_ms: float, champion_ms: float | None, passed: bool
) -> None:
    gate = latency_gate("xgboost", p50_ms, champion_ms, LIMITS)
    assert (gate.passed, gate.forceable) == (passed, False)
    assert f"{p50_ms:.3f}" in gate.detail


def test_size_has_a_limit() -> None:
    assert size_gate("xgboost", 10 * 2**20, LIMITS).passed
    refused = size_gate("xgboost", 10 * 2**20 + 1, GateConfig(max_mib=10.0))
    assert (refused.passed, refused.forceable) == (False, False)


def test_what_was_not_measured_is_not_passed_and_what_does_not_apply_is() -> None:
    assert not not_measured("calibration", "xgboost", "nothing is labelled", forceable=True).passed
    assert not_applicable("calibration", "isolation-forest", "an anomaly score").passed


def test_limits_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "gates.toml"
    path.write_text("weeks = 2\nmargin = 0.005\n")
    assert read_gates(path) == GateConfig(weeks=2, margin=0.005)


@pytest.mark.parametrize(
    ("text", "said"),
    [("weeks = 0", "weeks"), ("wekks = 1", "wekks"), ("x", "not TOML"), (None, "No such file")],
)
def test_a_wrong_file_is_one_line(tmp_path: Path, text: str | None, said: str) -> None:
    path = tmp_path / "gates.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InvalidInput, match=said) as caught:
        read_gates(path)
    assert "\n" not in str(caught.value.args[0])
