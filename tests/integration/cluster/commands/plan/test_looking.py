"""Plans that are shown, compared and drawn, on a real PostgreSQL."""

from __future__ import annotations

import json
from xml.etree import ElementTree as Xml

from tests.contracts.plan_commands import TEXT, Quorum


def test_what_is_shown_can_be_applied_again(quorum: Quorum) -> None:
    quorum("apply", quorum.file(TEXT))
    again = quorum.file(quorum("show", "ours"), "again.yaml")
    assert quorum.json("apply", again)["stored"] == {"name": "ours", "version": 2}
    assert quorum("diff", "ours@1", "ours@2") == ""
    shown = json.dumps(quorum.json("show", "ours@2")["document"])
    assert quorum.json("apply", quorum.file(shown, "plan.json"))["stored"]["version"] == 3


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
