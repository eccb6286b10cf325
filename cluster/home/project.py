"""Where files that are not part of a package lie."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cluster.terminal.terminal import CommandFailed

if TYPE_CHECKING:
    from settings.settings import Settings


def serve_config() -> Path:
    """`serve_config.yaml`: the one of the working directory, else the one beside the packages."""
    here = Path("serve_config.yaml")
    return here if here.exists() else Path(__file__).resolve().parents[2] / here


def require_home(settings: Settings) -> None:
    """Refuse to speak of a Quorum that is somewhere else: by default its home is looked for in the
    working directory.

    Raises:
        CommandFailed: there is no home, and no variable names a database either.
    """
    if not settings.home.is_dir() and settings.database_url is None:
        raise CommandFailed(
            f"there is no Quorum at {settings.home}",
            "go to the folder in which `quorum up` ran, or let QUORUM_HOME name its .quorum",
        )


def data_folder() -> Path:
    """Public data sets: `../shared/data` from the working directory, else from the project."""
    beside = Path("../shared/data")
    return beside if beside.is_dir() else Path(__file__).resolve().parents[2] / beside
