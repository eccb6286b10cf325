"""The reasons of a recorded decision, found again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deciding.replay.check import DIFFERS, SAME, UNCHECKED, Check
from fraud.errors import ArtifactRefused, ArtifactsUnavailable, SchemaMismatch
from fraud.record import CODE_VERSION, DecisionRecord

if TYPE_CHECKING:
    from fraud.combine.combine import Combined
    from fraud.decision import Reason
    from fraud.explanation import Explanation
    from models.store.store import ArtifactStore

_ROUNDING = 2e-6
"""Contributions are recorded to six decimals."""


def reasons_check(record: DecisionRecord, artifacts: ArtifactStore) -> Check:
    """Compare the reasons of a record with those that its features, its votes and the artifact
    that explained it lead to now. What was usual then comes out of that artifact, too."""
    from features.definitions import SCHEMA_ID

    recorded = _shown(record.reasons)
    if record.schema_id != SCHEMA_ID:
        return Check("reasons", recorded, None, UNCHECKED, "features of another schema")
    try:
        made = _made(record, artifacts)
    except ArtifactsUnavailable as error:
        return Check("reasons", recorded, None, UNCHECKED, str(error))
    except (ArtifactRefused, SchemaMismatch) as error:
        return Check("reasons", recorded, None, DIFFERS, str(error))
    if made is None:
        return Check("reasons", recorded, None, UNCHECKED, "the artifact is not here")
    verdict, note = _compared(record, made)
    return Check("reasons", recorded, _shown(made), verdict, note)


def _made(record: DecisionRecord, artifacts: ArtifactStore) -> tuple[Reason, ...] | None:
    """The reasons as they are found now; None if the artifact that explained is not here."""
    from features.definitions import NAMES
    from features.reason_columns import teller_of
    from fraud.combine.combine import RULES_ONLY, combine
    from fraud.payment.batch import TransactionBatch
    from fraud.plan import Plan
    from fraud.reasons.causes import Causes
    from fraud.rules import judge

    plan = Plan.from_document(record.plan)
    batch = TransactionBatch.of(record.tenant, [record.transaction])
    rules = judge(plan.thresholds, batch, record.values(), NAMES)
    made: Combined = combine(plan, record.batch_votes(), 1, rules.probability)
    causes = Causes(plan.thresholds, made.probability, made.anomaly, made.outcome)
    told: dict[int, tuple[Reason, ...]] = {}
    if record.explained_by and causes.by_score and RULES_ONLY not in record.degraded:
        explanation = _explanation(record, artifacts)
        if explanation is None:
            return None
        teller = teller_of(NAMES)
        told = dict(enumerate(teller.strongest(batch, [0], record.values(), explanation)))
    return causes.reasons(told, rules.reasons)[0]


def _explanation(record: DecisionRecord, artifacts: ArtifactStore) -> Explanation | None:
    from deciding.explainer import EXPLAINERS
    from models.artifact import version_of
    from models.scoring.scorer import Scorer

    digest = record.explained_by
    version = version_of(digest)
    name = next((name for name in EXPLAINERS if version in artifacts.versions(name)), None)
    if name is None:
        return None
    folder = artifacts.fetch(name, version, digest)
    return Scorer.load(folder, digest).explain(record.values(), record.schema_id)


def _compared(record: DecisionRecord, made: tuple[Reason, ...]) -> tuple[str, str]:
    """A verdict, and a note."""
    recorded = record.reasons
    same = [(r.code, r.feature, r.direction) for r in recorded] == [
        (r.code, r.feature, r.direction) for r in made
    ] and all(
        abs(a.contribution - b.contribution) <= _ROUNDING
        for a, b in zip(recorded, made, strict=True)
    )
    if not same:
        return DIFFERS, ""
    if [r.detail for r in recorded] == [r.detail for r in made]:
        return SAME, ""
    if record.code_version != CODE_VERSION:
        return SAME, f"worded otherwise by code {record.code_version}"
    return DIFFERS, "worded otherwise"


def _shown(reasons: tuple[Reason, ...]) -> str:
    return "; ".join(f"{r.code}: {r.detail}" for r in reasons) or "none"
