"""Our changes of Serve come with Serve, whoever imports it first."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import pytest

from deployments.serve_changes import after_serve, around_import
from deployments.serve_changes.after_serve import OURS


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of modules: `theirs_of_test`, which `ours_of_test` follows."""
    monkeypatch.syspath_prepend(str(tmp_path))
    follow = partial(after_serve._followed_by, "ours_of_test")
    monkeypatch.setattr(around_import, "_around", {"theirs_of_test": follow})
    names = ("theirs_of_test", "ours_of_test", "others_of_test")
    yield tmp_path
    for name in names:
        sys.modules.pop(name, None)


def test_ours_sees_theirs_complete(folder: Path) -> None:
    (folder / "theirs_of_test.py").write_text("value = 'theirs'\n")
    (folder / "ours_of_test.py").write_text(
        "import theirs_of_test\ntheirs_of_test.value += ' and ours'\n"
    )
    (folder / "others_of_test.py").write_text("from theirs_of_test import value\n")
    assert importlib.import_module("others_of_test").value == "theirs and ours"


def test_a_fault_of_ours_is_not_hidden(folder: Path) -> None:
    """A worker that went on without our changes would put replicas anywhere."""
    (folder / "theirs_of_test.py").write_text("")
    (folder / "ours_of_test.py").write_text("raise RuntimeError('Ray has changed')\n")
    with pytest.raises(RuntimeError, match="Ray has changed"):
        importlib.import_module("theirs_of_test")


def test_other_modules_and_missing_ones_are_left_to_python(folder: Path) -> None:
    (folder / "others_of_test.py").write_text("")
    importlib.import_module("others_of_test")
    assert "ours_of_test" not in sys.modules
    with pytest.raises(ModuleNotFoundError, match="theirs_of_test"):
        importlib.import_module("theirs_of_test")


@pytest.mark.parametrize("module", [*OURS, *OURS.values()])
def test_each_module_exists(module: str) -> None:
    assert find_spec(module) is not None


@pytest.mark.parametrize(
    "program",
    [
        "import deployments.serve_changes.after_serve, ray.serve",
        "import ray.serve, ray.serve._private.application_state;"
        " import deployments.serve_changes.after_serve",
    ],
)
def test_with_serve_ours_are_there_in_either_order(program: str) -> None:
    """`ray.serve` alone need not import every module that we change."""
    code = f"{program}; from deployments.serve_changes.after_serve import OURS\n"
    code += "import sys, importlib\n"
    code += "[importlib.import_module(name) for name in OURS]\n"
    code += "print(sorted(set(OURS.values()) - set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr
