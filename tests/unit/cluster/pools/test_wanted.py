"""Which pools must run, and why."""

from __future__ import annotations

from cluster.pools.declared import Declaration
from cluster.pools.wanted import wanted_pools
from fraud.ensemble import Ensemble, Member, Thresholds
from fraud.plan import Plan
from fraud.policy.ab import AB, Arm
from fraud.policy.shadow import Shadow, ShadowPolicy

CONFIG = {"applications": [{"name": n} for n in ("decisions", "variant-b", "variant-a")]}


def leaf(*variants: str) -> Ensemble:
    return Ensemble(tuple(Member(variant, 1.0) for variant in variants), Thresholds(0.1, 0.2, 0.3))


def plan(name: str, version: int, *variants: str) -> Plan:
    return Plan(name, version, leaf(*variants))


def reasons(*arguments: object) -> dict[str, str]:
    return {pool.name: pool.why for pool in wanted_pools(CONFIG, *arguments)}  # type: ignore[arg-type]


def test_pools_of_configuration_declarations_and_plans() -> None:
    plans = {"": plan("default", 3, "a", "t/a"), "t": plan("mine", 1, "t/a", "z")}
    assert reasons([Declaration(name="z"), Declaration(name="c")], plans) == {
        "b": "in the Serve configuration",
        "a": "in the Serve configuration, plan default v3",
        "c": "declared",
        "t/a": "plan default v3, plan mine v1 of t",
        "z": "declared, plan mine v1 of t",
    }


def test_arms_and_shadows_need_pools_too() -> None:
    arms = AB((Arm("control", 50, leaf("a")), Arm("new", 50, leaf("x"))))
    policy = Shadow(arms, (ShadowPolicy("candidate", leaf("t/z")),))
    found = reasons([], {"": Plan("default", 4, policy)})
    assert (found["x"], found["t/z"]) == ("plan default v4", "plan default v4")


def test_an_order_that_does_not_depend_on_the_plans() -> None:
    some, others = plan("p", 1, "y", "x"), plan("q", 1, "w", "x")
    assert list(reasons([], {"": some, "t": others})) == list(reasons([], {"t": some, "": others}))


def test_declared_sizes_go_to_the_pool() -> None:
    large = Declaration(name="c", max_replicas=7)
    assert wanted_pools(CONFIG, [large], {"": plan("p", 1, "c")})[-1].declaration == large


def test_what_runs_is_kept_only_while_plans_are_unknown() -> None:
    running = ("a", "t/a", "c", "z")
    assert "t/a" not in reasons([], {})
    found = reasons([Declaration(name="c")], {"": plan("p", 1, "z")}, running)
    assert found["t/a"] == "it runs, and an active plan cannot be read"
    assert found["a"] == "in the Serve configuration"
    assert (found["c"], found["z"]) == ("declared", "plan p v1")


def test_what_is_configured_may_be_declared_too() -> None:
    # `quorum variants config` prints the declared pools as well, and `--config` may take that.
    found = wanted_pools(CONFIG, [Declaration(name="a")], {})
    assert [(pool.name, pool.why) for pool in found] == [
        ("b", "in the Serve configuration"),
        ("a", "in the Serve configuration, declared"),
    ]


def test_a_plan_may_name_what_can_have_no_pool() -> None:
    assert list(reasons([], {"": plan("p", 1, "Not A Variant", "c")})) == ["b", "a", "c"]
