"""The command line of the capacity model."""

from __future__ import annotations

import json

import pytest

from loadtests.capacity.commands import main


def test_plan_prints_a_column_for_each_load(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--per-day", "10M", "100M", "--per-second", "10000", "--markdown"]) == 0
    output = capsys.readouterr().out
    assert "| 10 M a day | 100 M a day | 288 M a day |" in output
    assert "serving nodes" in output
    assert "peak decisions/s" in output


def test_plan_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--per-day", "10M", "--retention-days", "30", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    [plan] = document["plans"]
    assert plan["demand"]["peak_per_s"] == pytest.approx(10e6 / 86_400 * 3)
    assert plan["demand"]["retention_days"] == 30
    assert {need["of"] for need in plan["needs"]} >= {"Redis", "PostgreSQL"}
    assert document["saturates"]


def test_simulate_prints_a_row_for_each_load(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["simulate", "--nodes", "2", "--rates", "200", "--connections", "4"]
    assert main([*arguments, "--seconds", "1", "--json"]) == 0
    runs = json.loads(capsys.readouterr().out)
    assert [run["load"] for run in runs] == ["4 connections", "200 req/s"]
    assert all(run["per_s"] > 0 for run in runs)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["plan", "--per-day", "0"], "expected more than 0"),
        (["plan", "--per-day", "many"], "invalid"),
        (["simulate", "--nodes", "0"], "expected 1 or more"),
        (["measure", "--parts", "redis,moon"], "moon: the parts are"),
    ],
)
def test_wrong_arguments_are_named(
    arguments: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert why in capsys.readouterr().err


def test_an_impossible_load_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--per-day", "1M", "--peak-to-mean", "0.5"]) == 2
    assert capsys.readouterr().err == "error: ValueError: peak_to_mean: expected 1 or more\n"


def test_check_against_nodes_needs_a_key(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("QUORUM_API_KEY", raising=False)
    assert main(["check", "--nodes", "http://127.0.0.1:1"]) == 2
    assert "QUORUM_API_KEY not set" in capsys.readouterr().err
