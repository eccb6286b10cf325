"""The survey reads label and times of every row."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.guess.dialect import guess_dialect
from data.layout.fields import TimeField
from training.auto.survey import survey
from training.auto.unclear import Unclear

TIME = TimeField(columns=("at",), unit="seconds")


def written(folder: Path, labels: list[str]) -> Path:
    path = folder / "x.csv"
    rows = [f"{1_700_000_000 + 60 * i},{label}" for i, label in enumerate(labels)]
    path.write_text("\n".join(["at,y", *rows]) + "\n")
    return path


def test_counts_places_and_times(tmp_path: Path) -> None:
    path = written(tmp_path, ["0", "1", "", "0", "0", "1"])
    found = survey(path, guess_dialect(path), "y", TIME)
    assert found.counts == {"0": 3, "1": 2, "": 1}
    assert found.rows == 6
    assert found.rows_of(["1"]).tolist() == [1, 5]
    assert found.rows_of(["1", ""]).tolist() == [1, 2, 5]
    assert (found.first_ms, found.span_ms) == (1_700_000_000_000, 5 * 60_000)


def test_a_label_without_empty_cells_counts_none(tmp_path: Path) -> None:
    path = written(tmp_path, ["0", "1"])
    assert survey(path, guess_dialect(path), "y", TIME).counts == {"0": 1, "1": 1}


def test_a_column_that_is_no_label_is_refused_early(tmp_path: Path) -> None:
    path = written(tmp_path, [f"id{i}" for i in range(2_000)])
    with pytest.raises(Unclear, match="more than 1,000 different texts"):
        survey(path, guess_dialect(path), "y", TIME)


def test_a_file_without_readable_times_has_no_span(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("at,y\nnever,0\nsoon,1\n")
    found = survey(path, guess_dialect(path), "y", TIME)
    assert (found.first_ms, found.last_ms, found.span_ms) == (None, None, 0)
