"""What a serving node decides."""

from __future__ import annotations

import pytest

from loadtests.capacity.constants import Constants
from loadtests.capacity.model.demand import Hardware
from loadtests.capacity.model.node import MAX_ROWS, NodeModel
from loadtests.capacity.model.roles import Roles


@pytest.fixture
def roles(constants: Constants) -> Roles:
    return Roles.of(constants)


def test_micro_batches_grow_with_the_rate_and_cost_less_a_row(roles: Roles) -> None:
    model = NodeModel(roles, Hardware(), 4)
    rows = [model.rows(rate) for rate in (1.0, 100.0, 1000.0, 2000.0, 1e6)]
    assert rows == sorted(rows)
    assert rows[0] == pytest.approx(1.0, abs=0.01)
    assert rows[-1] == pytest.approx(MAX_ROWS, abs=0.01)
    small, large = model.at(100.0), model.at(2000.0)
    assert large.cores / large.per_s < small.cores / small.per_s


def test_rows_are_those_that_arrive_while_a_lane_is_held(roles: Roles) -> None:
    model = NodeModel(roles, Hardware(), 4, lanes=1)
    rows = model.rows(1000.0)
    assert 1 < rows < MAX_ROWS
    assert roles.lane_ms(rows, 1.0) == pytest.approx(rows / 1000.0 * 1000)


@pytest.mark.parametrize("cores", [1, 2, 8, 64])
def test_a_node_is_planned_up_to_its_first_limit(roles: Roles, cores: int) -> None:
    model = NodeModel(roles, Hardware(node_cores=cores), 4)
    use, limit = model.most()
    shares = model.limits(use)
    assert max(shares.values()) == pytest.approx(1.0, abs=0.02)
    assert shares[limit] == max(shares.values())


def test_processors_beyond_a_few_add_nothing(roles: Roles) -> None:
    two, eight, many = (
        NodeModel(roles, Hardware(node_cores=cores), 4).most()[0].per_s for cores in (2, 8, 64)
    )
    assert two < eight
    assert eight == pytest.approx(many)


def test_faster_processors_decide_more_and_fewer_variants_take_less(roles: Roles) -> None:
    usual = NodeModel(roles, Hardware(node_cores=2), 4).most()[0].per_s
    fast = NodeModel(roles, Hardware(node_cores=2, factor=2.0), 4).most()[0].per_s
    assert 1.5 * usual < fast < 2.3 * usual
    four, one = (NodeModel(roles, Hardware(), n).at(1000.0).cores for n in (4, 1))
    assert one < four
