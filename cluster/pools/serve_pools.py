"""Pools of variants in a Serve configuration: which it has, and more of them made after its own."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from cluster.errors import CommandFailed
from cluster.pools.declared import Declaration
from deployments.app_names import app_name, variant_of
from fraud.variant import VariantRef
from models.store.alias import CHAMPION

Config = dict[str, Any]


def pools_of(config: Config) -> tuple[str, ...]:
    """Return the variants that a Serve configuration has pools for, as plans name them."""
    found = (variant_of(str(application["name"])) for application in config["applications"])
    return tuple(variant for variant in found if variant is not None)


def with_pools(config: Config, wanted: Iterable[Declaration]) -> Config:
    """Return a Serve configuration with more pools. What it has is unchanged: Serve redeploys only
    applications whose configuration differs.

    A new pool has the options of its variant's pool in `config`, or those of the first pool there.

    Args:
        wanted: pools that `config` does not have.

    Raises:
        CommandFailed: `config` has no pool to take options from.
    """
    more = [_application(config, declaration) for declaration in wanted]
    return {**config, "applications": [*config["applications"], *more]}


def arguments_of(ref: VariantRef) -> dict[str, str]:
    """Return the arguments of a pool's application: see `deployments.variant.VariantArgs`."""
    owner = {"owner": ref.owner} if ref.owner else {}
    return {"variant": ref.variant, "artifact": ref.version or CHAMPION, **owner}


def _application(config: Config, declaration: Declaration) -> Config:
    ref = VariantRef.parse(declaration.name)
    application = copy.deepcopy(_pattern(config, ref))
    application["name"] = app_name(declaration.name)
    application["args"] = arguments_of(ref)
    for deployment in application.get("deployments") or ():
        _resize(deployment, declaration)
    return application


def _pattern(config: Config, ref: VariantRef) -> Config:
    pools = {app["name"]: app for app in config["applications"] if variant_of(str(app["name"]))}
    if not pools:
        raise CommandFailed(
            "the Serve configuration has no pool of a variant, so a new one has no options",
            "see serve_config.yaml of the project",
        )
    found: Config = pools.get(app_name(ref.variant)) or next(iter(pools.values()))
    return found


def _resize(deployment: Config, declaration: Declaration) -> None:
    """Give a pool's deployment the sizes that were declared for it."""
    scaling = deployment.get("autoscaling_config")
    low, high = declaration.min_replicas, declaration.max_replicas
    if isinstance(scaling, dict):
        low = low or min(scaling.get("min_replicas", 1), high or 1000)
        scaling["min_replicas"] = low
        scaling["max_replicas"] = high or max(scaling.get("max_replicas", 1), low)
    elif low or high:
        deployment["num_replicas"] = low or high
    if declaration.num_cpus is not None:
        options = deployment.get("ray_actor_options") or {}
        deployment["ray_actor_options"] = {**options, "num_cpus": declaration.num_cpus}
