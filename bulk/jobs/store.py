"""The job store: a private folder for each job, on this machine's disk or behind S3.

Behind S3 the folder on this machine is where work is done. What another machine needs to continue a
job is sent there: the upload, the sample, profiles and errors, scores of parts, and the result.
Parts of the file are not: they are cut from the upload again.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final
from uuid import UUID

from bulk.jobs.paths import JobPaths
from fraud.errors import InvalidInput
from fraud.ids import decided_at_ms
from models.store.location import open_objects, place_of
from models.store.objects import Objects
from settings.settings import Settings

ORPHAN_AGE_S: Final = 86_400.0
"""A folder that no job knows is kept for a day: its file may still be on its way here."""

_IDENTITY = "store-id"
_REMOVED = ".removed-"
_PRIVATE = 0o700


class JobStore:
    """The files of jobs.

    Args:
        folder: on this machine, for this user alone; made when needed.
        objects: the remote files; None if `folder` is the store.
        place: identity of the remote store; not used without `objects`.
    """

    def __init__(self, folder: Path, objects: Objects | None = None, place: str = "") -> None:
        self._folder = folder
        self._objects = objects
        self._place = place

    @property
    def url(self) -> str:
        """`file:///folder` or `s3://bucket/prefix`."""
        return self._folder.as_uri() if self._objects is None else self._objects.url

    @property
    def is_remote(self) -> bool:
        """Whether every machine with the same settings reaches the files."""
        return self._objects is not None

    def identity(self, new: Callable[[], str] = lambda: secrets.token_hex(16)) -> str:
        """Return the identity of this store: a job is run where its files are.

        A folder has a file with it, so that several machines may share a folder.

        Args:
            new: makes the identity of a folder that has none.
        """
        if self._objects is not None:
            return self._place
        path = self._folder / _IDENTITY
        with contextlib.suppress(FileNotFoundError):
            return path.read_text().strip()
        self._make_private(self._folder)
        made = self._folder / f".{_IDENTITY}-{secrets.token_hex(8)}"
        made.write_text(new())
        made.chmod(0o600)
        try:
            with contextlib.suppress(FileExistsError):  # another process was first
                os.link(made, path)
        finally:
            made.unlink()
        return path.read_text().strip()

    def paths(self, job_id: UUID) -> JobPaths:
        """Return the files of a job on this machine; none of them need exist."""
        return JobPaths(self._folder / str(job_id))

    def make(self, job_id: UUID) -> JobPaths:
        """Return the files of a job, in a folder that exists."""
        paths = self.paths(job_id)
        self._make_private(self._folder)
        self._make_private(paths.folder)
        return paths

    def keep(self, job_id: UUID, *files: Path) -> None:
        """Store files of a job where other machines find them. Files that do not exist are left
        out.

        Raises:
            ArtifactsUnavailable: the store does not answer.
        """
        if self._objects is None:
            return
        for file in files:
            if file.exists():
                self._objects.send(file, self._name(job_id, file))

    def bring(self, job_id: UUID, *files: Path) -> bool:
        """Fetch files of a job to this machine, unless they are here.

        Returns:
            Whether all of them are here now.

        Raises:
            ArtifactsUnavailable: the store does not answer.
        """
        here = [file.exists() or self._receive(job_id, file) for file in files]
        return all(here)

    def trim(self, job_id: UUID) -> None:
        """Remove all files of a job but those that callers fetch (`JobPaths.fetched`). Behind S3,
        those are removed from this machine as well.

        Raises:
            ArtifactsUnavailable: the store does not answer.
        """
        paths = self.paths(job_id)
        if self._objects is None:
            for left in set(paths.folder.glob("*")) - set(paths.fetched):
                if left.is_dir() and not left.is_symlink():
                    shutil.rmtree(left, ignore_errors=True)
                else:
                    left.unlink(missing_ok=True)
            return
        self.remove_local(job_id)
        self._remove_remote(str(job_id), {self._name(job_id, file) for file in paths.fetched})

    def remove(self, job_id: UUID) -> None:
        """Remove all files of a job, here and there.

        Raises:
            ArtifactsUnavailable: the store does not answer.
        """
        self.remove_local(job_id)
        if self._objects is not None:
            self._remove_remote(str(job_id))

    def remove_local(self, job_id: UUID) -> None:
        """Remove the files of a job that are on this machine."""
        folder = self.paths(job_id).folder
        # Renamed first: what is still being written does not come back.
        aside = self._folder / f"{_REMOVED}{secrets.token_hex(8)}"
        with contextlib.suppress(FileNotFoundError):
            folder.rename(aside)
            shutil.rmtree(aside, ignore_errors=True)

    def orphans(self, known: Collection[UUID], now_ms: int) -> list[UUID]:
        """Return jobs, submitted more than a day ago, that have files but are not known.

        Args:
            known: jobs of this store that have files.
            now_ms: milliseconds since the epoch.

        Raises:
            ArtifactsUnavailable: the store does not answer.
        """
        for left in self._folder.glob(f"{_REMOVED}*"):
            shutil.rmtree(left, ignore_errors=True)
        names = {path.name for path in self._folder.glob("*") if path.is_dir()}
        if self._objects is not None:
            names |= {name.partition("/")[0] for name in self._objects.sizes()}
        found = sorted(job_id for name in names if (job_id := _job_id(name)) is not None)
        oldest_ms = now_ms - ORPHAN_AGE_S * 1000
        return [j for j in found if j not in known and decided_at_ms(str(j)) < oldest_ms]

    def _receive(self, job_id: UUID, file: Path) -> bool:
        if self._objects is None:
            return False
        self.make(job_id)
        self._make_private(file.parent)
        made = file.with_name(f".{file.name}-{secrets.token_hex(8)}")
        try:
            if not self._objects.receive(self._name(job_id, file), made):
                return False
            made.chmod(0o600)
            made.replace(file)
        finally:
            made.unlink(missing_ok=True)
        return True

    def _remove_remote(self, prefix: str, but: Collection[str] = ()) -> None:
        assert self._objects is not None
        for name in self._objects.sizes(prefix):
            if name not in but:
                self._objects.remove(name)

    def _name(self, job_id: UUID, file: Path) -> str:
        return f"{job_id}/{file.relative_to(self.paths(job_id).folder).as_posix()}"

    @staticmethod
    def _make_private(folder: Path) -> None:
        folder.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)


def job_store_of(settings: Settings) -> JobStore:
    """The job store that the settings name.

    Raises:
        InvalidInput: the URL is of an unknown kind.
    """
    try:
        objects = open_objects(settings.jobs_url, settings.s3_endpoint_url, "job store")
    except InvalidInput as error:
        raise InvalidInput(f"QUORUM_JOBS: {error.detail}") from error
    if objects.folder is not None:
        return JobStore(objects.folder)
    place = place_of(objects, settings.s3_endpoint_url)
    folder = (settings.home / "cache" / "jobs" / place).absolute()
    return JobStore(folder, objects, f"{objects.url} {place}")


def _job_id(name: str) -> UUID | None:
    with contextlib.suppress(ValueError):
        found = UUID(name)
        return found if str(found) == name and found.version == 7 else None
    return None
