"""Secrets that come in files, as Docker and Kubernetes provide them.

`DATABASE_URL_FILE` names the file that holds the value of `DATABASE_URL`, and so on.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from fraud.errors import SettingInvalid

SECRETS = ("DATABASE_URL", "DATABASE_REPLICA_URL", "REDIS_URL", "QUORUM_KEY_PEPPER")
"""The variables whose value may come in a file."""
SUFFIX = "_FILE"


def given(variable: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether a variable is set, by its value or by a file."""
    return bool(environment.get(variable) or environment.get(variable + SUFFIX))


def secrets_from_files(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return variable -> value for every secret that comes in a file.

    Spaces and line ends around a value are not a part of it.

    Raises:
        SettingInvalid: a file cannot be read or is empty, or a secret is set both ways.
    """
    found = {}
    for variable in SECRETS:
        name = environment.get(variable + SUFFIX)
        if not name:
            continue
        if environment.get(variable):
            raise SettingInvalid(
                variable, f"it and {variable}{SUFFIX} are both set", "set one of them"
            )
        found[variable] = _read(variable + SUFFIX, Path(name))
    return found


def _read(variable: str, path: Path) -> str:
    try:
        value = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not text"
        raise SettingInvalid(variable, f"{path}: {why}", "name a file with the value") from error
    if not value:
        raise SettingInvalid(variable, f"{path} is empty", "name a file with the value")
    return value
