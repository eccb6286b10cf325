"""References that are fitted quickly."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from bulk.jobs.paths import SAMPLED_ROWS
from loadtests.bench.offline.matching.fitted import figures, file_of, history, scores, tabular
from loadtests.bench.offline.matching.part import Part
from references.matching.match_file import match_file
from references.matching.sample import MatchOptions
from tests.contracts.matching import card_table

TABLE = card_table(400, 1).rename_columns(["nr", "nameOrig", "when", "amount", "merchant"])
LABEL = np.asarray(TABLE.column("amount").to_numpy() > 80)
FIELDS = {"customer_id": "nameOrig", "timestamp": "when", "amount": "amount"}
PART = Part("cards", "cards", TABLE, LABEL, FIELDS)


def test_a_quick_reference_learns_and_scores() -> None:
    fitted = tabular(PART)
    match = match_file(file_of(TABLE), [fitted.stored], lambda _: fitted.sketch, MatchOptions())
    predicted = scores(fitted, TABLE, match.models[0])
    assert figures(LABEL, predicted)["average_precision"] > 0.9
    assert figures(np.zeros(3, np.bool_), np.zeros(3)) == {}


def test_a_history_has_the_fields_of_payments() -> None:
    columns = {column.name: column for column in history(PART).stored.reference.columns}
    assert columns.keys() == FIELDS.keys()
    assert columns["amount"].required


def test_a_file_is_sampled_as_an_upload_is() -> None:
    rows = SAMPLED_ROWS + 10_000
    file = file_of(pa.table({"row": np.arange(rows)}))
    sampled = file.rows.column("row").to_pylist()
    assert len(sampled) == SAMPLED_ROWS
    assert (sampled[0], sampled[-1]) == (0, rows - 1)
    assert file.profile("row").rows == rows
