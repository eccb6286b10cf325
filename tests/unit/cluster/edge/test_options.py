"""The options of an edge on their way into the program that Serve starts."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from cluster.edge import stand_in
from cluster.edge.install import PROGRAM, install
from cluster.edge.options import EdgeOptions


@pytest.mark.parametrize(
    "options",
    [
        EdgeOptions(spare=True, host="127.0.0.1", own_front="127.0.0.1:8001"),
        EdgeOptions(spare=False, host="fd00::5", own_front="[::]:8001"),
        EdgeOptions(spare=False, host='it\'s "so"', own_front="$HOME `x`"),
    ],
)
def test_the_installed_program_has_them(
    options: EdgeOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[Any] = []

    class Noted:
        def __init__(self, order: Any, tools: Path, options: EdgeOptions) -> None:
            found.extend((order.config, tools, options))

        def run(self) -> int:
            return 0

    folder = tmp_path / "the edge"
    install(folder, options)
    last = (folder / PROGRAM).read_text().splitlines()
    words = shlex.split("\n".join(last[2:]))
    monkeypatch.setattr(stand_in, "StandIn", Noted)
    monkeypatch.setattr(sys, "argv", ["-c", "-f", "/F/haproxy.cfg"])
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(SystemExit) as ended:
        exec(words[words.index("-c") + 1], {})
    assert ended.value.code == 0
    assert found == [Path("/F/haproxy.cfg"), folder, options]
