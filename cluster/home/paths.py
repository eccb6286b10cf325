"""Places of files outside of the packages: Serve's configuration, data sets, a Quorum's home."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cluster.errors import CommandFailed

if TYPE_CHECKING:
    from settings.settings import Settings


def serve_config() -> Path:
    """Return `serve_config.yaml` of the working directory, else the one beside the packages."""
    here = Path("serve_config.yaml")
    return here if here.exists() else Path(__file__).resolve().parents[2] / here


def require_home(settings: Settings) -> None:
    """Check that there is a Quorum here: by default its home is in the working directory.

    Raises:
        CommandFailed: there is no home, and no variable names a database either.
    """
    if not settings.home.is_dir() and settings.database_url is None:
        raise CommandFailed(
            f"there is no Quorum at {settings.home}",
            "change to the folder where `quorum up` ran, or set QUORUM_HOME to its .quorum folder",
        )


def data_folder() -> Path:
    """Return the folder of public data sets: `../shared/data` beside the working directory, else
    beside the project."""
    beside = Path("../shared/data")
    return beside if beside.is_dir() else Path(__file__).resolve().parents[2] / beside
