"""Names of columns that are refused."""

from __future__ import annotations

import pytest

from bulk.files.column_names import MAX_COLUMNS, check_names
from bulk.files.refused import FileRefused
from bulk.jobs.paths import LINE


@pytest.mark.parametrize(
    ("names", "code", "column"),
    [
        ([], "one-column", ""),
        (["a"], "one-column", ""),
        (["a", "b", "a"], "equal-names", "a"),
        (["a", "", "c"], "empty-name", ""),
        (["a", "\xa0"], "empty-name", ""),
        (["a", LINE], "reserved-name", LINE),
        (["a", "x" * 301], "wrong-name", ""),
        (["a", "x\0y"], "wrong-name", ""),
        ([str(i) for i in range(MAX_COLUMNS + 1)], "too-many-columns", ""),
    ],
)
def test_names_that_are_refused(names: list[str], code: str, column: str) -> None:
    with pytest.raises(FileRefused) as caught:
        check_names(names, 7)
    assert (caught.value.code, caught.value.column, caught.value.line) == (code, column, 7)


def test_many_different_names_are_fine() -> None:
    check_names([f"column {i}" for i in range(MAX_COLUMNS)])
