"""`make bench`: Quorum beside apps that do the same work.

    python -m loadtests.bench --rounds 3

All apps are measured in one run, in turn, on one machine; see docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import FrameType

import asyncpg
import psutil
import redis
import uvloop

from loadtests.bench import launch
from loadtests.bench.agreement import Agreement, Unanswered, ask, compare, of_few_customers
from loadtests.bench.app import DOCS, NO_OP, QUORUM, TUNED, App
from loadtests.bench.cost import Meter, resident_mib
from loadtests.bench.growth import Growth, measure_growth, total_mib
from loadtests.bench.medians import medians
from loadtests.bench.options import options
from loadtests.bench.picture import draw
from loadtests.bench.results import Results
from loadtests.bench.rounds import (
    BATCH,
    BATCH_CONNECTIONS,
    CLOSED,
    OPEN,
    Field,
    Load,
    Timing,
    give_history,
    rounds,
    say,
)
from loadtests.bench.table import markdown
from loadtests.bench.targets import targets
from loadtests.history import history_file
from loadtests.memory import memory_by_role
from loadtests.payments import Payment, Playlist, read_payments
from loadtests.processes import NoNode
from loadtests.target import NoTarget, Target
from settings.settings import Settings

_IDLE_S = 3.0
_UNMEASURABLE = (
    *(NoTarget, NoNode, launch.NotStarted, Unanswered, ValueError, OSError),
    *(subprocess.SubprocessError, asyncpg.PostgresError, redis.RedisError),
)


def main(arguments: list[str] | None = None) -> int:
    """Measure and report. Returns 1 if a request failed or an app disagrees with Quorum, 2 if
    nothing can be measured."""
    chosen = options(arguments)
    try:
        target = launch.quorum_target()
        os.environ["QUORUM_HOME"] = str(target.home)
        payments = read_payments(history_file(target.home), chosen.payments)
        with ExitStack() as stack:
            apps = _start_apps(chosen, target, payments, stack)
            found = uvloop.run(_measure(chosen, target, payments, apps))
    except _UNMEASURABLE as error:
        print(f"error: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    text = markdown(found)
    _write(found, text, target.home / "reports")
    print(json.dumps(found.document(), indent=2) if chosen.json else text)
    failed = any(run.failures for run in found.runs)
    return 1 if failed or not all(agreement.holds for agreement in found.agreements) else 0


def _start_apps(
    chosen: argparse.Namespace, target: Target, payments: list[Payment], stack: ExitStack
) -> dict[str, App]:
    settings = Settings.load()
    apps = {QUORUM: launch.quorum(target, payments)}
    makers: dict[str, Callable[[], AbstractContextManager[App]]] = {
        TUNED: lambda: launch.tuned(target, payments, settings, chosen.port),
        DOCS: lambda: launch.docs(target, payments, settings, chosen.port + 1),
        NO_OP: lambda: launch.no_op(target, payments),
    }
    for name in chosen.apps:
        if name in makers:
            say(f"starting {name}")
            apps[name] = stack.enter_context(makers[name]())
    return apps


async def _measure(
    chosen: argparse.Namespace, target: Target, payments: list[Payment], apps: dict[str, App]
) -> Results:
    meters = {name: Meter(_with_stores(app, target.home)) for name, app in apps.items()}
    field = Field(apps, meters)
    agreements = await _agreements(field, payments, chosen.agree_on)
    for name, app in apps.items():
        if app.decides:
            with field.alone(name):
                await give_history(app, len(payments))
    idle = {name: await field.idle_cores(name, _IDLE_S) for name in apps}
    timing = Timing(chosen.seconds, chosen.warm_up)
    began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    runs = await rounds(field, _loads(chosen), chosen.rounds, timing)
    memory = {name: resident_mib(app.processes()) for name, app in apps.items()}
    roles = memory_by_role(target.home)
    growth: list[Growth] = []
    if chosen.growth:
        with field.alone(QUORUM) as app:
            growth = await measure_growth(app, target.home, chosen.growth)
    found = medians(runs)
    variants = [m.rss_mib / m.processes for m in roles if m.role.startswith("variant-")]
    return Results(
        {
            "measured": began,
            "processors": f"{os.cpu_count()}, shared with the load generator",
            "rounds": str(chosen.rounds),
            "seconds of a measurement": f"{chosen.seconds:g} after {chosen.warm_up:g}",
            "payments": f"{chosen.payments:,}, repeated, of known customers",
        },
        targets(found, max(variants, default=math.nan) * 2**20 / 1e6, _total(growth)),
        found,
        runs,
        agreements,
        memory,
        idle,
        roles,
        growth,
    )


def _with_stores(app: App, home: Path) -> Callable[[], list[psutil.Process]]:
    return lambda: [*app.processes(), *launch.store_processes(home)]


def _total(growth: Sequence[Growth]) -> float:
    return total_mib(growth) if growth else math.nan


def _loads(chosen: argparse.Namespace) -> list[Load]:
    return [
        *(Load(CLOSED, connections) for connections in chosen.connections),
        Load(BATCH, BATCH_CONNECTIONS),
        *(Load(OPEN, rate) for rate in chosen.rates),
    ]


async def _agreements(field: Field, payments: list[Payment], number: int) -> list[Agreement]:
    """Compare each app that decides with Quorum."""
    few = of_few_customers(payments, number)
    playlist = Playlist(few)
    orders = [playlist.take() for _ in few]
    answers = {}
    for name, app in field.apps.items():
        if app.decides:
            with field.alone(name):
                answers[name] = await ask(app, orders)
    found = [
        compare(name, answers[QUORUM], theirs) for name, theirs in answers.items() if name != QUORUM
    ]
    for agreement in found:
        say(f"{agreement.app} differs in {agreement.differing} of {agreement.payments} payments")
    return found


def _write(results: Results, text: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"bench-{time.strftime('%Y%m%d-%H%M%S')}.md"
    path.write_text(text)
    path.with_suffix(".json").write_text(json.dumps(results.document(), indent=2))
    draw(results.medians, path.with_suffix(".png"))
    say(f"report: {path}")


def interrupt(*_: int | FrameType | None) -> None:
    """Signal handler that lets everything be cleaned up."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    # By default, these signals would leave everything running that was started here.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    sys.exit(main())
