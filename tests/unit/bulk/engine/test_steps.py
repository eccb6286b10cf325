"""An order to read a file is enough to open it, in any process."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from bulk.engine.steps import ReadOrder
from bulk.files.refused import FileRefused
from bulk.jobs.paths import JobPaths

TEXT = "a|b;c\n1|2;3\n4|5;6\n"


def ordered(folder: Path, **dialect: Any) -> ReadOrder:
    paths = JobPaths(folder)
    paths.upload.write_text(TEXT)
    order = ReadOrder(paths, "payments.csv", dialect, len(TEXT))
    return pickle.loads(pickle.dumps(order))  # type: ignore[no-any-return]


@pytest.mark.parametrize(("delimiter", "names"), [("|", ("a", "b;c")), (";", ("a|b", "c"))])
def test_a_file_is_opened_as_its_sender_said(
    tmp_path: Path, delimiter: str, names: tuple[str, ...]
) -> None:
    assert ordered(tmp_path, delimiter=delimiter).open().names == names


def test_no_more_is_unpacked_than_allowed(tmp_path: Path) -> None:
    order = ordered(tmp_path)
    with order.paths.upload.open("a") as file:
        file.write("7|8;9\n")
    with pytest.raises(FileRefused) as caught:
        order.open()
    assert caught.value.code == "too-large"
