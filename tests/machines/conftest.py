"""A Quorum over three machines, shared by all tests of a run; each finds it whole."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contracts.several_machines import SeveralMachines, several_machines


@pytest.fixture(scope="session")
def cluster() -> Iterator[SeveralMachines]:
    """A Quorum over three machines, as the test before left it."""
    with several_machines(3) as made:
        yield made


@pytest.fixture
def nodes(cluster: SeveralMachines) -> SeveralMachines:
    """Three nodes, each with a full set of replicas; what an earlier test broke is repaired."""
    while len(cluster.nodes) > 3:
        cluster.leave(cluster.nodes[-1])
    cluster.grow(3)
    return cluster


@pytest.fixture(scope="session")
def key(cluster: SeveralMachines) -> str:
    """An API key."""
    return cluster.key()
