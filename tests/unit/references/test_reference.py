"""References as documents."""

from __future__ import annotations

import json
import pickle

import pytest

from references.reference import Reference, StoredReference
from tests.contracts.references import small_reference


def test_it_survives_its_document_and_pickle() -> None:
    reference, _ = small_reference(owner="mine")
    document = json.loads(json.dumps(reference.to_document(), allow_nan=False))
    assert Reference.from_document(document) == reference
    assert pickle.loads(pickle.dumps(reference)) == reference


def test_models_are_found_by_name_and_family() -> None:
    reference, _ = small_reference()
    assert reference.model("small-xgboost").family == "supervised"
    assert reference.anomaly_model is not None
    assert reference.anomaly_model.variant == "small-isolation-forest"
    with pytest.raises(KeyError):
        reference.model("xgboost")


def test_its_id_names_the_version() -> None:
    reference, _ = small_reference()
    stored = StoredReference(
        reference, "0123456789ab", "0123456789ab" + "0" * 52, "", 1, "file:///"
    )
    assert stored.id == "small@0123456789ab"
    assert stored.is_house
