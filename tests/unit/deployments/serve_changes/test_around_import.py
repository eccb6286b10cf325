"""Code of ours around the import of a module."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deployments.serve_changes import around_import as module
from deployments.serve_changes.around_import import around_import

NAME = "quorum_test_around_import"


@pytest.fixture
def seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What happened around the import of a module."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(module, "_around", {})
    found: list[str] = []

    @contextmanager
    def around() -> Iterator[None]:
        found.append("before")
        try:
            yield
        finally:
            found.append("after")

    around_import(NAME, around)
    yield found
    sys.modules.pop(NAME, None)


def test_a_module_runs_within(seen: list[str], tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.py").write_text("ONE = 1\n")
    assert seen == []
    imported = importlib.import_module(NAME)
    assert (imported.ONE, seen) == (1, ["before", "after"])
    importlib.import_module(NAME)
    assert seen == ["before", "after"]


def test_the_error_of_a_module_is_raised(seen: list[str], tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.py").write_text("1 / 0\n")
    with pytest.raises(ZeroDivisionError):
        importlib.import_module(NAME)
    assert seen == ["before", "after"]


def test_a_module_that_is_not_there_is_not_found(seen: list[str]) -> None:
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module(NAME)
    assert seen == []
