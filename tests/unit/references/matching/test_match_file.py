"""A file against all references."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from references.matching.match import Match
from references.matching.match_file import KEPT, match_file
from references.matching.sample import MatchOptions
from references.reference import StoredReference
from tests.contracts.matching import SHOP, card_table, file_of, shop_table, stored

SHOP_TABLE = shop_table(1500, 1)
CARD_TABLE = card_table(1500, 1)
TABLES = {"shop": SHOP_TABLE, "cards": CARD_TABLE}
IMPORTANCE = {
    "amount": 0.4,
    "age_of_account": 0.2,
    "items": 0.2,
    "category": 0.1,
    "distance_km": 0.1,
}
SHOP_REFERENCE = stored(
    SHOP_TABLE, "shop", required=("amount",), importance=IMPORTANCE, metrics={"roc_auc": 0.9}
)
CARDS = stored(
    CARD_TABLE, "cards", kind="history", required=("customer_id", "timestamp", "amount"),
    metrics={"roc_auc": 0.8},
)  # fmt: skip
REFERENCES = (SHOP_REFERENCE, CARDS)


def _match(
    table: pa.Table,
    options: MatchOptions | None = None,
    references: Sequence[StoredReference] = REFERENCES,
) -> Match:
    def sketch(reference: StoredReference) -> pa.Table:
        return TABLES.get(reference.reference.name, SHOP_TABLE)

    return match_file(file_of(table), references, sketch, options or MatchOptions())


def _codes(match: Match, reference: StoredReference = SHOP_REFERENCE) -> set[str]:
    return {reason.code for reason in match.of(reference.id).reasons}


def _with(table: pa.Table, name: str, values: object) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, pa.array(values))


def test_a_file_of_the_same_source_is_scored_by_its_reference() -> None:
    match = _match(shop_table(1500, 9))
    assert match.chosen == (SHOP_REFERENCE.id,)
    best = match.of(SHOP_REFERENCE.id)
    assert best.coverage == pytest.approx(1)
    assert best.similarity > 0.85
    assert best.domain_auc is not None
    assert best.domain_auc < 0.7
    assert (best.weight, best.forced, best.reasons) == (1.0, False, ())


def test_renamed_and_shuffled_columns_are_found() -> None:
    french = {"amount": "montant", "items": "articles", "category": "catégorie"}
    table = shop_table(1500, 9).select(list(reversed(SHOP)))
    match = _match(table.rename_columns([french.get(n, n) for n in table.column_names]))
    assert match.chosen == (SHOP_REFERENCE.id,)
    found = {c.column: c.file_column for c in match.of(SHOP_REFERENCE.id).columns}
    assert found["amount"] == "montant"
    assert found["category"] == "catégorie"


def test_payments_with_customers_find_a_history() -> None:
    match = _match(card_table(1500, 9))
    assert match.chosen == (CARDS.id,)
    assert match.models[0].reference == CARDS.id


def test_a_required_column_is_missing() -> None:
    match = _match(shop_table(1500, 9).drop_columns(["amount"]))
    reason = match.of(SHOP_REFERENCE.id).reasons[0]
    assert (reason.code, reason.column) == ("column-missing", "amount")
    assert reason.needed
    assert match.refused
    assert match.reasons[0].code == "low-similarity"


def test_more_than_one_row_in_a_hundred_of_another_type_is_told() -> None:
    table = shop_table(1500, 9)
    texts = [f"{a}" for a in table.column("amount").to_pylist()]
    few = [("none of it" if i % 300 == 0 else text) for i, text in enumerate(texts)]
    many = [("none of it" if i % 60 == 0 else text) for i, text in enumerate(texts)]
    assert _match(_with(table, "amount", few)).chosen == (SHOP_REFERENCE.id,)
    assert "column-mistyped" in _codes(_match(_with(table, "amount", many)))


def test_a_constant_column_that_the_models_need_is_told() -> None:
    assert "column-constant" in _codes(_match(_with(shop_table(1500, 9), "amount", [5.0] * 1500)))


def test_another_unit_is_refused_until_it_is_confirmed() -> None:
    table = shop_table(1500, 9)
    cents = pc.round(pc.multiply(table.column("amount"), 100)).cast(pa.int64())
    table = table.set_column(0, "amount", cents)
    match = _match(table)
    assert _codes(match) == {"other-unit"}
    assert "minor-to-major" in match.of(SHOP_REFERENCE.id).reasons[0].needed
    confirmed = _match(table, MatchOptions(convert={"amount": "minor-to-major"}))
    assert confirmed.chosen == (SHOP_REFERENCE.id,)
    applied = confirmed.of(SHOP_REFERENCE.id).columns[0].applied
    assert applied is not None
    assert applied.factor == 0.01


def test_a_file_with_the_label_is_refused_as_a_whole() -> None:
    table = shop_table(1500, 9).append_column("is_fraud", pa.array([0] * 1490 + [1] * 10))
    match = _match(table)
    assert match.refused
    assert [(r.code, r.column) for r in match.reasons] == [("label-present", "is_fraud")]
    assert _match(table, MatchOptions(ignore=("is_fraud",))).chosen == (SHOP_REFERENCE.id,)


def test_a_table_about_something_else_is_refused() -> None:
    rng = np.random.default_rng(2)
    table = pa.table(
        {
            "sepal_length": rng.normal(5.8, 0.8, 500),
            "petal_width": rng.normal(1.2, 0.7, 500),
            "species": rng.choice(["setosa", "virginica"], 500),
        }
    )
    match = _match(table)
    assert match.refused
    assert all(model.reasons for model in match.models)


def test_numbers_of_the_same_shape_under_other_names_are_doubted() -> None:
    table = shop_table(1500, 9)
    rng = np.random.default_rng(4)
    names = ["rainfall", "altitude", "wind", "soil", "snow"]
    columns = [table.column(i).take(pa.array(rng.permutation(1500))) for i in range(5)]
    match = _match(pa.table(columns, names))
    assert "other-domain" in _codes(match)
    assert match.refused


def test_one_column_in_common_is_not_enough() -> None:
    lone = stored(SHOP_TABLE.select(["amount"]), "lone")
    match = _match(shop_table(1500, 9).select(["amount"]), references=[lone])
    assert match.chosen == (lone.id,)
    shifted = pc.add(shop_table(1500, 9).column("amount"), 11.0)
    match = _match(pa.table({"claim_amount": shifted}), references=[lone])
    assert _codes(match, lone) & {"other-domain", "low-similarity"}


def test_payments_of_another_subject_are_refused() -> None:
    names = ["claim_id", "member_id", "claim_date", "claim_amount", "policy_type"]
    match = _match(card_table(1500, 9).rename_columns(names))
    reasons = match.of(CARDS.id).reasons
    assert [reason.code for reason in reasons] == ["other-domain"]
    assert "claim, policy" in reasons[0].detail


def test_a_named_reference_scores_although_it_does_not_fit() -> None:
    match = _match(card_table(1500, 9), MatchOptions(model=("shop",)))
    assert match.chosen == (SHOP_REFERENCE.id,)
    forced = match.of(SHOP_REFERENCE.id)
    assert forced.forced
    assert forced.reasons
    assert forced.weight == 1
    fits = _match(shop_table(1500, 9), MatchOptions(model=("shop",))).of(SHOP_REFERENCE.id)
    assert not fits.forced


def test_without_references_there_is_nothing_to_match() -> None:
    match = _match(shop_table(100, 9), references=())
    assert match.refused
    assert [reason.code for reason in match.reasons] == ["no-reference"]


def test_weights_sum_to_one_and_at_most_twenty_models_are_told() -> None:
    many = [stored(shop_table(600, i), f"shop{i}", importance=IMPORTANCE) for i in range(KEPT + 5)]
    match = _match(shop_table(1500, 9), MatchOptions(models=3), many)
    assert len(match.models) == KEPT
    assert len(match.chosen) == 3
    assert sum(model.weight for model in match.models) == pytest.approx(1)


def test_a_match_survives_its_document() -> None:
    match = _match(shop_table(1500, 9))
    assert Match.from_document(match.to_document()) == match


def test_columns_that_mention_the_label_are_noted() -> None:
    table = shop_table(1500, 9).append_column("fraud_scenario", pa.array([0] * 1500))
    assert any("fraud_scenario" in note for note in _match(table).notes)


def test_the_order_of_columns_changes_nothing() -> None:
    table = shop_table(1500, 9)
    one, other = _match(table), _match(table.select(list(reversed(SHOP))))
    assert one.of(SHOP_REFERENCE.id).columns == other.of(SHOP_REFERENCE.id).columns


def test_a_file_without_rows_is_refused() -> None:
    assert _match(shop_table(100, 9).slice(0, 0)).refused
