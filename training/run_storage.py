"""Where Ray Train and Ray Tune keep the checkpoints of a run, for all nodes that work on it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fraud.errors import InvalidInput, NotTrainable
from models.store.location import Bucket, place_named
from settings.settings import Settings


@dataclass(frozen=True, slots=True)
class RunStorage:
    """A folder for runs. It crosses processes.

    Attributes:
        path: of the folder; without a scheme.
        filesystem: Arrow's file system that holds it; None: the local one.
    """

    path: str
    filesystem: Any = None

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition("/")[2]

    @classmethod
    def local(cls, folder: Path) -> RunStorage:
        """Return a folder of this machine, or one that all nodes mount; it is made if need be."""
        folder = folder.absolute()
        folder.mkdir(parents=True, exist_ok=True)
        return cls(str(folder))

    def under(self, name: str) -> RunStorage:
        """Return the folder of this name in it."""
        return RunStorage(f"{self.path}/{name}", self.filesystem)

    def arguments(self) -> dict[str, Any]:
        """Return arguments of Ray's `RunConfig`."""
        return {"storage_path": self.path, "storage_filesystem": self.filesystem}

    def remove(self) -> None:
        """Remove the folder with all that is in it, if it can be removed."""
        from pyarrow import fs

        with contextlib.suppress(OSError):
            (self.filesystem or fs.LocalFileSystem()).delete_dir(self.path)


def run_storage_of(settings: Settings, ray_address: str | None) -> RunStorage:
    """Return the storage that the settings name.

    Args:
        ray_address: of the cluster that trains; None: a private node on this machine.

    Raises:
        NotTrainable: a cluster of several nodes would train, and no shared storage is set.
        InvalidInput: QUORUM_TRAINING_RUNS names neither a folder nor a bucket.
    """
    url = settings.training_runs_at
    if url is None:
        if ray_address is not None and settings.several_nodes:
            raise NotTrainable(
                "several nodes train, and they share no folder for checkpoints: set"
                " QUORUM_TRAINING_RUNS to a folder that all of them mount, or to s3://bucket/prefix"
            )
        return RunStorage.local(settings.home / "cache" / "ray-train")
    try:
        place = place_named(url, "place for checkpoints")
    except InvalidInput as error:
        raise InvalidInput(f"QUORUM_TRAINING_RUNS: {error.detail}") from error
    if isinstance(place, Bucket):
        from models.store.s3 import s3_filesystem

        path = f"{place.name}/{place.prefix}".rstrip("/")
        return RunStorage(path, s3_filesystem(settings.s3_endpoint_url))
    return RunStorage.local(place)
