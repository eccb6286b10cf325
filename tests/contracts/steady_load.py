"""Payments at a steady rate to a running Quorum, and a timeline of what happened meanwhile."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from tests.contracts.front import payment

_LANES = 8
_WAIT_S = 30.0


@dataclass
class Answers:
    """What a client has seen so far. Written by the load's thread, read by the test's.

    Attributes:
        decided: bodies of answers with status 200, in order of arrival.
        failures: status and text of every other answer, or the error instead of one.
        took: of each request, answered or failed: when it was sent, in monotonic seconds, and how
            many seconds it took.
    """

    decided: list[dict[str, Any]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    took: list[tuple[float, float]] = field(default_factory=list)

    @property
    def sent(self) -> int:
        """Requests answered or failed."""
        return len(self.decided) + len(self.failures)

    @property
    def last(self) -> dict[str, Any]:
        """The newest answer; {} if there is none."""
        return self.decided[-1] if self.decided else {}


@dataclass(frozen=True)
class Client:
    """A client of the load.

    Attributes:
        key: its API key.
        fields: of its payments that differ from others'.
    """

    key: str
    fields: Mapping[str, Any] = field(default_factory=dict)


@contextmanager
def steady_load(
    url: str, clients: Sequence[Client], rate: float, prefix: str, at_once: int = 1
) -> Iterator[list[Answers]]:
    """Send payments until the block ends: each once, its answer awaited, nothing tried again.

    Args:
        url: of a running Quorum.
        clients: they take turns.
        rate: requests a second, of all clients together. A slow answer delays only its own lane.
        prefix: of transaction ids.
        at_once: payments that a lane sends at the same moment.

    Yields:
        The answers of each client.
    """
    answers = [Answers() for _ in clients]
    stop = threading.Event()
    load = _Load(clients, answers, rate, prefix, at_once)
    thread = threading.Thread(target=lambda: asyncio.run(load.run(url, stop)), daemon=True)
    thread.start()
    try:
        yield answers
    finally:
        stop.set()
        thread.join(2 * _WAIT_S)
        assert not thread.is_alive(), "the load does not end"


class _Load:
    """The lanes of a load. See `steady_load`."""

    def __init__(
        self,
        clients: Sequence[Client],
        answers: Sequence[Answers],
        rate: float,
        prefix: str,
        at_once: int,
    ) -> None:
        self._turns = itertools.cycle(zip(clients, answers, strict=True))
        self._between_s = at_once / rate
        self._at_once = at_once
        self._prefix = prefix
        self._numbers = itertools.count()

    async def run(self, url: str, stop: threading.Event) -> None:
        """Send until `stop` is set, and wait for the last answers."""
        limits = httpx.Limits(max_connections=_LANES * self._at_once)
        async with httpx.AsyncClient(
            base_url=url, timeout=_WAIT_S, limits=limits, trust_env=False
        ) as http:
            await asyncio.gather(*(self._lane(i, http, stop) for i in range(_LANES)))

    async def _lane(self, lane: int, http: httpx.AsyncClient, stop: threading.Event) -> None:
        due_s = time.monotonic() + lane * self._between_s
        while not stop.is_set():
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            # A lane that fell behind does not make up for more than a second.
            due_s = max(due_s, time.monotonic() - 1.0) + _LANES * self._between_s
            await asyncio.gather(*(self._pay(http) for _ in range(self._at_once)))

    async def _pay(self, http: httpx.AsyncClient) -> None:
        (client, answers), number = next(self._turns), next(self._numbers)
        body = payment(
            transaction_id=f"{self._prefix}-{number}",
            customer_id=f"c-{number % 40}",
            timestamp=datetime.now(UTC).isoformat(),
            **{"amount": f"{5 + number * 37 % 900}.{number % 100:02d}"} | dict(client.fields),
        )
        headers = {"x-api-key": client.key}
        sent_s = time.monotonic()
        try:
            answer = await http.post("/v1/decisions", json=body, headers=headers)
        except httpx.HTTPError as error:
            answers.failures.append(f"{number}: {type(error).__name__} {error}")
            return
        finally:
            answers.took.append((sent_s, time.monotonic() - sent_s))
        if answer.status_code == 200:
            answers.decided.append(answer.json())
        else:
            answers.failures.append(f"{number}: {answer.status_code} {answer.text[:300]}")


class Timeline:
    """Events with the time since the first, and with the requests and failures so far.

    Args:
        answers: of the load.
    """

    def __init__(self, answers: Sequence[Answers]) -> None:
        self._answers = answers
        self._began_s = time.monotonic()
        self.lines: list[str] = []

    def note(self, event: str) -> None:
        """Note an event that happens now."""
        at_s = time.monotonic() - self._began_s
        sent = sum(answers.sent for answers in self._answers)
        failed = sum(len(answers.failures) for answers in self._answers)
        self.lines.append(f"{at_s:6.1f} s  {sent:5d} requests  {failed:2d} failed  {event}")
        print(self.lines[-1], flush=True)

    def __str__(self) -> str:
        return "\n".join(self.lines) + "\n"
