"""Costs by role, fitted to measured runs."""

from __future__ import annotations

from loadtests.capacity.constants import Constants
from loadtests.capacity.measure.usage import CLIENT
from loadtests.capacity.model.roles import POSTGRES, REDIS, Roles
from loadtests.capacity.runs import CLOSED


def test_the_fit_gives_back_what_was_measured(constants: Constants) -> None:
    roles = Roles.of(constants)
    for run in constants.node.runs:
        if run.mode == CLOSED:
            fitted = sum(roles.ms[role].each(run.rows) for role in roles.on_node)
            measured = sum(run.cpu_ms[role] for role in roles.on_node)
            assert 0.7 < fitted / measured < 1.4


def test_stores_and_client_are_not_on_the_node(constants: Constants) -> None:
    roles = Roles.of(constants)
    assert {REDIS, POSTGRES, CLIENT} <= set(roles.ms)
    assert not {REDIS, POSTGRES, CLIENT} & set(roles.on_node)
    assert len(roles.variants) == 4
    assert 0 < roles.node_idle_cores() < 1


def test_a_lane_is_held_longer_for_more_rows_and_shorter_by_faster_processors(
    constants: Constants,
) -> None:
    roles = Roles.of(constants)
    assert roles.lane_ms(1, 1.0) < roles.lane_ms(64, 1.0) < 64 * roles.lane_ms(1, 1.0)
    assert roles.lane_ms(64, 2.0) < roles.lane_ms(64, 1.0)
