"""Tables and variants that the benchmark of matching makes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from loadtests.bench.offline.matching.__main__ import main
from loadtests.bench.offline.matching.fitted import figures, file_of, history, scores, tabular
from loadtests.bench.offline.matching.generated_sets import (
    known_members,
    other_members,
    unknown_members,
)
from loadtests.bench.offline.matching.other_domains import other_tables
from loadtests.bench.offline.matching.part import Part
from loadtests.bench.offline.matching.strangers import stranger_tables
from loadtests.bench.offline.matching.variants import FRENCH, variants
from references.matching.match_file import match_file
from references.matching.sample import MatchOptions
from tests.contracts.matching import card_table

TABLE = card_table(400, 1).rename_columns(["nr", "nameOrig", "when", "amount", "merchant"])
LABEL = np.asarray(TABLE.column("amount").to_numpy() > 80)
FIELDS = {"customer_id": "nameOrig", "timestamp": "when", "amount": "amount"}
PART = Part("cards", "cards", TABLE, LABEL, FIELDS)


@pytest.mark.parametrize("make", [other_tables, stranger_tables])
def test_a_seed_gives_the_same_tables(make) -> None:  # type: ignore[no-untyped-def]
    one, other = ([part.table for part in make(300, np.random.default_rng(1))] for _ in range(2))
    assert one == other
    assert {table.num_rows for table in one} == {300}


def test_variants_change_names_order_width_and_scale_but_no_rows() -> None:
    found = {one.change: one for one in variants(PART, np.random.default_rng(1))}
    assert found["French names"].part.table.column_names[1] == FRENCH["nameOrig"]
    shuffled = found["shuffled columns"].part.table.column_names
    assert sorted(shuffled) == sorted(TABLE.column_names)
    assert found["more columns"].part.table.num_columns == TABLE.num_columns + 3
    cents = found["cents, confirmed"]
    assert cents.convert == {"amount": "minor-to-major"}
    assert cents.part.table.column("amount").to_pylist() == [
        round(100 * amount) for amount in TABLE.column("amount").to_pylist()
    ]


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


def test_a_part_keeps_consecutive_rows_from_the_middle() -> None:
    thinned = PART.thinned(100)
    assert thinned.table == TABLE.slice(150, 100)
    assert thinned.label.tolist() == LABEL[150:250].tolist()


def test_without_sets_there_is_nothing_to_measure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--data", str(tmp_path / "none")]) == 0
    assert "nothing to measure" in capsys.readouterr().out


def test_members_of_a_family_are_known_or_unknown_but_not_both() -> None:
    known, unknown = (list(members()) for members in (known_members, unknown_members))
    assert {part.family for part in known} == {part.family for part in unknown}
    assert not {part.name for part in known} & {part.name for part in unknown}
    assert not {part.family for part in other_members()} & {part.family for part in known}
    assert all(part.label.any() and len(part.label) == part.table.num_rows for part in known)
