"""One Ray for all tests of training; private sessions have their own test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="package")
def training_ray() -> Iterator[None]:
    """Connect this process to a Ray, which `ray_session` then uses and keeps running."""
    from training.ray_runtime.session import ray_session

    with ray_session(None, object_bytes=0):
        yield
