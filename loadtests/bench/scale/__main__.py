"""`make bench-scale`: how the cost of a decision grows.

    python -m loadtests.bench.scale --dimensions customers,history

Replicas and variants are changed on the running Quorum, and put back afterwards. Customers and
history are measured at the feature store, on a separate Redis. See docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import asyncpg
import redis
import uvloop
from pydantic import SecretStr

from loadtests.arguments import names_of
from loadtests.bench import launch
from loadtests.bench.__main__ import interrupt
from loadtests.bench.app import QUORUM, App
from loadtests.bench.cost import Meter
from loadtests.bench.rounds import CLOSED, Field, Load, Run, Timing, give_history, say
from loadtests.bench.scale.point import REPLICAS, VARIANTS, Point
from loadtests.bench.scale.private_redis import private_redis
from loadtests.bench.scale.stack import Stack, plan_of, with_copies, with_replicas
from loadtests.bench.scale.state import long_history, many_customers
from loadtests.bench.scale.table import draw, flat, markdown
from loadtests.bench.stores import stores_of
from loadtests.history import history_file
from loadtests.payments import read_payments
from loadtests.processes import NoNode
from loadtests.target import NoTarget
from settings.settings import Settings

NAMES = ("replicas", "variants", "customers", "history")
_CUSTOMERS = (1_000, 10_000, 100_000, 1_000_000)
_HISTORY = (10, 100, 1_000, 10_000)
_REDIS_NUMBER = 13
_PAYMENTS = 5_000
_ONE, _MANY = Load(CLOSED, 1), Load(CLOSED, 128)
_UNMEASURABLE = (
    *(NoTarget, NoNode, ValueError, RuntimeError, OSError),
    *(subprocess.SubprocessError, asyncpg.PostgresError, redis.RedisError),
)


def main(arguments: list[str] | None = None) -> int:
    """Measure and report. Returns 1 if a flat measure grows, 2 if nothing can be measured."""
    chosen = _options(arguments)
    points: list[Point] = []
    try:
        target = launch.quorum_target()
        os.environ["QUORUM_HOME"] = str(target.home)
        settings = Settings.load()
        if {"customers", "history"} & set(chosen.dimensions):
            points += _state(chosen, settings)
        if {"replicas", "variants"} & set(chosen.dimensions):
            app = launch.quorum(target, read_payments(history_file(target.home), _PAYMENTS))
            points += _stack(chosen, settings, app)
    except _UNMEASURABLE as error:
        print(f"error: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    text = markdown(points)
    path = target.home / "reports" / f"bench-scale-{time.strftime('%Y%m%d-%H%M%S')}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    document = json.dumps([asdict(point) for point in points], indent=2)
    path.write_text(text)
    path.with_suffix(".json").write_text(document)
    draw(points, path.with_suffix(".png"))
    say(f"report: {path}")
    print(document if chosen.json else text)
    return 0 if flat(points) else 1


def _state(chosen: argparse.Namespace, settings: Settings) -> list[Point]:
    """Customers and history, at the feature store."""
    found: list[Point] = []
    with stores_of("scale", _REDIS_NUMBER, settings) as stores:
        if "customers" in chosen.dimensions:
            sizes = [size for size in _CUSTOMERS if size <= chosen.customers]
            say(f"customers of state: {sizes}")
            with private_redis() as url:
                own = _own(settings, url, stores.database_url)
                found += uvloop.run(many_customers(own, sizes, chosen.turns))
        if "history" in chosen.dimensions:
            say(f"payments of one customer: {list(_HISTORY)}")
            with private_redis() as url:
                own = _own(settings, url, stores.database_url)
                found += uvloop.run(long_history(own, _HISTORY, chosen.turns))
    return found


def _own(settings: Settings, redis_url: str, database_url: str) -> Settings:
    return settings.model_copy(
        update={
            "redis_url": SecretStr(redis_url),
            "database_url": SecretStr(database_url),
            # Time-outs must not cut the measured work short.
            "redis_timeout_ms": 10_000,
            "rebuild_wait_ms": 60_000,
        }
    )


def _stack(chosen: argparse.Namespace, settings: Settings, app: App) -> list[Point]:
    """Replicas and variants, on the running Quorum."""
    stack = Stack(settings)
    timing = Timing(chosen.seconds, 1.0)
    found: list[Point] = []
    asyncio.run(give_history(app, _PAYMENTS))
    with stack.restored(chosen.config) as applications:
        if "replicas" in chosen.dimensions:
            for number in range(1, chosen.replicas + 1):
                say(f"{number} replicas a pool")
                stack.deploy(with_replicas(applications, number), chosen.config)
                found.append(_measure(REPLICAS, number, app, settings.home, timing))
        if "variants" in chosen.dimensions:
            found += _variants(chosen, stack, applications, app, settings.home, timing)
    return found


def _variants(
    chosen: argparse.Namespace,
    stack: Stack,
    applications: Sequence[dict[str, object]],
    app: App,
    home: Path,
    timing: Timing,
) -> list[Point]:
    found = []
    with ExitStack() as ending:
        active = ending.enter_context(stack.plans())
        plans = [plan_of(active, n, n) for n in range(1, chosen.variants + 1)]
        ending.enter_context(stack.copies(plans[-1][1]))
        say(f"{chosen.variants} variants, {len(plans[-1][1])} of them copies")
        stack.deploy(with_copies(list(applications), plans[-1][1]), chosen.config)
        for number, (plan, _) in enumerate(plans, start=1):
            stack.switch(plan)
            found.append(_measure(VARIANTS, number, app, home, timing))
        # No combiner may ask for the copies once they are gone.
        stack.switch(active)
    return found


def _measure(dimension: str, size: int, app: App, home: Path, timing: Timing) -> Point:
    meter = Meter(lambda: [*app.processes(), *launch.store_processes(home)])
    one, many = asyncio.run(_runs(Field({QUORUM: app}, {QUORUM: meter}), timing))
    for run in (one, many):
        if run.failures or run.degraded:
            say(f"{dimension} {size}: {dict(run.failures)}, {run.degraded:.1%} degraded")
    values = {
        "p50 ms at 1 connection": one.p50_ms,
        "decisions/s at 128": many.per_s,
        "p50 ms at 128": many.p50_ms,
        "CPU ms a decision at 128": many.cpu_ms,
        "degraded at 128": many.degraded,
    }
    return Point(dimension, size, values)


async def _runs(field: Field, timing: Timing) -> tuple[Run, Run]:
    await field.idle_cores(QUORUM, 1.0)
    return await field.measure(QUORUM, _ONE, timing), await field.measure(QUORUM, _MANY, timing)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m loadtests.bench.scale")
    parser.add_argument("--dimensions", type=_dimensions, default=list(NAMES), metavar="NAME,...")
    parser.add_argument("--replicas", type=int, default=4, help="largest number in each pool")
    parser.add_argument("--variants", type=int, default=8, help="largest number in the plan")
    parser.add_argument(
        "--customers", type=int, default=_CUSTOMERS[-1], help="largest number with state"
    )
    parser.add_argument("--turns", type=int, default=15, help="measurements at each size")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of each load")
    parser.add_argument("--config", type=Path, default=Path("serve_config.yaml"))
    parser.add_argument("--json", action="store_true", help="print the points as JSON")
    return parser.parse_args(arguments)


def _dimensions(text: str) -> list[str]:
    return names_of(text, NAMES, "dimensions")


if __name__ == "__main__":
    # By default, SIGTERM would leave this deployment in place.
    signal.signal(signal.SIGTERM, interrupt)
    sys.exit(main())
