"""The undocumented behaviour of Ray that training needs. If this fails after an upgrade, look at
`training/ray_runtime/session.py` before raising the ceiling in pyproject.toml."""

from __future__ import annotations

import inspect

from ray._private.authentication import authentication_token_setup


def test_ray_can_be_told_to_use_the_token_of_this_user() -> None:
    enable = authentication_token_setup.maybe_enable_token_auth_if_token_available
    assert list(inspect.signature(enable).parameters) == ["warn_if_disabled"]
