"""A plan for a match, and its way through JSON."""

from __future__ import annotations

from pathlib import Path

import pytest

from bulk.scoring.plan import FileColumn, ScoringPlan
from bulk.scoring.planning import MOST_COLUMNS, plan_of
from fraud.errors import NotFound
from references.matching.match import ColumnMatch, Conversion, Match, ModelMatch
from references.profile.column import ColumnKind, ColumnProfile
from references.reference import Reference, ReferenceColumn, ReferenceModel, StoredReference

CENTS = Conversion("minor-to-major", 0.01, "in cents")


def profile(name, kind=ColumnKind.NUMBER, **more):
    return ColumnProfile(name, kind, 10, 10, **more)


def stored(name, anomaly=True, **more):
    models = (ReferenceModel(f"{name}-xgboost", "a" * 64, "supervised", {"roc_auc": 0.9}),)
    if anomaly:
        models += (ReferenceModel(f"{name}-isolation", "b" * 64, "anomaly"),)
    reference = Reference(
        name=name,
        owner="",
        tenant="acme",
        kind="tabular",
        schema_id="tab-1",
        columns=(
            ReferenceColumn(profile("amount", quantiles=(1.0, 2.0)), 0.7),
            ReferenceColumn(profile("kind", ColumnKind.CATEGORY), 0.2, categorical=True),
            ReferenceColumn(profile("age"), 0.1),
        ),
        label="fraud",
        label_rate=0.02,
        rows=1000,
        models=models,
        best=f"{name}-xgboost",
        metrics={"roc_auc": 0.9},
        created_at="2026-11-30T00:00:00Z",
        missing=("?",),
        **more,
    )
    return StoredReference(reference, "0123456789ab", "c" * 64, "champion", 1, "file:///x")


def match(name, weight):
    columns = (
        ColumnMatch("amount", "betrag", 0.9, 0.9, 0.9, 0.7, True, applied=CENTS),
        ColumnMatch("kind", "art", 0.9, 0.9, 0.9, 0.2, False),
        ColumnMatch("age", None, 0.0, 0.0, 0.0, 0.1, False),
    )
    return ModelMatch(f"{name}@0123456789ab", 0.8, 0.9, 0.9, 0.6, columns, weight=weight)


def planned(weights=(3.0, 1.0), **more):
    names = ["one", "two"][: len(weights)]
    found = [match(n, w) for n, w in zip(names, weights, strict=True)]
    file = [
        profile("betrag"),
        profile("art", ColumnKind.CATEGORY),
        profile("who", ColumnKind.IDENTIFIER),
        profile("when", ColumnKind.TIME, time_format="iso"),
        profile("old_label"),
    ]
    return plan_of(
        Match(tuple(found), tuple(m.reference for m in found)),
        [stored("one", calibrated_rate=0.05), stored("two", anomaly=False)],
        lambda variant, digest: Path("/cache") / variant / digest[:12],
        profiles=file,
        tenant="acme",
        ignore=["old_label"],
        **more,
    )


def test_weights_add_up_to_one_and_artifacts_have_folders():
    plan = planned()
    assert [m.weight for m in plan.models] == [0.75, 0.25]
    assert plan.models[0].model.folder == "/cache/one-xgboost/aaaaaaaaaaaa"
    assert plan.models[0].anomaly is not None
    assert plan.models[1].anomaly is None


def test_the_share_of_fraud_is_that_of_the_calibration_where_it_is_known():
    assert [m.label_rate for m in planned().models] == [0.05, 0.02]


def test_forced_models_without_weight_share_it():
    assert [m.weight for m in planned((0.0, 0.0)).models] == [0.5, 0.5]


def test_columns_are_mapped_with_the_confirmed_conversion():
    amount, kind, age = planned().models[0].columns
    assert (amount.file_column, amount.conversion, amount.factor) == (
        "betrag",
        "minor-to-major",
        0.01,
    )
    assert (kind.file_column, kind.categorical, kind.factor) == ("art", True, 1.0)
    assert age.file_column is None


def test_the_forest_of_the_file_looks_at_numbers_and_categories_only():
    assert planned().columns == (
        FileColumn("betrag", ColumnKind.NUMBER),
        FileColumn("art", ColumnKind.CATEGORY),
    )


def test_of_a_wide_file_the_forest_looks_at_the_first_columns():
    found = match("one", 1.0)
    plan = plan_of(
        Match((found,), (found.reference,)),
        [stored("one")],
        lambda *_: Path("/x"),
        profiles=[profile(f"c{i}") for i in range(10_000)],
        tenant="acme",
    )
    assert len(plan.columns) == MOST_COLUMNS
    assert plan.columns[-1].name == f"c{MOST_COLUMNS - 1}"


def test_a_reference_that_is_gone_is_not_found():
    found = match("gone", 1.0)
    with pytest.raises(NotFound, match="gone"):
        plan_of(
            Match((found,), (found.reference,)),
            [stored("one")],
            lambda *_: Path("/x"),
            profiles=[],
            tenant="acme",
        )


def test_a_plan_goes_through_json(tmp_path):
    plan = planned(decimal=",", missing=["NA", "?"], seed=3)
    plan.write(tmp_path / "plan.json")
    assert ScoringPlan.read(tmp_path / "plan.json") == plan
