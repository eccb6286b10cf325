"""The reasons of a recorded decision, found again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deciding.replay.check import DIFFERS, SAME, UNCHECKED, Check
from fraud.errors import ArtifactRefused, ArtifactsUnavailable, SchemaMismatch
from fraud.record import CODE_VERSION, DecisionRecord

if TYPE_CHECKING:
    from fraud.decision import Reason
    from fraud.explanation import Explanation
    from models.store.store import ArtifactStore

_ROUNDING = 2e-6
"""Contributions are recorded to six decimals."""


def reasons_check(record: DecisionRecord, artifacts: ArtifactStore) -> Check:
    """Compare recorded reasons with those that follow from the record now.

    They follow from its features, its votes and the artifact that explained it, which also holds
    the reference distribution.
    """
    from features.definitions import SCHEMA_ID

    recorded = _text(record.reasons)
    if record.schema_id != SCHEMA_ID:
        return Check("reasons", recorded, None, UNCHECKED, "features of another schema")
    try:
        found = _found(record, artifacts)
    except ArtifactsUnavailable as error:
        return Check("reasons", recorded, None, UNCHECKED, str(error))
    except (ArtifactRefused, SchemaMismatch) as error:
        return Check("reasons", recorded, None, DIFFERS, str(error))
    if found is None:
        return Check("reasons", recorded, None, UNCHECKED, "the artifact is not here")
    result, note = _compared(record, found)
    return Check("reasons", recorded, _text(found), result, note)


def _found(record: DecisionRecord, artifacts: ArtifactStore) -> tuple[Reason, ...] | None:
    """Return the reasons that follow now; None if the explaining artifact is not here."""
    from features.definitions import NAMES, RULE_SET
    from features.reason_columns import reason_writer
    from fraud.combine.combine import RULES_ONLY, combine
    from fraud.payment.batch import TransactionBatch
    from fraud.plan import Plan
    from fraud.policy.recorded import settled
    from fraud.reasons.selection import ReasonSelection

    batch = TransactionBatch.of(record.tenant, [record.transaction])
    [group] = settled(Plan.from_document(record.plan).policy, batch, record.batch_votes())
    thresholds = group.ensemble.thresholds
    fired = RULE_SET.apply(thresholds, batch, record.values())
    combined = combine(group.ensemble, record.batch_votes(), 1, fired.probability, group.asked)
    selection = ReasonSelection(
        thresholds, combined.probability, combined.anomaly, combined.outcome
    )
    contributions: dict[int, tuple[Reason, ...]] = {}
    if record.explained_by and selection.rows_by_score and RULES_ONLY not in record.degraded:
        explanation = _explanation(record, artifacts)
        if explanation is None:
            return None
        writer = reason_writer(NAMES)
        contributions[0] = writer.strongest(batch, [0], record.values(), explanation)[0]
    return selection.reasons(contributions, fired.reasons)[0]


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


def _compared(record: DecisionRecord, found: tuple[Reason, ...]) -> tuple[str, str]:
    """Return the result and a note."""
    recorded = record.reasons
    same = [(r.code, r.feature, r.direction) for r in recorded] == [
        (r.code, r.feature, r.direction) for r in found
    ] and all(
        abs(a.contribution - b.contribution) <= _ROUNDING
        for a, b in zip(recorded, found, strict=True)
    )
    if not same:
        return DIFFERS, ""
    if [r.detail for r in recorded] == [r.detail for r in found]:
        return SAME, ""
    if record.code_version != CODE_VERSION:
        return SAME, f"worded differently by code {record.code_version}"
    return DIFFERS, "worded differently"


def _text(reasons: tuple[Reason, ...]) -> str:
    return "; ".join(f"{r.code}: {r.detail}" for r in reasons) or "none"
