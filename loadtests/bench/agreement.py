"""Whether apps say the same of the same payments, one after the other, of customers who are new to
all of them."""

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
class Said:
    """What an app said of a payment."""

    probability: float
    decision: str
    degraded: bool


@dataclass(frozen=True, slots=True)
class Agreement:
    """How two apps compare.

    Attributes:
        app: the other one.
        payments: that both were asked about.
        differing: of those, payments with another decision, or a probability further off than
            `TOLERANCE`, that neither app gave a degraded answer to.
        degraded: payments that either gave a poorer answer to than the plan wants.
        worst: largest difference of probabilities, degraded answers left out.
        flagged: payments that were not approved: where all are, agreeing is easy.
    """

    app: str
    payments: int
    differing: int
    degraded: int
    worst: float
    flagged: int

    @property
    def holds(self) -> bool:
        """Whether they say the same; of what is degraded nobody can tell, so it must be little."""
        little = self.degraded <= self.payments * _MOST_DEGRADED
        return self.differing == 0 and self.payments > 0 and little


class Disagreement(Exception):
    """An app did not answer a payment."""


def compare(app: str, ours: Sequence[Said], theirs: Sequence[Said]) -> Agreement:
    """Two apps' answers to the same payments, in the same order."""
    asked = list(zip(ours, theirs, strict=True))
    pairs = [(a, b) for a, b in asked if not (a.degraded or b.degraded)]
    apart = [abs(a.probability - b.probability) for a, b in pairs]
    differing = sum(
        a.decision != b.decision or not gap <= TOLERANCE
        for (a, b), gap in zip(pairs, apart, strict=True)
    )
    return Agreement(
        app,
        len(asked),
        differing,
        len(asked) - len(pairs),
        max(apart, default=0.0),
        sum(a.decision != "approve" for a in ours),
    )


async def ask(app: App, orders: Sequence[Order]) -> list[Said]:
    """What an app says of payments, one at a time.

    Raises:
        Disagreement: it does not answer one.
        OSError: nobody listens there.
    """
    return [said(body) for body in await _answers(app, orders)]


def said(body: Mapping[str, Any]) -> Said:
    """What an answer says."""
    return Said(float(body["probability"]), str(body["decision"]), bool(body["degraded"]))


async def _answers(app: App, orders: Sequence[Order]) -> list[dict[str, Any]]:
    """The bodies of the answers."""
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
            finished.set_exception(Disagreement(f"{app.name}: {fault}"))
            return
        found.append(json.loads(answer.partition(b"\r\n\r\n")[2]))
        if len(found) == len(orders):
            finished.set_result(None)
        else:
            connection.send(*requests.make(), now)

    def broken(_: Connection, why: str) -> None:
        finished.set_exception(Disagreement(f"{app.name}: {why}"))

    (connection,) = await connect(Endpoint(app.url, app.api_key, prepare), 1, answered, broken)
    try:
        connection.send(*requests.make(), 0.0)
        async with asyncio.timeout(_ANSWER_S + len(orders)):
            await finished
    finally:
        connection.close()
    return found


def of_few_customers(payments: Sequence[Payment], number: int) -> list[Payment]:
    """About `number` payments of the busiest customers, in order: each is seen again and again, so
    that what an app remembers of a customer shows in what it says."""
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
