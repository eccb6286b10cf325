"""A plan crosses processes as JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bulk.scoring.plan import FileColumn, ScoringPlan
from references.profile.column import ColumnKind
from tests.contracts.scored_jobs import column, history_model, plan, profile, tabular_model


@pytest.fixture
def planned(tmp_path):
    kind = profile("kind", ColumnKind.CATEGORY, categories=(("pos", 0.7), ("web", 0.3)))
    columns = [
        column("x", "betrag", conversion="minor-to-major", factor=0.01),
        column("kind", "art", categorical=True, profile=kind),
        column("gone", None),
    ]
    table = tabular_model(tmp_path / "t", columns, anomaly=True, missing=("?", "-999"))
    history = history_model(tmp_path / "h", {"amount": "betrag"}, reference="h@ba9876543210")
    return plan([history, table], ["betrag"], decimal=",", missing=("NA",), seed=7)


def test_a_plan_is_the_same_after_a_journey(planned, tmp_path):
    planned.write(tmp_path / "plan.json")
    assert ScoringPlan.read(tmp_path / "plan.json") == planned


def test_models_are_told_apart_by_how_their_features_are_made(planned):
    assert [m.kind for m in planned.history + planned.tabular] == ["history", "tabular"]


def test_a_plan_names_the_kinds_of_the_files_columns(planned):
    assert planned.columns == (FileColumn("betrag", ColumnKind.NUMBER),)


@pytest.mark.parametrize(("distinct", "listed"), [(2, ("pos", "web")), (80, ())])
def test_categories_are_known_only_if_all_are_listed(distinct, listed):
    kind = profile("kind", ColumnKind.CATEGORY, categories=(("pos", 0.7), ("web", 0.3)))
    kind = replace(kind, distinct=distinct)
    assert column("kind", "art", categorical=True, profile=kind).categories == listed


@pytest.mark.parametrize("left", [b"", b"{}", b"[1]"])
def test_what_is_no_plan_is_refused(tmp_path, left):
    (tmp_path / "plan.json").write_bytes(left)
    with pytest.raises((ValueError, TypeError, KeyError)):
        ScoringPlan.read(tmp_path / "plan.json")


def test_a_plan_is_plain_json(planned):
    document = json.loads(json.dumps(planned.to_document(), allow_nan=False))
    assert ScoringPlan.from_document(document) == planned
