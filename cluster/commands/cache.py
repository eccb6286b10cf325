"""`quorum cache`: clear."""

from __future__ import annotations

from typing import Annotated

import typer

from cluster.commands.options import load_settings
from cluster.errors import CommandFailed
from cluster.terminal.console import JsonFlag, emit

app = typer.Typer(
    help="Free disk space: remove what can be fetched or computed again.",
    no_args_is_help=True,
)


@app.command("clear")
def clear_cache(
    name: Annotated[
        str | None,
        typer.Argument(
            help="Only this variant or reference; `features`: only the matrices of trainings."
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Remove local copies of artifacts and feature matrices. They are made again when needed.

    Running replicas keep the models that they have loaded.
    """
    from cluster.home.local_cache import clear
    from cluster.terminal.tables.models import size
    from fraud.errors import InvalidInput

    try:
        cleared = clear(load_settings().home, name)
    except InvalidInput as error:
        raise CommandFailed(error.detail, "see --help", 2) from error
    emit(
        cleared.document(),
        as_json,
        lambda document: (
            f"{document['artifacts']} artifacts and {document['matrices']} feature matrices"
            f" removed, {size(document['bytes'])} ({document['bytes']:,} bytes)"
        ),
    )
