"""Compares the answers of apps to the same payments, sent one after the other, of customers who are
new to all apps."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loadtests.bench.app import App
from loadtests.payments import Order, Payment
from loadtests.wire import Connection, Endpoint, Requests, connect

TOLERANCE = 1e-6
_ANSWER_S = 30.0
_MOST_DEGRADED = 0.05


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of an app to a payment."""

    probability: float
    decision: str
    degraded: bool


@dataclass(frozen=True, slots=True)
class Agreement:
    """How an app compares with Quorum.

    Attributes:
        app: the other app.
        payments: number of payments sent to both.
        differing: payments with different decisions, or probabilities further apart than
            `TOLERANCE`, without those that got a degraded answer.
        degraded: payments that got a degraded answer from either app.
        worst: largest difference of probabilities, without degraded answers.
        flagged: payments that were not approved; without any, agreement is easy.
    """

    app: str
    payments: int
    differing: int
    degraded: int
    worst: float
    flagged: int

    @property
    def holds(self) -> bool:
        """Whether the apps agree. Degraded answers cannot be compared, so there must be few."""
        little = self.degraded <= self.payments * _MOST_DEGRADED
        return self.differing == 0 and self.payments > 0 and little


class Unanswered(Exception):
    """An app did not answer a payment."""


def compare(app: str, ours: Sequence[Answer], theirs: Sequence[Answer]) -> Agreement:
    """Compare two apps' answers to the same payments, in the same order."""
    paired = list(zip(ours, theirs, strict=True))
    pairs = [(a, b) for a, b in paired if not (a.degraded or b.degraded)]
    apart = [abs(a.probability - b.probability) for a, b in pairs]
    differing = sum(
        a.decision != b.decision or not gap <= TOLERANCE
        for (a, b), gap in zip(pairs, apart, strict=True)
    )
    return Agreement(
        app,
        len(paired),
        differing,
        len(paired) - len(pairs),
        max(apart, default=0.0),
        sum(a.decision != "approve" for a in ours),
    )


async def ask(app: App, orders: Sequence[Order]) -> list[Answer]:
    """Send payments to an app, one at a time, and return its answers.

    Raises:
        Unanswered: a payment gets no answer.
        OSError: nothing listens there.
    """
    return [read_answer(body) for body in await _answers(app, orders)]


def read_answer(body: Mapping[str, Any]) -> Answer:
    """Read the document of an answer."""
    return Answer(float(body["probability"]), str(body["decision"]), bool(body["degraded"]))


async def _answers(app: App, orders: Sequence[Order]) -> list[dict[str, Any]]:
    """Return the documents of the answers."""
    rest = iter(orders)
    found: list[dict[str, Any]] = []
    finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def prepare() -> tuple[bytes, bytes]:
        order = next(rest)
        return order.body, b'"transaction_id":"%b"' % order.transaction_id.encode()

    requests = Requests(Endpoint(app.url, app.api_key, prepare))

    def answered(connection: Connection, answer: bytes, now: float) -> None:
        fault = requests.fault(answer, connection.expected)
        if fault is not None:
            finished.set_exception(Unanswered(f"{app.name}: {fault}"))
            return
        found.append(json.loads(answer.partition(b"\r\n\r\n")[2]))
        if len(found) == len(orders):
            finished.set_result(None)
        else:
            connection.send(*requests.make(), now)

    def broken(_: Connection, why: str) -> None:
        finished.set_exception(Unanswered(f"{app.name}: {why}"))

    (connection,) = await connect(Endpoint(app.url, app.api_key, prepare), 1, answered, broken)
    try:
        connection.send(*requests.make(), 0.0)
        async with asyncio.timeout(_ANSWER_S + len(orders)):
            await finished
    finally:
        connection.close()
    return found


def of_few_customers(payments: Sequence[Payment], number: int) -> list[Payment]:
    """Return about `number` payments of the busiest customers, in order of time. Each customer
    pays many times, so that an app's history of it shows in the answers."""
    by_customer: dict[str, list[Payment]] = {}
    for payment in payments:
        customer = json.loads(b"{" + payment.fields)["customer_id"]
        by_customer.setdefault(customer, []).append(payment)
    found: list[Payment] = []
    for theirs in sorted(by_customer.values(), key=len, reverse=True):
        if len(found) >= number:
            break
        found += theirs
    return sorted(found, key=lambda payment: payment.at_ms)[:number]
