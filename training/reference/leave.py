"""The reference that a training leaves: its artifact, and its row in the table."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from fraud.errors import Unavailable
from models.artifact import version_of
from models.store.store import ArtifactStore
from references.files import artifact_name, write_reference
from references.rebuild import FoundReference, add_found
from references.reference import Reference, ReferenceColumn, ReferenceModel
from settings.settings import Settings
from stores.postgres.connect import connection
from training.evaluate.results import RunResults
from training.reference.importance import column_importance, required_columns
from training.reference.measured import Measured
from training.reference.payment_fields import REQUIRED, importance_of_fields
from training.sets.split import FRAUD, UNKNOWN, Int8

_RANKED_BY = "average_precision"
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class LeftReference:
    """A reference whose artifact is written.

    Attributes:
        digest: of the artifact.
        size_bytes: of the artifact and of the models'.
    """

    reference: Reference
    digest: str
    size_bytes: int

    @property
    def variant(self) -> str:
        """The artifact's name in the store."""
        return artifact_name(self.reference.name)

    @property
    def id(self) -> str:
        """`name@version`."""
        return f"{self.reference.name}@{version_of(self.digest)}"


def leaver(
    results: RunResults,
    measured: Measured | None,
    *,
    owner: str,
    tenant: str,
    created_at: str,
) -> Callable[[Mapping[str, str], Path], LeftReference] | None:
    """A function that writes the artifact of a run's reference into a folder of its name.

    It takes the digests of the models, by variant, and the folder in which the folders of the
    models' artifacts lie.

    Args:
        measured: None: the run leaves no reference.
        owner: whose reference it is.
        tenant: whose data it learnt from.
        created_at: RFC 3339.
    """
    if measured is None:
        return None

    def leave(digests: Mapping[str, str], stage: Path) -> LeftReference:
        reference = reference_of(
            results, measured, digests, owner=owner, tenant=tenant, created_at=created_at
        )
        folder = stage / artifact_name(reference.name)
        digest = write_reference(folder, reference, measured.sketch)
        folders = (folder, *(stage / variant for variant in digests))
        files = (path for one in folders for path in one.iterdir() if path.is_file())
        return LeftReference(reference, digest, sum(path.stat().st_size for path in files))

    return leave


def reference_of(
    results: RunResults,
    measured: Measured,
    digests: Mapping[str, str],
    *,
    owner: str,
    tenant: str,
    created_at: str,
) -> Reference:
    """The reference of a run. Arguments: see `leaver`."""
    fitted_run = results.fitted_run
    dataset = fitted_run.dataset
    labelled = dataset.label >= 0
    models = tuple(
        ReferenceModel(name, digests[name], model.fitted.family, _finite(model.metrics))
        for name, model in fitted_run.models.items()
    )
    voters = [model for model in models if model.family == "supervised"]
    best = max(voters, key=lambda model: model.metrics.get(_RANKED_BY, 0.0))
    return Reference(
        name=measured.name,
        owner=owner,
        tenant=tenant,
        kind=measured.kind,
        schema_id=dataset.schema_id,
        columns=_columns(results, measured),
        label=measured.label,
        label_rate=_share_of_fraud(dataset.label),
        rows=int(labelled.sum()),
        models=models,
        best=best.variant,
        metrics=best.metrics,
        created_at=created_at,
        decimal=measured.decimal,
        missing=measured.missing,
        calibrated_rate=_share_of_fraud(dataset.label[fitted_run.split.calibration]),
    )


def _share_of_fraud(label: Int8) -> float:
    """Among labelled rows."""
    return round(float((label[label != UNKNOWN] == FRAUD).mean()), 9)


def _finite(metrics: Mapping[str, float]) -> dict[str, float]:
    """The figures that are numbers: a document has no others."""
    return {name: value for name, value in metrics.items() if math.isfinite(value)}


def _columns(results: RunResults, measured: Measured) -> tuple[ReferenceColumn, ...]:
    importance = column_importance(results)
    schema = results.fitted_run.dataset.schema
    if measured.kind == "history":
        shares, required = importance_of_fields(importance), REQUIRED
        present = {profile.name for profile in measured.profiles}
        shares = {name: share for name, share in shares.items() if name in present}
        total = sum(shares.values()) or 1.0
        shares = {name: share / total for name, share in shares.items()}
    else:
        shares = dict(zip(schema.names, importance.tolist(), strict=True))
        required = required_columns(shares)
    categorical = {schema.names[i] for i in schema.categorical if schema.is_tabular}
    return tuple(
        ReferenceColumn(
            profile,
            round(shares.get(profile.name, 0.0), _DIGITS),
            required=profile.name in required,
            categorical=profile.name in categorical,
        )
        for profile in measured.profiles
    )


def list_reference(
    settings: Settings, left: LeftReference | None, store: ArtifactStore
) -> dict[str, Any] | None:
    """Add a reference to the table, as the champion unless the alias names a later one by now.

    A training is not undone if the table cannot be reached: the reference is in the artifact store,
    from which `quorum references add` rebuilds the table.

    Args:
        settings: name the database.
        left: None: the run left none.
        store: holds its artifact and the alias.

    Returns:
        JSON-ready: `id`, whether it is `listed`, and a `sentence` about it.
    """
    if left is None:
        return None
    try:
        if settings.database_url is None:
            why = "there is no database"
        else:
            asyncio.run(_add(settings.database_url.get_secret_value(), left, store))
            sentence = f"reference {left.id} of {len(left.reference.columns)} columns"
            return {"id": left.id, "listed": True, "sentence": sentence}
    except (OSError, Unavailable, asyncpg.PostgresError) as error:
        why = f"the table is out of reach ({type(error).__name__})"
    later = f"`quorum references add {left.reference.name}` lists it"
    sentence = f"reference {left.id} is in the artifact store only, because {why}: {later}"
    return {"id": left.id, "listed": False, "sentence": sentence}


async def _add(database_url: str, left: LeftReference, store: ArtifactStore) -> None:
    found = FoundReference(left.reference, left.digest, True, left.size_bytes)
    async with connection(database_url) as session:
        await add_found(session, [found], store)
