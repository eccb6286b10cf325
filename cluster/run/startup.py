"""What `quorum up` does, step by step. Each step does only what is still missing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cluster.errors import CommandFailed
from cluster.home import local_stores, settings_file
from cluster.home.connection import check_stores, database_url
from cluster.home.paths import serve_config
from cluster.home.private_folder import make_private
from cluster.membership.head import become_head, refuse_second_head
from cluster.membership.shared import require_shared
from cluster.node.deploy import read_config, roll_out, wait_for_dashboard
from cluster.node.machine import check_machine
from cluster.node.node import Node
from cluster.node.preflight import check_disk, check_python
from cluster.pools.deployment import whole_deployment
from cluster.run.demo_key import example_request, write_demo_key
from cluster.run.initial_history import Scale, history_missing, make_history
from cluster.run.initial_models import models_missing, train_models, variants_of
from cluster.schema.migrate import migrate
from cluster.terminal.console import step
from settings.settings import Settings


def bring_up(config: Path | None, scale: Scale, timeout_s: float) -> dict[str, Any]:
    """Start what does not run, make what is missing, deploy, and wait until Quorum is ready.

    Args:
        config: Serve configuration; None: the project's.
        scale: size of the history that is generated if there is none.
        timeout_s: longest wait for the applications.

    Returns:
        `url`, `api_key`, `curl`.

    Raises:
        CommandFailed: a step failed. What runs stays running; the next call continues there.
    """
    settings = Settings.load()
    node = Node.of(settings)
    document = read_config(
        config or serve_config(), host=settings.front_host, port=settings.http_port
    )
    with step("Check the machine"):
        _refuse_worker(node)
        if node.several:
            require_shared(settings)
        was_up = check_machine(node)
    if node.several:
        # Before Ray starts: two heads would both change what is in the stores.
        settings = _stores(settings)
        refuse_second_head(settings, node)
    with _starting(node, was_up) as starting:
        if not node.several:
            settings = _stores(settings)
        if history_missing(settings):
            with step("History") as running:
                rows = make_history(settings, scale, running.note)
                running.result = f"{rows:,} generated payments"
        with step("Ray") as running:
            running.result = "started" if starting.result() else "already running"
    if node.several:
        with step("Head") as running:
            become_head(settings, node)
            running.result = f"other nodes: quorum join {node.address}"
        settings_file.keep(settings.home, {"QUORUM_HOST": node.host})
    _train(settings, node, document)
    wait_for_dashboard(node.dashboard)
    whole = whole_deployment(settings, document, node.dashboard)
    roll_out(node.dashboard, node.url, whole.config, timeout_s)
    key = write_demo_key(settings, node.url)
    return {"url": node.url, "api_key": key, "curl": example_request(node.url, key)}


def bring_up_stores() -> dict[str, Any]:
    """Start only the stores and bring the schema up to date: enough to load data, train models and
    manage keys.

    Returns:
        `stores`: name -> `embedded`, or the variable that names an external one.

    Raises:
        CommandFailed: a step failed.
    """
    settings = Settings.load()
    check_python()
    check_disk(settings.home)
    _stores(settings)
    found = local_stores.stores_of(settings.home)
    return {"stores": {s.name: s.variable if s.server is None else "embedded" for s in found}}


def _stores(settings: Settings) -> Settings:
    """Start the stores. Returns the settings, read again with the stores' URLs."""
    with step("Stores") as running:
        running.result = ", ".join(local_stores.start(settings.home))
        settings = Settings.load()
        asyncio.run(check_stores(settings))
    with step("Schema") as running:
        applied = asyncio.run(migrate(database_url(settings))).applied
        running.result = f"{len(applied)} files applied" if applied else "up to date"
    return settings


def _refuse_worker(node: Node) -> None:
    if node.head is not None:
        raise CommandFailed(
            f"this machine is a node of the Quorum at {node.head}",
            f"`quorum join {node.head}` starts it; unset QUORUM_HEAD to make it a head",
        )


@contextmanager
def _starting(node: Node, was_up: bool) -> Iterator[Future[bool]]:
    """Start the node in the background: it takes seconds and does not depend on the other steps."""
    make_private(node.home)
    with ThreadPoolExecutor(1, thread_name_prefix="ray-start") as pool:
        yield pool.submit(lambda: False if was_up else node.start())


def _train(settings: Settings, node: Node, document: dict[str, Any]) -> None:
    why = models_missing(settings, variants_of(document))
    if why is None:
        return
    with step("Models") as running:
        running.note(why)
        report = train_models(node.environment())
        running.result = f"{len(report['variants'])} variants"
