"""The error of a file that cannot be scored."""

from __future__ import annotations

import pickle

from bulk.files.refused import FileRefused
from fraud.errors import InvalidInput


def test_it_survives_pickle_and_tells_callers_where() -> None:
    error = FileRefused("empty-name", "column 2 has no name in the header", "x", 3)
    again = pickle.loads(pickle.dumps(error))
    assert isinstance(again, InvalidInput)
    assert (again.code, again.detail, again.column, again.line) == error.args
    assert again.errors == (("/file", "empty-name", "column 2 has no name in the header"),)
    assert str(again) == "column 2 has no name in the header"
