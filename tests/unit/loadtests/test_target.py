"""How the Quorum under load is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtests.target import NoTarget, find_target


def test_demo_env_says_where(tmp_path: Path) -> None:
    (tmp_path / "demo.env").write_text(
        "# Written by `quorum up`.\nQUORUM_URL=http://127.0.0.1:8000/\n"
        "export QUORUM_API_KEY='qk_a'\n"
    )
    target = find_target({"QUORUM_HOME": str(tmp_path)})
    assert (target.url, target.api_key, target.home) == ("http://127.0.0.1:8000", "qk_a", tmp_path)
    assert "qk_a" not in repr(target)


def test_the_environment_wins(tmp_path: Path) -> None:
    (tmp_path / "demo.env").write_text("QUORUM_URL=http://a\nQUORUM_API_KEY=one\n")
    target = find_target({"QUORUM_HOME": str(tmp_path), "QUORUM_URL": "http://b"})
    assert (target.url, target.api_key) == ("http://b", "one")


def test_nothing_known_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NoTarget, match=r"QUORUM_URL and QUORUM_API_KEY.*make up"):
        find_target({"QUORUM_HOME": str(tmp_path)})
