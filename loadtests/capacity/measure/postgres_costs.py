"""What a record costs PostgreSQL: the real sink of the decision log against a server of its own."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import asyncpg
import numpy as np
import psutil

from decision_log.entry import encode
from decision_log.shipping.postgres_sink import PostgresSink
from features.service import FeatureService
from fraud.record import RecordBatch
from loadtests.bench.cost import Meter, tree
from loadtests.capacity.measure.counting_proxy import counting
from loadtests.capacity.measure.fit import Line, line
from loadtests.capacity.measure.traffic import decided, next_batch
from loadtests.payments import Payment, Playlist
from settings.settings import Settings
from stores.statements import statement

SIZES = (1, 8, 32, 128, 500)
_ENTRY_ROWS = 16
"""Rows of an entry of the log: micro-batches are shipped together."""
_PAGE = 8192
_TABLES = ("transactions", "decisions")
_STATE = statement("loadtests/capacity/measure/postgres_state.sql")


@dataclass(frozen=True, slots=True)
class PostgresCosts:
    """What was measured, for a transaction of n records.

    Attributes:
        cpu_us: processor time of the server, microseconds.
        client_us: processor time of the shipper, microseconds.
        took_ms: duration on an idle server, its disk flush included, milliseconds.
        wal_bytes: write-ahead log.
        sent_bytes: sent to the server.
        table_bytes, index_bytes: growth of tables and of indexes, of one record.
        random_indexes: indexes that a record adds to at a random place.
        log_bytes: size of a record in the log on a node's disk.
    """

    cpu_us: Line
    client_us: Line
    took_ms: Line
    wal_bytes: Line
    sent_bytes: Line
    table_bytes: float
    index_bytes: float
    random_indexes: float
    log_bytes: float


async def measure_postgres(
    settings: Settings,
    payments: Sequence[Payment],
    postmaster: int,
    loaded: int = 30_000,
    turns: int = 5,
) -> PostgresCosts:
    """Measure transactions of several sizes, in turn.

    Args:
        settings: name a migrated, empty PostgreSQL and an empty Redis.
        payments: of the history; they are decided on by random votes.
        postmaster: pid of the server.
        loaded: records that are written before anything is measured.
        turns: measurements of each size.
    """
    assert settings.database_url is not None
    url = settings.database_url.get_secret_value()
    playlist = Playlist(payments, passes=100)
    service = await FeatureService.connect(settings)
    meter = Meter(lambda: tree(psutil.Process(postmaster)))
    async with counting(url) as traffic:
        connection, sink = await asyncpg.connect(url), PostgresSink(traffic.url)
        try:
            maker = _Maker(service, playlist)
            log_bytes = _log_bytes(await maker.make(64 * _ENTRY_ROWS))
            before = await connection.fetchrow(_STATE)
            for _ in range(loaded // SIZES[-1]):
                await sink.insert(await maker.make(SIZES[-1]))
            grown = _grown(before, await connection.fetchrow(_STATE))
            rows = SIZES[-1] * (loaded // SIZES[-1])
            taken: dict[int, list[list[float]]] = {size: [] for size in SIZES}
            for _ in range(turns):
                for size in SIZES:
                    batches = [await maker.make(size) for _ in range(max(4, 1000 // size))]
                    meter.look()
                    begin = _Reading(meter, traffic.sent, await connection.fetchrow(_STATE))
                    for batch in batches:
                        await sink.insert(batch)
                    end = _Reading(meter, traffic.sent, await connection.fetchrow(_STATE))
                    taken[size].append(end.since(begin, len(batches)))
        finally:
            await sink.close()
            await connection.close()
            await service.close()
    figures = [[median(column) for column in zip(*taken[size], strict=True)] for size in SIZES]
    cpu, client, took, wal, sent = (line(SIZES, c) for c in zip(*figures, strict=True))
    return PostgresCosts(
        *(cpu, client, took, wal, sent),
        grown["tables"] / rows,
        grown["indexes"] / rows,
        grown["random_indexes"],
        log_bytes,
    )


class _Reading:
    def __init__(self, meter: Meter, sent: int, state: Any) -> None:
        self.values = (
            1e6 * meter.read_s(),
            1e6 * time.thread_time(),
            1e3 * time.perf_counter(),
            float(state["wal"]),
            float(sent),
        )

    def since(self, before: _Reading, number: int) -> list[float]:
        """Return what each of `number` transactions took, > 0."""
        pairs = zip(before.values, self.values, strict=True)
        return [max(1e-3, (b - a) / number) for a, b in pairs]


class _Maker:
    def __init__(self, service: FeatureService, playlist: Playlist) -> None:
        self._service = service
        self._playlist = playlist
        self._rng = np.random.default_rng(5)

    async def make(self, rows: int) -> list[RecordBatch]:
        """Return records of `rows` decisions on real features, in entries of the log."""
        found = []
        for start in range(0, rows, _ENTRY_ROWS):
            batch = next_batch(self._playlist, min(_ENTRY_ROWS, rows - start))
            features = await self._service.fetch(batch)
            at_ms = time.time_ns() // 1_000_000
            found.append(decided(batch, features, at_ms, self._rng))
        return found


def _log_bytes(batches: Sequence[RecordBatch]) -> float:
    rows = sum(len(batch) for batch in batches)
    return sum(len(payload) for batch in batches for payload in encode(batch)) / rows


def _grown(before: Any, after: Any) -> dict[str, float]:
    grown = {name: float(after[name] - before[name]) for name in ("tables", "indexes")}
    return grown | {"random_indexes": float(after["random_indexes"])}
