"""The rounds: every app is measured at every load, in turn, several times."""

from __future__ import annotations

import asyncio
import math
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from loadtests import closed_loop, open_loop
from loadtests.bench.app import BATCH_ROWS, QUORUM, App
from loadtests.bench.cost import Meter
from loadtests.bench.pausing import Pause

CLOSED, BATCH, OPEN = "closed", "batch", "open"
BATCH_CONNECTIONS = 4
_PRELUDE_S = 120.0
_BREATH_S = 0.5


@dataclass(frozen=True, slots=True)
class Load:
    """A kind and amount of requests.

    Attributes:
        mode: `CLOSED` and `BATCH`: connections that always have a request in flight; `OPEN`:
            requests by a schedule.
        amount: number of connections, or requests a second.
    """

    mode: str
    amount: int


@dataclass(frozen=True, slots=True)
class Run:
    """The figures of one measurement.

    Attributes:
        app, load: the app, and the load that it was under.
        per_s: decisions (rows) a second.
        p50_ms, p90_ms, p99_ms: of a request; in an open loop from the intended start.
        cpu_ms: processor time a decision of the app, PostgreSQL and Redis together, with the work
            left after the load; NaN without decisions, or if it is unknown.
        failures: fault -> count.
        client_cores: cores that this client kept busy.
        degraded: share of degraded decisions, in [0, 1].
    """

    app: str
    load: Load
    per_s: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    cpu_ms: float
    failures: Mapping[str, int]
    client_cores: float
    degraded: float


@dataclass(frozen=True, slots=True)
class Timing:
    """Length of a measurement: `seconds`, after `warm_up_s` that do not count."""

    seconds: float
    warm_up_s: float


class Field:
    """The running apps, with a meter for each.

    Args:
        apps: by name.
        meters: by name, of each app with the stores.
    """

    def __init__(self, apps: Mapping[str, App], meters: Mapping[str, Meter]) -> None:
        self.apps = apps
        self._meters = meters

    @contextmanager
    def alone(self, name: str) -> Iterator[App]:
        """Yield an app while all others are stopped."""
        app = self.apps[name]
        others = {other.node: other for other in self.apps.values() if other.node != app.node}
        pauses: list[Pause] = []
        try:
            pauses += [Pause(other.processes()) for other in others.values()]
            yield app
        finally:
            for pause in pauses:
                pause.end()

    async def idle_cores(self, name: str, seconds: float) -> float:
        """Return the cores that an app uses when idle."""
        with self.alone(name):
            await self._meters[name].settle()
            return await self._meters[name].learn_idle(seconds)

    async def measure(self, name: str, load: Load, timing: Timing) -> Run:
        """Measure an app under a load."""
        meter = self._meters[name]
        with self.alone(name) as app:
            await asyncio.sleep(_BREATH_S)
            meter.look()
            before_s = meter.read_s()
            figures, rows = await _under(app, load, timing)
            # Processes that started meanwhile count from their start.
            meter.look()
            used_s = meter.read_s() - before_s
            used_s += await meter.settle()
        decided = figures.answered * rows
        return Run(
            name,
            load,
            figures.per_s * rows,
            figures.p50_ms,
            figures.p90_ms,
            figures.p99_ms,
            # If a worker has ended meanwhile, the time it used before is missing.
            used_s * 1000 / decided if decided and used_s > 0 else math.nan,
            figures.failures,
            figures.client_cpu,
            figures.degraded / decided if decided else 0.0,
        )


async def rounds(field: Field, loads: Sequence[Load], number: int, timing: Timing) -> list[Run]:
    """Measure every app `number` times under every load that suits it."""
    found: list[Run] = []
    for nth in range(number):
        for load in loads:
            # The order alternates.
            for name in list(field.apps)[:: 1 if nth % 2 == 0 else -1]:
                if can_take(field.apps[name], load, found):
                    run = await field.measure(name, load, timing)
                    found.append(run)
                    say(f"round {nth + 1}: {line(run)}")
    return found


def can_take(app: App, load: Load, found: Sequence[Run]) -> bool:
    """Return whether a load suits this app, given the runs so far.

    An open load of twice what an app reached in a closed loop shows nothing new and takes long.
    Quorum is measured all the same.
    """
    if load.mode == BATCH:
        return app.takes_batches
    if load.mode == CLOSED or not app.decides:
        return load.mode == CLOSED
    reached = [r.per_s for r in found if r.app == app.name and r.load.mode == CLOSED]
    return app.name == QUORUM or load.amount < 2 * max(reached, default=math.inf)


async def give_history(app: App, payments: int) -> None:
    """Give customers a history. Without one, the first payment of each would cost a query in
    PostgreSQL, which is not what is measured."""
    requests = -(-payments // BATCH_ROWS)
    if not app.takes_batches:
        await asyncio.to_thread(_warm, app, requests)
        return
    figures = await closed_loop.run_number(app.batch(), 2, requests, _PRELUDE_S)
    if figures.failures:
        say(f"{app.name}: giving history by {requests} batches had failures: {figures.failures}")


def _warm(app: App, requests: int) -> None:
    bodies = [app.playlist.take_batch(BATCH_ROWS)[1] for _ in range(requests)]
    subprocess.run(
        [sys.executable, "-m", "loadtests.bench.apps.warm"],
        check=True,
        timeout=_PRELUDE_S,
        input=b"\n".join(bodies),
        # No client waits for an answer here.
        env={**os.environ, **app.environment, "QUORUM_REBUILD_WAIT_MS": "60000"},
        stdout=subprocess.DEVNULL,
    )


def line(run: Run) -> str:
    """Return a run as one line of text."""
    return (
        f"{run.app} {run.load.mode} {run.load.amount}: {run.per_s:,.0f}/s, p50 {run.p50_ms:.2f} "
        f"p99 {run.p99_ms:.2f} ms, {run.cpu_ms:.2f} ms CPU"
        + (f", {run.degraded:.0%} degraded" if run.degraded else "")
        + (f", failures {dict(run.failures)}" if run.failures else "")
    )


def say(text: str) -> None:
    """Print a line of progress."""
    print(text, file=sys.stderr, flush=True)


async def _under(
    app: App, load: Load, timing: Timing
) -> tuple[closed_loop.Figures | open_loop.OpenFigures, int]:
    if load.mode == OPEN:
        opened = await open_loop.run(app.single(), load.amount, timing.seconds, timing.warm_up_s)
        return opened, 1
    endpoint, rows = (app.batch(), BATCH_ROWS) if load.mode == BATCH else (app.single(), 1)
    return await closed_loop.run(endpoint, load.amount, timing.seconds, timing.warm_up_s), rows
