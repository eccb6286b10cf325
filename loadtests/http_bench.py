"""How fast a running Quorum answers, beside the ceiling of its stack.

    python -m loadtests.http_bench --no-op

A closed loop at 1, 32 and 128 connections. With `--no-op` the same client measures, in the same
run and in turn, an app that does nothing on the same Ray cluster behind the same HAProxy.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvloop

from loadtests.closed_loop import Figures, run
from loadtests.history import payments_to_play
from loadtests.memory import memory_by_role
from loadtests.noop_app import ANSWER, ROUTE
from loadtests.payments import Playlist
from loadtests.processes import NoNode, ray_environment
from loadtests.report import document, markdown
from loadtests.target import NoTarget, Target, find_target
from loadtests.wire import Endpoint

PATH = "/v1/decisions"
_NOOP_S = 120
_PRELUDE_ROWS = 200
_ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str] | None = None) -> int:
    """Measure and report on stdout. Returns 1 if anything failed, 2 if nothing can be measured."""
    options = _options(arguments)
    try:
        target = find_target()
        playlist = Playlist(payments_to_play(target.home))
    except (NoTarget, ValueError, OSError, subprocess.SubprocessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    try:
        rounds = _measured(options, target, playlist)
    except (NoNode, OSError, subprocess.SubprocessError) as error:
        print(f"error: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    memory = memory_by_role(target.home)
    about = {
        "url": options.url or target.url + PATH,
        "seconds": options.seconds,
        "rounds_made": options.rounds,
        "processors": os.cpu_count(),
    }
    if options.json:
        print(json.dumps(document(rounds, memory, about), indent=2))
    else:
        print(markdown(rounds, memory))
    return _verdict(rounds)


def _measured(
    options: argparse.Namespace, target: Target, playlist: Playlist
) -> dict[str, list[Figures]]:
    url = options.url or target.url + PATH
    endpoints = {"quorum": Endpoint(url, target.api_key, lambda: _decision(playlist))}
    if not options.no_op:
        return uvloop.run(_rounds(options, endpoints, playlist))
    with _noop(ray_environment(target.home)):
        base = urlsplit(url)
        beside = f"{base.scheme}://{base.netloc}{ROUTE}"
        endpoints["no-op"] = Endpoint(beside, "", lambda: (playlist.take().body, ANSWER))
        return uvloop.run(_rounds(options, endpoints, playlist))


async def _rounds(
    options: argparse.Namespace, endpoints: dict[str, Endpoint], playlist: Playlist
) -> dict[str, list[Figures]]:
    """Every endpoint at every number of connections, again and again, in turn."""
    found: dict[str, list[Figures]] = {name: [] for name in endpoints}
    if options.prelude:
        await _prelude(endpoints["quorum"], playlist, options.prelude)
    for number in range(options.rounds):
        for connections in options.connections:
            # Whoever came first last time comes second now.
            order = list(endpoints)[:: 1 if number % 2 == 0 else -1]
            for name in order:
                figures = await run(endpoints[name], connections, options.seconds, options.warm_up)
                found[name].append(figures)
                _say(f"round {number + 1}: {name} {_line(figures)}")
                await asyncio.sleep(0.5)
    return found


async def _prelude(endpoint: Endpoint, playlist: Playlist, seconds: float) -> None:
    """Give the customers of the playlist a history: the first payment of each finds none, which
    costs a look into PostgreSQL and is not what is measured."""

    def prepare() -> tuple[bytes, bytes]:
        orders, body = playlist.take_batch(_PRELUDE_ROWS)
        return body, orders[-1].transaction_id.encode()

    batches = replace(endpoint, url=f"{endpoint.url.removesuffix('/')}/batch", prepare=prepare)
    figures = await run(batches, 4, seconds, warm_up_s=0)
    _say(f"prelude: {figures.requests * _PRELUDE_ROWS:,} payments; failures: {figures.failures}")


def _decision(playlist: Playlist) -> tuple[bytes, bytes]:
    """A request, and what only its own answer holds."""
    order = playlist.take()
    return order.body, b'"transaction_id":"%b"' % order.transaction_id.encode()


@contextmanager
def _noop(ray: dict[str, str]) -> Iterator[None]:
    _say("deploying the no-op application")
    try:
        # In the `try`: a deployment that fails halfway is removed too.
        _noop_command("up", ray)
        yield
    finally:
        _noop_command("down", ray)


def _noop_command(command: str, ray: dict[str, str]) -> None:
    # A process of its own: a Ray driver's threads would share this one's time.
    subprocess.run(
        [sys.executable, "-m", "loadtests.noop_app", command],
        check=True,
        timeout=_NOOP_S,
        cwd=_ROOT,
        env=os.environ | ray,
        stdout=subprocess.DEVNULL,
    )


def _verdict(rounds: dict[str, list[Figures]]) -> int:
    failures = [(name, f.failures) for name, run in rounds.items() for f in run if f.failures]
    for name, said in failures:
        _say(f"failures of {name}: {said}")
    empty = any(f.requests == 0 for run in rounds.values() for f in run)
    return 1 if failures or empty else 0


def _line(figures: Figures) -> str:
    return (
        f"c={figures.connections}: {figures.per_s:,.0f}/s, p50 {figures.p50_ms:.2f} ms, "
        f"p99 {figures.p99_ms:.2f} ms"
    )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _numbers(text: str) -> list[int]:
    numbers = [int(part) for part in text.split(",")]
    if min(numbers) < 1:
        raise argparse.ArgumentTypeError("connections must be at least 1")
    return numbers


def _options(arguments: list[str] | None) -> Any:
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.http_bench",
        description="Latency and requests a second of a running Quorum. It is found by QUORUM_URL "
        "and QUORUM_API_KEY, or by the demo.env that `quorum up` wrote.",
    )
    parser.add_argument("--url", help=f"what is measured; default: {PATH} of QUORUM_URL")
    parser.add_argument("--connections", type=_numbers, default=[1, 32, 128], metavar="N,N,...")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    parser.add_argument("--warm-up", type=float, default=1.0, help="seconds that do not count")
    parser.add_argument("--prelude", type=float, default=10.0, help="seconds of batches before")
    parser.add_argument("--rounds", type=int, default=3, help="medians are over these")
    parser.add_argument("--no-op", action="store_true", help="measure the stack's ceiling too")
    parser.add_argument("--json", action="store_true", help="print all figures as JSON")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
