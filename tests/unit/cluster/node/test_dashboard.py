"""What the dashboard's client needs of Ray beyond its documentation. If this fails after an
upgrade, look at `cluster/node/dashboard.py` before raising the ceiling in pyproject.toml."""

from __future__ import annotations

import inspect

from ray._private.authentication import http_token_authentication


def test_ray_adds_its_token_to_the_headers_that_it_is_given() -> None:
    add = http_token_authentication.get_auth_headers_if_auth_enabled
    assert len(inspect.signature(add).parameters) == 1
