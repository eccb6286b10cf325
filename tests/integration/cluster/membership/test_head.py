"""Two machines that want to be the head of one database. Their Rays are not started here."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cluster.errors import CommandFailed
from cluster.membership import head as module
from cluster.membership.head import become_head, refuse_second_head
from cluster.membership.shared import registered
from cluster.node.gcs import TokenRefused
from cluster.node.node import Node
from settings.settings import Settings
from tests.contracts.ports import free_ports


class Rays:
    """The Rays that answer: address -> the identity of their cluster."""

    def __init__(self) -> None:
        self.told: dict[str, str | None] = {}
        self.failure = CommandFailed("no head node", "")

    def at(self, address: str) -> Any:
        if address not in self.told:
            raise self.failure
        return _Ray(self.told, address)


class _Ray:
    def __init__(self, told: dict[str, str | None], address: str) -> None:
        self._told, self._address = told, address

    def cluster_id(self) -> str | None:
        return self._told[self._address]

    def set_cluster_id(self, cluster_id: str) -> None:
        self._told[self._address] = cluster_id


@pytest.fixture
def rays(monkeypatch: pytest.MonkeyPatch) -> Rays:
    rays = Rays()
    monkeypatch.setattr(module, "Gcs", rays.at)
    return rays


@pytest.fixture
def first(settings: Settings) -> Node:
    return Node.of(settings)


@pytest.fixture
def second(settings: Settings) -> Node:
    return Node.of(settings.model_copy(update={"host": "10.0.0.6"}))


def start(settings: Settings, node: Node, rays: Rays) -> None:
    refuse_second_head(settings, node)
    rays.told[node.address] = None
    become_head(settings, node)


def head(settings: Settings) -> str | None:
    found = asyncio.run(registered(settings))
    return found and found.head


def test_the_ray_of_a_head_tells_the_identity_of_the_cluster(
    settings: Settings, first: Node, rays: Rays
) -> None:
    start(settings, first, rays)
    found = asyncio.run(registered(settings))
    assert found is not None
    assert rays.told == {first.address: found.cluster_id}


def test_a_second_head_is_refused_while_the_first_answers(
    settings: Settings, first: Node, second: Node, rays: Rays
) -> None:
    start(settings, first, rays)
    with pytest.raises(CommandFailed, match=f"head of this Quorum runs at {first.address}") as no:
        start(settings, second, rays)
    assert f"quorum join {first.address}" in no.value.hint
    assert head(settings) == first.address


def test_the_same_head_may_start_again(settings: Settings, first: Node, rays: Rays) -> None:
    start(settings, first, rays)
    start(settings, first, rays)
    assert head(settings) == first.address


def test_another_machine_takes_the_place_of_a_dead_head(
    settings: Settings, first: Node, second: Node, rays: Rays
) -> None:
    start(settings, first, rays)
    cluster_id = rays.told.pop(first.address)
    start(settings, second, rays)
    assert head(settings) == second.address
    assert rays.told == {second.address: cluster_id}


def test_an_address_that_another_cluster_has_now_is_not_the_head(
    settings: Settings, first: Node, second: Node, rays: Rays
) -> None:
    start(settings, first, rays)
    rays.told[first.address] = "of another cluster"
    start(settings, second, rays)
    assert head(settings) == second.address


def test_a_head_that_does_not_accept_our_token_may_be_alive(
    settings: Settings, first: Node, second: Node, rays: Rays
) -> None:
    start(settings, first, rays)
    del rays.told[first.address]
    rays.failure = TokenRefused("it does not accept our token", "")
    with pytest.raises(TokenRefused):
        start(settings, second, rays)
    assert head(settings) == first.address


def test_a_port_that_nobody_listens_at_is_a_dead_head(
    settings: Settings, rays: Rays, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_ports(1)[0]
    dead = Node.of(settings.model_copy(update={"host": "127.0.0.1", "ray_port": port}))
    start(settings, dead, rays)
    monkeypatch.undo()  # the real look at the port
    refuse_second_head(settings, Node.of(settings))
