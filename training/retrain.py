"""Training challengers from what was labelled since the last training: a job for a schedule."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deciding.plans.table import active_plan
from features.definitions import SCHEMA_ID
from fraud.errors import NotTrainable
from models.store.alias import CHALLENGER
from settings.settings import Settings
from stores.postgres.connect import connect
from stores.statements import statement
from training.config import TrainConfig
from training.locks import RETRAIN, advisory_lock
from training.progress import Progress
from training.promotion.assessment import Assessment, Assessor, Side
from training.registry.mlflow_registry import Registry
from training.report import TrainingReport

Train = Callable[[str], TrainingReport]
"""Trains all variants and registers them under the role that it is given."""


@dataclass(frozen=True, slots=True)
class Retrained:
    """What came of it.

    Attributes:
        said: what happened, or why nothing did, one sentence.
        new_labels: payments labelled since `since`.
        since: up to when the last training had read labels, RFC 3339; None if there was none of
            the served features.
        report: of the training; None where there was too little that is new.
        assessment: the challengers beside what serves, by the gates that promotion asks for.
    """

    said: str
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
            "said": self.said,
            "new_labels": self.new_labels,
            "since": self.since,
            "report": None if self.report is None else self.report.to_document(),
            "comparison": None if self.assessment is None else self.assessment.document(),
        }


def training_of(
    settings: Settings, config: TrainConfig, progress: Progress, ray_address: str | None
) -> Train:
    """The real training, on Ray."""

    def run(role: str) -> TrainingReport:
        from training.pipeline import train  # brings Ray: not for a run that has nothing to do

        return train(settings, config, progress, ray_address=ray_address, role=role)

    return run


def retrain(
    settings: Settings,
    min_labels: int,
    train: Train,
    registry: Callable[[], Registry],
    assessor: Assessor,
) -> Retrained:
    """Train challengers, if enough has been labelled since the last training, whatever came of
    that. What serves stays as it is.

    One at a time for a tenant, on all machines: the lock lives as long as a session of PostgreSQL.

    Args:
        settings: database, registry, tenant.
        min_labels: newly labelled payments without which nothing is done.
        train: see `training_of`.
        registry: opens MLflow, which takes seconds.
        assessor: holds the challengers against what serves.

    Raises:
        Busy: another retraining of this tenant is going on.
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
            said = f"{labels:,} payments labelled since {since}, fewer than {min_labels:,}"
            return Retrained(f"nothing done: {said}", labels, since)
        report = train(CHALLENGER)
        assessment = _assessed(report, url, assessor)
    verdict = "passes" if not assessment.failed else "does not pass"
    said = (
        f"{len(report.variants)} challengers trained, {labels:,} payments labelled since"
        f" {since or 'ever'}; the run {verdict} the gates of promotion"
    )
    return Retrained(said, labels, since, report, assessment)


def _assessed(report: TrainingReport, url: str, assessor: Assessor) -> Assessment:
    entered = {v.name: assessor.enter(v.name, v.version) for v in report.variants}
    serving = assessor.serving(asyncio.run(active_plan(url)))
    return assessor.run(Side(entered, report.plan), serving)


async def _labelled_since(database_url: str, tenant: str, since: str | None) -> int:
    moment = None if since is None else datetime.fromisoformat(since)
    connection = await connect(database_url)
    try:
        found: int = await connection.fetchval(
            statement("training/sql/labelled_since.sql"), tenant, moment
        )
    finally:
        await connection.close()
    return found
