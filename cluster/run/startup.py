"""What `quorum up` does, step by step. Each step finds out whether it has anything to do."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cluster.home import stores
from cluster.home.connection import check_stores, database_url
from cluster.home.private_folder import make_private
from cluster.home.project import serve_config
from cluster.node.deploy import read_config, wait_ready, wait_running
from cluster.node.node import HOST, Node
from cluster.node.ports import require_free
from cluster.node.preflight import check_disk, check_memory, check_python
from cluster.run import demo, history, models
from cluster.run.history import Scale
from cluster.schema.migrate import migrate
from cluster.terminal.terminal import step
from settings.settings import Settings


def bring_up(config: Path | None, scale: Scale, timeout_s: float) -> dict[str, Any]:
    """Start what is not up, make what is not there, deploy, and wait until it decides.

    Args:
        config: Serve configuration; None: the project's.
        scale: of the history to make up if there is none.
        timeout_s: longest wait for the applications.

    Returns:
        `url`, `api_key`, `curl`.

    Raises:
        CommandFailed: a step failed. What is up stays up: the next run goes on from there.
    """
    settings = Settings.load()
    node = Node.of(settings)
    document = read_config(
        config or serve_config(), host=settings.http_host, port=settings.http_port
    )
    with step("Check the machine"):
        was_up = _check(node)
    with _starting(node, was_up) as starting:
        settings = _stores(settings)
        if history.missing(settings):
            with step("History") as going_on:
                rows = history.make(settings, scale, going_on.note)
                going_on.result = f"{rows:,} payments of the generator"
        with step("Ray") as going_on:
            going_on.result = "started" if starting.result() else "was up"
    _train(settings, node, document)
    url = f"http://{HOST}:{settings.http_port}"
    _deploy(node, document, url, timeout_s)
    key = demo.write(settings, url)
    return {"url": url, "api_key": key, "curl": demo.curl(url, key)}


def bring_up_stores() -> dict[str, Any]:
    """Start the stores alone and bring the schema up to date: enough to load, to train, and to
    manage keys.

    Returns:
        `stores`: name -> `embedded`, or the variable that names another one.

    Raises:
        CommandFailed: a step failed.
    """
    settings = Settings.load()
    check_python()
    check_disk(settings.home)
    _stores(settings)
    found = stores.stores(settings.home)
    return {"stores": {s.name: s.variable if s.server is None else "embedded" for s in found}}


def _stores(settings: Settings) -> Settings:
    """Start the stores. Returns the settings with what they have written."""
    with step("Stores") as going_on:
        going_on.result = ", ".join(stores.start(settings.home))
        settings = Settings.load()
        asyncio.run(check_stores(settings))
    with step("Schema") as going_on:
        applied = asyncio.run(migrate(database_url(settings))).applied
        going_on.result = f"{len(applied)} files applied" if applied else "up to date"
    return settings


def _check(node: Node) -> bool:
    """Refuse a machine on which it cannot work. Returns whether our node is up already."""
    check_python()
    check_disk(node.home)
    if node.running:
        return True
    check_memory()
    node.stop()  # what a crash left holds ports
    require_free(node.ports)
    return False


@contextmanager
def _starting(node: Node, was_up: bool) -> Iterator[Future[bool]]:
    """Start the node beside what else there is to do: it takes seconds and needs none of it."""
    make_private(node.home)
    with ThreadPoolExecutor(1, thread_name_prefix="ray-start") as pool:
        yield pool.submit(lambda: False if was_up else node.start())


def _train(settings: Settings, node: Node, document: dict[str, Any]) -> None:
    why = models.missing(settings, models.wanted(document))
    if why is None:
        return
    with step("Models") as going_on:
        going_on.note(why)
        report = models.train(node.environment())
        going_on.result = f"{len(report['variants'])} variants"


def _deploy(node: Node, document: dict[str, Any], url: str, timeout_s: float) -> None:
    names = {str(application["name"]) for application in document["applications"]}
    with step("Deploy") as going_on:
        node.dashboard.deploy(document)
        wait_running(node.dashboard, names, timeout_s=timeout_s, note=going_on.note)
        going_on.result = f"{len(names)} applications"
    with step("Ready") as going_on:
        wait_ready(url, timeout_s=timeout_s, note=going_on.note)
