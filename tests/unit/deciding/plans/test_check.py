"""The variants of a plan exist, belong to its owner and speak the served features."""

from __future__ import annotations

import pytest

from deciding.plans.check import faults_of, named_variants
from fraud.variant import HOUSE, VariantRef
from tests.contracts.decisions import PLAN

SCHEMA = "served"


class Known:
    """Models by name."""

    def __init__(self, **schemas: str) -> None:
        self.schemas = schemas
        self.asked: list[str] = []

    def schema_of(self, ref: VariantRef) -> str | None:
        self.asked.append(str(ref))
        return self.schemas.get(str(ref).replace("/", "_").replace("-", "_").replace("@", "_"))


ALL = dict.fromkeys(("xgboost", "random_forest", "logistic", "isolation_forest"), SCHEMA)


def leaf(*variants: str) -> dict:
    return {"kind": "ensemble", "members": [{"variant": v, "weight": 1} for v in variants]}


NESTED = {
    "name": "n",
    "plans": {"a/b": leaf("xgboost")},
    "kind": "ab",
    "arms": [
        {"name": "control", "weight": 50, "plan": "a/b"},
        {"name": "new", "weight": 50, "plan": leaf("gone", "xgboost") | {"anomaly": "gone"}},
    ],
}


def test_a_plan_of_known_variants_has_no_fault():
    models = Known(**ALL)
    assert faults_of(PLAN.to_document(), HOUSE, models, SCHEMA) == ()
    assert sorted(models.asked) == sorted(PLAN.variants)


def test_every_place_that_names_a_variant_is_found():
    assert dict(named_variants(NESTED)) == {
        "/plans/a~1b/members/0/variant": "xgboost",
        "/arms/1/plan/members/0/variant": "gone",
        "/arms/1/plan/members/1/variant": "xgboost",
        "/arms/1/plan/anomaly": "gone",
    }


def test_a_fault_is_told_at_each_place_and_looked_up_once():
    models = Known(**ALL)
    faults = faults_of(NESTED, HOUSE, models, SCHEMA)
    assert {(pointer, code) for pointer, code, _ in faults} == {
        ("/arms/1/plan/members/0/variant", "unknown_variant"),
        ("/arms/1/plan/anomaly", "unknown_variant"),
    }
    assert sorted(models.asked) == ["gone", "xgboost"]


@pytest.mark.parametrize(
    ("owner", "name", "code"),
    [
        (HOUSE, "acme/xgboost", "foreign_variant"),
        ("other", "acme/xgboost", "foreign_variant"),
        ("acme", "acme/xgboost", None),
        ("acme", "xgboost", None),
        ("acme", "xgboost@0123456789ab", None),
        ("acme", "xgboost@ffffffffffff", "unknown_variant"),
        ("acme", "acme/logistic", "unknown_variant"),
        (HOUSE, "old", "other_schema"),
        (HOUSE, "not a name", "unknown_variant"),
    ],
)
def test_owners_versions_and_schemas(owner, name, code):
    models = Known(**ALL, acme_xgboost=SCHEMA, xgboost_0123456789ab=SCHEMA, old="another")
    faults = faults_of(leaf(name), owner, models, SCHEMA)
    assert [found for _, found, _ in faults] == ([] if code is None else [code])
