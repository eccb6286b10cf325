"""Documents that nobody would write: each is a plan that decides, or InvalidInput."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fraud.combine.combine import combine
from fraud.document import MOST_FAULTS
from fraud.errors import InvalidInput
from fraud.plan import Plan
from tests.contracts.payments import payments
from tests.contracts.plans import LEAF, OTHER, TREE, Asked

BATCH = payments(5, 1)

_KNOTS = [[0.0, 0.0], [0.5, 0.2], [1.0, 1.0]]
_MEMBERS = [
    {"variant": name, "weight": 0.5, "required": i == 0, "deadline_ms": 50 + i}
    for i, name in enumerate(("xgboost", "acme/logistic", "random-forest@0123456789ab"))
]
_ENSEMBLE: dict[str, Any] = {
    "kind": "ensemble",
    "members": _MEMBERS,
    "thresholds": LEAF["thresholds"] | {"anomaly_challenge": 0.9},
    "anomaly": "isolation-forest",
    "deadline_ms": 80,
    "calibration": _KNOTS,
    "subsets": [{"variants": ["acme/logistic", "xgboost"], "calibration": _KNOTS}],
}
_RANKED = [member | {"ranks": [0.0, 0.5, 1.0]} for member in _MEMBERS]
_ARMS = [{"name": f"a{i}", "weight": w, "plan": LEAF} for i, w in enumerate((50, 30.5, 19.5))]
_GUARD = {"max_error_rate": 0.1, "max_p95_ms": 50, "block_rate": [0, 0.1], "min_decisions": 9}
_BODIES: list[dict[str, Any]] = [
    LEAF,
    *({**_ENSEMBLE, "combiner": name} for name in ("mean", "stack", "maximum", "majority")),
    {**_ENSEMBLE, "combiner": "rank", "members": _RANKED},
    {"kind": "ab", "salt": "s", "arms": _ARMS, "guard": _GUARD},
    {
        "kind": "canary",
        "salt": "s",
        "baseline": LEAF,
        "canary": OTHER,
        "steps": [1, 5, 50],
        "step": 1,
        "advance": {"after_minutes": 60},
        "guard": _GUARD,
    },
    {"kind": "shadow", "plan": LEAF, "shadows": [{"name": "dark", "plan": OTHER, "share": 30}]},
    {
        "kind": "cascade",
        "stages": [{"plan": LEAF, "settle_below": 0.1, "settle_from": 0.9}, {"plan": _ENSEMBLE}],
    },
    TREE,
]
DOCUMENTS = [{"name": "p", "version": 3, **json.loads(json.dumps(body))} for body in _BODIES]


def _nested(value: Any, levels: int, key: str | None) -> Any:
    for _ in range(levels):
        value = [value] if key is None else {"kind": "canary", "baseline": LEAF, key: value}
    return value


ODD: list[Any] = [
    *(None, True, False, 0, -1, 1, 2**31, 10**400, -(10**400), 0.5, 99.999, 1e-320),
    *(math.nan, math.inf, -math.inf, float("1e400")),
    *("", "?", "7", "0.5", "NaN", "a/b~c", "~1", "a > b", " a", "base", "also", "gone"),
    *("ab", "others", "stage 1", "\0", "\ud800", "\u202e", "é" * 64, "💥" * 40, "x" * 5000),
    *([], [[]], [1, 2], ["a", "a"], [None], [math.nan], [0, math.nan, 50], [1, math.nan, 50]),
    *([[0, 10_000]], [[0, 10**400]], [[math.nan, 1]], [0] * 20_000, [LEAF] * 40),
    *({}, {"": 1}, {1: 2}, {"plan": "base"}, {"kind": "single"}, {"a~/b": LEAF}, {"\0": LEAF}),
    {str(i): i for i in range(300)},
    {f"p{i}": f"p{i + 1}" for i in range(400)} | {"p400": LEAF},
    {f"p{i}": "p0" for i in range(1, 600)} | {"p0": LEAF},
    {"a": "b", "b": "a"},
    {"a": {**LEAF, "members": []}},
    *(_nested(LEAF, levels, key) for levels in (3, 8, 300) for key in ("canary", None)),
]


def _places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield way
    if len(way) > 12 or not isinstance(value, dict | list) or len(value) > 50:
        return
    for key, child in value.items() if isinstance(value, dict) else enumerate(value):
        yield from _places(child, (*way, key))


def _at(document: Any, way: tuple[Any, ...]) -> Any:
    for key in way:
        document = document[key]
    return document


def _changed(value: Any, way: tuple[Any, ...], change: Callable[[Any], Any]) -> Any:
    """A copy with another value at the end of a way."""
    if not way:
        return change(value)
    copied = dict(value) if isinstance(value, dict) else list(value)
    copied[way[0]] = _changed(value[way[0]], way[1:], change)
    return copied


def _without(holder: Any, key: Any) -> Any:
    if isinstance(holder, dict):
        return {k: v for k, v in holder.items() if k != key}
    return [*holder[:key], *holder[key + 1 :]]


def _twice(holder: Any, key: Any) -> Any:
    return [*holder, holder[key]] if isinstance(holder, list) else holder


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """A plan's document with one to four places changed."""
    document = draw(st.sampled_from(DOCUMENTS))
    for _ in range(draw(st.integers(1, 4))):
        ways = list(_places(document))
        way = draw(st.sampled_from(ways))
        how = draw(st.sampled_from(["odd", "odd", "other", "gone", "twice", "key"]))
        if how == "odd":
            odd = draw(st.sampled_from(ODD))
            document = _changed(document, way, lambda _, odd=odd: odd)
        elif how == "other":
            other = _at(document, draw(st.sampled_from(ways)))
            document = _changed(document, way, lambda _, other=other: other)
        elif how == "key" and isinstance(_at(document, way), dict):
            key = draw(st.sampled_from(["", "a/b~c", "plans", "\0", "colour", "salt", 1]))
            more = {key: draw(st.sampled_from(ODD))}
            document = _changed(document, way, lambda value, more=more: value | more)
        elif way and how in ("gone", "twice"):
            change = _without if how == "gone" else _twice
            document = _changed(
                document, way[:-1], lambda value, key=way[-1], change=change: change(value, key)
            )
    return document


def _check_decides(plan: Plan) -> None:
    """Every row gets one decision, whatever the plan."""
    scores = {name: [0.0, 0.05, 0.5, 0.95, 1.0] for name in plan.variants}
    for policy in (plan.policy, *(shadow for _, shadow in plan.shadows())):
        asked = Asked(policy, BATCH, scores)
        for group in asked.settled:
            n = len(BATCH) if group.rows is None else len(group.rows)
            votes = asked.asking.votes.votes(group.asked, group.rows)
            found = combine(group.ensemble, votes, n, None, group.asked)
            assert ((found.probability >= 0) & (found.probability <= 1)).all()


def _check_refused(refused: InvalidInput) -> None:
    assert 0 < len(refused.errors) <= MOST_FAULTS
    for pointer, code, detail in refused.errors:
        assert re.fullmatch(r"(/([^~/]|~[01])*)*", pointer, re.DOTALL), pointer
        assert code
        assert detail


@settings(max_examples=600, deadline=None)
@given(mutated())
def test_a_mutated_document_is_a_plan_that_decides_or_invalid_input(document: Any) -> None:
    try:
        plan = Plan.from_document(document)
    except InvalidInput as refused:
        _check_refused(refused)
        return
    written = json.loads(plan.to_json())
    assert Plan.from_document(written) == plan
    _check_decides(plan)


def _faults(document: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as refused:
        Plan.from_document({"name": "p", "version": 1, **document})
    _check_refused(refused.value)
    return [(pointer, detail) for pointer, _, detail in refused.value.errors]


def _shadow(name: str, plan: Any) -> dict[str, Any]:
    return {"kind": "shadow", "plan": LEAF, "shadows": [{"name": name, "plan": plan}]}


_CANARY: dict[str, Any] = {"kind": "canary", "baseline": LEAF, "canary": LEAF}
_BROKEN = {"plans": {"broken": {**LEAF, "members": []}}}
_SEGMENT = {"name": "eur", "when": {"currency": ["EUR"]}, "plan": "broken"}


@pytest.mark.parametrize(
    ("document", "pointer", "text"),
    [
        ({**_CANARY, "steps": [1, math.nan, 50]}, "/steps", "finite"),
        ({**_CANARY, "steps": [1, 10**400]}, "/steps", "finite"),
        ({**LEAF, "calibration": [[0, 10**400]]}, "/calibration/0", "finite"),
        ({**LEAF, "members": [{"variant": "?", "weight": 1}]}, "/members/0/variant", "tenant"),
        ({**LEAF, "": 1}, "/", "unknown field"),
        ({**_CANARY, "canary": "x", "plans": [1]}, "/plans", "object"),
        ({**LEAF, "plans": {1: LEAF}}, "/plans", "printable"),
        ({**LEAF, "plans": {"\0": LEAF}}, "/plans", "printable"),
        ({**LEAF, "plans": {str(i): LEAF for i in range(501)}}, "/plans", "at most 500"),
        ({**LEAF, "plans": {"a": "b", "b": "a"}}, "/plans/b", "circle: a -> b -> a"),
        (
            {**LEAF, "plans": {f"p{i}": f"p{i + 1}" for i in range(499)} | {"p499": LEAF}},
            "/plans/p7",
            "deeper than 8",
        ),
        (
            {
                **LEAF,
                "plans": {"p0": LEAF}
                | {
                    f"p{i}": {**_CANARY, "salt": f"{i}", "baseline": f"p{i - 1}"}
                    for i in range(1, 12)
                },
            },
            "/plans/p8/baseline",
            "deeper than 8",
        ),
        (
            {
                "kind": "segments",
                "segments": [{**_SEGMENT, "thresholds": LEAF["thresholds"]}],
                "default": LEAF,
                **_BROKEN,
            },
            "/segments/0/plan",
            "broken of `plans` cannot be used",
        ),
        (
            {**_shadow("s", {**_CANARY, "baseline": "broken"}), **_BROKEN},
            "/shadows/0/plan/baseline",
            "cannot be used",
        ),
        (
            {
                "kind": "segments",
                "segments": [{**_SEGMENT, "when": {"currency": ["\0"]}}],
                "default": LEAF,
                **_BROKEN,
            },
            "/segments/0/when/currency/0",
            "printable",
        ),
        ({**_CANARY, "canary": _CANARY}, "", "split at `canary` has the salt"),
        (
            {**_CANARY, "salt": "s", "baseline": _shadow("dark", {**_CANARY, "salt": "s"})},
            "",
            "split at `baseline > dark`",
        ),
        (
            {**_CANARY, "baseline": _shadow("s", LEAF), "canary": _shadow("s", OTHER)},
            "/canary/shadows/0/name",
            "another shadow",
        ),
    ],
)
def test_each_odd_fault_is_named_where_it_is(
    document: dict[str, Any], pointer: str, text: str
) -> None:
    found = _faults(document)
    assert [detail for at, detail in found if at == pointer and text in detail], found


def test_more_faults_than_are_noted_hide_no_fault() -> None:
    unknown = {f"x{i}": i for i in range(2 * MOST_FAULTS)}
    broken = {**_CANARY, **unknown, "canary": {**LEAF, "members": [3]}}
    assert len(_faults(broken)) == MOST_FAULTS


def test_one_shadow_may_stand_in_several_places() -> None:
    document = {**_CANARY, "baseline": _shadow("s", OTHER), "canary": _shadow("s", OTHER)}
    plan = Plan.from_document({"name": "p", "version": 1, **document})
    assert [name for name, _ in plan.shadows()] == ["s", "s"]
