"""Human-readable output of `quorum drift`."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from cluster.terminal.tables.drift import drift_tables
from features.definitions import NAMES


def document() -> dict[str, Any]:
    shift = {
        "psi": 12.345,
        "chance": 0.001,
        "rows": 1_234_567,
        "missing_then": 0.123,
        "missing_now": 0.956,
        "verdict": "moderate",
    }
    longest = sorted(NAMES, key=len, reverse=True)[:25]
    calibration = {"error": 0.0123, "bins": [{"mean": 0.01, "observed": 0.02, "rows": 10}]}
    return {
        "decisions": 1_234_567,
        "sampled": 50_000,
        "foreign": 12,
        "reference": "random-forest 0123456789ab",
        "since": "2026-05-01T00:00:00+00:00",
        "until": "2026-05-08T00:00:00+00:00",
        "features": [{"name": name, **shift} for name in longest],
        "scores": [{"name": name, **shift} for name in ("ensemble", "isolation-forest")],
        "labelled": 999_999,
        "calibration": {"ensemble": calibration, "logistic": {"error": None, "bins": []}},
    }


def test_it_fits_into_eighty_columns_without_cutting_a_name() -> None:
    out = io.StringIO()
    Console(file=out, width=80).print(drift_tables(document()))
    shown = out.getvalue()
    assert max(len(line.rstrip()) for line in shown.splitlines()) <= 80
    assert "…" not in shown
    for name in sorted(NAMES, key=len, reverse=True)[:20]:
        assert name in shown
    assert shown.count("12%→96%") == 22
    assert "moderate" in shown
