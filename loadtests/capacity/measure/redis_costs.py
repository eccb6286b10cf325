"""What a decision costs Redis: the real feature store and rate limiter against a private server."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import redis

from features.service import FeatureService
from fraud.access.tiers import TIERS
from loadtests.capacity.measure.fit import Line, line
from loadtests.capacity.measure.traffic import TENANT, next_batch
from loadtests.payments import Payment, Playlist
from serve_app.gateway.ratelimit.interface import AdmissionRequest, Sender
from serve_app.gateway.ratelimit.redis import RedisLimiter
from settings.settings import Settings
from stores.redis.connection import RedisConnection

SIZES = (1, 2, 4, 8, 16, 64)
_ROWS_A_TURN = 1024
_HISTORY_ROWS = 64
_SAMPLE = 2000
_KINDS = re.compile(rb"q:(?:s:[^:]*:(?P<entity>[^:]*)|(?P<other>[tkr]))[:]")
_NAMES = {"t": "marker", "k": "features", "r": "limit"}


@dataclass(frozen=True, slots=True)
class RedisCosts:
    """What was measured.

    Attributes:
        cpu_us: processor time of the server for a micro-batch of n rows, microseconds.
        scripts: scripts called for a micro-batch of n rows.
        in_bytes, out_bytes: received and sent by the server for a micro-batch of n rows.
        kind_bytes: kind of key -> mean memory of one with its value, bytes: `customer`, `merchant`,
            `device`, `counterparty` (window states), `marker` (a payment that was seen),
            `features` (of one row, for retries), `limit` (a rate limit's counter).
        kinds: kind -> number of keys.
        overhead: memory of the data set per byte of `kind_bytes`.
    """

    cpu_us: Line
    scripts: Line
    in_bytes: Line
    out_bytes: Line
    kind_bytes: dict[str, float]
    kinds: dict[str, int]
    overhead: float


async def measure_redis(
    settings: Settings, payments: Sequence[Payment], turns: int = 5, passes: int = 4
) -> RedisCosts:
    """Measure micro-batches of several sizes, in turn, for customers with a history.

    Args:
        settings: name a PostgreSQL without these customers, and an empty Redis.
        payments: of the history; the same customers make them several times.
        turns: measurements of each size.
        passes: how often the payments are made before anything is measured.

    Raises:
        RuntimeError: Redis refuses payments.
    """
    assert settings.redis_url is not None
    url = settings.redis_url.get_secret_value()
    # The customers of the history, and some passes more: nobody is new while it is measured.
    playlist = Playlist(payments, passes=passes + 40)
    service = await FeatureService.connect(settings)
    limiter = RedisLimiter(RedisConnection(url, 2000))
    with redis.Redis.from_url(url) as client:
        try:
            drive = _Drive(service, limiter, client, playlist)
            for _ in range(passes * len(payments) // _HISTORY_ROWS):
                await drive.turn(_HISTORY_ROWS, _HISTORY_ROWS)
            memory = _memory(client)
            taken: dict[int, list[list[float]]] = {size: [] for size in SIZES}
            for _ in range(turns):
                for size in SIZES:
                    taken[size].append(await drive.turn(size, _ROWS_A_TURN))
        finally:
            await service.close()
            await limiter.close()
    figures = [[median(column) for column in zip(*taken[size], strict=True)] for size in SIZES]
    cpu, scripts, received, sent = (line(SIZES, c) for c in zip(*figures, strict=True))
    return RedisCosts(cpu, scripts, received, sent, *memory)


class _Drive:
    """Makes micro-batches as an ingress and a feature replica do: admit, observe, remember."""

    def __init__(
        self,
        service: FeatureService,
        limiter: RedisLimiter,
        client: redis.Redis,
        playlist: Playlist,
    ) -> None:
        self._service = service
        self._limiter = limiter
        self._client = client
        self._playlist = playlist

    async def turn(self, size: int, rows: int) -> list[float]:
        """Return processor time in microseconds, scripts called, bytes in and bytes out, for one
        micro-batch of `size`."""
        number = rows // size
        batches = [next_batch(self._playlist, size) for _ in range(number)]
        before = self._read()
        for batch in batches:
            sender = Sender("key", TENANT, TIERS["demo"], batch.customer_id)
            await self._limiter.admit(AdmissionRequest.of([sender]))
            # The first payment of a customer waits for PostgreSQL, which knows nobody.
            features = await self._service.fetch(batch)
            if any(features.degraded):
                missing = sorted({why for row in features.degraded for why in row})
                raise RuntimeError(f"Redis refuses payments: {', '.join(missing)}")
        # What goes on after the answer belongs to it.
        await asyncio.sleep(0.01)
        return [(b - a) / number for a, b in zip(before, self._read(), strict=True)]

    def _read(self) -> tuple[float, float, float, float]:
        info: dict[str, Any] = self._client.info("everything")
        return (
            1e6 * (float(info["used_cpu_user"]) + float(info["used_cpu_sys"])),
            float(sum(info[f"cmdstat_{name}"]["calls"] for name in _sent(info))),
            float(info["total_net_input_bytes"]),
            float(info["total_net_output_bytes"]),
        )


def _sent(info: dict[str, Any]) -> list[str]:
    """The commands that the store and the limiter send themselves, outside of scripts."""
    return [name for name in ("evalsha", "eval") if f"cmdstat_{name}" in info]


def _memory(client: redis.Redis) -> tuple[dict[str, float], dict[str, int], float]:
    found: dict[str, list[float]] = {}
    numbers: dict[str, int] = {}
    for key in client.scan_iter("q:*", count=10_000):
        match = _KINDS.match(key)
        if match is None:
            continue
        kind = match["entity"].decode() if match["entity"] else _NAMES[match["other"].decode()]
        numbers[kind] = numbers.get(kind, 0) + 1
        sample = found.setdefault(kind, [])
        if len(sample) < _SAMPLE:
            sample.append(float(client.memory_usage(key) or 0))
    means = {kind: sum(sample) / len(sample) for kind, sample in found.items()}
    counted = sum(means[kind] * number for kind, number in numbers.items())
    info: dict[str, Any] = client.info("memory")
    # One value holds the rows of a micro-batch.
    means["features"] = means.get("features", 0.0) / _HISTORY_ROWS
    return means, numbers, float(info["used_memory_dataset"]) / counted if counted else 1.0
