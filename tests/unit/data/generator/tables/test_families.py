"""The families: each has columns of its own, and a label that a simple model learns in part."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from data.generator.tables.families import OTHER_DOMAINS, PAYMENTS
from data.generator.tables.family import STYLES, Family
from data.generator.tables.table import LabelledTable, TableSpec, generate_table

EVERY = {**PAYMENTS, **OTHER_DOMAINS}


def learnt(found: LabelledTable, family: Family) -> float:
    """The ROC-AUC of boosted trees on the last third of the rows."""
    columns = []
    for field in family.fields:
        if field.kind not in ("identifier", "time"):
            values = found.table[found.names[field.key]].to_pandas()
            if field.kind == "category":
                values = values.astype("category").cat.codes
            columns.append(values.to_numpy(np.float64))
    matrix, positive = np.stack(columns, axis=1), found.is_positive
    cut = 2 * len(positive) // 3
    model = HistGradientBoostingClassifier(max_iter=80, max_leaf_nodes=15, random_state=0)
    score = model.fit(matrix[:cut], positive[:cut]).predict_proba(matrix[cut:])[:, 1]
    return float(roc_auc_score(positive[cut:], score))


@pytest.mark.parametrize("family", PAYMENTS.values(), ids=PAYMENTS)
def test_a_fraud_is_learnable_and_not_trivial(family: Family) -> None:
    found = generate_table(TableSpec(family, rows=18_000, rate=0.03))
    assert 0.85 < learnt(found, family) < 0.97
    assert 0.9 < roc_auc_score(found.is_positive, found.odds) < 0.99


@pytest.mark.parametrize("name", ["insurance-claims", "credit-default", "churn", "sensors"])
def test_labels_of_other_domains_follow_from_their_columns_too(name: str) -> None:
    found = generate_table(TableSpec(OTHER_DOMAINS[name], rows=8_000, rate=0.15))
    assert learnt(found, OTHER_DOMAINS[name]) > 0.65


def test_gibberish_has_nothing_to_learn() -> None:
    family = OTHER_DOMAINS["gibberish"]
    assert 0.4 < learnt(generate_table(TableSpec(family, rows=8_000)), family) < 0.6


@pytest.mark.parametrize("style", STYLES)
def test_names_are_unique_and_families_share_few(style: str) -> None:
    seen: dict[str, set[str]] = {}
    for name, family in EVERY.items():
        names = [field.name(style) for field in family.fields]  # type: ignore[arg-type]
        label = family.label_name(style)  # type: ignore[arg-type]
        assert len({*names, label}) == len(names) + 1
        seen[name] = set(names)
    for one in PAYMENTS:
        for other in EVERY:
            if one != other:
                assert len(seen[one] & seen[other]) <= 2


@pytest.mark.parametrize("family", EVERY.values(), ids=EVERY)
def test_every_field_is_drawn_at_every_size(family: Family) -> None:
    for rows in (1, 50):
        found = generate_table(TableSpec(family, rows=rows))
        assert found.table.num_rows == rows
        assert set(found.names) == {field.key for field in family.fields}
        assert np.isfinite(found.odds).all()
