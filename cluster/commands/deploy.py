"""`quorum deploy`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster.commands.options import ServeConfigOption, ServeTimeoutOption
from cluster.errors import CommandFailed
from cluster.terminal.console import JsonFlag, emit
from cluster.terminal.tables.pools import deployed_table

if TYPE_CHECKING:
    from settings.settings import Settings

AddOption = Annotated[
    list[str] | None,
    typer.Option(
        "--add",
        metavar="VARIANT",
        help="Declare one more pool first, as `quorum variants add` does. Repeatable.",
    ),
]


def deploy(
    config: ServeConfigOption = None,
    add: AddOption = None,
    timeout_s: ServeTimeoutOption = 300.0,
    as_json: JsonFlag = False,
) -> None:
    """Roll out the Serve applications, and wait until they answer.

    Runs the applications of the Serve configuration, a pool for each variant that is declared
    (`quorum variants`), and one for each that an active plan names. Serve restarts only what has
    changed. A pool that is in none of these any more is removed.
    """
    from cluster.home.paths import serve_config
    from cluster.node.deploy import read_config, roll_out
    from cluster.node.node import Node
    from cluster.pools.deployment import whole_deployment
    from cluster.run.status import applications
    from settings.settings import Settings

    settings = Settings.load()
    node = Node.of(settings)
    document = read_config(
        config or serve_config(), host=settings.front_host, port=settings.http_port
    )
    declared = [name for name in add or () if _declare(settings, document, name)]
    whole = whole_deployment(settings, document, node.dashboard)
    try:
        details = roll_out(node.dashboard, node.url, whole.config, timeout_s)
    except CommandFailed as error:
        if not declared:
            raise
        back = f"`quorum variants remove {declared[0]}` takes the new pool back"
        raise CommandFailed(error.what, f"{error.hint}; {back}") from error
    report = {"url": node.url, "applications": applications(details), **whole.document()}
    emit(report, as_json, deployed_table)


def _declare(settings: Settings, document: dict[str, Any], name: str) -> bool:
    """Declare a pool unless it is there already. Returns whether it was declared now."""
    from cluster.pools.declared import Declaration, DeclaredPools
    from cluster.pools.models import require_model
    from cluster.pools.serve_pools import pools_of
    from fraud.variant import VariantRef
    from models.store.location import store_of

    try:
        ref = VariantRef.parse(name)
    except ValueError as error:
        raise CommandFailed(f"--add {name}: {error}", "see --help", 2) from error
    pools = DeclaredPools.of(settings.home)
    if name in pools_of(document) or any(there.name == name for there in pools.read()):
        return False
    require_model(store_of(settings), ref)
    pools.add(Declaration(name=name))
    return True
