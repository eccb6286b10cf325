"""Plans and their activations as tables."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO
from typing import Any

from rich.console import Console

from cluster.terminal.tables.plans import activations_table, plans_table

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
PLAN: dict[str, Any] = {
    **{"owner": None, "name": "[red]ours", "version": 4, "kind": "ab", "active": True},
    **{"author": "me", "reason": "why\nnot " * 20, "created_at": AT},
}


def printed(shown: Any) -> str:
    console = Console(file=StringIO(), width=200)
    console.print(shown)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_a_plan_is_one_line_without_markup_of_its_own():
    said = printed(plans_table([PLAN, {**PLAN, "owner": "acme", "active": False}])).splitlines()
    assert len(said) == 3
    assert "[red]ours v4" in said[1]
    assert "the house" in said[1]
    assert "active" in said[1]
    assert "…" in said[1]
    assert "acme" in said[2]
    assert "active" not in said[2]


def test_an_activation_says_what_decided_before_and_whether_it_was_automatic():
    entry = {
        **{"plan": None, "previous": {"name": "ours", "version": 3}, "activated_at": AT},
        **{"author": "guard", "reason": "", "automatic": True},
    }
    said = printed(activations_table([entry]))
    assert "the house's" in said
    assert "ours v3" in said
    assert "guard (automatic)" in said


def test_nothing_is_said_in_words():
    assert "no plans" in plans_table([])
    assert "no activation" in activations_table([])
