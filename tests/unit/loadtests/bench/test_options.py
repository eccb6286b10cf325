"""The options of the command."""

from __future__ import annotations

import pytest

from loadtests.bench.options import options


def test_defaults() -> None:
    chosen = options([])
    assert chosen.apps == ["quorum", "tuned", "docs", "no-op"]
    assert (chosen.connections, chosen.rounds, chosen.growth) == ([1, 32, 128], 3, None)
    assert 1000 in chosen.rates


def test_quorum_comes_first_whatever_the_order() -> None:
    assert options(["--apps", "no-op,quorum"]).apps == ["quorum", "no-op"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--apps", "tuned"], "quorum must be among the apps"),
        (["--apps", "quorum,other"], "other: the apps are quorum, tuned, docs, no-op"),
        (["--rounds", "0"], "must be at least 1"),
    ],
)
def test_what_makes_no_sense_is_refused(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        options(arguments)
    assert said in capsys.readouterr().err
