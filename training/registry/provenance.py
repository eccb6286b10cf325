"""The provenance of a training run: command, commit and data."""

from __future__ import annotations

import getpass
import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from training.sets.dataset import Dataset

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput

_GIT_WAIT_S = 5
_DIGEST_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Provenance:
    """The provenance of a run.

    Attributes:
        name: of the data: the tenant, or the layout of a table.
        uri: of the data, without credentials.
        tags: command, user and commit under MLflow's names.
    """

    name: str
    uri: str
    tags: dict[str, str] = field(default_factory=dict)

    def title(self, at: str) -> str:
        """A readable name of the run.

        Args:
            at: time of the run, RFC 3339.
        """
        return f"{self.name} {at[:16].replace('T', ' ')}"

    def input(self, dataset: Dataset) -> DatasetInput:
        """The data as MLflow lists them beside a run."""
        from mlflow.entities import Dataset as Listed
        from mlflow.entities import DatasetInput, InputTag

        frauds = int((dataset.label == 1).sum())
        first, last = int(dataset.timestamp_ms[0]), int(dataset.timestamp_ms[-1])
        listed = Listed(
            name=self.name,
            digest=digest_of(dataset),
            source_type="local",
            source=json.dumps({"uri": self.uri}),
            schema=json.dumps({"schema_id": dataset.schema_id, "columns": len(dataset.schema)}),
            profile=json.dumps(
                {
                    "rows": len(dataset),
                    "frauds": frauds,
                    "labelled": int((dataset.label >= 0).sum()),
                    "first": str(np.datetime64(first, "ms")) + "Z",
                    "last": str(np.datetime64(last, "ms")) + "Z",
                }
            ),
        )
        return DatasetInput(listed, [InputTag("mlflow.data.context", "training")])


def provenance(name: str, uri: str) -> Provenance:
    """The provenance of a run in this process."""
    tags = {
        "mlflow.source.type": "LOCAL",
        "mlflow.source.name": " ".join(["quorum", *sys.argv[1:]]) if sys.argv[1:] else "quorum",
        "mlflow.user": _user(),
        **_commit(Path(__file__).parent),
    }
    return Provenance(name, uri, tags)


def digest_of(dataset: Dataset) -> str:
    """16 hex digits that change with any row's id, time, amount, label or time of the label."""
    digest = hashlib.sha256(dataset.schema_id.encode())
    for name in dataset.row_id or ():
        digest.update(name.encode("utf-8", "replace") + b"\x00")
    columns = (dataset.timestamp_ms, dataset.amount, dataset.label, dataset.known_at_ms)
    for column in columns:
        digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()[:_DIGEST_LENGTH]


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "unknown"


def _commit(folder: Path) -> dict[str, str]:
    """The commit of the checkout in `folder`, and whether files differ from it; {} if the code is
    installed without its history."""

    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(  # noqa: S603 — constant arguments
                ["git", "-C", str(folder), *arguments],  # noqa: S607 — git from PATH
                capture_output=True,
                text=True,
                timeout=_GIT_WAIT_S,
            )
        except (OSError, subprocess.SubprocessError):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    if git("ls-files", "--error-unmatch", Path(__file__).name) is None:
        return {}  # another repository, into which this code was installed
    commit = git("rev-parse", "HEAD")
    if commit is None:
        return {}
    changed = git("status", "--porcelain", "--untracked-files=no")
    return {
        "mlflow.source.git.commit": commit,
        "mlflow.source.git.dirty": str(bool(changed)).lower(),
    }
