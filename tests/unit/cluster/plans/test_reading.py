"""Plan files that people write."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from cluster.plans.reading import MAX_BYTES, read_plan_file, read_plan_text
from fraud.errors import InvalidInput

TEXT = """\
# who decides in the north
name: north
segments:
  - name: nordics
    when: {country: [NO, SE], amount: {from: 10000, below: 1e5}}   # øre
    plan: {advance: {on: promote}, share: 0.5, "quoted": "12"}
"""


def test_yaml_means_what_a_person_means():
    document = read_plan_text(TEXT).document
    (segment,) = document["segments"]
    assert segment["when"] == {"country": ["NO", "SE"], "amount": {"from": 10_000, "below": 1e5}}
    assert segment["plan"] == {"advance": {"on": "promote"}, "share": 0.5, "quoted": "12"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("true", True), ("False", False), ("null", None), ("~", None), ("", None)),
        *(("yes", "yes"), ("off", "off"), ("12:30:00", "12:30:00"), ("2026-01-02", "2026-01-02")),
        *(("010", 10), ("-3", -3), ("1.", 1.0), (".5", 0.5), ("1e-3", 0.001), ("1.0e-05", 1e-5)),
        *(("0x10", "0x10"), ("1_000", "1_000"), ("'5'", "5"), ("2fd6da9b13f3", "2fd6da9b13f3")),
    ],
)
def test_scalars_follow_the_core_schema(text, value):
    found = read_plan_text(f"a: {text}").document["a"]
    assert (found, type(found)) == (value, type(value))


def test_a_version_of_digits_alone_must_be_quoted_to_be_text():
    assert read_plan_text("a: 123456789012").document == {"a": 123456789012}


def test_no_number_is_read_as_such():
    assert math.isnan(read_plan_text("a: .nan").document["a"])
    assert math.isnan(read_plan_text('{"a": NaN}').document["a"])


def test_faults_are_told_with_their_lines():
    written = read_plan_text(TEXT)
    faults = [
        ("/segments/0/when/country/1", "x", "not a country"),
        ("/segments/0/plan/kind", "x", "missing"),
        ("/default", "x", "missing"),
        ("", "x", "wrong altogether"),
    ]
    assert written.located(faults) == [
        "line 5, /segments/0/when/country/1: not a country",
        "line 6, /segments/0/plan/kind: missing",
        "line 2, /default: missing",
        "line 2: wrong altogether",
    ]


def test_json_is_read_and_has_no_lines(tmp_path: Path):
    document = {"name": "n", "members": [{"variant": "x", "weight": 0.5}]}
    (tmp_path / "plan.json").write_text("﻿" + json.dumps(document, indent="\t"), "utf-8")
    written = read_plan_file(tmp_path / "plan.json")
    assert written.document == document
    assert written.located([("/members/0", "x", "bad")]) == ["/members/0: bad"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [1, 2", "not YAML: line"),
        ("a: 1\nb: 2\na: 3", "line 3: the key 'a' is there twice"),
        ('{"a": 1, "a": 2}', "the key 'a' is there twice"),
        ("? [1]\n: 2", "line 1: expected text as a key"),
        ("- a\n- b", "expected an object"),
        ("", "expected an object"),
        ("just text", "expected an object"),
        ("a: !!python/object/apply:os.system ['true']\n---\nb: 1", "not YAML"),
        ("a: " + "[" * 100 + "]" * 100, "at most 64 levels"),
        ("a: " + "[" * 100_000, "not YAML|levels"),
        ('{"a": ' + "[" * 100_000, "levels"),
    ],
)
def test_what_is_no_document_is_refused(text, said):
    with pytest.raises(InvalidInput, match=said):
        read_plan_text(text)


def test_repeated_aliases_do_not_fill_the_memory():
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 10)
    )
    with pytest.raises(InvalidInput, match="at most 200,000 values"):
        read_plan_text(bomb)


def test_a_file_that_is_too_large_or_not_text_is_refused(tmp_path: Path):
    path = tmp_path / "plan.yaml"
    path.write_bytes(b"a" * (MAX_BYTES + 1))
    with pytest.raises(InvalidInput, match="at most 4 MiB"):
        read_plan_file(path)
    path.write_bytes(b"a: \xff")
    with pytest.raises(InvalidInput, match="UTF-8"):
        read_plan_file(path)
    with pytest.raises(FileNotFoundError):
        read_plan_file(tmp_path / "none.yaml")
