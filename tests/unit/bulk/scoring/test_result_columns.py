"""Quorum's columns beside those of a file."""

from __future__ import annotations

import numpy as np

from bulk.scoring.result_columns import free_names, result_columns


def f32(*values):
    return np.array(values, np.float32)


def columns():
    return result_columns(
        f32(0.5, 0.2, np.nan),
        np.array([2, 1, -1], np.int8),
        0.5,
        {"anomaly": f32(0.4, 0.5, 0.6), "uncertainty": f32(0, 0.1, np.nan)},
        {"cards": f32(0.5, np.nan, np.nan)},
        "cards@0123456789ab",
    )


def test_what_is_unknown_is_null():
    found = {name: values.to_pylist() for name, values in columns().items()}
    assert found["quorum_prediction"] == ["fraud", "genuine", None]
    assert found["quorum_risk_level"] == ["high", "medium", None]
    assert found["quorum_probability"][2] is None
    assert found["quorum_uncertainty"][2] is None
    assert found["quorum_score_cards"] == [0.5, None, None]
    assert found["quorum_models"] == ["cards@0123456789ab"] * 3


def test_their_order():
    assert list(columns()) == [
        "quorum_prediction",
        "quorum_probability",
        "quorum_risk_level",
        "quorum_anomaly",
        "quorum_uncertainty",
        "quorum_score_cards",
        "quorum_models",
    ]


def test_names_that_the_file_has_get_a_number():
    assert free_names(["a", "b"], ["a", "a_2", "c"]) == {"a": "a_3", "b": "b"}
    # A numbered name must not meet another wanted one either.
    assert free_names(["a", "a_2"], ["a"]) == {"a": "a_2", "a_2": "a_2_2"}
