"""The error of a file that does not say enough."""

from __future__ import annotations

import pickle

from fraud.errors import NotTrainable
from training.auto.unclear import Unclear


def test_it_says_what_is_unclear_and_what_settles_it() -> None:
    error = Unclear("no column is named like a label", "--label COLUMN names it")
    assert str(error) == "no column is named like a label; --label COLUMN names it"
    assert isinstance(error, NotTrainable), "the command line reports it as such"


def test_it_crosses_processes() -> None:
    error = Unclear("what", "settle")
    copied = pickle.loads(pickle.dumps(error))
    assert (type(copied), copied.what, copied.settle) == (Unclear, "what", "settle")
    assert str(copied) == str(error)
