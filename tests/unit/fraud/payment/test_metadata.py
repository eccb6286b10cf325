from __future__ import annotations

import json

import pytest

from fraud.payment.metadata import MAX_BYTES, problems, text_of


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"k" * 40: "v" * 500},
        {f"k{i}": "" for i in range(50)},
        {"lines": "one\r\n\ttwo"},
        {"ä": "für 100 %"},
        {f"{i:08d}": "v" * 504 for i in range(0)},
        {f"{i:012d}": "v" * 500 for i in range(8)},
    ],
)
def test_metadata_within_the_limits_are_accepted(metadata):
    assert problems(metadata) == []
    assert json.loads(text_of(metadata)) == metadata


@pytest.mark.parametrize(
    ("metadata", "key", "code"),
    [
        ({f"k{i}": "" for i in range(51)}, None, "too_many"),
        ({"k" * 41: ""}, None, "too_long"),
        ({"": "v"}, None, "empty"),
        ({" ": "v"}, None, "empty"),
        ({"a\nb": "v"}, None, "unprintable"),
        ({"k": "v" * 501}, "k", "too_long"),
        ({"k": "a\0b"}, "k", "unprintable"),
        ({"k": "\ud800"}, "k", "unprintable"),
        ({f"{i:013d}": "v" * 500 for i in range(8)}, None, "too_large"),
        # In bytes: characters alone are within the bound.
        ({f"k{i}": "ä" * 500 for i in range(5)}, None, "too_large"),
    ],
)
def test_metadata_beyond_the_limits_are_refused(metadata, key, code):
    assert [(at, problem.code) for at, problem in problems(metadata)] == [(key, code)]
    assert MAX_BYTES == 4096
