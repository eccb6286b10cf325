"""A plan for a match: artifacts fetched, columns mapped, weights that add up to 1."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path

from bulk.scoring.plan import (
    FileColumn,
    PlannedArtifact,
    PlannedColumn,
    PlannedModel,
    ScoringPlan,
)
from fraud.errors import NotFound
from references.matching.match import Match, ModelMatch
from references.profile.column import ColumnKind, ColumnProfile
from references.reference import ReferenceColumn, ReferenceModel, StoredReference

Folders = Callable[[str, str], Path]
"""`(variant, digest)` -> the folder of an artifact on this machine, fetched if need be."""

_MEASURED = (ColumnKind.NUMBER, ColumnKind.CATEGORY)
MOST_COLUMNS = 200
"""Columns that the file's own forest looks at: the sample of a wider file would fill the memory."""


def plan_of(
    match: Match,
    references: Iterable[StoredReference],
    folder: Folders,
    *,
    profiles: Sequence[ColumnProfile],
    tenant: str,
    decimal: str = ".",
    missing: Sequence[str] = (),
    ignore: Collection[str] = (),
    seed: int = 0,
) -> ScoringPlan:
    """Return what scores a file.

    Args:
        match: with at least one chosen reference.
        references: those that were matched.
        folder: see `Folders`, such as `references.library.Library.folder`.
        profiles: of the file's columns; the forest looks at the first `MOST_COLUMNS` that are
            numbers or categories.
        tenant: whose job it is.
        decimal, missing: how the file is written.
        ignore: columns of the file that the file's own isolation forest must not look at.

    Raises:
        NotFound: a chosen reference is not among `references`.
        ArtifactRefused, ArtifactsUnavailable: an artifact cannot be had.
    """
    stored = {one.id: one for one in references}
    absent = [name for name in match.chosen if name not in stored]
    if absent:
        raise NotFound(f"no reference {absent[0]}")
    chosen = [match.of(name) for name in match.chosen]
    weights = [max(model.weight, 0.0) for model in chosen]
    total = sum(weights)
    shares = [w / total if total > 0 else 1 / len(chosen) for w in weights]
    formats = {profile.name: profile.time_format for profile in profiles}
    return ScoringPlan(
        models=tuple(
            _planned(found, stored[found.reference], share, folder, formats)
            for found, share in zip(chosen, shares, strict=True)
        ),
        columns=tuple(
            FileColumn(p.name, p.kind)
            for p in profiles
            if p.kind in _MEASURED and p.name not in ignore
        )[:MOST_COLUMNS],
        tenant=tenant,
        decimal=decimal,
        missing=tuple(sorted(missing)),
        seed=seed,
    )


def _planned(
    found: ModelMatch,
    stored: StoredReference,
    weight: float,
    folder: Folders,
    formats: Mapping[str, str],
) -> PlannedModel:
    reference = stored.reference
    rate = reference.calibrated_rate
    best, anomaly = reference.model(reference.best), reference.anomaly_model
    return PlannedModel(
        reference=found.reference,
        kind=reference.kind,
        weight=weight,
        similarity=found.similarity,
        domain_auc=found.domain_auc,
        label_rate=reference.label_rate if rate is None else rate,
        metrics=dict(reference.metrics),
        columns=tuple(_column(column, found, formats) for column in reference.columns),
        missing=reference.missing,
        model=_artifact(best, folder),
        anomaly=None if anomaly is None else _artifact(anomaly, folder),
    )


def _artifact(model: ReferenceModel, folder: Folders) -> PlannedArtifact:
    return PlannedArtifact(model.variant, model.digest, str(folder(model.variant, model.digest)))


def _column(
    column: ReferenceColumn, found: ModelMatch, formats: Mapping[str, str]
) -> PlannedColumn:
    match = next((one for one in found.columns if one.column == column.name), None)
    if match is None or match.file_column is None:
        return PlannedColumn(column.profile, None, column.categorical)
    applied = match.applied
    return PlannedColumn(
        column.profile,
        match.file_column,
        column.categorical,
        "" if applied is None else applied.code,
        1.0 if applied is None else applied.factor,
        formats.get(match.file_column, ""),
    )
