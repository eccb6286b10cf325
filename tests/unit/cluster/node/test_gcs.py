"""A head that does not answer is one line. A real one is asked in tests/cluster."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from cluster.errors import CommandFailed
from cluster.node.gcs import Gcs, TokenRefused, within
from tests.contracts.ports import free_ports


def test_where_nothing_listens_there_is_no_head() -> None:
    address = f"127.0.0.1:{free_ports(1)[0]}"
    with pytest.raises(CommandFailed) as failure:
        Gcs(address)
    assert failure.value.what == f"no head node at {address}: Connection refused"
    assert "quorum up --host" in failure.value.hint


def test_a_name_that_nobody_knows_is_no_head() -> None:
    with pytest.raises(CommandFailed, match=r"no head node at head\.invalid:6379: "):
        Gcs("head.invalid:6379")


class Failing:
    """Ray's client when the head is gone, or refuses it."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __getattr__(self, _: str) -> Callable[..., Any]:
        def fail(*_: Any, **__: Any) -> None:
            raise self.error

        return fail


def connected(error: Exception) -> Gcs:
    """Return a connection whose head fails from now on."""
    gcs = Gcs.__new__(Gcs)
    gcs._address, gcs._client = "10.0.0.1:6379", Failing(error)
    return gcs


def test_a_call_without_an_end_is_given_up() -> None:
    never = threading.Event()
    with pytest.raises(TimeoutError):
        within(0.01, never.wait)
    never.set()


def test_a_call_within_its_time_gives_its_result_or_error() -> None:
    assert within(5.0, lambda: 3) == 3
    with pytest.raises(ZeroDivisionError):
        within(5.0, lambda: 1 // 0)


QUESTIONS: list[Callable[[Gcs], Any]] = [
    lambda gcs: gcs.cluster_id(),
    lambda gcs: gcs.set_cluster_id("c1"),
    lambda gcs: gcs.nodes(),
    lambda gcs: gcs.drain("ab", 1),
]


@pytest.mark.parametrize("ask", QUESTIONS)
def test_a_head_that_is_gone_meanwhile_is_one_line(ask: Callable[[Gcs], Any]) -> None:
    from ray.exceptions import RpcError

    with pytest.raises(CommandFailed) as failure:
        ask(connected(RpcError("failed to connect to all addresses")))
    assert failure.value.what.startswith("the head at 10.0.0.1:6379 does not answer: failed to")
    assert not isinstance(failure.value, TokenRefused)


@pytest.mark.parametrize("ask", QUESTIONS)
def test_a_refused_token_is_named(ask: Callable[[Gcs], Any]) -> None:
    from ray.exceptions import RpcError

    with pytest.raises(TokenRefused, match="does not accept our token — set RAY_AUTH_TOKEN"):
        ask(connected(RpcError("Unauthenticated: WrongClusterID or token")))
