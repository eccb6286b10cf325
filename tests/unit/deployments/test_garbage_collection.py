"""A replica's process."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from deployments.garbage_collection import GC_THRESHOLDS, tune_garbage_collection


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


class Node:
    def __init__(self) -> None:
        self.itself = self


def test_objects_alive_when_tuned_are_not_collected_again() -> None:
    alive = Node()
    tune_garbage_collection()
    assert gc.get_threshold() == GC_THRESHOLDS
    assert gc.get_freeze_count() > 0
    assert not any(found is alive for found in gc.get_objects())


def test_garbage_made_later_is_still_collected() -> None:
    tune_garbage_collection()
    Node()
    assert gc.collect() > 0
