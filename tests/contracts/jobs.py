"""Jobs of bulk scoring for tests."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from bulk.jobs.job import Job
from bulk.jobs.options import JobOptions
from bulk.jobs.state import JobState
from fraud.ids import decision_ids
from references.matching.match import ColumnMatch, Conversion, Match, ModelMatch

STORAGE = "store-of-tests"

MATCH = Match(
    models=(
        ModelMatch(
            reference="cards@0123456789ab",
            similarity=0.9,
            coverage=0.95,
            closeness=0.94,
            domain_auc=None,
            columns=(
                ColumnMatch(
                    "amount",
                    "montant",
                    *(0.9, 0.8, 0.95, 1.0),
                    required=True,
                    proposed=Conversion("minor-to-major", 0.01, "The amounts look like cents."),
                ),
            ),
            weight=1.0,
        ),
    ),
    chosen=("cards@0123456789ab",),
    rows=100,
)


def new_job_id(at_s: float | None = None) -> UUID:
    """Return a new job's id, of a moment in seconds since the epoch; None: of now."""
    now_ms = int((time.time() if at_s is None else at_s) * 1000)
    return UUID(decision_ids(1, now_ms, os.urandom)[0])


def new_job(**changes: Any) -> Job:
    """Return a queued job of tenant `mine` that no table holds yet."""
    fields: dict[str, Any] = {
        "job_id": new_job_id(),
        "tenant": "mine",
        "file_name": "payments.csv",
        "source": "upload",
        "storage": STORAGE,
        "state": JobState.QUEUED,
        "options": JobOptions(),
        "bytes": 1000,
        "created_at": datetime.now(UTC),
        "match": MATCH,
    }
    return Job(**{**fields, **changes})
