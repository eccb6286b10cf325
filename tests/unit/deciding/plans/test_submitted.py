"""Plans that somebody submits."""

from __future__ import annotations

from typing import Any

import pytest

from deciding.plans.submitted import read_submitted
from fraud.errors import ArtifactsUnavailable, InvalidInput
from fraud.variant import HOUSE, VariantRef
from tests.contracts.fake_plans import SCHEMA, KnownModels

LEAF: dict[str, Any] = {
    "kind": "single",
    "members": [{"variant": "xgboost", "weight": 1}],
    "thresholds": {"challenge": 0.1, "review": 0.4, "block": 0.8},
}
SPLIT: dict[str, Any] = {
    "name": "split",
    "version": 17,
    "kind": "ab",
    "arms": [
        {"name": "a", "weight": 60, "slots": [[0, 9000]], "plan": LEAF},
        {"name": "b", "weight": 40, "slots": [[9000, 10_000]], "plan": LEAF},
    ],
}
MODELS = KnownModels("xgboost")


def pointers(document: Any, owner: str = HOUSE) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        read_submitted(document, owner, MODELS, SCHEMA)
    return [pointer for pointer, *_ in caught.value.errors]


def test_version_and_slots_are_ignored_and_the_document_is_left_as_it_was():
    plan = read_submitted(SPLIT, HOUSE, MODELS, SCHEMA)
    assert plan.version == 1
    assert [arm["slots"] for arm in plan.to_document()["arms"]] == [[[0, 6000]], [[6000, 10_000]]]
    assert SPLIT["arms"][0]["slots"] == [[0, 9000]]
    assert SPLIT["version"] == 17


def test_slots_elsewhere_are_a_fault():
    assert pointers({"name": "n", **LEAF, "slots": []}) == ["/slots"]


@pytest.mark.parametrize("name", ["active", "a/b", "", "-a", "a b", "x" * 65, "ä", 5, None])
def test_a_name_that_fits_into_no_address_is_refused(name):
    assert pointers({"name": name, **LEAF})[0] == "/name"


@pytest.mark.parametrize("document", [None, [], "plan", 5, {}, {"kind": []}, {"plans": 3}])
def test_what_is_no_plan_is_refused(document):
    assert pointers(document)


def test_faults_of_the_plan_come_before_its_models():
    document = {"name": "n", **LEAF, "members": [{"variant": "nobody", "weight": 0}]}
    assert pointers(document) == ["/members/0/weight"]
    document["members"] = [{"variant": "nobody", "weight": 1}]
    assert pointers(document) == ["/members/0/variant"]


def test_artifacts_that_do_not_answer_are_no_fault_of_the_plan():
    class Away:
        def schema_of(self, ref: VariantRef) -> str | None:
            raise ArtifactsUnavailable("down")

    with pytest.raises(ArtifactsUnavailable):
        read_submitted({"name": "n", **LEAF}, HOUSE, Away(), SCHEMA)


@pytest.mark.parametrize("key", ["arms", "kind", "default", "colour"])
def test_what_lies_too_deep_is_a_fault(key: str):
    deep: Any = 1
    for level in range(900):
        deep = [deep] if level % 2 else {"plan": deep}
    assert pointers({"name": "n", **LEAF, key: deep})
