"""Whose plans a command reads and changes, on a real PostgreSQL."""

from __future__ import annotations

from tests.contracts.plan_commands import TEXT, Quorum


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
