"""The Ingress deployment on a real Ray node behind HAProxy, with a fake combiner."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from cluster import api_keys
from cluster.node.node import Node
from fraud.errors import LogUnavailable
from tests.contracts import decisions, front
from tests.contracts.front import PEPPER, payment
from tests.unit.serve_app.http.test_asgi import assert_problem


class MadeUp:
    """A combiner that decides by transaction id, and fails or dies once on demand."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)

    async def decide(self, batch: Any, patient: bool) -> Any:
        ids = batch.transaction_id
        if "full-disk" in ids:
            raise LogUnavailable("no space left")
        if "poison" in ids:
            raise ZeroDivisionError(front.SECRET)
        if "slow" in ids:
            await asyncio.sleep(5)
        if "die" in ids:
            try:
                (self._folder / "died").touch(exist_ok=False)
                os._exit(1)
            except FileExistsError:
                pass
        return decisions.whole(front.decided(ids, {"features": 0.5}))

    async def ready(self) -> Any:
        from deployments.readiness import Readiness

        return Readiness(True, (), (), "default", 3)


@pytest.fixture(scope="module")
def served(node: Node, database_url: str, redis_url: str, tmp_path_factory: Any) -> Iterator[str]:
    """Return the URL of the running ingress. It has the settings of the node, as in production."""
    from ray import cloudpickle, serve

    from serve_app.ingress import Ingress

    (node.home / "settings.env").write_text(
        f"DATABASE_URL={database_url}\nREDIS_URL={redis_url}\nQUORUM_KEY_PEPPER={PEPPER}\n"
    )
    for module in (sys.modules[__name__], front, decisions):
        # Replicas do not have the tests on their path.
        cloudpickle.register_pickle_by_value(module)
    serve.start(http_options={"host": "127.0.0.1", "port": node.http_port})
    folder = tmp_path_factory.mktemp("combiner")
    combiner = serve.deployment(MadeUp).options(num_replicas=2, ray_actor_options={"num_cpus": 0})
    serve.run(
        Ingress.options(ray_actor_options={"num_cpus": 0}).bind(  # type: ignore[attr-defined]
            combiner=combiner.bind(str(folder))
        ),
        name="decisions",
        route_prefix="/",
    )
    url = f"http://127.0.0.1:{node.http_port}"
    for _ in range(600):
        try:
            if httpx.get(f"{url}/v2/health/ready", timeout=2).status_code == 200:
                break
        except httpx.HTTPError:
            pass
        asyncio.run(asyncio.sleep(0.1))
    yield url
    for module in (sys.modules[__name__], front, decisions):
        cloudpickle.unregister_pickle_by_value(module)


@pytest.fixture(scope="module")
def client(served: str, database_url: str) -> Iterator[httpx.Client]:
    async def make() -> str:
        connection = await asyncpg.connect(database_url)
        made = await api_keys.create(connection, PEPPER, tenant="acme", name="test")
        await connection.close()
        return str(made["key"])

    with httpx.Client(base_url=served, headers={"x-api-key": asyncio.run(make())}) as client:
        yield client


def now() -> str:
    from datetime import UTC, datetime

    return datetime.now(UTC).isoformat()


def pay(client: httpx.Client, name: str, **more: Any) -> httpx.Response:
    return client.post("/v1/decisions", json=payment(transaction_id=name, timestamp=now()), **more)


def test_a_payment_is_decided_over_every_hop(client: httpx.Client) -> None:
    response = pay(client, "t-1", headers={"x-request-id": "mine-1"})
    assert response.status_code == 200, response.text
    assert response.json()["transaction_id"] == "t-1"
    assert response.headers.get_list("x-request-id") == ["mine-1"]
    assert response.headers["ratelimit-policy"] == '"key";q=5000;w=1, "customer";q=6000;w=60'
    assert response.headers["ratelimit"].startswith('"key";r=4999;t=')


def test_what_answers_get_answers_head(client: httpx.Client) -> None:
    for path in ("/v1/decisions", "/v1/decisions?limit=1", "/docs", "/v2/health/live"):
        whole, head = client.get(path), client.head(path)
        assert (whole.status_code, head.status_code) == (200, 200)
        assert head.headers["content-type"] == whole.headers["content-type"]
        assert head.headers["content-length"] == str(len(whole.content))
        assert not head.content
        assert len(head.headers.get_list("x-request-id")) == 1


def test_metadata_come_back_over_every_hop(client: httpx.Client) -> None:
    row = payment(transaction_id="t-noted", timestamp=now(), metadata={"order": "17"})
    assert client.post("/v1/decisions", json=row).json()["metadata"] == {"order": "17"}


def test_problems_arrive_as_they_were_sent(client: httpx.Client, served: str) -> None:
    assert_problem(httpx.post(f"{served}/v1/decisions", json={}), 401, "unauthenticated")
    assert_problem(client.post("/v1/decisions", json={}), 422, "invalid-input")
    assert_problem(client.put("/v1/decisions"), 405, "method-not-allowed")
    assert_problem(client.get("/v1/decisions?limit=0"), 422, "invalid-input")
    assert_problem(client.get("/nowhere"), 404, "not-found")
    json_type = {"content-type": "application/json"}
    for size in (256 * 1024 + 1, 4 * 1024 * 1024, 12 * 1024 * 1024):
        body = b" " * size
        response = client.post("/v1/decisions", content=body, headers=json_type)
        assert_problem(response, 413, "body-too-large")


def test_a_batch_of_a_thousand(client: httpx.Client) -> None:
    at = now()
    rows = [payment(transaction_id=f"b-{i}", timestamp=at) for i in range(1000)]
    response = client.post("/v1/decisions/batch", json={"transactions": rows}, timeout=60)
    assert [r["transaction_id"] for r in response.json()["results"]] == [
        f"b-{i}" for i in range(1000)
    ]


def test_errors_of_the_combiner_keep_their_meaning(client: httpx.Client) -> None:
    response = pay(client, "full-disk")
    assert_problem(response, 503, "unavailable")
    assert "durable" in response.json()["detail"]
    response = pay(client, "poison")
    assert_problem(response, 500, "internal")
    assert front.SECRET not in response.text


def test_a_client_that_leaves_stops_nobody(client: httpx.Client) -> None:
    with pytest.raises(httpx.ReadTimeout):
        pay(client, "slow", timeout=0.3)
    assert pay(client, "after").status_code == 200


def test_too_slow_is_503_with_a_time_and_serve_does_not_cut_in(client: httpx.Client) -> None:
    # Serve itself would answer this with 408: decisions bypass it.
    response = pay(client, "slow", timeout=60, headers={"x-request-timeout-seconds": "0.1"})
    assert_problem(response, 503, "timeout")
    assert int(response.headers["retry-after"]) >= 1


def test_a_call_lost_with_its_replica_is_made_again(client: httpx.Client) -> None:
    response = pay(client, "die", timeout=60)
    assert response.status_code == 200, response.text


def test_the_rest_answers_too(client: httpx.Client, served: str) -> None:
    assert httpx.get(f"{served}/v2/health/live").json() == {"live": True}
    assert httpx.get(f"{served}/v2/health/ready").json() == {"ready": True}
    assert httpx.get(f"{served}/docs").status_code == 200
    assert b"fraud_api_requests_total" in httpx.get(f"{served}/metrics").content
    assert client.get("/v1/variants").json() == {"plan": None, "variants": []}
