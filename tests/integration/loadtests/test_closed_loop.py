"""The closed loop over real connections: it counts good answers and names the faults of others."""

from __future__ import annotations

import json
from itertools import count

import pytest

from loadtests.closed_loop import Figures, run
from loadtests.wire import Endpoint

from .conftest import Serve


async def measure(url: str, connections: int = 4) -> Figures:
    numbers = count()

    def prepare() -> tuple[bytes, bytes]:
        name = f"t-{next(numbers):05d}"
        body = json.dumps({"transaction_id": name}).encode()
        return body, f'"transaction_id":"{name}"'.encode()

    endpoint = Endpoint(f"{url}/v1/decisions", "qk_a_b", prepare)
    return await run(endpoint, connections, seconds=0.5, warm_up_s=0.1)


async def test_figures_of_a_right_server(serve: Serve) -> None:
    figures = await measure(serve("right"))
    assert figures.failures == {}
    assert figures.requests > 10
    assert figures.per_s == pytest.approx(figures.requests / 0.5)
    assert 0 < figures.p50_ms <= figures.p90_ms <= figures.p99_ms < 500
    assert 0 < figures.client_cpu <= 1.5


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        ("mixed-up", "the answer is for another request"),
        ("failing", "status 500"),
        ("closing", "connection lost"),
        ("endless", "answer without Content-Length"),
    ],
)
async def test_what_is_wrong_is_a_failure(serve: Serve, behaviour: str, said: str) -> None:
    figures = await measure(serve(behaviour))
    assert figures.failures.get(said, 0) > 0


async def test_nobody_there(serve: Serve) -> None:
    with pytest.raises(OSError, match="onnect"):
        await measure("http://127.0.0.1:9")
