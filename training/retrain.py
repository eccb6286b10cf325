"""`quorum retrain`: train challengers once enough new labels have arrived; made for a schedule."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from features.definitions import SCHEMA_ID
from fraud.errors import NotTrainable
from models.store.alias import CHALLENGER
from settings.settings import Settings
from stores.postgres.connect import connection
from stores.statements import statement
from training.config import TrainConfig
from training.progress import Progress
from training.promotion.assessment import Assessment, Assessor
from training.registry.locks import RETRAIN, advisory_lock
from training.registry.mlflow_registry import Registry
from training.registry.owner_plans import deciding
from training.report import TrainingReport

Train = Callable[[str], TrainingReport]
"""Trains all variants and registers them under the given role."""


@dataclass(frozen=True, slots=True)
class RetrainResult:
    """The result of a retraining.

    Attributes:
        summary: what happened, or why nothing did, one sentence.
        new_labels: payments labelled since `since`.
        since: when the last training on the served features read its labels, RFC 3339; None
            without one.
        report: of the training; None if there were too few new labels.
        assessment: the challengers against what serves, by the gates of promotion.
    """

    summary: str
    new_labels: int
    since: str | None
    report: TrainingReport | None = None
    assessment: Assessment | None = None

    @property
    def trained(self) -> bool:
        """Whether there are new challengers."""
        return self.report is not None

    def document(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "trained": self.trained,
            "said": self.summary,
            "new_labels": self.new_labels,
            "since": self.since,
            "report": None if self.report is None else self.report.to_document(),
            "comparison": None if self.assessment is None else self.assessment.document(),
        }


def training_of(
    settings: Settings, config: TrainConfig, progress: Progress, ray_address: str | None
) -> Train:
    """A function that runs the real training, on Ray."""

    def run(role: str) -> TrainingReport:
        from training.pipeline import train  # imported late: it imports Ray

        return train(settings, config, progress, ray_address=ray_address, role=role)

    return run


def retrain(
    settings: Settings,
    min_labels: int,
    train: Train,
    registry: Callable[[], Registry],
    assessor: Assessor,
) -> RetrainResult:
    """Train challengers of the tenant if enough payments were labelled since the last training,
    whether or not its models were promoted. What serves does not change.

    One retraining of a tenant runs at a time, across all machines: it holds a lock of PostgreSQL.

    Args:
        settings: database, registry, tenant.
        min_labels: the least number of newly labelled payments to train on.
        train: see `training_of`.
        registry: opens MLflow, which takes seconds.
        assessor: compares the challengers with what serves.

    Raises:
        Busy: another retraining of this tenant is running.
        NotTrainable: no database, or too little history.
        OSError, asyncpg.PostgresError: the database does not answer.
    """
    if settings.database_url is None:
        raise NotTrainable("no database: set DATABASE_URL, or start Quorum with `quorum up`")
    url = settings.database_url.get_secret_value()
    with advisory_lock(url, RETRAIN, settings.tenant):
        last = registry().newest_run({"schema_id": SCHEMA_ID, "tenant": settings.tenant})
        since = None if last is None else last.tags.get("as_of")
        labels = asyncio.run(_labelled_since(url, settings.tenant, since))
        if since is not None and labels < min_labels:
            why = f"{labels:,} payments labelled since {since}, fewer than {min_labels:,}"
            return RetrainResult(f"nothing done: {why}", labels, since)
        report = train(CHALLENGER)
        assessment = _assess(report, settings, assessor)
    passes = "passes" if not assessment.failed else "does not pass"
    summary = (
        f"{len(report.variants)} challengers trained, {labels:,} payments labelled"
        f" {f'since {since}' if since else 'so far'}; the run {passes} the gates of promotion"
    )
    return RetrainResult(summary, labels, since, report, assessment)


def _assess(report: TrainingReport, settings: Settings, assessor: Assessor) -> Assessment:
    versions = {v.name: v.version for v in report.variants}
    proposed = assessor.proposed_set(versions, report.plan, settings.owner)
    return assessor.assess_run(proposed, assessor.serving_set(deciding(settings, settings.owner)))


async def _labelled_since(database_url: str, tenant: str, since: str | None) -> int:
    moment = None if since is None else datetime.fromisoformat(since)
    async with connection(database_url) as session:
        found: int = await session.fetchval(
            statement("training/sql/labelled_since.sql"), tenant, moment
        )
    return found
