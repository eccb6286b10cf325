from __future__ import annotations

from loadtests.bench.offline.routing import ROWS, deciding_us, payments, policies, routed, votes_on


def test_every_kind_routes_each_row_once() -> None:
    batch, votes = payments(), votes_on(ROWS)
    sizes = {kind: routed(policy, batch, votes)() for kind, policy in policies().items()}
    assert {sum(rows) for rows in sizes.values()} == {ROWS}
    assert set(sizes) == {"ensemble", "ab", "canary", "shadow", "cascade", "segments"}
    groups = {kind: len(rows) for kind, rows in sizes.items()}
    assert groups == {
        **{"ensemble": 1, "shadow": 1},
        **{"ab": 2, "canary": 2, "cascade": 2, "segments": 4},
    }


def test_every_kind_asks_four_variants() -> None:
    for policy in policies().values():
        asked = set()
        stack = [policy]
        while stack:
            one = stack.pop()
            stack += [child for _, child in one.children()]
            asked |= set(getattr(one, "variants", ()))
        assert len(asked) == 4


def test_the_decider_is_measured_under_one_plan_and_under_two() -> None:
    one, two = deciding_us(repeats=2)
    assert one > 0
    assert two > 0
