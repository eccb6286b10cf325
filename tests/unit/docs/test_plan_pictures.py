"""The plans in docs/plans.md are plans, one of each kind, and the pictures are theirs."""

from __future__ import annotations

import re

from cluster.plans.writing import yaml_of
from docs.plan_pictures import FOLDER, examples, pictures
from fraud.plan import Plan
from fraud.policy.reading import KINDS


def test_there_is_an_example_of_each_kind_and_each_is_a_plan() -> None:
    assert [document["kind"] for document in examples()] == list(KINDS)
    for document in examples():
        plan = Plan.from_document({**document, "version": 1})
        assert Plan.from_document(plan.to_document()) == plan
        assert yaml_of(plan.to_document())


def test_the_pictures_are_of_these_plans() -> None:
    drawn = pictures()
    assert {path.name for path in (FOLDER / "plans").iterdir()} == set(drawn)
    for name, picture in drawn.items():
        assert (FOLDER / "plans" / name).read_text("utf-8") == picture, "`make docs` draws it anew"


def test_the_page_shows_every_picture() -> None:
    page = (FOLDER / "plans.md").read_text("utf-8")
    assert re.findall(r"\(plans/([a-z]+\.svg)\)", page) == list(pictures())
