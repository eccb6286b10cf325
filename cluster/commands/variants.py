"""`quorum variants`: list, add, remove, config."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster.commands.options import ServeConfigOption, load_settings
from cluster.errors import CommandFailed
from cluster.terminal.console import JsonFlag, emit
from cluster.terminal.tables.pools import pools_table

if TYPE_CHECKING:
    from fraud.variant import VariantRef
    from settings.settings import Settings

app = typer.Typer(
    help="List the pools of variants, and declare more beside serve_config.yaml's.",
    no_args_is_help=True,
)

VariantArgument = Annotated[
    str,
    typer.Argument(
        metavar="[TENANT/]VARIANT[@VERSION]",
        help="As plans name it: a variant's champion, one version, or a tenant's champion.",
    ),
]


@app.command("list")
def list_variants(config: ServeConfigOption = None, as_json: JsonFlag = False) -> None:
    """List the pools that must run, with the reasons, and what Serve says of each."""
    from cluster.node.node import Node
    from cluster.pools.deployment import whole_deployment

    settings = load_settings()
    dashboard = Node.of(settings).dashboard
    whole = whole_deployment(settings, _document(settings, config), dashboard)
    report = whole.document()
    states = _states(dashboard)
    for pool in report["pools"]:
        pool["status"] = states.get(pool["application"], "MISSING")
        del pool["added"]
    emit(report, as_json, pools_table)


@app.command()
def add(
    name: VariantArgument,
    min_replicas: Annotated[
        int | None, typer.Option(min=1, help="Fewest replicas.", show_default="serve_config.yaml")
    ] = None,
    max_replicas: Annotated[
        int | None, typer.Option(min=1, help="Most replicas.", show_default="serve_config.yaml")
    ] = None,
    num_cpus: Annotated[
        float | None,
        typer.Option(help="Ray's logical processors of a replica.", show_default="0.1"),
    ] = None,
    config: ServeConfigOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Declare a pool, or change its size. `quorum deploy` then rolls it out.

    The declaration goes into $QUORUM_HOME/variants.toml.
    """
    from cluster.pools.declared import Declaration, DeclaredPools
    from cluster.pools.models import require_model
    from cluster.pools.serve_pools import pools_of
    from models.store.location import store_of

    ref = _ref(name)
    settings = load_settings()
    if name in pools_of(_document(settings, config)):
        raise CommandFailed(
            f"the Serve configuration has the pool of {name}", "change its size there"
        )
    if min_replicas and max_replicas and min_replicas > max_replicas:
        raise CommandFailed("--min-replicas is above --max-replicas", "see --help", 2)
    if num_cpus is not None and not 0 < num_cpus <= 1024:
        raise CommandFailed("--num-cpus: expected a number above 0", "see --help", 2)
    version = require_model(store_of(settings), ref)
    pools = DeclaredPools.of(settings.home)
    declaration = Declaration(
        name=name, min_replicas=min_replicas, max_replicas=max_replicas, num_cpus=num_cpus
    )
    pools.add(declaration)
    report = declaration.model_dump() | {"version": version, "file": str(pools.path)}
    emit(
        report,
        as_json,
        lambda _: f"{name} is declared, and serves {version}; `quorum deploy` rolls it out",
    )


@app.command()
def remove(name: VariantArgument, as_json: JsonFlag = False) -> None:
    """Remove a declared pool. `quorum deploy` then deletes it.

    Refused while an active plan names the variant.
    """
    from cluster.pools.declared import DeclaredPools
    from cluster.pools.deployment import active_plans
    from cluster.pools.wanted import plan_text

    _ref(name)
    settings = load_settings()
    pools = DeclaredPools.of(settings.home)
    if all(there.name != name for there in pools.read()):
        raise CommandFailed(f"{name} is not declared in {pools.path}", "see `quorum variants list`")
    plans, trouble = active_plans(settings)
    users = [plan_text(owner, plan) for owner, plan in plans.items() if name in plan.variants]
    if users:
        raise CommandFailed(
            f"the active plan {users[0]} asks {name}", "activate a plan without it first"
        )
    if trouble:
        raise CommandFailed(
            f"whether a plan needs {name} is unknown: {trouble}", "try again when it can be read"
        )
    pools.remove(name)
    emit(
        {"name": name, "file": str(pools.path)},
        as_json,
        lambda _: f"{name} is no longer declared; `quorum deploy` deletes its pool",
    )


@app.command("config")
def print_config(config: ServeConfigOption = None, as_json: JsonFlag = False) -> None:
    """Print the Serve configuration with every pool, for `serve deploy` or a RayService."""
    import yaml

    from cluster.node.node import Node
    from cluster.pools.deployment import whole_deployment

    settings = load_settings()
    whole = whole_deployment(settings, _document(settings, config), Node.of(settings).dashboard)
    if whole.trouble:
        print(f"warning: an active plan cannot be read: {whole.trouble}", file=sys.stderr)
    if as_json:
        emit(whole.config, True, str)
    else:
        sys.stdout.write(yaml.safe_dump(whole.config, sort_keys=False))


def _ref(name: str) -> VariantRef:
    from fraud.variant import VariantRef

    try:
        return VariantRef.parse(name)
    except ValueError as error:
        raise CommandFailed(f"{name}: {error}", "see --help", 2) from error


def _document(settings: Settings, config: Any) -> dict[str, Any]:
    from cluster.home.paths import serve_config
    from cluster.node.deploy import read_config

    return read_config(config or serve_config(), host=settings.front_host, port=settings.http_port)


def _states(dashboard: Any) -> dict[str, str]:
    try:
        found = dashboard.serve_details().get("applications", {})
    except (CommandFailed, OSError):
        return {}
    return {name: str(application["status"]) for name, application in found.items()}
