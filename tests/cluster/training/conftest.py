"""One Ray for all tests of training: private sessions have a test of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="package")
def training_ray() -> Iterator[None]:
    """This process is connected to a Ray; `ray_session` uses it and leaves it."""
    from training.ray.session import ray_session

    with ray_session(None, object_bytes=0):
        yield
