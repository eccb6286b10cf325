"""Many clients at once: everybody gets the answer to what they asked, whatever befalls others."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contracts.front import KEY, Front, payment, probability_of
from tests.contracts.waiting import until

HEADERS = [(b"x-api-key", str(KEY).encode()), (b"content-type", b"application/json")]


class Client:
    """One request straight into the app, as an HTTP server hands it over."""

    def __init__(self, front: Front, path: str, document: Any) -> None:
        self.status = 0
        self.body = b""
        self._body = json.dumps(document).encode()
        scope = {"type": "http", "method": "POST", "path": path, "headers": HEADERS}
        self.task = asyncio.ensure_future(front.app(scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        return {"type": "http.request", "body": self._body, "more_body": False}

    async def _send(self, message: Any) -> None:
        self.status = message.get("status", self.status)
        self.body += message.get("body", b"")

    @property
    def answer(self) -> Any:
        return json.loads(self.body)


def single(front: Front, name: str) -> Client:
    return Client(front, "/v1/decisions", payment(transaction_id=name))


def many(front: Front, names: list[str]) -> Client:
    rows = [payment(transaction_id=name) for name in names]
    return Client(front, "/v1/decisions/batch", {"transactions": rows})


def assert_is_about(answer: dict[str, Any], name: str) -> None:
    if "poison" in name:
        assert answer["status"] == 500
    else:
        assert answer["transaction_id"] == name
        assert answer["probability"] == probability_of(name)
        assert answer["variants"][0]["score"] == probability_of(name)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 3), st.integers(1, 40), st.floats(0, 0.1))
def test_everybody_gets_their_own_answers(
    seed: int, lanes: int, rows_a_call: int, poisoned: float
) -> None:
    rng = random.Random(seed)

    async def crowd() -> None:
        # On a machine that is busy with something else, too, nobody is refused for want of time.
        front = Front(lanes=lanes, max_rows_per_call=rows_a_call, request_timeout_ms=120_000)
        front.combiner.gate = lambda: turns(rng.randrange(6))
        names = (f"{'poison' if rng.random() < poisoned else 't'}-{n}" for n in range(10**9))
        asked: list[tuple[Client, list[str]]] = []
        for _ in range(rng.randrange(1, 40)):
            if rng.random() < 0.7:
                name = next(names)
                asked.append((single(front, name), [name]))
            else:
                batch = [next(names) for _ in range(rng.randrange(1, 30))]
                asked.append((many(front, batch), batch))
            await turns(rng.randrange(4))
        left = {client for client, _ in asked if rng.random() < 0.1 and client.task.cancel()}
        await asyncio.gather(*(client.task for client, _ in asked), return_exceptions=True)
        for client, its in asked:
            if client in left:
                assert not client.body
            elif len(its) == 1 and "results" not in client.answer:
                assert_is_about(client.answer, its[0])
            else:
                results = client.answer["results"]
                for answer, name in zip(results, its, strict=True):
                    assert_is_about(answer, name)

    asyncio.run(crowd())


async def turns(n: int) -> None:
    for _ in range(n):
        await asyncio.sleep(0)


@pytest.mark.parametrize("leaver", [0, 1, 2])
async def test_a_client_that_leaves_does_not_stop_the_batch_it_travels_in(leaver: int) -> None:
    front = Front()
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def gate() -> None:
        arrived.set()
        await go_on.wait()

    front.combiner.gate = gate
    clients = [single(front, f"t-{i}") for i in range(3)]
    await until(arrived.is_set)
    assert front.combiner.calls == [["t-0", "t-1", "t-2"]]
    clients[leaver].task.cancel()
    await turns(3)
    go_on.set()
    await asyncio.gather(*(c.task for c in clients), return_exceptions=True)
    for i, client in enumerate(clients):
        if i != leaver:
            assert_is_about(client.answer, f"t-{i}")
    assert len(front.combiner.calls) == 1


async def test_nothing_waits_for_company() -> None:
    front = Front()
    await single(front, "to-know-the-key").task
    lonely = single(front, "t-1")
    # Turns of the loop, no time: a timer would not have fired.
    await turns(10)
    assert front.combiner.calls[-1] == ["t-1"]
    await lonely.task
