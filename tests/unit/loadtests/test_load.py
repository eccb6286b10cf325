"""The keys of a load are valid while it runs and revoked afterwards."""

from __future__ import annotations

import json
import subprocess

import pytest

from loadtests import load


class Quorum:
    """The command line, with numbered keys; the one named `broken` cannot be made."""

    def __init__(self, broken: str = "") -> None:
        self.live: list[str] = []
        self.stuck = ""
        self._broken = broken

    def __call__(self, *arguments: str) -> str:
        if arguments[1] == "create":
            name = arguments[-1]
            if name == self._broken:
                raise subprocess.CalledProcessError(1, ["/bin/quorum", *arguments])
            self.live.append(name)
            return json.dumps({"key": f"qk_{name}_x", "key_id": name})
        if arguments[2] == self.stuck:
            raise subprocess.CalledProcessError(1, ["/bin/quorum", *arguments])
        self.live.remove(arguments[2])
        return ""


@pytest.fixture
def quorum(monkeypatch: pytest.MonkeyPatch) -> Quorum:
    commands = Quorum()
    monkeypatch.setattr(load, "_quorum", commands)
    return commands


def test_keys_live_as_long_as_the_load(quorum: Quorum) -> None:
    with load._keys(3) as keys:
        assert keys == ["qk_load 1_x", "qk_load 2_x", "qk_load 3_x"]
        assert len(quorum.live) == 3
    assert quorum.live == []


def test_a_failing_load_leaves_none(quorum: Quorum) -> None:
    with pytest.raises(RuntimeError), load._keys(2):
        raise RuntimeError
    assert quorum.live == []


def test_one_that_stays_keeps_none_of_the_others(quorum: Quorum) -> None:
    quorum.stuck = "load 1"
    with load._keys(3):
        pass
    assert quorum.live == ["load 1"]


def test_what_was_made_before_a_failure_is_revoked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commands = Quorum(broken="load 3")
    monkeypatch.setattr(load, "_quorum", commands)
    monkeypatch.setenv("QUORUM_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("QUORUM_API_KEY", "qk_secret")
    assert load.main(["--keys", "4"]) == 2
    assert commands.live == []
    said = capsys.readouterr().err
    assert said == "error: quorum keys create failed\n"
