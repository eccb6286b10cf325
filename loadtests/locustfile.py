"""Many customers and several callers: mostly single decisions, some batches, reads and labels.

Locust loads this file; `make load` runs it (`loadtests/load.py`). The keys of the callers are in
QUORUM_API_KEYS, separated by commas, or in QUORUM_API_KEY. `loadtests.history` has the payments.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections import deque
from typing import Any, NamedTuple

from locust import FastHttpUser, constant_throughput, events, task
from locust.env import Environment

from loadtests.history import payments_to_play
from loadtests.payments import Order, Playlist
from loadtests.target import find_target

BATCH_ROWS = 50
SETTLED_S = float(os.environ.get("QUORUM_LOAD_SETTLED_S", "5"))
"""Age from which a decision is expected in PostgreSQL, where it can be read back."""

DECISIONS = frozenset({"approve", "challenge", "review", "block"})


class Received(NamedTuple):
    """A decision that a caller has received."""

    decision_id: str
    transaction_id: str
    decision: str
    is_fraud: bool
    at_s: float


class Caller(FastHttpUser):
    """A shop's back end: one key, one connection, payments one after the other."""

    # Users times this is the intended rate; a slow Quorum lowers it.
    wait_time = constant_throughput(float(os.environ.get("QUORUM_LOAD_RATE_PER_USER", "4")))
    playlist: Playlist
    keys: tuple[str, ...]

    def on_start(self) -> None:
        """Choose a key, once."""
        self._headers = {
            "X-API-Key": random.choice(self.keys),
            "Content-Type": "application/json",
        }
        self._received: deque[Received] = deque(maxlen=1000)

    @task(90)
    def decide(self) -> None:
        """Ask for one decision."""
        order = self.playlist.take()
        with self._post("/v1/decisions", order.body) as answer:
            self._check(answer, [order], lambda document: [document])

    @task(3)
    def decide_batch(self) -> None:
        """Ask for many decisions in one request."""
        orders, body = self.playlist.take_batch(BATCH_ROWS)
        with self._post("/v1/decisions/batch", body) as answer:
            self._check(answer, orders, lambda document: document["results"])

    @task(5)
    def read(self) -> None:
        """Read an earlier decision back and compare it with the answer."""
        made = self._settled()
        if made is None:
            return
        with self.client.get(
            f"/v1/decisions/{made.decision_id}",
            name="/v1/decisions/{id}",
            headers=self._headers,
            catch_response=True,
        ) as answer:
            document = _document(answer)
            if document is None:
                return
            wanted = (made.decision_id, made.transaction_id, made.decision)
            found = tuple(document.get(m) for m in ("decision_id", "transaction_id", "decision"))
            if found != wanted:
                answer.failure("differs from the decision that was returned")

    @task(2)
    def label(self) -> None:
        """Send the label of an earlier payment."""
        made = self._settled()
        if made is None:
            return
        self._received.remove(made)
        body = json.dumps({"is_fraud": made.is_fraud, "source": "analyst"}).encode()
        path = f"/v1/decisions/{made.decision_id}/labels"
        with self._post(path, body, name="/v1/decisions/{id}/labels") as answer:
            document = _document(answer)
            if document is not None and document.get("transaction_id") != made.transaction_id:
                answer.failure("the label is stored for another payment")

    def _post(self, path: str, body: bytes, name: str | None = None) -> Any:
        return self.client.post(
            path,
            name=name,
            data=body,  # type: ignore[arg-type]  # bytes go out as they are
            headers=self._headers,
            catch_response=True,
        )

    def _check(self, answer: Any, orders: list[Order], rows: Any) -> None:
        document = _document(answer)
        if document is None:
            return
        try:
            self._keep(orders, rows(document))
        except _WrongAnswer as wrong:
            answer.failure(str(wrong))
        except (KeyError, TypeError) as error:
            answer.failure(f"incomplete answer: {error}")

    def _keep(self, orders: list[Order], results: list[dict[str, Any]]) -> None:
        if len(results) != len(orders):
            raise _WrongAnswer(f"{len(results)} results for {len(orders)} payments")
        for order, result in zip(orders, results, strict=True):
            if result.get("transaction_id") != order.transaction_id:
                raise _WrongAnswer(f"not this payment's answer: {result.get('code') or 'mixed up'}")
            if result["decision"] not in DECISIONS:
                raise _WrongAnswer("no decision in the answer")
            self._received.append(
                Received(
                    result["decision_id"],
                    order.transaction_id,
                    result["decision"],
                    bool(order.is_fraud),
                    time.monotonic(),
                )
            )

    def _settled(self) -> Received | None:
        """Return a decision old enough to be read, if this caller has one."""
        latest = time.monotonic() - SETTLED_S
        old = [made for made in self._received if made.at_s <= latest]
        return random.choice(old) if old else None


class _WrongAnswer(Exception):
    """An answer that does not fit the request."""


def _document(answer: Any) -> dict[str, Any] | None:
    """Return the JSON object of a good answer; otherwise record the failure."""
    if answer.status_code not in (200, 201):
        answer.failure(f"status {answer.status_code}: {_problem(answer)}")
        return None
    try:
        document = answer.json()
    except ValueError:
        answer.failure("not JSON")
        return None
    if not isinstance(document, dict):
        answer.failure("not a JSON object")
        return None
    return document


def _problem(answer: Any) -> str:
    """Return the title of a problem document, so that equal failures are grouped."""
    try:
        return str(answer.json().get("title", ""))
    except (ValueError, AttributeError):
        return ""


@events.init.add_listener  # type: ignore[untyped-decorator]
def _prepare(environment: Environment, **_: Any) -> None:
    target = find_target()
    keys = tuple(key for key in os.environ.get("QUORUM_API_KEYS", "").split(",") if key)
    Caller.keys = keys or (target.api_key,)
    Caller.playlist = Playlist(payments_to_play(target.home))
    environment.host = environment.host or target.url


@events.quitting.add_listener  # type: ignore[untyped-decorator]
def _set_exit_code(environment: Environment, **_: Any) -> None:
    total = environment.stats.total
    failed = total.num_failures > 0 or total.num_requests == 0
    environment.process_exit_code = 1 if failed else 0
