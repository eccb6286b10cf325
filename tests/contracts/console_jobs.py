"""A match, jobs and a summary as the console shows them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from bulk.jobs.job import Job
from bulk.jobs.options import JobOptions
from bulk.jobs.state import JobState
from references.matching.match import ColumnMatch, Conversion, Match, ModelMatch, Reason

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CARDS = "card-payments@2fd6da9b13f3"
TRANSFERS = "bank-transfers@91aa03c4e7d2"
LOANS = "credit-default@00c1b2a3d4e5"
CENTS = Conversion("minor-to-major", 0.01, "looks like cents: divide the amounts by 100.")


def column(name: str, theirs: str | None, score: float = 0.9, **more: Any) -> ColumnMatch:
    """Return the match of a column."""
    importance = more.pop("importance", 0.1)
    required = more.pop("required", False)
    found = 0.0 if theirs is None else score
    return ColumnMatch(name, theirs, found, found, found, importance, required, **more)


def model(reference: str = CARDS, **more: Any) -> ModelMatch:
    """Return the match of a model that fits."""
    columns = (
        column("amount", "montant", 0.93, importance=0.41, required=True, proposed=CENTS),
        column("merchant", "commerçant", 0.88, importance=0.22),
        column("timestamp", "horodatage", 0.97, importance=0.17, required=True),
        column("device", None, importance=0.12),
        column("country", "pays", 0.71, importance=0.08, note="Names of countries, not codes."),
    )
    found = ModelMatch(reference, 0.87, 0.88, 0.93, 0.62, columns, ("commentaire",), weight=0.6)
    return replace(found, **more)


def unfit(reference: str = LOANS) -> ModelMatch:
    """Return the match of a model that does not fit."""
    reasons = (
        Reason("low-similarity", "Columns with 8 % of the importance matched.", "", ""),
        Reason(
            "column-missing",
            "The column has no counterpart in the file.",
            "duration",
            "a column with the months of the loan",
        ),
    )
    columns = (
        column("duration", None, importance=0.5, required=True),
        column("purpose", None, importance=0.3),
        column("credit_amount", "montant", 0.4, importance=0.2),
    )
    return ModelMatch(reference, 0.08, 0.2, 0.4, 0.99, columns, ("pays",), reasons)


def good_match() -> Match:
    """Return a match of three models, two of which score."""
    second = model(TRANSFERS, similarity=0.71, coverage=0.8, domain_auc=None, weight=0.4)
    return Match((model(), second, unfit()), (CARDS, TRANSFERS), rows=20_000)


def bad_match() -> Match:
    """Return a match of which nothing fits."""
    reason = Reason("low-similarity", "The best model matched 8 % of its columns.", "", "payments")
    return Match((unfit(), unfit("insurance-claims@aaaabbbbcccc")), (), (reason,), rows=800)


def _drift(
    name: str,
    theirs: str,
    psi: float | None,
    level: str,
    reference: str = CARDS,
    missing: float = 0.0,
) -> dict[str, Any]:
    return {
        **{"reference": reference, "column": name, "file_column": theirs, "psi": psi},
        **{"level": level, "missing": missing, "missing_before": 0.0},
    }


def _unusual(row: int, anomaly: float, probability: float | None, *columns: str) -> dict[str, Any]:
    return {
        **{"row": row, "line": row + 1, "anomaly": anomaly, "probability": probability},
        "columns": [{"column": name, "share": 0.0004} for name in columns],
    }


SUMMARY: dict[str, Any] = {
    "stats": {"total": 120_000, "scored": 119_990, "frauds": 610, "fraud_rate": 0.005084},
    "methods_used": ["supervised-ensemble", "isolation-forest", "label-shift"],
    "best_model": CARDS,
    "similarity_score": 0.87,
    "rows": {"total": 120_000, "scored": 119_990, "unscored": 10},
    "levels": {"high": 610, "medium": 3_390, "low": 115_990, "unscored": 10},
    "thresholds": {"high": 0.5, "medium": 0.1, "review": None},
    "scores": {
        "edges": [i / 20 for i in range(21)],
        "counts": [
            *(98_000, 18_000, 1_900, 700, 350, 190, 120, 80, 60, 50),
            *(70, 60, 50, 50, 50, 60, 60, 60, 70, 10),
        ],
        "quantiles": [
            *([0.0, 0.0003], [0.25, 0.004], [0.5, 0.0121], [0.9, 0.081]),
            *([0.99, 0.44], [0.999, 0.93], [1.0, 0.994]),
        ],
        "mean": 0.013,
    },
    "fraud_rate": {"estimate": 0.0061, "low": 0.0049, "high": 0.0078, "method": "label-shift"},
    "recalibration": {
        "done": True,
        "code": "done",
        "reason": "the share of fraud is half of that in training",
        "training_rate": 0.0122,
    },
    "doubts": ["these columns are spread otherwise than in training: <montant>"],
    "agreement": 0.83,
    "models": [
        {
            **{"reference": CARDS, "weight": 0.6, "mean": 0.012, "training_rate": 0.013},
            "agreement": {TRANSFERS: 0.83},
        },
        {
            **{"reference": TRANSFERS, "weight": 0.4, "mean": 0.017, "training_rate": 0.011},
            "agreement": {CARDS: 0.83},
        },
    ],
    "drift": [
        _drift("amount", "montant", 0.31, "large"),
        _drift("country", "pays", 0.14, "moderate", missing=0.2),
        _drift("merchant", "commerçant", 0.03, "steady"),
        _drift("country", "pays", 0.21, "moderate", TRANSFERS),
        _drift("timestamp", "horodatage", None, "few", TRANSFERS),
    ],
    "anomalies": [
        _unusual(4_181, 0.91, 0.77, "montant", "pays"),
        _unusual(77_002, 0.88, None, "horodatage"),
        _unusual(9_440, 0.86, 0.02, "pays", "commerçant", "montant"),
    ],
}


def job(number: int = 1, tenant: str = "acme", **more: Any) -> Job:
    """Return a job that waits."""
    made = Job(
        job_id=UUID(f"019caa6a-f000-7c11-9d0e-{number:012x}"),
        tenant=tenant,
        file_name="paiements-février.csv",
        source="upload",
        storage="here",
        state=JobState.WAITING,
        options=JobOptions(confirm=False),
        bytes=48_000_000,
        created_at=NOW,
        match=good_match(),
    )
    return replace(made, **more)


def done(number: int = 1, **more: Any) -> Job:
    """Return a job that is done."""
    return job(
        number,
        **{
            "state": JobState.DONE,
            "summary": SUMMARY,
            "rows_total": 120_012,
            "rows_done": 120_000,
            "rows_failed": 12,
            "finished_at": NOW,
            **more,
        },
    )
