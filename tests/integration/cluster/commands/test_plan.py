"""`quorum plan` on a real PostgreSQL and artifacts on disk."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import asyncpg
import pytest

from cluster.cli import run
from cluster.commands.plan import changing
from cluster.errors import CommandFailed
from cluster.plans.reading import read_plan_text
from cluster.pools import deployment
from features.definitions import SCHEMA_ID
from fraud.plan import Plan
from stores.statements import statement
from tests.contracts.artifacts import point_alias, tiny_artifact

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


@pytest.fixture
def quorum(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    database_url: str,
    _empty: None,
) -> Quorum:
    monkeypatch.setenv("QUORUM_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("QUORUM_DASHBOARD_PORT", "9")  # no node runs
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")  # Ray reads a token once and for all
    for name in ("xgboost", "logistic"):
        made = tiny_artifact(tmp_path / "artifacts", name, n_features=4, schema_id=SCHEMA_ID)
        point_alias(tmp_path / "artifacts", name, *made)
    return Quorum(tmp_path, capsys, database_url)


@pytest.fixture
async def _empty(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute("TRUNCATE plans, activations")
    await connection.close()


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


def test_what_is_shown_can_be_applied_again(quorum: Quorum) -> None:
    quorum("apply", quorum.file(TEXT))
    again = quorum.file(quorum("show", "ours"), "again.yaml")
    assert quorum.json("apply", again)["stored"] == {"name": "ours", "version": 2}
    assert quorum("diff", "ours@1", "ours@2") == ""
    shown = json.dumps(quorum.json("show", "ours@2")["document"])
    assert quorum.json("apply", quorum.file(shown, "plan.json"))["stored"]["version"] == 3


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
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        async with asyncio.timeout(30):
            while await holder.fetchval(waiting) < 2:
                await holder.execute("SELECT pg_sleep(0.01)")
        await transaction.rollback()
        await holder.close()
        return await asyncio.gather(*calls, return_exceptions=True)

    lost, won = sorted(asyncio.run(at_once()), key=lambda done: isinstance(done, dict))
    assert isinstance(lost, CommandFailed)
    assert "is active by now" in lost.what
    assert won["changed"]


def test_a_tenant_has_plans_of_its_own_beside_the_house(quorum: Quorum) -> None:
    quorum("apply", quorum.file(TEXT), "--activate")
    said = quorum("activate", "ours", "--tenant", "acme", code=1)
    assert "plan ours v1 is the house's" in said
    assert "# plan ours v1 of the house, active" in quorum("show", "--tenant", "acme")
    done = quorum.json("apply", quorum.file(TEXT), "--activate", "--tenant", "acme")
    assert (done["owner"], done["stored"]["version"]) == ("acme", 1)
    owners = [(p["owner"], p["active"]) for p in quorum.json("list", "--tenant", "acme")]
    assert sorted(owners, key=str) == [("acme", True), (None, True)]
    assert [p["owner"] for p in quorum.json("list")] == [None]
    foreign = quorum.file(TEXT.replace("logistic", "other/logistic"))
    assert "another tenant's variant" in quorum("apply", foreign, "--tenant", "acme", code=1)
    assert quorum("rollback", "--tenant", "acme") == (
        "the house's plan decides for tenant acme again\n"
    )
    assert "# plan ours v1 of the house" in quorum("show", "--tenant", "acme")


def test_a_plan_is_drawn_from_the_table_and_from_a_file(quorum: Quorum) -> None:
    path = quorum.file(TEXT)
    quorum("apply", path, "--activate")
    svg = quorum.folder / "plan.svg"
    drawn = quorum("draw", "--svg", str(svg))
    assert "├─ xgboost  (weight 0.75)" in drawn
    Xml.parse(svg)
    assert quorum("draw", "--file", path).splitlines()[1:] == drawn.splitlines()[1:]
    said = quorum("draw", "--svg", str(quorum.folder / "no" / "x.svg"), code=1)
    assert "No such file or directory" in said
    faulty = quorum.file(TEXT.replace("0.75", "-1").replace("block: 0.8", "block: 7"))
    said = quorum("draw", "--file", faulty, code=1)
    assert f"{faulty}: line 5, /members/0/weight: " in said
    assert f"{faulty}: line 7, /thresholds/block: " in said
    assert f"{faulty}: 2 faults" in said


def test_a_plan_whose_models_are_gone_is_not_activated(quorum: Quorum) -> None:
    quorum("apply", quorum.file(TEXT))
    (quorum.folder / "artifacts" / "logistic" / "aliases" / "champion.json").unlink()
    said = quorum("activate", "ours", code=1)
    assert "/members/1/variant: there is no such champion" in said
    assert "nothing was activated" in said
