"""The whole file against the match that a sample gave."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bulk.engine.whole_file_check import check_columns, check_payments, without
from bulk.jobs.paths import JobPaths
from bulk.scoring.plan import PlannedArtifact, PlannedColumn, PlannedModel, ScoringPlan
from references.matching.match import ColumnMatch, Match, ModelMatch, Reason
from references.profile.column import ColumnKind, ColumnProfile
from references.reference import ReferenceKind

A, B = "a@000000000000", "b@111111111111"
ROWS = 1_000


def planned(
    reference: str,
    column: PlannedColumn,
    weight: float = 0.5,
    kind: ReferenceKind = "tabular",
) -> PlannedModel:
    artifact = PlannedArtifact("x", "d" * 64, "/nowhere")
    return PlannedModel(reference, kind, weight, 0.9, None, 0.01, {}, (column,), ("NA",), artifact)


def number(file_column: str, **more: object) -> PlannedColumn:
    profile = ColumnProfile("amount", ColumnKind.NUMBER, 100, 100)
    return PlannedColumn(profile, file_column, **more)  # type: ignore[arg-type]


def matched(
    reference: str, file_column: str, *, required: bool = True, forced: bool = False
) -> ModelMatch:
    column = ColumnMatch("amount", file_column, 0.9, 0.9, 0.9, 1.0, required)
    return ModelMatch(reference, 0.9, 1.0, 0.9, None, (column,), weight=0.5, forced=forced)


def match_of(*models: ModelMatch) -> Match:
    return Match(models, tuple(model.reference for model in models), rows=ROWS)


def write(folder: Path, columns: dict[str, Sequence[object]], parts: int = 2) -> JobPaths:
    paths = JobPaths(folder)
    table = pa.table(columns)
    size = -(-table.num_rows // parts)
    paths.part(0).parent.mkdir()
    for part in range(parts):
        pq.write_table(table[part * size : (part + 1) * size], paths.part(part))
    return paths


def texts(wrong: int, filled: int = ROWS) -> list[str]:
    return ["abc"] * wrong + ["1.50"] * (filled - wrong) + [""] * (ROWS - filled)


@pytest.mark.parametrize(
    ("cells", "fits"),
    [
        (texts(0), True),
        (texts(10), True),
        (texts(11), False),
        (texts(6, filled=500), False),  # of the filled rows
        (["NA"] * 500 + ["7"] * 500, True),
        (["nan"] * 500 + texts(6, filled=500)[:500], False),  # a part of missing ones fills no row
        (["inf"] * 500 + ["7"] * 500, True),
        ([1.5] * ROWS, True),
        ([None] * ROWS, True),
    ],
)
def test_one_percent_of_a_required_column_may_be_no_number(
    tmp_path: Path, cells: list[object], fits: bool
) -> None:
    paths = write(tmp_path, {"montant": cells})
    plan = ScoringPlan((planned(A, number("montant"), 1.0),), (), "mine", missing=("NA", "nan"))
    match = match_of(matched(A, "montant"))
    checked = check_columns(paths, plan, match)
    assert checked.refused is not fits
    if fits:
        assert checked == match
    else:
        (reason,) = checked.models[0].reasons
        assert (reason.code, reason.column) == ("column-mistyped", "montant")
        assert checked.reasons == (reason,)


def test_decimal_commas_are_numbers_where_the_file_has_them(tmp_path: Path) -> None:
    paths = write(tmp_path, {"montant": ["1 234,50"] * ROWS})
    match = match_of(matched(A, "montant"))
    for decimal, fits in ((",", True), (".", False)):
        plan = ScoringPlan((planned(A, number("montant")),), (), "mine", decimal=decimal)
        assert check_columns(paths, plan, match).refused is not fits


@pytest.mark.parametrize(
    ("column", "required", "forced"),
    [
        (number("montant"), False, False),
        (number("montant"), True, True),
        (number("montant", categorical=True), True, False),
        (number("montant", conversion="epoch-ms-to-s"), True, False),
    ],
)
def test_what_need_not_be_a_number_is_not_checked(
    tmp_path: Path, column: PlannedColumn, required: bool, forced: bool
) -> None:
    paths = write(tmp_path, {"montant": texts(500)})
    plan = ScoringPlan((planned(A, column),), (), "mine")
    match = match_of(matched(A, "montant", required=required, forced=forced))
    assert check_columns(paths, plan, match).chosen == (A,)


def test_the_other_models_score_the_file(tmp_path: Path) -> None:
    paths = write(tmp_path, {"x": texts(500), "y": texts(0)})
    plan = ScoringPlan((planned(A, number("x")), planned(B, number("y"))), (), "mine")
    checked = check_columns(paths, plan, match_of(matched(A, "x"), matched(B, "y")))
    assert checked.chosen == (B,)
    assert [model.weight for model in checked.models] == [0.0, 1.0]
    assert not checked.reasons


def test_history_needs_payments() -> None:
    plan = ScoringPlan(
        (planned(A, number("x"), kind="history"), planned(B, number("y"))), (), "mine"
    )
    match = match_of(matched(A, "x"), matched(B, "y"))
    assert check_payments(plan, match, ROWS, 10) == match
    assert check_payments(plan, match, 0, 0) == match
    assert check_payments(plan, match, ROWS, 11).chosen == (B,)


def test_reasons_alone_change_nothing_that_is_forced() -> None:
    match = match_of(matched(A, "x", forced=True))
    assert without(match, {A: (Reason("column-mistyped", "no"),)}) == match
