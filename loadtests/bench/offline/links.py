"""What a call between replicas costs: `python -m loadtests.bench.offline.links`.

A process scores 1 and 32 rows at once, with no model, for this one, which asks again and again, one
call after the other: over a Unix socket, over TCP with the proof alone, and over TCP with TLS. All
are on this machine, so what a cable adds is not in the figures. `--handle` also asks over a Serve
handle, for which it starts a node of Ray.

Rounds of all kinds take turns. The time of a kind is the median of its rounds' medians, as other
programs disturb some rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import multiprocessing
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import uvloop

from deployments.links.link import Link
from deployments.links.names import socket_path
from deployments.links.network.network import Network
from deployments.links.network.proof import Prover
from deployments.links.network.tls import Tls
from deployments.links.registry.interface import Entry
from deployments.links.server import LinkServer
from features.definitions import NAMES, SCHEMA_ID
from fraud.payment.batch import Float32
from fraud.score import VariantScores
from tests.contracts.fake_registry import FakeRegistry

ROWS = (1, 32)
TARGET = 2.0
"""The most that TCP may take, in times of a Unix socket."""
UNIX, TCP, TLS, HANDLE = "unix", "tcp", "tcp+tls", "handle"
_NAME = "bench~Pool~a"
_ADDRESS = "127.0.0.1"
_PORTS = (20_000, 20_999)

Call = Callable[[Float32, str], Awaitable[VariantScores]]


def score(values: Float32, schema_id: str) -> VariantScores:
    """Return a score for each row of float32[n, n_features]."""
    return VariantScores("v1", "0" * 64, np.asarray(values[:, 0], np.float64))


async def measured(calls: dict[str, Call], rounds: int, repeats: int) -> dict[str, dict[str, Any]]:
    """Return the microseconds of one call by kind and rows: {kind: {"1": us, "32": us}}, and the
    processor time of this end under `cpu`."""
    batches = {n: np.zeros((n, len(NAMES)), np.float32) for n in ROWS}
    took: dict[tuple[str, int], list[float]] = {(k, n): [] for k in calls for n in ROWS}
    cpu: dict[tuple[str, int], list[float]] = {key: [] for key in took}
    for call in calls.values():
        await _round(call, batches[1], repeats)  # warm
    gc.disable()
    for _ in range(rounds):
        for kind, n in took:
            began = time.process_time()
            took[kind, n].append(await _round(calls[kind], batches[n], repeats))
            cpu[kind, n].append((time.process_time() - began) / repeats * 1e6)
            gc.collect()
    gc.enable()
    return {
        kind: {
            **{str(n): round(median(took[kind, n]), 1) for n in ROWS},
            "cpu": {str(n): round(median(cpu[kind, n]), 1) for n in ROWS},
        }
        for kind in calls
    }


async def _round(call: Call, values: Float32, repeats: int) -> float:
    """Return the median of the microseconds of a call."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        await call(values, SCHEMA_ID)
        times.append(time.perf_counter() - began)
    return median(times) * 1e6


@asynccontextmanager
async def links(folder: Path) -> AsyncIterator[dict[str, Call]]:
    """Calls of a process over links of every kind."""
    pepper = secrets.token_hex()
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(folder, pepper, theirs), daemon=True)
    process.start()
    ports = await asyncio.to_thread(ours.recv)
    found = {UNIX: await Link.to(socket_path(folder, _NAME))}
    for kind, port in ports.items():
        entry = Entry(_NAME, _ADDRESS, port, "n1")
        found[kind] = await Link.over(_network(folder, pepper, kind), entry)
    try:
        yield {kind: _call(link) for kind, link in found.items()}
    finally:
        for link in found.values():
            link.hang_up()
        process.terminate()
        process.join()


def _call(link: Link) -> Call:
    return lambda values, schema_id: link.call("score", (values, schema_id), len(values))


def _serve(folder: Path, pepper: str, ready: Connection) -> None:
    """Serve links of every kind, and tell the ports."""

    async def serve() -> None:
        server = LinkServer({"score": score})
        await server.open(socket_path(folder, _NAME))
        servers = {kind: LinkServer({"score": score}) for kind in (TCP, TLS)}
        ready.send(
            {kind: s.listen(_network(folder, pepper, kind), _NAME) for kind, s in servers.items()}
        )
        await asyncio.Event().wait()

    uvloop.run(serve())


def _network(folder: Path, pepper: str, kind: str) -> Network:
    tls = Tls.of(_variables(folder)) if kind == TLS else None
    # The registry stays empty: the ports come over the pipe.
    return Network(_ADDRESS, "n1", _PORTS, Prover(pepper), tls, FakeRegistry)


def _variables(folder: Path) -> dict[str, str]:
    """Variables of a certificate that is its own authority."""
    certificate, key = str(folder / "node.crt"), str(folder / "node.key")
    return {
        "RAY_USE_TLS": "1",
        "RAY_TLS_SERVER_CERT": certificate,
        "RAY_TLS_SERVER_KEY": key,
        "RAY_TLS_CA_CERT": certificate,
    }


def _make_certificate(folder: Path) -> None:
    variables = _variables(folder)
    openssl = shutil.which("openssl")
    if openssl is None:
        raise SystemExit("openssl is needed for the certificate of TLS")
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-nodes", "-days", "2", "-subj", "/CN=bench"),
            *("-keyout", variables["RAY_TLS_SERVER_KEY"]),
            *("-out", variables["RAY_TLS_SERVER_CERT"]),
        ],
        check=True,
        capture_output=True,
    )


@asynccontextmanager
async def handle() -> AsyncIterator[dict[str, Call]]:
    """The same call over a Serve handle, on a node of Ray that is started for it."""
    import ray
    from ray import serve

    from deployments.remote_method import RemoteMethod

    @serve.deployment(max_ongoing_requests=256, ray_actor_options={"num_cpus": 0})
    class Scorer:
        async def score(self, values: Float32, schema_id: str) -> VariantScores:
            return score(values, schema_id)

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    serve.start(proxy_location="Disabled")
    try:
        bound = Scorer.bind()  # type: ignore[attr-defined]
        yield {HANDLE: RemoteMethod(serve.run(bound, name="bench"), "score")}
    finally:
        serve.shutdown()  # type: ignore[no-untyped-call]
        ray.shutdown()


async def _run(rounds: int, repeats: int, with_handle: bool) -> dict[str, dict[str, Any]]:
    folder = Path(tempfile.mkdtemp(prefix="quorum-bench-", dir="/tmp"))
    try:
        _make_certificate(folder)
        async with AsyncExitStack() as stack:
            # The handle first: links do not live through the seconds in which Ray starts, for which
            # nothing is pinged.
            remote = await stack.enter_async_context(handle()) if with_handle else {}
            calls = await stack.enter_async_context(links(folder))
            return await measured({**calls, **remote}, rounds, repeats)
    finally:
        shutil.rmtree(folder)


def main() -> None:
    """Measure, print, and fail if TCP takes too long."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--repeats", type=int, default=500)
    parser.add_argument("--handle", action="store_true", help="ask over a Serve handle as well")
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    found = uvloop.run(_run(options.rounds, options.repeats, options.handle))
    print(json.dumps(found, indent=2))
    for n in map(str, ROWS):
        times = found[TCP][n] / found[UNIX][n]
        print(f"{n} rows: TCP takes {times:.2f} times a Unix socket's", file=sys.stderr)
        if times > TARGET:
            sys.exit(f"target: at most {TARGET:g} times")


if __name__ == "__main__":
    main()
