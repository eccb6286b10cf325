"""Measures the parts of the constants, each on servers of its own."""

from __future__ import annotations

import asyncio
import os
import platform
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
import uvloop
from pydantic import SecretStr

from cluster.embedded import EmbeddedPostgres, EmbeddedRedis
from cluster.schema.migrate import migrate
from loadtests.bench import launch
from loadtests.bench.rounds import give_history, say
from loadtests.capacity.constants import Constants, Source
from loadtests.capacity.measure.link_costs import measure_links
from loadtests.capacity.measure.node_costs import NodeCosts, measure_node
from loadtests.capacity.measure.postgres_costs import measure_postgres
from loadtests.capacity.measure.redis_costs import measure_redis
from loadtests.capacity.runs import CLOSED, OPEN
from loadtests.history import history_file
from loadtests.payments import Payment, read_payments
from settings.settings import Settings

PARTS = ("redis", "postgres", "links", "node")
COMMAND = "python -m loadtests.capacity measure"
LOADS = (
    *((CLOSED, 1), (CLOSED, 8), (CLOSED, 32), (CLOSED, 128)),
    *((OPEN, 250), (OPEN, 500), (OPEN, 1000)),
)
_PAYMENTS = 20_000


def measure(parts: Sequence[str], known: Constants | None, seconds: float) -> Constants:
    """Return constants of which the named parts are new.

    Args:
        parts: of `PARTS`; all of them if nothing is known.
        known: what the other parts are taken from.
        seconds: length of each run of `node`, which needs a running Quorum.

    Raises:
        ValueError: a part is neither named nor known.
        RuntimeError: a store or Quorum refuses payments.
        CommandFailed: a store does not start.
    """
    missing = [] if known else [part for part in PARTS if part not in parts]
    if missing:
        raise ValueError(f"parts: {', '.join(missing)} must be measured too, nothing is on file")
    home = Path(os.environ.get("QUORUM_HOME", ".quorum"))
    payments = read_payments(history_file(home), _PAYMENTS)
    found = {} if known is None else {part: getattr(known, part) for part in PARTS}
    sources = {} if known is None else dict(known.sources)
    for part in PARTS:
        if part in parts:
            say(f"measuring {part}")
            found[part] = _MEASURES[part](payments, seconds)
            now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            sources[part] = Source(f"{COMMAND} --parts {part}", now, _machine())
    return Constants(sources, **found)


def _redis(payments: Sequence[Payment], _: float) -> object:
    with _stores(throwaway=True) as (settings, _pid):
        return uvloop.run(measure_redis(settings, payments))


def _postgres(payments: Sequence[Payment], _: float) -> object:
    # With its disk flushes: they are a part of the time.
    with _stores(throwaway=False) as (settings, pid):
        return uvloop.run(measure_postgres(settings, payments, pid))


def _links(payments: Sequence[Payment], _: float) -> object:
    return measure_links(payments)


def _node(payments: Sequence[Payment], seconds: float) -> object:
    target = launch.quorum_target()
    os.environ["QUORUM_HOME"] = str(target.home)
    app = launch.quorum(target, list(payments))

    async def run() -> NodeCosts:
        await give_history(app, len(payments))
        return await measure_node(app, target, LOADS, seconds)

    return uvloop.run(run())


_MEASURES = {"redis": _redis, "postgres": _postgres, "links": _links, "node": _node}


@contextmanager
def _stores(throwaway: bool) -> Iterator[tuple[Settings, int]]:
    """Yield settings that name empty stores, and the pid of PostgreSQL. Redis writes its
    append-only file, as it is shipped."""
    with tempfile.TemporaryDirectory(prefix="quorum-") as folder:
        # PostgreSQL runs as another user where root starts it.
        Path(folder).chmod(0o755)
        server = EmbeddedPostgres(Path(folder) / "pg", throwaway=throwaway)
        redis = EmbeddedRedis(Path(folder) / "redis")
        try:
            server.start()
            redis.start()
            asyncio.run(migrate(server.url))
            settings = Settings.load().model_copy(
                update={
                    "database_url": SecretStr(server.url),
                    "redis_url": SecretStr(redis.url),
                    "redis_timeout_ms": 5_000,
                    "rebuild_wait_ms": 10_000,
                }
            )
            assert server.pid is not None
            yield settings, server.pid
        finally:
            redis.stop()
            server.stop()


def _machine() -> str:
    memory = psutil.virtual_memory().total / 2**30
    name = f"{platform.system()} {platform.release().split('-')[0]} {platform.machine()}"
    return f"{os.cpu_count()} processors, {memory:.0f} GiB, {name}"
