"""`quorum plan` on one database."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cluster.cli import run

TEXT = """\
# by hand
name: ours
kind: ensemble
members:
  - {variant: xgboost, weight: 0.75}
  - {variant: logistic, weight: 0.25}
thresholds: {challenge: 0.1, review: 0.4, block: 0.8}
"""


class Quorum:
    """The command line on one database."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], url: str) -> None:
        self.folder = folder
        self.url = url
        self._capsys = capsys

    def __call__(self, *arguments: str, code: int = 0) -> str:
        found = run(["plan", *arguments])
        said = self._capsys.readouterr()
        assert found == code, said.err
        return said.out if code == 0 else said.err

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "--json"))

    def file(self, text: str, name: str = "plan.yaml") -> str:
        (self.folder / name).write_text(text, "utf-8")
        return str(self.folder / name)
