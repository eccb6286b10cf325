from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from features.catalogue import markdown
from features.declaration import Family, Feature
from features.definitions import (
    CATEGORICAL,
    FAMILIES,
    FEATURES,
    N_FEATURES,
    NAMES,
    SCHEMA_ID,
    schema_id_of,
)
from features.families.rows import Rows
from features.reason_pages import markdown as reasons_page
from features.state.entities import LAYOUT, ROLES
from features.state.structuring import BAND_START_HUNDREDTHS, THRESHOLD_HUNDREDTHS
from features.transform import transform
from features.views import views_of
from fraud.payment.batch import Float32
from fraud.reasons.catalogue import CODES
from tests.contracts.aggregates import located, random_histories, reading_of
from tests.contracts.payments import payments
from tests.contracts.root import ROOT


@pytest.fixture(scope="module")
def values() -> Float32:
    """float32[2000, N_FEATURES] of histories of every kind."""
    batch = located(payments(2000, seed=5), seed=6)
    batch = replace(batch, channel=[None, *batch.channel[1:]])
    return transform(batch, reading_of(random_histories(2000, seed=7), 2000))


def test_every_feature_is_declared_once_and_has_a_reason() -> None:
    assert len(set(NAMES)) == N_FEATURES
    assert all(f.wording.code in CODES for f in FEATURES)
    assert all(f.meaning and f.missing and "{" not in f.meaning for f in FEATURES)


def test_a_name_says_entity_and_window() -> None:
    for f in FEATURES:
        assert f.name.startswith(f.entity or "request")
        assert f.window is None or f.name.endswith(f"_{f.window}")
        assert f.entity is None or f.entity in {role.name for role in ROLES}


def test_every_feature_is_known_of_some_rows_and_tells_rows_apart(values: Float32) -> None:
    for j, name in enumerate(NAMES):
        known = values[:, j][~np.isnan(values[:, j])]
        assert len(np.unique(known)) > 1, name


def test_what_is_never_missing_never_is(values: Float32) -> None:
    for j, f in enumerate(FEATURES):
        assert np.isnan(values[:, j]).any() == (f.missing != "never"), f.name


def test_columns_hold_what_is_declared(values: Float32) -> None:
    for j, f in enumerate(FEATURES):
        known = values[:, j][~np.isnan(values[:, j])]
        whole = (known == np.floor(known)).all()
        assert whole == (f.dtype != "float"), f.name
        if f.dtype == "bool":
            assert set(known.tolist()) <= {0.0, 1.0}, f.name
        if f.dtype == "category":
            assert (known >= 0).all(), f.name
            assert (known < f.cardinality).all(), f.name
    assert set(CATEGORICAL) == {f.name for f in FEATURES if f.cardinality}


def test_the_schema_id_changes_with_any_word_of_a_declaration() -> None:
    assert len(SCHEMA_ID) == 12
    ids = {SCHEMA_ID, schema_id_of(FEATURES[::-1]), schema_id_of(FEATURES[:-1])}
    changed = Feature("n", "f", "m", "x", FEATURES[1].wording, "e", "w", "int", 3)
    names = [field.name for field in fields(Feature) if field.name != "wording"]
    for name in names:
        ids.add(schema_id_of((replace(FEATURES[0], **{name: getattr(changed, name)}),)))
    assert len(ids) == 3 + len(names)


def test_how_reasons_tell_a_feature_is_no_part_of_the_schema() -> None:
    told = replace(FEATURES[0], wording=FEATURES[1].wording)
    assert schema_id_of((told, *FEATURES[1:])) == SCHEMA_ID


def test_the_schema_id_changes_with_the_state_that_features_are_read_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("features.definitions.LAYOUT_ID", "another")
    assert schema_id_of(FEATURES) != SCHEMA_ID
    assert [BAND_START_HUNDREDTHS, THRESHOLD_HUNDREDTHS] in LAYOUT


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.features[0].name)
def test_a_function_writes_the_columns_that_are_declared_and_no_others(family: Family) -> None:
    rows = Rows.of(located(payments(30, seed=2), seed=3))
    known = views_of(rows, reading_of(random_histories(30, seed=1), 30))
    k = len(family.features)
    values = np.full((30, k + 9), -7, dtype=np.float32)
    if family.role is None:
        family.columns(values[:, 4 : 4 + k], rows)
        there = np.ones(30, dtype=np.bool_)
    else:
        family.columns(values, 4, known[family.role])
        there = np.isin(np.arange(30), known[family.role]["row"])
        assert not there.all()
    own, others = values[:, 4 : 4 + k], np.delete(values, np.s_[4 : 4 + k], axis=1)
    assert (others == -7).all()
    assert (own[~there] == -7).all()
    assert (own[there] != -7).any(axis=0).all()


def test_the_document_is_made_of_the_declarations() -> None:
    """`make docs` writes it."""
    assert (ROOT / "docs" / "features.md").read_text(encoding="utf-8") == markdown()


def test_the_page_of_reasons_is_written_from_the_catalogue() -> None:
    written = (ROOT / "docs" / "reasons.md").read_text(encoding="utf-8")
    assert written == reasons_page(), "make docs"
    assert all(f"`{code}`" in written for code in CODES)
