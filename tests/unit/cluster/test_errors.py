"""The error of a command: one line, and whole after a pickle."""

from __future__ import annotations

import pickle

from cluster.errors import CommandFailed


def test_the_hint_follows_what_went_wrong() -> None:
    assert str(CommandFailed("no port is free", "stop one")) == "no port is free — stop one"
    assert str(CommandFailed("no port is free", "")) == "no port is free"


def test_a_pickle_keeps_every_part() -> None:
    error = pickle.loads(pickle.dumps(CommandFailed("what", "hint", 2)))
    assert (error.what, error.hint, error.exit_code) == ("what", "hint", 2)
    assert CommandFailed("what", "hint").exit_code == 1
