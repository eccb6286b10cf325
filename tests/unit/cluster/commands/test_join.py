"""`quorum join`: what it is told, and whether it stays in the foreground."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from cluster.cli import run
from cluster.errors import CommandFailed
from cluster.membership import join, leave

REPORT = {"url": "http://h:8000", "own_url": "http://h:8001", "head": "h:6379", "seconds": 7.5}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the command hands on."""
    told: list[Any] = []

    def start(*arguments: Any) -> dict[str, Any]:
        told.append(arguments)
        return REPORT

    def in_foreground(start: Callable[[], None]) -> None:
        start()
        told.append("left")

    monkeypatch.setattr(join, "join", start)
    monkeypatch.setattr(leave, "leave_in_foreground", in_foreground)
    return told


def test_a_node_that_has_joined_is_told(
    told: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["join", "10.0.0.1"]) == 0
    assert told == [("10.0.0.1", None, 180.0)]
    said = capsys.readouterr().out
    assert "http://h:8000" in said
    assert "http://h:8001/metrics" in said
    assert "7.5 s" in said


def test_its_result_as_json(told: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["join", "a:7000", "--host", "10.0.0.5", "--timeout-s", "9", "--json"]) == 0
    assert told == [("a:7000", "10.0.0.5", 9.0)]
    assert json.loads(capsys.readouterr().out) == REPORT


def test_in_the_foreground_it_leaves_at_the_end(told: list[Any]) -> None:
    assert run(["join", "10.0.0.1", "--foreground"]) == 0
    assert told == [("10.0.0.1", None, 180.0), "left"]


def test_a_refusal_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: Any) -> None:
        raise CommandFailed("it is there already", "wait")

    monkeypatch.setattr(join, "join", refuse)
    assert run(["join", "10.0.0.1"]) == 1
    assert capsys.readouterr().err == "error: it is there already — wait\n"


@pytest.mark.parametrize("arguments", [[], ["10.0.0.1", "--timeout-s", "0"]])
def test_wrong_usage_starts_nothing(told: list[Any], arguments: list[str]) -> None:
    assert run(["join", *arguments]) == 2
    assert told == []
