"""`quorum prepare`."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from cluster.errors import CommandFailed


def prepare(
    command: Annotated[list[str], typer.Argument(help="The command, after `--`, with arguments.")],
) -> None:
    """Run a command as a node of Quorum: for containers in which another program starts Ray.

    It checks the machine and the shared stores, writes HAProxy's files, sets the environment of a
    node, and becomes the command. docs/deploy-kubernetes.md uses it.
    """
    from cluster.membership.prepare import prepared_environment
    from settings.settings import Settings

    environment = prepared_environment(Settings.load())
    try:
        os.execvpe(command[0], command, environment)  # noqa: S606 — the user's command
    except OSError as error:
        raise CommandFailed(f"{command[0]}: {error.strerror}", "check the command", 127) from error
