"""Plans as YAML."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cluster.plans.reading import read_plan_text
from cluster.plans.writing import WIDTH, tidy, yaml_of
from fraud.plan import Plan
from tests.contracts.decisions import PLAN


def test_a_plan_is_written_so_that_a_person_can_read_it():
    text = yaml_of(PLAN.to_document())
    assert text.startswith("name: default\nversion: 3\nkind: ensemble\n")
    assert "calibration: [[0.0, 0.0], [0.025" in text, "numbers are not one a line"
    assert max(map(len, text.splitlines())) <= WIDTH + 20
    assert "&" not in text


def plain(value):
    """As JSON has it, without tuples."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list | tuple) else value


def test_what_was_written_is_read_again():
    document = PLAN.to_document()
    assert read_plan_text(yaml_of(document)).document == plain(document)


def test_what_says_nothing_is_left_out_and_a_canary_that_is_out_stays_out():
    document = {"step": None, "guard": None, "a": [{"b": None, "c": 0, "d": False, "e": []}]}
    assert tidy(document) == {"step": None, "a": [{"c": 0, "d": False}]}
    assert Plan.from_document(tidy(PLAN.to_document())) == PLAN


TEXTS = st.sampled_from(["NO", "on", "yes", "~", "null", "1e3", "2026-01-02", "010", "a b", "#x"])
PRINTABLE = st.text(st.characters(exclude_categories=("C", "Z")))
"""As in plans: no text of a document holds anything else."""
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | PRINTABLE | TEXTS,
    lambda children: st.lists(children) | st.dictionaries(PRINTABLE | TEXTS, children),
    max_leaves=20,
)


@given(st.dictionaries(TEXTS, VALUES, min_size=1))
def test_every_document_is_read_as_it_was_written(document):
    assert read_plan_text(yaml_of(document)).document == document
