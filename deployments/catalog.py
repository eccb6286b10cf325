"""Where artifacts lie, and which one a name means."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from fraud.artifact import version_of
from fraud.errors import ArtifactRefused

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Reference:
    """An artifact's folder, and the digest it must have if the name says so."""

    folder: Path
    digest: str | None


def resolve(root: Path, variant: str, artifact: str) -> Reference:
    """What `artifact` means for a variant at this moment.

    Args:
        root: folder of all artifacts.
        variant: name of the variant.
        artifact: an alias (`champion`), a version (12 hex digits) or a digest (64).

    Raises:
        ArtifactRefused: no such alias, or an alias file that says nothing usable.
    """
    for name in (variant, artifact):
        if not _NAME.fullmatch(name):
            raise ArtifactRefused(f"{name!r} is not a name of a variant or an artifact")
    home = root / variant
    if _DIGEST.fullmatch(artifact):
        return Reference(home / version_of(artifact), artifact)
    if (home / artifact / "manifest.json").is_file():
        return Reference(home / artifact, None)
    try:
        alias = json.loads((home / "aliases" / f"{artifact}.json").read_bytes())
        version, digest = str(alias["version"]), str(alias["digest"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ArtifactRefused(f"{variant}: no artifact or alias {artifact!r}") from error
    if not _NAME.fullmatch(version) or not _DIGEST.fullmatch(digest):
        raise ArtifactRefused(f"{variant}: alias {artifact!r} says nothing usable")
    return Reference(home / version, digest)
