"""Runs on file."""

from __future__ import annotations

import msgspec
import pytest

from loadtests.capacity.constants import Constants
from loadtests.capacity.runs import read_runs


def test_what_was_measured_is_read_back(constants: Constants) -> None:
    runs = list(constants.node.runs)
    assert read_runs(msgspec.json.encode(runs)) == runs
    assert {run.name for run in runs} >= {"32 connections", "500 req/s"}


def test_something_else_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        read_runs(b'[{"mode": "closed"}]')
