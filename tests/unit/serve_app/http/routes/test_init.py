"""The declared routes."""

from __future__ import annotations

from collections import Counter

from serve_app.http.routes import ROUTES
from tests.contracts.front import Front


def test_every_route_is_declared_once() -> None:
    counts = Counter((route.method, route.path) for route in ROUTES)
    assert set(counts.values()) == {1}
    names = Counter(route.operation_id for route in ROUTES)
    assert set(names.values()) == {1}


def test_every_route_has_a_handler_but_those_of_the_hot_path() -> None:
    hot = {route.path for route in ROUTES if route.handler is None}
    assert hot == set(Front().app.express)
