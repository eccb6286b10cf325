"""The result of a match: what follows from it, and its document."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from references.matching.columns.units import CONVERSIONS
from references.matching.match import ColumnMatch, Match, ModelMatch, Reason

CENTS = CONVERSIONS["minor-to-major"]
AMOUNT = ColumnMatch("amount", "cents", 0.6, 0.9, 0.4, 0.7, required=True, proposed=CENTS)
SHOP = ColumnMatch("shop", None, 0.0, 0.0, 0.0, 0.3, required=False)
REFUSED = (Reason("column-missing", "amount is required", "amount", "a column like amount"),)


def model(reference: str, *columns: ColumnMatch, reasons: tuple[Reason, ...] = ()) -> ModelMatch:
    return ModelMatch(
        reference, 0.5, 0.7, 0.7, 0.61, columns, ("noise",), reasons, 0.5, structure=-0.1
    )


def test_a_model_fits_without_a_reason_against_it() -> None:
    assert model("a@1").fits
    assert not model("a@1", reasons=REFUSED).fits


def test_a_file_is_refused_if_nothing_scores_it() -> None:
    models = (model("a@1"), model("b@2", reasons=REFUSED))
    assert Match(models, ()).refused
    assert not Match(models, ("a@1",)).refused


def test_a_reference_is_found_by_its_name_and_version() -> None:
    match = Match((model("a@1"), model("b@2")), ("a@1",))
    assert match.of("b@2") is match.models[1]
    with pytest.raises(KeyError):
        match.of("b")


def test_only_chosen_models_wait_for_a_confirmation() -> None:
    applied = replace(AMOUNT, file_column="limit", applied=CENTS)
    waiting = model("a@1", AMOUNT, applied, SHOP)
    unused = model("b@2", replace(AMOUNT, file_column="other"))
    match = Match((waiting, unused), ("a@1",))
    assert match.unconfirmed == ("cents",)
    assert Match((waiting, unused), ("b@2", "a@1")).unconfirmed == ("cents", "other")
    assert Match((waiting,), ()).unconfirmed == ()


def test_a_match_comes_back_out_of_json() -> None:
    whole = model("a@1", AMOUNT, replace(AMOUNT, applied=CENTS, note="converted"), SHOP)
    match = Match((whole, model("b@2", reasons=REFUSED)), ("a@1",), REFUSED, 20_000, ("a note",))
    document = json.loads(json.dumps(match.to_document()))
    assert Match.from_document(document) == match


@pytest.mark.parametrize("missing", ["models", "chosen", "reasons", "rows", "notes"])
def test_another_document_is_no_match(missing: str) -> None:
    document = Match((model("a@1", AMOUNT),), ("a@1",)).to_document()
    del document[missing]
    with pytest.raises(KeyError):
        Match.from_document(document)


def test_a_field_that_nobody_knows_is_an_error() -> None:
    document = Match((model("a@1", AMOUNT),), ("a@1",)).to_document()
    document["models"][0]["columns"][0]["other"] = 1
    with pytest.raises(TypeError):
        Match.from_document(document)
