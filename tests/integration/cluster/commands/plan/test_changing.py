"""Plans that are stored, activated and rolled back, on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from cluster.commands.plan import changing
from cluster.errors import CommandFailed
from cluster.plans.reading import read_plan_text
from cluster.pools import deployment
from fraud.plan import Plan
from stores.statements import statement
from tests.contracts.locks import until_waiting
from tests.contracts.plan_commands import TEXT, Quorum


def test_a_plan_is_applied_shown_changed_and_rolled_back(quorum: Quorum) -> None:
    path = quorum.file(TEXT)
    assert "stored plan ours v1; `quorum plan activate ours 1` lets it decide" in quorum(
        "apply", path, "--reason", "first"
    )
    assert "decides within two seconds" in quorum("activate", "ours")
    assert quorum("activate", "ours", "1") == "plan ours v1 decides already\n"
    changed = quorum.file(TEXT.replace("0.75", "0.5"), "changed.yaml")
    assert "stored plan ours v2; plan ours v2 decides within two seconds, instead of ours v1" in (
        quorum("apply", changed, "--activate", "--reason", "less xgboost")
    )
    shown = quorum("show", "--yaml")
    assert shown.startswith("# plan ours v2 of the house, active\n# stored ")
    assert "# less xgboost\n" in shown
    whole = quorum.json("show", "ours", "2")["document"]
    assert Plan.from_document(read_plan_text(shown).document) == Plan.from_document(whole)
    said = quorum("diff", "ours@1", "active").splitlines()
    assert said[:2] == ["--- ours@1", "+++ ours@2"]
    assert [line[0] for line in said[3:] if "xgboost" in line] == ["-", "+"]
    assert quorum("diff", "ours@2", changed) == ""
    assert quorum.json("diff", "ours@2", changed)["same"]
    assert quorum("rollback", "--reason", "worse") == (
        "plan ours v1 decides within two seconds, instead of ours v2\n"
    )
    history = quorum.json("list", "--history")
    assert [entry["plan"]["version"] for entry in history] == [1, 2, 1]
    assert (history[0]["reason"], history[0]["automatic"]) == ("worse", False)
    assert "command line" in history[0]["author"]
    assert "ours v2" in quorum("list", "--history")
    listed = quorum.json("list")
    assert [(p["version"], p["active"], p["reason"]) for p in listed] == [
        (1, True, "first"),
        (2, False, "less xgboost"),
    ]
    assert "less xgboost" in quorum("list")


def test_variants_without_a_pool_are_told(quorum: Quorum, monkeypatch: pytest.MonkeyPatch) -> None:
    path = quorum.file(TEXT)
    assert quorum.json("apply", path)["missing"] == [], "nobody knows which pools run"
    monkeypatch.setattr(deployment, "running_pools", lambda _: frozenset({"xgboost"}))
    warning = "\nno pool runs for logistic: `quorum deploy` deploys what is missing\n"
    added = warning.replace("deploy`", "deploy --add logistic`")
    assert quorum("apply", path).endswith(f"lets it decide{added}")
    assert quorum("apply", path, "--activate").endswith(f"within two seconds{warning}")
    assert quorum.json("activate", "ours", "1")["missing"] == ["logistic"]
    assert quorum("rollback").endswith(f"instead of ours v1{warning}")
    monkeypatch.setattr(deployment, "running_pools", lambda _: frozenset({"xgboost", "logistic"}))
    assert quorum.json("activate", "ours", "2")["missing"] == []


def test_faults_are_told_with_their_lines_and_nothing_is_stored(quorum: Quorum) -> None:
    unknown = quorum.file(TEXT.replace("logistic", "nobody"))
    said = quorum("apply", unknown, code=1)
    assert said.count(f"{unknown}: line 6, /members/1/variant: there is no such champion") == 1
    assert "nothing was stored" in said
    for text, place in (
        (TEXT.replace("block: 0.8", "block: 0.2"), "thresholds"),
        (TEXT.replace("0.25", ".nan"), "weight|members"),
        (TEXT + "kind: single\n", "line 8: the key 'kind' is there twice"),
        ("name: [", "not YAML: line"),
    ):
        said = quorum("apply", quorum.file(text), code=1)
        assert any(word in said for word in place.split("|")), said
    assert quorum.json("list") == []
    assert "has no fault" in quorum("apply", quorum.file(TEXT), "--check")
    said = quorum("apply", quorum.file(TEXT), "--check", "--activate", code=2)
    assert "exclude each other" in said
    assert quorum.json("list") == []
    assert "no such file" in quorum("apply", str(quorum.folder / "none.yaml"), code=1)


def test_an_activation_that_expected_another_plan_changes_nothing(quorum: Quorum) -> None:
    quorum("apply", quorum.file(TEXT), "--activate")
    quorum("apply", quorum.file(TEXT))
    said = quorum("activate", "ours", "2", "--expected", "ours@2", code=1)
    assert "plan ours v1 is active by now" in said
    assert "names no version" in quorum("activate", "ours", "--expected", "ours", code=2)
    assert quorum("activate", "ours", "2", "--expected", "ours@1")
    assert "there is no plan ours v9" in quorum("activate", "ours", "9", code=1)
    for name in ("ours@0", "ours@99999999999"):
        assert f"there is no plan {name.replace('@', ' v')}" in quorum("show", name, code=1)


def test_of_two_people_who_activate_at_the_same_time_one_is_told(quorum: Quorum) -> None:
    quorum("apply", quorum.file(TEXT), "--activate")
    for _ in range(2):
        quorum("apply", quorum.file(TEXT))

    async def at_once() -> list[Any]:
        holder = await asyncpg.connect(quorum.url)
        transaction = holder.transaction()
        await transaction.start()
        await holder.execute(statement("deciding/plans/sql/lock_plans.sql"))
        calls = [
            asyncio.create_task(changing._activate("ours", version, ..., "", None))
            for version in (2, 3)
        ]
        await until_waiting(holder, 2)
        await transaction.rollback()
        await holder.close()
        return await asyncio.gather(*calls, return_exceptions=True)

    lost, won = sorted(asyncio.run(at_once()), key=lambda done: isinstance(done, dict))
    assert isinstance(lost, CommandFailed)
    assert "is active by now" in lost.what
    assert won["changed"]


def test_a_plan_whose_models_are_gone_is_not_activated(quorum: Quorum) -> None:
    quorum("apply", quorum.file(TEXT))
    (quorum.folder / "artifacts" / "logistic" / "aliases" / "champion.json").unlink()
    said = quorum("activate", "ours", code=1)
    assert "/members/1/variant: there is no such champion" in said
    assert "nothing was activated" in said
