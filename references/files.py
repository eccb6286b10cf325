"""The artifact of a reference: a folder in the artifact store, like a model's.

reference-<name>/<version>/
    manifest.json      family `reference`; SHA-256 of the other files
    reference.json     what `Reference.to_document` gives
    sketch.parquet     at most 2,000 rows, see `references.profile.sketch`
"""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa

from fraud.errors import ArtifactRefused, InvalidInput
from models.artifact import (
    REFERENCE_FAMILY,
    REFERENCE_PREFIX,
    Manifest,
    read_manifest,
    sha256_of,
    write_manifest,
)
from models.store.alias import NAME
from references.profile.sketch import sketch_bytes, sketch_from
from references.reference import Reference

LONGEST_NAME = 54
"""Of a reference, in characters."""
DOCUMENT_FILE, SKETCH_FILE = "reference.json", "sketch.parquet"


def artifact_name(name: str) -> str:
    """Return the name of a reference's artifact in the store.

    Raises:
        InvalidInput: it cannot be the name of a reference.

    >>> artifact_name("ulb")
    'reference-ulb'
    """
    found = f"{REFERENCE_PREFIX}{name}"
    if not NAME.fullmatch(found) or not NAME.fullmatch(name):
        raise InvalidInput(
            f"{name!r} cannot be the name of a reference: expected at most"
            f" {LONGEST_NAME} lower-case letters, digits, dots, dashes and underscores"
        )
    return found


def write_reference(folder: Path, reference: Reference, sketch: pa.Table) -> str:
    """Write the artifact of a reference into a new folder, and read it back.

    Returns:
        The artifact's digest; equal references and sketches give equal digests.

    Raises:
        InvalidInput: the reference's name cannot be that of an artifact.
    """
    variant = artifact_name(reference.name)
    folder.mkdir(parents=True)
    document = json.dumps(reference.to_document(), sort_keys=True, indent=1, allow_nan=False)
    (folder / DOCUMENT_FILE).write_bytes(document.encode() + b"\n")
    (folder / SKETCH_FILE).write_bytes(sketch_bytes(sketch))
    digest = write_manifest(
        folder,
        Manifest(
            variant=variant,
            family=REFERENCE_FAMILY,
            runtime="",
            schema_id=reference.schema_id,
            n_features=len(reference.columns),
            calibration=(),
            files={name: sha256_of(folder / name) for name in (DOCUMENT_FILE, SKETCH_FILE)},
            metrics=reference.metrics,
            training={"tenant": reference.tenant, "rows": reference.rows},
            columns=tuple(column.name for column in reference.columns),
        ),
    )
    read_reference(folder, digest)
    return digest


def read_reference(folder: Path, digest: str | None = None) -> tuple[Reference, pa.Table]:
    """Read and verify the artifact of a reference.

    Returns:
        The reference, and its sketch.

    Raises:
        ArtifactRefused: it is damaged, or not a reference.
    """
    manifest, _ = read_manifest(folder, digest)
    if manifest.family != REFERENCE_FAMILY:
        raise ArtifactRefused(f"{folder.name}: it is a model, not a reference")
    try:
        document = json.loads((folder / DOCUMENT_FILE).read_bytes())
        reference = Reference.from_document(document)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ArtifactRefused(f"{folder.name}: no readable reference") from error
    if f"{REFERENCE_PREFIX}{reference.name}" != manifest.variant:
        raise ArtifactRefused(f"{folder.name}: it is the reference of another name")
    try:
        body = (folder / SKETCH_FILE).read_bytes()
    except OSError as error:
        raise ArtifactRefused(f"{folder.name}: no readable sketch") from error
    return reference, sketch_from(body, folder.name)
