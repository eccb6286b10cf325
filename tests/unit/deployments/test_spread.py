"""What the scheduler tells the policies."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deployments.spread import needed_everywhere, note_spread, serving_nodes


@pytest.fixture(autouse=True)
def _one_node_again() -> Iterator[None]:
    yield
    note_spread(1, {})


def test_the_last_look_counts() -> None:
    note_spread(3, {"d": 4, "gone": 3})
    note_spread(2, {"d": 2})
    assert serving_nodes() == 2
    assert needed_everywhere("d") == 2
    assert needed_everywhere("gone") == 0


def test_no_node_counts_as_one() -> None:
    note_spread(0, {})
    assert serving_nodes() == 1


def test_what_the_scheduler_changes_later_is_not_taken_over() -> None:
    needed = {"d": 2}
    note_spread(2, needed)
    needed["d"] = 9
    assert needed_everywhere("d") == 2
